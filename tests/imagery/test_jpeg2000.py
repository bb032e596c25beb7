"""JPEG 2000: lossless round trip, georeference, partial reads, broken files."""

from __future__ import annotations

import struct
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sen2cor.errors import InputError, OutputError
from sen2cor.imagery import images, jpeg2000
from sen2cor.imagery.image_writer import Coding
from sen2cor.raster.grids import Grid


def scene(rows: int, cols: int, dtype: str = "uint16", components: int = 1) -> np.ndarray:
    shape = (rows, cols) if components == 1 else (rows, cols, components)
    top = 60000 if dtype == "uint16" else 255
    return np.random.default_rng(rows * cols).integers(0, top, shape).astype(dtype)


def grid(rows: int, cols: int, size: float = 20.0) -> Grid:
    return Grid(32633, 300000.0, 5900040.0, size, rows, cols)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.integers(2, 90),
    cols=st.integers(2, 90),
    tile=st.sampled_from([32, 64, 1024]),
    kind=st.sampled_from([("uint8", 1), ("uint16", 1), ("uint8", 3)]),
)
def test_what_is_written_is_read(
    tmp_path: Path, rows: int, cols: int, tile: int, kind: tuple[str, int]
) -> None:
    image = scene(rows, cols, *kind)
    path = tmp_path / "image.jp2"
    images.write(path, image, grid(rows, cols), tile)
    np.testing.assert_array_equal(jpeg2000.read(path), image)
    info = jpeg2000.read_info(path)
    assert (info.rows, info.cols, info.components, info.dtype) == (rows, cols, kind[1], kind[0])
    assert info.grid == grid(rows, cols)
    assert [entry.name for entry in tmp_path.iterdir()] == ["image.jp2"]


@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize("tile", [64, 1024])
def test_arithmetic_bypass_is_in_the_header_and_keeps_the_pixels(
    tmp_path: Path, bypass: bool, components: int, tile: int
) -> None:
    image = scene(150, 90, "uint8" if components == 3 else "uint16", components)
    path = tmp_path / "image.jp2"
    images.write(path, image, grid(150, 90), tile, coding=Coding(arithmetic_bypass=bypass))
    np.testing.assert_array_equal(jpeg2000.read(path), image)
    assert jpeg2000.read_info(path).arithmetic_bypass == bypass
    assert code_block_style(path) == (1 if bypass else 0)


def code_block_style(path: Path) -> int:
    """Byte SPcod of the style of the code-blocks, in the marker COD of the main header."""
    content = path.read_bytes()
    header = content[: content.index(b"\xff\x90\x00\x0a")]
    cod = header.index(b"\xff\x52\x00\x0c")
    return header[cod + 2 + 10]


def test_gdal_reads_images_with_arithmetic_bypass(tmp_path: Path) -> None:
    gdal = pytest.importorskip("osgeo.gdal")
    image = scene(150, 90)
    path = tmp_path / "image.jp2"
    images.write(path, image, grid(150, 90), 64, coding=Coding(arithmetic_bypass=True))
    np.testing.assert_array_equal(gdal.Open(str(path)).ReadAsArray(), image)


def test_rows_in_any_portion_give_the_same_image(tmp_path: Path) -> None:
    image = scene(200, 150)
    path = tmp_path / "image.jp2"
    with jpeg2000.Jpeg2000Writer(path, grid(200, 150), "uint16", 64) as writer:
        for part in np.array_split(image, 7):
            writer.write_rows(part)
    np.testing.assert_array_equal(jpeg2000.read(path), image)
    np.testing.assert_array_equal(jpeg2000.read(path, slice(60, 131)), image[60:131])
    assert jpeg2000.read_info(path).tile_size == 64


def test_reduced_read_halves_the_size(tmp_path: Path) -> None:
    image = np.full((128, 128), 1234, np.uint16)
    images.write(tmp_path / "flat.jp2", image, grid(128, 128), 64)
    half = jpeg2000.read(tmp_path / "flat.jp2", reduce=1)
    assert half.shape == (64, 64)
    assert (half == 1234).all()


def test_gdal_reads_the_georeference(tmp_path: Path) -> None:
    gdal = pytest.importorskip("osgeo.gdal")
    osr = pytest.importorskip("osgeo.osr")
    path = tmp_path / "image.jp2"
    images.write(path, scene(70, 50), grid(70, 50, 10.0), 32)
    dataset = gdal.Open(str(path))
    assert dataset.GetGeoTransform() == (300000.0, 10.0, 0.0, 5900040.0, 0.0, -10.0)
    assert osr.SpatialReference(dataset.GetProjection()).GetAuthorityCode(None) == "32633"


