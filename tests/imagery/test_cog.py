"""Cloud-optimized GeoTIFF: lossless round trip, layout, overviews, nothing left after errors."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sen2cor.errors import InputError, OutputError
from sen2cor.imagery import cog, images
from sen2cor.raster.grids import Grid

gdal = pytest.importorskip("osgeo.gdal")
osr = pytest.importorskip("osgeo.osr")


def write_image(path: Path, image: np.ndarray, grid: Grid) -> None:
    images.write(path, image, grid, cog.TILE_SIZE)


def scene(rows: int, cols: int, dtype: str = "uint16", components: int = 1) -> np.ndarray:
    shape = (rows, cols) if components == 1 else (rows, cols, components)
    top = 60000 if dtype == "uint16" else 255
    return np.random.default_rng(rows * cols).integers(0, top, shape).astype(dtype)


def grid(rows: int, cols: int, size: float = 20.0) -> Grid:
    return Grid(32633, 300000.0, 5900040.0, size, rows, cols)


def overview(path: Path, number: int) -> np.ndarray:
    dataset = gdal.Open(str(path))
    band = dataset.GetRasterBand(1).GetOverview(number)
    kind = {gdal.GDT_Byte: np.uint8, gdal.GDT_UInt16: np.uint16}[band.DataType]
    return np.frombuffer(band.ReadRaster(), kind).reshape(band.YSize, band.XSize)


def directories(path: Path) -> list[dict[int, tuple[int, ...]]]:
    """Tags of the image and its overviews, as the file has them (TIFF 6.0)."""
    content = path.read_bytes()
    sizes = {1: "B", 2: "s", 3: "H", 4: "I", 12: "d"}
    assert content[:4] == b"II*\0"
    found = []
    (at,) = struct.unpack_from("<I", content, 4)
    while at:
        tags: dict[int, tuple[int, ...]] = {-1: (at,)}
        (number,) = struct.unpack_from("<H", content, at)
        for entry in range(at + 2, at + 2 + 12 * number, 12):
            tag, kind, count = struct.unpack_from("<HHI", content, entry)
            if kind not in (3, 4):
                continue
            form = f"<{count}{sizes[kind]}"
            place = entry + 8
            if struct.calcsize(form) > 4:
                (place,) = struct.unpack_from("<I", content, place)
            tags[tag] = struct.unpack_from(form, content, place)
        found.append(tags)
        (at,) = struct.unpack_from("<I", content, at + 2 + 12 * number)
    return found


@pytest.mark.parametrize("kind", [("uint8", 1), ("uint16", 1), ("uint8", 3)])
@pytest.mark.parametrize("shape", [(3, 2), (90, 40), (512, 513), (700, 1300)])
def test_what_is_written_is_read(
    tmp_path: Path, shape: tuple[int, int], kind: tuple[str, int]
) -> None:
    image = scene(*shape, *kind)
    path = tmp_path / "image.tif"
    write_image(path, image, grid(*shape))
    np.testing.assert_array_equal(cog.read(path), image)
    assert cog.read(path).dtype == image.dtype
    np.testing.assert_array_equal(cog.read(path, slice(1, 3)), image[1:3])
    assert [entry.name for entry in tmp_path.iterdir()] == ["image.tif"]


def test_rows_in_any_portion_give_the_same_file(tmp_path: Path) -> None:
    image = scene(800, 600)
    write_image(tmp_path / "whole.tif", image, grid(800, 600))
    with cog.CogWriter(tmp_path / "parts.tif", grid(800, 600), "uint16") as writer:
        for part in np.array_split(image, 7):
            writer.write_rows(part)
    assert (tmp_path / "parts.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()


def test_georeference_and_no_data(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    write_image(path, scene(70, 50), grid(70, 50, 10.0))
    dataset = gdal.Open(str(path))
    assert dataset.GetGeoTransform() == (300000.0, 10.0, 0.0, 5900040.0, 0.0, -10.0)
    assert osr.SpatialReference(dataset.GetProjection()).GetAuthorityCode(None) == "32633"
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0
    write_image(path, scene(70, 50, "uint8"), grid(70, 50, 10.0))
    dataset = gdal.Open(str(path))
    assert dataset.GetRasterBand(1).GetNoDataValue() is None


@pytest.mark.parametrize("kind", [("uint16", 1), ("uint8", 3)])
def test_layout_is_cloud_optimized(tmp_path: Path, kind: tuple[str, int]) -> None:
    """Directories first, by falling size; pixels after them, by rising size."""
    path = tmp_path / "image.tif"
    write_image(path, scene(1500, 1100, *kind), grid(1500, 1100))
    found = directories(path)
    width, length, compression, predictor, tile_width, tile_offsets = 256, 257, 259, 317, 322, 324
    assert [(tags[width], tags[length]) for tags in found] == [
        ((1100,), (1500,)), ((550,), (750,)), ((275,), (375,)),
    ]  # fmt: skip
    assert {tags[tile_width] for tags in found} == {(512,)}
    assert {tags[predictor] for tags in found} == {(2,)}
    assert {tags[compression] for tags in found} <= {(50000,), (8,)}
    first_pixels = [min(offset for offset in tags[tile_offsets] if offset) for tags in found]
    assert max(tags[-1][0] for tags in found) < min(first_pixels)
    assert first_pixels == sorted(first_pixels, reverse=True)
    assert gdal.Open(str(path)).GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"


def test_overviews_of_reflectance_are_means_of_what_is_measured(tmp_path: Path) -> None:
    image = scene(600, 600) // 2 + 1
    image[:100] = 0
    image[100:102, 0:2] = [[0, 100], [0, 300]]
    write_image(tmp_path / "image.tif", image, grid(600, 600))
    half = overview(tmp_path / "image.tif", 0)
    assert half.shape == (300, 300)
    assert (half[:50] == 0).all()
    assert half[50, 0] == 200
    means = image[102:].reshape(249, 2, 300, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(half[51:], means, atol=0.51)


def test_overviews_of_classes_are_classes(tmp_path: Path) -> None:
    image = np.where(scene(600, 600) % 2, 4, 11).astype(np.uint8)
    image[:100] = 0
    write_image(tmp_path / "image.tif", image, grid(600, 600))
    half = overview(tmp_path / "image.tif", 0)
    assert set(np.unique(half)) == {0, 4, 11}
    assert (half[:50] == 0).all()


def test_without_zstd_deflate_serves() -> None:
    class Driver:
        def __init__(self, known: str) -> None:
            self.known = known

        def GetMetadataItem(self, name: str) -> str:  # noqa: N802
            return {"DMD_CREATIONOPTIONLIST": self.known}[name]

    assert cog._find_compression(Driver("LZW DEFLATE ZSTD")) == "ZSTD"
    assert cog._find_compression(Driver("LZW DEFLATE")) == "DEFLATE"


def test_several_at_once(tmp_path: Path) -> None:
    images = [scene(700, 600) + np.uint16(number) for number in range(6)]

    def write(number: int) -> np.ndarray:
        path = tmp_path / f"image{number}.tif"
        write_image(path, images[number], grid(700, 600))
        return cog.read(path)

    with ThreadPoolExecutor(6) as pool:
        for number, result in enumerate(pool.map(write, range(6))):
            np.testing.assert_array_equal(result, images[number])
    assert len(list(tmp_path.iterdir())) == 6


def test_wrong_number_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    with (
        pytest.raises(ValueError, match="60 of 100 rows"),
        cog.CogWriter(path, grid(100, 80), "uint16") as writer,
    ):
        writer.write_rows(scene(60, 80))
    with (
        pytest.raises(ValueError, match="more than 100 rows"),
        cog.CogWriter(path, grid(100, 80), "uint16") as writer,
    ):
        writer.write_rows(scene(101, 80))
    assert list(tmp_path.iterdir()) == []


def test_error_while_writing_leaves_the_file_of_before(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    before = scene(40, 40)
    write_image(path, before, grid(40, 40))
    with (
        pytest.raises(RuntimeError, match="broken off"),
        cog.CogWriter(path, grid(200, 100), "uint16") as writer,
    ):
        writer.write_rows(scene(100, 100))
        raise RuntimeError("broken off")
    assert [entry.name for entry in tmp_path.iterdir()] == ["image.tif"]
    np.testing.assert_array_equal(cog.read(path), before)


def test_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"image\.tif"):
        write_image(tmp_path / "absent" / "image.tif", scene(40, 40), grid(40, 40))


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.95])
def test_truncated_image_is_an_input_error(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "image.tif"
    write_image(path, scene(600, 600), grid(600, 600))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep >= 1 or keep == 0 else keep * len(content))])
    with pytest.raises(InputError, match=r"image\.tif"):
        cog.read(path)


def test_missing_image_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tif"):
        cog.read(tmp_path / "none.tif")
