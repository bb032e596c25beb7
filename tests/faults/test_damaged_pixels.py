"""Pixels and angles that a product lacks: what the whole run makes of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sen2cor.cli import main as command
from sen2cor.imagery import images, jpeg2000
from sen2cor.raster.grids import Grid
from tests.command import configuration, product_in
from tests.small_product import write_small_product

pytestmark = pytest.mark.many_cases

SATURATED_DEFECTIVE = 1
WINDOW = slice(30, 50), slice(20, 60)
"""Rows and columns at 20 m of the damage; whole pixels at 60 m are inside."""

INSIDE = slice(33, 48), slice(24, 57)


@pytest.fixture(scope="module")
def raster_product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small product with raster masks and radiometric offsets."""
    return write_small_product(tmp_path_factory.mktemp("psd15"), psd="15")


@pytest.fixture(scope="module")
def intact(small_product: Path, finished_product: Path) -> Path:
    return finished_product


def main(arguments: list[str]) -> int:
    """Run the command on a product that the test has edited."""
    return command(["--no-checksums", *arguments])


def process(product: Path, out: Path, *arguments: str) -> Path:
    assert main([*arguments, "--output_dir", str(out), str(product)]) == 0
    return product_in(out)


def copied(product: Path, folder: Path) -> Path:
    return Path(shutil.copytree(product, folder / "in" / product.name))


def read(product: Path, kind: str, resolution: int) -> NDArray[np.uint16]:
    (path,) = product.glob(f"GRANULE/*/IMG_DATA/R{resolution}m/*_{kind}_{resolution}m.jp2")
    return np.asarray(jpeg2000.read(path))


