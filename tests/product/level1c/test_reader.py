"""Opening of products and tiles, made in code."""

from __future__ import annotations

import logging
import pickle
import shutil
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from sen2cor.bands import BAND, BAND_NAMES, BANDS
from sen2cor.errors import InputError
from sen2cor.imagery import images, jpeg2000
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.product.level1c.reader import Level1CDatastrip, open_level1c
from sen2cor.raster.grids import Grid
from tests.product.level1c_builder import PSD_13, PSD_14, PSD_15, Recipe, build, image_grid, without
from tests.refreshed_manifest import write_manifest


def list_warnings(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and words in record.getMessage()
    ]


def tile_folder(root: Path) -> Path:
    return next(path for path in sorted((root / "GRANULE").iterdir()))


class TestWhatIsRead:
    def test_all_of_the_metadata(self, tmp_path: Path) -> None:
        product = open_level1c(build(tmp_path))
        assert product.name == PSD_14.name
        assert (product.psd, product.spacecraft, product.processing_baseline) == (
            "14.2",
            "S2B",
            "02.05",
        )
        assert product.datatake_start == datetime(2017, 7, 19, 0, 2, 19, 27000, timezone.utc)
        assert product.product_start == datetime(2017, 7, 19, 0, 2, 18, 500000, timezone.utc)
        assert product.quantification_value == 10000.0
        assert product.reflectance_conversion == 0.967894404815679
        assert product.solar_irradiance["B01"] == 1900.5
        assert product.solar_irradiance["B8A"] == 1892.5
        assert set(product.radiometric_offsets.values()) == {0}
        (tile,) = product.tiles
        assert (tile.mgrs, tile.tile_id) == ("56JKT", PSD_14.tile_id("56JKT"))
        assert tile.sensing_time == datetime(2017, 7, 19, 0, 2, 18, 457000, timezone.utc)
        assert tuple(tile.bands) == BAND_NAMES
        assert tile.grids == {size: image_grid(size) for size in (60, 20, 10)}

    @pytest.mark.parametrize(
        ("recipe", "psd"),
        [
            (PSD_13, "13.1"),
            (PSD_14, "14.2"),
            (replace(PSD_14, baseline="02.06"), "14.2"),
            (replace(PSD_14, baseline="02.07"), "14.5"),
            (replace(PSD_14, baseline="02.10"), "14.5"),
            (replace(PSD_14, baseline="03.01"), "14.5"),
            (PSD_15, "15"),
            (replace(PSD_15, namespace="psd-15", baseline="05.11"), "15"),
        ],
        ids=lambda value: value if isinstance(value, str) else value.baseline,
    )
    def test_format_follows_from_namespace_and_baseline_as_numbers(
        self, tmp_path: Path, recipe: Recipe, psd: str
    ) -> None:
        assert open_level1c(build(tmp_path, replace(recipe, tiles=("56JKT",)))).psd == psd

    def test_offsets_of_baseline_04_are_applied(self, tmp_path: Path) -> None:
        product = open_level1c(build(tmp_path, PSD_15))
        assert product.radiometric_offsets["B01"] == -1000
        assert product.radiometric_offsets["B12"] == -1012
        with start_workers(1) as pool:
            pixels = TilePixels.decode(product, product.tiles[0], ["B01", "B12"], pool)
        for band, offset in (("B01", -1000), ("B12", -1012)):
            resolution = BAND[band].resolution
            numbers = jpeg2000.read(product.tiles[0].bands[band])
            expected = (numbers.astype(float) + offset) / 10000.0
            for found in (
                pixels.toa_reflectance(band, resolution),
                product.reflectance(band, numbers),
            ):
                assert found.dtype == np.float32
                np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_baseline_04_without_offsets_warns(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        product = open_level1c(build(tmp_path, PSD_15, offset=None))
        assert product.psd == "15"
        assert len(list_warnings(caplog, "Radiometric_Offset_List")) == 1

    def test_several_tiles_in_listed_order(self, tmp_path: Path) -> None:
        recipe = replace(PSD_13, tiles=("53HNA", "53HLA", "53HMA"))
        product = open_level1c(build(tmp_path, recipe))
        assert [tile.mgrs for tile in product.tiles] == ["53HNA", "53HLA", "53HMA"]
        assert len(product.datastrips) == 1
        assert product.name == PSD_13.name

    def test_datastrips_of_both_layouts(self, tmp_path: Path) -> None:
        for recipe, folder, file in (
            (PSD_14, "DS_SGS__20170719T012130_S20170719T000218", "MTD_DS.xml"),
            (
                replace(PSD_13, tiles=("53HLA",)),
                PSD_13.datastrip_id,
                "S2B_OPER_MTD_L1C_DS_SGS__20170719T012130_S20170719T000218.xml",
            ),
        ):
            root = build(tmp_path, recipe)
            metadata = root / "DATASTRIP" / folder / file
            metadata.parent.mkdir(parents=True)
            metadata.write_text("<n/>")
            (datastrip,) = open_level1c(root).datastrips
            assert datastrip.datastrip_id == recipe.datastrip_id
            assert (datastrip.folder, datastrip.metadata_path) == (metadata.parent, metadata)

    @pytest.mark.parametrize(
        ("content", "refined"),
        [
            ('<n><Image_Data_Info><Image_Refining flag="REFINED"/></Image_Data_Info></n>', True),
            ('<n xmlns="ns"><g><Image_Refining flag="REFINED"/></g></n>', True),
            (
                '<n><Image_Data_Info><Image_Refining flag="NOT_REFINED"/></Image_Data_Info></n>',
                False,
            ),
            ("<n/>", False),
            (None, False),
        ],
    )
    def test_geometric_refinement(self, tmp_path: Path, content: str | None, refined: bool) -> None:
        path = None if content is None else tmp_path / "MTD_DS.xml"
        if path is not None:
            path.write_text(content)
        assert Level1CDatastrip("DS", tmp_path, path).is_refined() is refined

    def test_a_product_travels_to_other_processes(self, tmp_path: Path) -> None:
        product = open_level1c(build(tmp_path))
        assert pickle.loads(pickle.dumps(product)).tiles[0].bands == product.tiles[0].bands


class TestPath:
    def test_relative_and_trailing_slash(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = build(tmp_path)
        monkeypatch.chdir(tmp_path)
        assert open_level1c(Path(f"./{root.name}/")).root == root
        monkeypatch.chdir(root)
        assert open_level1c(Path()).root == root

    def test_tile_folder_opens_only_that_tile(self, tmp_path: Path) -> None:
        root = build(tmp_path, PSD_13)
        folder = root / "GRANULE" / PSD_13.tile_folder("53HMA")
        shutil.rmtree(root / "GRANULE" / PSD_13.tile_folder("53HLA") / "IMG_DATA")
        product = open_level1c(folder)
        assert product.root == root
        assert [tile.mgrs for tile in product.tiles] == ["53HMA"]
        assert not product.unusable

    @pytest.mark.parametrize("recipe", [PSD_14, replace(PSD_13, tiles=("53HLA",))])
    def test_renamed_folder_keeps_the_official_name(
        self, tmp_path: Path, recipe: Recipe, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path, recipe)
        product = open_level1c(root.rename(tmp_path / "my product"))
        assert product.name == recipe.name
        assert product.root == tmp_path / "my product"
        assert len(list_warnings(caplog, "renamed folder")) == 1

    def test_name_of_an_unknown_kind_is_taken_from_the_folder(self, tmp_path: Path) -> None:
        root = build(tmp_path, change_product=lambda text: text.replace(PSD_14.name, "who knows"))
        assert open_level1c(root.rename(tmp_path / "mine")).name == "mine.SAFE"

    def test_other_things_are_named(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        image = next(root.rglob("*_B02.jp2"))
        archive = Path(shutil.make_archive(str(tmp_path / "product"), "zip", root))
        level2a = tmp_path / "S2B_MSIL2A.SAFE"
        (level2a / "GRANULE" / "L2A_T56JKT").mkdir(parents=True)
        (level2a / "MTD_MSIL2A.xml").write_text("<n/>")
        cases = {
            image: "is an image",
            archive: "zip archive",
            root / "MTD_MSIL1C.xml": "is a metadata file",
            level2a: "is a Level-2A product",
            level2a / "GRANULE" / "L2A_T56JKT": "is part of a Level-2A product",
            tmp_path / "nowhere": "no such file or folder",
            tmp_path: "is a folder around the product",
            root / "GRANULE": "without the metadata of a product",
        }
        for path, words in cases.items():
            with pytest.raises(InputError, match=words) as caught:
                open_level1c(path)
            assert str(path) in str(caught.value)
            assert "expected the folder (.SAFE) of a Level-1C product" in str(caught.value)

    def test_level1c_is_only_read(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
        open_level1c(root).tiles[0].read_ecmwf()
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def write_images(root: Path, sizes: dict[int, int]) -> None:
    """Write all images of some resolutions in another size."""
    for band in BANDS:
        if band.resolution in sizes:
            grid = Grid(32756, 0.0, 0.0, band.resolution, *(sizes[band.resolution],) * 2)
            path = next(root.rglob(f"*_{band.name}.jp2"))
            images.write(path, np.ones(grid.shape, np.uint16), grid, 64)


def write_with_gdal(path: Path, kind: str) -> None:
    from osgeo import gdal

    gdal.UseExceptions()
    pixel = gdal.GDT_Byte if kind == "palette" else getattr(gdal, f"GDT_{kind}")
    image = gdal.GetDriverByName("MEM").Create("", 18, 18, 1, pixel)
    if kind == "palette":
        colours = gdal.ColorTable()
        colours.SetColorEntry(0, (9, 99, 9))
        image.GetRasterBand(1).SetColorTable(colours)
    driver = gdal.GetDriverByName("GTiff" if kind == "Float32" else "JP2OpenJPEG")
    if driver is None:
        pytest.skip("GDAL without JP2OpenJPEG")
    driver.CreateCopy(str(path), image).FlushCache()


class TestBands:
    def test_missing_bands_are_named_with_their_folder(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        for band in ("B05", "B8A"):
            next(root.rglob(f"*_{band}.jp2")).unlink()
        with pytest.raises(InputError, match="bands B05, B8A") as caught:
            open_level1c(root)
        assert str(tile_folder(root) / "IMG_DATA") in str(caught.value)

    def test_no_images_at_all(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        shutil.rmtree(tile_folder(root) / "IMG_DATA")
        with pytest.raises(InputError, match="B01, B02, B03"):
            open_level1c(root)

    def test_ambiguous_images(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        image = next(root.rglob("*_B04.jp2"))
        shutil.copy(image, image.with_name("copy_B04.jp2"))
        with pytest.raises(InputError, match=r"several images of band B04: .*keep one"):
            open_level1c(root)

    def test_hidden_and_side_files_are_ignored(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        image = next(root.rglob("*_B04.jp2"))
        image.with_name(f"._{image.name}").write_bytes(b"resource fork")
        image.with_name(f"{image.name}.aux.xml").write_text("<n/>")
        assert open_level1c(root).tiles[0].bands["B04"] == image

    def test_one_bad_tile_of_several_does_not_stop_the_others(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path, PSD_13)
        bad = PSD_13.tile_folder("53HLA")
        for image in (root / "GRANULE" / bad / "IMG_DATA").glob("*_B0[2-9].jp2"):
            image.unlink()
        product = open_level1c(root)
        assert [tile.mgrs for tile in product.tiles] == ["53HMA", "53HNA"]
        assert list(product.unusable) == [bad]
        assert "B02" in str(product.unusable[bad])
        assert [record.levelname for record in caplog.records].count("ERROR") == 1

    def test_no_tile_usable(self, tmp_path: Path) -> None:
        root = build(tmp_path, PSD_13)
        for image in root.rglob("*_B02.jp2"):
            image.unlink()
        with pytest.raises(InputError, match=r"none of 3 tiles can be used: .*band B02"):
            open_level1c(root)

    def test_images_decide_the_size_and_metadata_the_corner(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path)
        for band in BANDS:
            path = next(root.rglob(f"*_{band.name}.jp2"))
            size = 120 // band.resolution
            grid = Grid(32633, 1000.0, 2000.0, 3.0 * band.resolution, size, size)
            images.write(path, np.ones(grid.shape, np.uint16), grid, 64)
        grids = open_level1c(root).tiles[0].grids
        assert grids[10] == Grid(32756, 199980.0, 7300000.0, 30.0, 12, 12)
        assert grids[60] == Grid(32756, 199980.0, 7300000.0, 180.0, 2, 2)
        (message,) = list_warnings(caplog, "size of the images differs")
        assert "12 x 12 instead of 36 x 36 at 10 m" in message

    @pytest.mark.parametrize(
        ("resolution", "size", "named"), [(10, 18, "B02"), (20, 36, "B05"), (60, 18, "B01")]
    )
    def test_size_must_fit_the_resolution(
        self, tmp_path: Path, resolution: int, size: int, named: str
    ) -> None:
        root = build(tmp_path)
        write_images(root, {resolution: size})
        with pytest.raises(
            InputError, match=rf"_{named}.jp2: band {named} of {resolution} m has {size} x {size}"
        ):
            open_level1c(root)

    def test_images_of_equal_size_at_all_resolutions_are_refused(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        write_images(root, {10: 30, 20: 30, 60: 30})
        with pytest.raises(InputError, match=r"band B01 of 60 m has 30 x 30 pixels; about 5 x 5"):
            open_level1c(root)

    def test_decimated_images_may_differ_by_a_part_of_a_pixel(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        write_images(root, {10: 172, 20: 86, 60: 29})
        assert open_level1c(root).tiles[0].grids[60].shape == (29, 29)

    @pytest.mark.parametrize(
        ("pixels", "words"),
        [
            (np.ones((18, 18), np.uint8), "has 8 bits per pixel"),
            (np.ones((18, 18, 3), np.uint8), "has 3 components"),
            (np.ones((18, 18, 4), np.uint16), "has 4 components"),
        ],
    )
    def test_images_that_hold_no_digital_numbers_are_refused(
        self, tmp_path: Path, pixels: np.ndarray, words: str
    ) -> None:
        root = build(tmp_path)
        path = next(root.rglob("*_B11.jp2"))
        images.write(path, pixels, image_grid(20), 64)
        with pytest.raises(InputError, match=rf"_B11.jp2: the image of band B11 {words}"):
            open_level1c(root)

    @pytest.mark.parametrize("kind", ["palette", "Float32"])
    def test_images_of_other_kinds_are_refused(self, tmp_path: Path, kind: str) -> None:
        """A picture with a palette, or a GeoTIFF under the name of a band."""
        root = build(tmp_path)
        path = next(root.rglob("*_B12.jp2"))
        path.unlink()
        write_with_gdal(path, kind)
        with pytest.raises(InputError, match=r"_B12.jp2: (.*B12 is a paletted image|not a reada)"):
            open_level1c(root)

    @pytest.mark.parametrize("bits", [8, 32])
    def test_number_of_bits_is_checked(self, tmp_path: Path, bits: int) -> None:
        root = build(tmp_path)
        path = next(root.rglob("*_B09.jp2"))
        content = bytearray(path.read_bytes())
        content[content.index(b"\xff\x51") + 40] = bits - 1  # Ssiz of ISO 15444-1, A.5.1
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"_B09.jp2: .*B09 has {bits} bits per pixel"):
            open_level1c(root)

    def test_bands_of_one_resolution_must_agree(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        path = next(root.rglob("*_B06.jp2"))
        images.write(path, np.ones((6, 6), np.uint16), image_grid(60), 64)
        with pytest.raises(InputError, match=r"_B06.jp2: has 6 x 6 pixels, B05 .* 18 x 18"):
            open_level1c(root)

    def test_the_odd_one_is_named_also_if_it_is_the_first(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        path = next(root.rglob("*_B05.jp2"))
        images.write(path, np.ones((36, 36), np.uint16), image_grid(10), 64)
        with pytest.raises(InputError, match=r"_B05.jp2: has 36 x 36 pixels, B06 .* 18 x 18"):
            open_level1c(root)

    def test_broken_image_is_named(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        next(root.rglob("*_B06.jp2")).write_bytes(b"not an image")
        with pytest.raises(InputError, match=r"_B06.jp2: not a readable image"):
            open_level1c(root)


class TestWhatMayBeAbsent:
    def test_stripped_product_opens_with_one_warning_of_each_kind(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path, PSD_13)
        for folder in root.glob("GRANULE/*/QI_DATA"):
            folder.rmdir()
        product = open_level1c(root)
        tile = product.tiles[0]
        assert tile.read_ecmwf() is None
        assert tile.mask("CLOUDS", None, tile.grids[60]) is None
        for words in (
            "manifest.safe",
            "INSPIRE.xml",
            "HTML",
            "rep_info",
            "datastrip",
            "QI_DATA",
            "AUX_ECMWFT",
        ):
            assert len(list_warnings(caplog, words)) == 1, words
        assert "pressure" not in caplog.text

    def test_complete_product_opens_without_a_word(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path)
        (root / "INSPIRE.xml").write_text("<n/>")
        for name in ("HTML", "rep_info"):
            (root / name).mkdir()
        datastrip = root / "DATASTRIP" / "DS_SGS__20170719T012130_S20170719T000218"
        datastrip.mkdir(parents=True)
        (datastrip / "MTD_DS.xml").write_text("<n/>")
        auxiliary = tile_folder(root) / "AUX_DATA"
        auxiliary.mkdir()
        (auxiliary / "AUX_ECMWFT").write_bytes(b"GRIB")
        (auxiliary / "AUX_ECMWFT.aux.xml").write_text("<n/>")
        write_manifest(root)
        assert open_level1c(root).tiles[0].ecmwf == auxiliary / "AUX_ECMWFT"
        assert not caplog.records

    def test_missing_granule_list_means_the_folders(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path, PSD_13, change_product=without("Product_Organisation"))
        assert len(open_level1c(root).tiles) == 3
        assert len(list_warnings(caplog, "list no tiles")) == 1

    def test_listed_tile_that_was_not_fetched(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path, PSD_13)
        shutil.rmtree(root / "GRANULE" / PSD_13.tile_folder("53HMA"))
        assert len(open_level1c(root).tiles) == 2
        assert len(list_warnings(caplog, "2 of 3 listed tiles")) == 1

    def test_unlisted_consolidated_tile_is_taken(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = build(tmp_path, change_tile=lambda text: text.replace("_L1C_TL_", "_L1C_CO_"))
        product = open_level1c(root)
        assert product.tiles[0].tile_id.startswith("S2B_OPER_MSI_L1C_CO_")
        assert len(list_warnings(caplog, "not listed")) == 1

    def test_no_tile_folder(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        shutil.rmtree(root / "GRANULE")
        with pytest.raises(InputError, match="no tile folder"):
            open_level1c(root)

    def test_tile_folder_without_metadata(self, tmp_path: Path) -> None:
        root = build(tmp_path)
        (tile_folder(root) / "MTD_TL.xml").unlink()
        with pytest.raises(InputError, match=r"no tile metadata; expected MTD_TL.xml"):
            open_level1c(root)