@pytest.mark.parametrize("keep", [0, 1, 40, 200, 0.5, 0.95])
def test_truncated_image_is_an_input_error(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "image.jp2"
    images.write(path, scene(100, 100), grid(100, 100), 64)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep >= 1 or keep == 0 else keep * len(content))])
    with pytest.raises(InputError, match=r"image\.jp2"):
        jpeg2000.read(path)


def test_missing_image_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such image"):
        jpeg2000.read(tmp_path / "none.jp2")


def test_want_of_memory_does_not_blame_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image.jp2"
    grid = Grid(32633, 300000.0, 5900040.0, 10.0, 64, 64)
    images.write(path, np.ones(grid.shape, np.uint16), grid, 64)

    def exhausted(*_: int) -> None:
        raise MemoryError

    monkeypatch.setattr(jpeg2000, "_row_blocks", exhausted)
    with pytest.raises(MemoryError):
        jpeg2000.read(path)


def test_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"image\.jp2"):
        images.write(tmp_path / "absent" / "image.jp2", scene(40, 40), grid(40, 40), 64)


def test_error_while_writing_leaves_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="broken off"),
        jpeg2000.Jpeg2000Writer(tmp_path / "image.jp2", grid(200, 100), "uint16", 64) as writer,
    ):
        writer.write_rows(scene(100, 100))
        raise RuntimeError("broken off")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tile", [64, 1024])
def test_what_a_killed_process_left_does_not_matter(tmp_path: Path, tile: int) -> None:
    path = tmp_path / "image.jp2"
    image = scene(100, 100)
    (tmp_path / "image.jp2.part.jp2").write_bytes(bytes(1))
    images.write(path, image, grid(100, 100), tile)
    np.testing.assert_array_equal(jpeg2000.read(path), image)
    assert list(tmp_path.iterdir()) == [path]


def test_tags_that_claim_too_much_are_refused(tmp_path: Path) -> None:
    """The codec's package would count the values of a damaged GeoJP2 box for minutes."""
    path = tmp_path / "image.jp2"
    images.write(path, np.ones((64, 64), np.uint16), grid(64, 64), 64)
    content = path.read_bytes()
    tiff = content.index(uuid.UUID("b14bf8bd-083d-4b43-a5ae-8cd7d5a6ce03").bytes) + 16
    entry = tiff + struct.unpack("<I", content[tiff + 4 : tiff + 8])[0] + 2
    path.write_bytes(content[: entry + 4] + b"\xff\xff\xff\x7f" + content[entry + 8 :])
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (60, 60)); "
        "import sys; from pathlib import Path; from sen2cor.imagery import jpeg2000; "
        "jpeg2000.read_info(Path(sys.argv[1]))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert result.returncode == 1
    assert "InputError" in result.stderr.splitlines()[-1]


def write_signed(path: Path, image: np.ndarray) -> None:
    from osgeo import gdal

    gdal.UseExceptions()
    driver = gdal.GetDriverByName("JP2OpenJPEG")
    if driver is None:
        pytest.skip("GDAL without JP2OpenJPEG")
    source = gdal.GetDriverByName("MEM").Create("", *image.shape[::-1], 1, gdal.GDT_Int16)
    source.GetRasterBand(1).WriteRaster(0, 0, *image.shape[::-1], image.tobytes())
    driver.CreateCopy(str(path), source, options=["QUALITY=100", "REVERSIBLE=YES"]).FlushCache()


def test_signed_image_without_negative_values_is_converted(tmp_path: Path) -> None:
    image = (scene(80, 70) // 2).astype(np.int16)
    write_signed(tmp_path / "B02.jp2", image)
    for rows in (None, slice(10, 33)):
        pixels = jpeg2000.read(tmp_path / "B02.jp2", rows)
        assert pixels.dtype == np.uint16
        np.testing.assert_array_equal(pixels, image[rows or slice(None)])


def test_negative_values_are_an_error(tmp_path: Path) -> None:
    image = (scene(80, 70) // 2).astype(np.int16)
    image[40, 3] = -7
    write_signed(tmp_path / "B02.jp2", image)
    with pytest.raises(InputError, match=r"B02.jp2: signed image with negative .*minimum -7"):
        jpeg2000.read(tmp_path / "B02.jp2")