def at(window: tuple[slice, slice], resolution: int) -> tuple[slice, slice]:
    """The same window of the 20 m grid at another resolution."""
    rows, cols = (
        slice(part.start * 20 // resolution, part.stop * 20 // resolution) for part in window
    )
    return rows, cols


def change_band(product: Path, band: str, change: Callable[[NDArray[np.uint16]], None]) -> None:
    path = next(product.glob(f"GRANULE/*/IMG_DATA/*_{band}.jp2"))
    numbers = np.array(jpeg2000.read(path))
    change(numbers)
    grid = jpeg2000.read_info(path).grid
    assert grid is not None
    images.write(path, numbers, grid, 1024)


def find_resolution(product: Path, band: str) -> int:
    info = jpeg2000.read_info(next(product.glob(f"GRANULE/*/IMG_DATA/*_{band}.jp2")))
    assert info.grid is not None
    return int(info.grid.pixel_size)


def mark_raster(product: Path, band: str, layer: int) -> None:
    path = next(product.glob(f"GRANULE/*/QI_DATA/MSK_QUALIT_{band}.jp2"))
    info = jpeg2000.read_info(path)
    assert info.grid is not None
    mask = np.array(jpeg2000.read(path))
    mask[(*at(WINDOW, int(info.grid.pixel_size)), layer)] = 1
    images.write(path, mask, info.grid, 192)


def mark_polygon(product: Path, kind: str, band: str, mask_type: str) -> None:
    path = next(product.glob(f"GRANULE/*/QI_DATA/*MSK_{kind}_*{band}*.gml"))
    info = jpeg2000.read_info(next(product.glob("GRANULE/*/IMG_DATA/*_B02.jp2")))
    assert info.grid is not None
    grid: Grid = info.grid
    west, east = (grid.ulx + 20.0 * col for col in (WINDOW[1].start, WINDOW[1].stop))
    north, south = (grid.uly - 20.0 * row for row in (WINDOW[0].start, WINDOW[0].stop))
    corners = f"{west} {north} {east} {north} {east} {south} {west} {south} {west} {north}"
    member = (
        f"<eop:maskMembers><eop:MaskFeature><eop:maskType>{mask_type}</eop:maskType><eop:extentOf>"
        f"<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList srsDimension='2'>{corners}"
        "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></eop:extentOf>"
        "</eop:MaskFeature></eop:maskMembers>"
    )
    text, number = re.subn(r"<eop:maskMembers ?/>", member, path.read_text())
    assert number == 1
    path.write_text(text)


def assert_flagged(product: Path, band: str, *, lost: bool) -> None:
    """The window has class 1, and no data in the band where it is lost but not in others."""
    for resolution in (20, 60):
        classes = read(product, "SCL", resolution)
        inside = at(INSIDE, resolution)
        assert (classes[inside] == SATURATED_DEFECTIVE).all(), resolution
        outside = np.ones(classes.shape, bool)
        outside[at((slice(29, 52), slice(18, 63)), resolution)] = False
        assert not (classes[outside] <= SATURATED_DEFECTIVE).any()
        for other in ("B02", "B04", "B8A", "B12"):
            numbers = read(product, other, resolution)[inside]
            assert (numbers == 0).all() if lost and other == band else (numbers > 0).all(), other


class TestLostBands:
    @pytest.mark.parametrize(
        ("band", "layer", "lost"),
        [("B02", 2, True), ("B12", 2, True), ("B8A", 5, True), ("B02", 3, False),
         ("B11", 4, False), ("B04", 7, False), ("B09", 2, False), ("B08", 2, False)],
    )  # fmt: skip
    def test_raster_masks_of_all_kinds_and_bands(
        self,
        raster_product: Path,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        band: str,
        layer: int,
        lost: bool,
    ) -> None:
        product = copied(raster_product, tmp_path)
        mark_raster(product, band, layer)
        made = process(product, tmp_path / "out", "--resolution", "20")
        classes = read(made, "SCL", 20)
        assert (classes[INSIDE] == SATURATED_DEFECTIVE).all()
        assert np.count_nonzero(classes == SATURATED_DEFECTIVE) < 1.2 * 20 * 40
        assert not (classes == 0).any()
        for other in ("B02", "B04", "B8A", "B11", "B12"):
            numbers = read(made, other, 20)[INSIDE]
            assert (numbers == 0).all() if lost and other == band else (numbers > 0).all(), other
        assert (f"pixels of band {band} as lost" in caplog.text) == (
            layer in (2, 5) and band != "B08"
        )

    @pytest.mark.parametrize("layer", [0, 1, 6])
    def test_ancillary_packets_and_crosstalk_leave_the_pixels_valid(
        self, raster_product: Path, tmp_path: Path, layer: int
    ) -> None:
        product = copied(raster_product, tmp_path)
        mark_raster(product, "B02", layer)
        made = process(product, tmp_path / "out", "--sc_only", "--resolution", "20")
        assert not (read(made, "SCL", 20) <= SATURATED_DEFECTIVE).any()

    @pytest.mark.parametrize(
        ("kind", "mask_type", "lost"),
        [("TECQUA", "MSI_LOST", True), ("TECQUA", "MSI_DEG", False),
         ("DEFECT", "QT_DEFECTIVE_PIXELS", False), ("SATURA", "QT_SATURATED_PIXELS_L1B", False),
         ("NODATA", "QT_NODATA_PIXELS", True)],
    )  # fmt: skip
    def test_polygons_of_all_kinds(
        self, small_product: Path, tmp_path: Path, kind: str, mask_type: str, lost: bool
    ) -> None:
        product = copied(small_product, tmp_path)
        mark_polygon(product, kind, "B04", mask_type)
        assert_flagged(process(product, tmp_path / "out"), "B04", lost=lost)

    @pytest.mark.parametrize("band", ["B02", "B8A", "B12"])
    def test_band_without_data_and_without_mask(
        self, small_product: Path, intact: Path, tmp_path: Path, band: str
    ) -> None:
        """The other bands keep their values, the metadata count defective pixels, not no data."""
        product = copied(small_product, tmp_path)
        window = at(WINDOW, find_resolution(product, band))
        change_band(product, band, lambda numbers: numbers.__setitem__(window, 0))
        gipp = configuration(tmp_path, Generate_QA_Output="TRUE")
        made = process(product, tmp_path / "out", "--GIP_L2A", str(gipp))
        assert_flagged(made, band, lost=True)
        other = read(made, "B03", 20).astype(float) - read(intact, "B03", 20)
        assert np.abs(other).max() < 60
        (mask,) = made.rglob("*_QUA_20m.jp2")
        quality = jpeg2000.read(mask)
        assert (quality[INSIDE] & 2 == 2).all()
        metadata = next(made.glob("*MTD_MSIL2A*.xml")).read_text()
        assert re.search(r"<NODATA_PIXEL_PERCENTAGE>0(\.0+)?<", metadata)
        defective = re.search(r"<SATURATED_DEFECTIVE_PIXEL_PERCENTAGE>([\d.]+)<", metadata)
        assert defective is not None
        assert float(defective[1]) == pytest.approx(100 * 20 * 40 / 120**2, rel=0.1)

    @pytest.mark.parametrize("band", ["B01", "B06", "B08", "B09"])
    def test_bands_that_the_classification_does_not_use(
        self, small_product: Path, tmp_path: Path, band: str
    ) -> None:
        product = copied(small_product, tmp_path)
        window = at(WINDOW, find_resolution(product, band))
        change_band(product, band, lambda numbers: numbers.__setitem__(window, 0))
        made = process(product, tmp_path / "out", "--resolution", "20")
        assert (read(made, "SCL", 20)[INSIDE] == SATURATED_DEFECTIVE).all()

    def test_saturated_pixels_do_not_blend_into_coarser_or_finer_ones(
        self, small_product: Path, tmp_path: Path
    ) -> None:
        """One saturated pixel of 10 m, and one of 60 m."""
        product = copied(small_product, tmp_path)
        change_band(product, "B03", lambda numbers: numbers.__setitem__((61, 61), 65535))
        made = process(product, tmp_path / "out", "--resolution", "20")
        assert read(made, "SCL", 20)[30, 30] == SATURATED_DEFECTIVE
        numbers = read(made, "B03", 20)
        assert numbers[30, 30] == 65535
        assert np.count_nonzero(numbers > 20000) == 1


@pytest.fixture(scope="module")
def archived(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Product whose east is outside the swath, with remnants there in some bands."""
    folder = tmp_path_factory.mktemp("lossy")
    product = copied(small_product, folder)
    rng = np.random.default_rng(3)
    for band in ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10",
                 "B11", "B12"):  # fmt: skip
        resolution = find_resolution(product, band)

        def empty(numbers: NDArray[np.uint16], band: str = band) -> None:
            edge = 81 * 20 // resolution  # noqa: B023
            numbers[:, edge:] = 0
            if band in ("B02", "B06", "B07", "B08", "B8A", "B11"):
                part = numbers[:, edge:]
                part[:] = rng.integers(1, 41, part.shape)

        change_band(product, band, empty)
    return process(product, folder / "out")


class TestLossyArchives:
    @pytest.mark.parametrize("resolution", [10, 20, 60])
    def test_all_bands_end_at_the_same_clean_edge(self, archived: Path, resolution: int) -> None:
        edge = 81 * 20 // resolution
        for path in archived.glob(f"GRANULE/*/IMG_DATA/R{resolution}m/*_{resolution}m.jp2"):
            image = jpeg2000.read(path)
            assert not image[:, edge:].any(), path.name
            assert (image[:, :edge] > 0).mean() > 0.999, path.name

    def test_classes_at_the_edge(self, archived: Path) -> None:
        classes = read(archived, "SCL", 20)
        assert (classes[:, 81:] == 0).all()
        assert (classes[:, :81] > SATURATED_DEFECTIVE).all()


def tilt_sun(product: Path, degrees: float, *, north: float | None = None) -> None:
    """Set the solar zenith angle, and another one at the northern nodes."""
    path = next(product.glob("GRANULE/*/MTD_TL.xml"))
    rows = [degrees if north is None or row else north for row in range(23)]
    grid = "".join(f"<VALUES>{' '.join([str(zenith)] * 23)}</VALUES>" for zenith in rows)
    text = re.sub(
        r"(<Sun_Angles_Grid>\s*<Zenith>.*?<Values_List>).*?(</Values_List>)",
        rf"\g<1>{grid}\g<2>",
        path.read_text(),
        count=1,
        flags=re.DOTALL,
    )
    text, number = re.subn(
        r"(<Mean_Sun_Angle>\s*<ZENITH_ANGLE[^>]*>)[^<]*", rf"\g<1>{degrees}", text
    )
    assert number == 1
    path.write_text(text)


class TestLowSun:
    @pytest.mark.parametrize(
        ("zenith", "north", "arguments", "words"),
        [
            (84.2, None, (), "up to 84.2 degrees, look-up table S2A_RURAL_SUMMER ends at 84"),
            (83.9, 84.3, (), "up to 84.3 degrees, look-up table S2A_RURAL_SUMMER ends at 84"),
            (95.0, None, (), "up to 95.0 degrees: the sun is below the horizon"),
            (89.9, 90.4, ("--sc_only",), "up to 90.4 degrees: the sun is below the horizon"),
            (120.0, None, ("--sc_only",), "up to 120.0 degrees: the sun is below the horizon"),
            (86.0, None, ("--resolution", "60"), "up to 86.0 degrees, look-up table"),
        ],
    )
    def test_sun_beyond_the_tables_or_below_the_horizon_gives_no_product(
        self,
        small_product: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        zenith: float,
        north: float | None,
        arguments: tuple[str, ...],
        words: str,
    ) -> None:
        product = copied(small_product, tmp_path)
        tilt_sun(product, zenith, north=north)
        out = tmp_path / "out"
        assert main([*arguments, "--output_dir", str(out), str(product)]) == 3
        errors = [line for line in capsys.readouterr().err.splitlines() if "Error:" in line]
        assert len(errors) == 1
        assert "MTD_TL.xml: the solar zenith angle is " + words in errors[0]
        assert list(out.iterdir()) == []

    def test_view_beyond_the_tables_gives_no_product(
        self, small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        product = copied(small_product, tmp_path)
        path = next(product.glob("GRANULE/*/MTD_TL.xml"))
        grid = r'(Grids bandId="7".*?<Zenith>.*?<Values_List>)(.*?)(?=</Values_List>)'
        path.write_text(
            re.sub(
                grid,
                lambda found: found[1] + re.sub(r"[\d.]{3,}", "24.5", found[2]),
                path.read_text(),
                flags=re.DOTALL,
            )
        )
        out = tmp_path / "out"
        assert main(["--output_dir", str(out), str(product)]) == 3
        error = next(line for line in capsys.readouterr().err.splitlines() if "Error:" in line)
        assert "the view zenith angle of B08 is up to 24.5 degrees, look-up table" in error
        assert list(out.iterdir()) == []

    def test_low_sun_is_classified_with_a_warning(
        self, small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        product = copied(small_product, tmp_path)
        tilt_sun(product, 87.0)
        made = process(product, tmp_path / "out", "--sc_only", "--resolution", "20")
        assert "up to 87.0 degrees: above 75 degrees the classes are" in capsys.readouterr().err
        assert (read(made, "SCL", 20) > SATURATED_DEFECTIVE).all()

    def test_the_last_degrees_carry_a_warning_and_a_larger_uncertainty(
        self, small_product: Path, tmp_path: Path
    ) -> None:
        """The warning is in the log and in the report of the product."""
        gipp = configuration(tmp_path, Generate_Uncertainty_Output="TRUE")
        uncertainty = {}
        for zenith in (60.0, 76.0, 83.5):
            product = copied(small_product, tmp_path / str(zenith))
            tilt_sun(product, zenith)
            arguments = ("--resolution", "20", "--GIP_L2A", str(gipp))
            made = process(product, tmp_path / str(zenith) / "out", *arguments)
            (report,) = made.glob("*_report.xml")
            warned = f"up to {zenith} degrees: above 75 degrees surface" in report.read_text()
            assert warned == (zenith > 75.0)
            for band in ("B02", "B8A"):
                (image,) = made.rglob(f"*UNC_{band}*_20m.jp2")
                uncertainty[band, zenith] = float(np.median(jpeg2000.read(image)))
        for band in ("B02", "B8A"):
            first, second, third = (uncertainty[band, zenith] for zenith in (60.0, 76.0, 83.5))
            assert first < second < third, uncertainty


class TestSignedImages:
    def test_signed_images_give_the_same_product(
        self, small_product: Path, intact: Path, tmp_path: Path
    ) -> None:
        product = copied(small_product, tmp_path)
        for band in ("B02", "B11"):
            write_signed(next(product.glob(f"GRANULE/*/IMG_DATA/*_{band}.jp2")), lowest=None)
        made = process(product, tmp_path / "out", "--resolution", "20")
        for kind in ("B02", "B11", "SCL"):
            np.testing.assert_array_equal(read(made, kind, 20), read(intact, kind, 20))

    def test_negative_numbers_are_an_input_error(
        self, small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        product = copied(small_product, tmp_path)
        write_signed(next(product.glob("GRANULE/*/IMG_DATA/*_B11.jp2")), lowest=-3)
        assert main(["--output_dir", str(tmp_path / "out"), str(product)]) == 3
        error = next(line for line in capsys.readouterr().err.splitlines() if "Error:" in line)
        assert "_B11.jp2: signed image with negative values (minimum -3)" in error
        assert list((tmp_path / "out").iterdir()) == []


def write_signed(path: Path, lowest: int | None) -> None:
    from osgeo import gdal

    gdal.UseExceptions()
    driver = gdal.GetDriverByName("JP2OpenJPEG")
    if driver is None:
        pytest.skip("GDAL without JP2OpenJPEG")
    numbers = np.asarray(jpeg2000.read(path)).astype(np.int16)
    if lowest is not None:
        numbers[5, 5] = lowest
    rows, cols = numbers.shape
    source = gdal.GetDriverByName("MEM").Create("", cols, rows, 1, gdal.GDT_Int16)
    source.GetRasterBand(1).WriteRaster(0, 0, cols, rows, numbers.tobytes())
    path.unlink()
    driver.CreateCopy(str(path), source, options=["QUALITY=100", "REVERSIBLE=YES"]).FlushCache()


class TestAngles:
    def test_bands_and_detectors_without_view_angles(
        self,
        small_product: Path,
        intact: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The surface reflectance stays within what one degree of view angle changes."""
        product = copied(small_product, tmp_path)
        path = next(product.glob("GRANULE/*/MTD_TL.xml"))
        grid = (
            r'<Viewing_Incidence_Angles_Grids bandId="(5|12)".*?</Viewing_Incidence_Angles_Grids>'
        )
        text = re.sub(
            grid,
            lambda found: re.sub(r"<VALUES>.*?<", "<VALUES>" + "NaN " * 23 + "<", found[0]),
            path.read_text(),
            flags=re.DOTALL,
        )
        path.write_text(text)
        made = process(product, tmp_path / "out", "--resolution", "20")
        assert "no view angle grids of B06, B12;" in capsys.readouterr().err
        for band in ("B06", "B12"):
            change = read(made, band, 20).astype(float) - read(intact, band, 20)
            assert np.abs(change).max() < 20
