"""Products of GeoTIFF: virtual rasters open all bands; readers of SAFE refuse, no wrong pixels."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from sen2cor import process
from sen2cor.imagery import images
from sen2cor.product.level2a.files import copy_masks
from sen2cor.raster.grids import Grid

gdal.UseExceptions()

QUANTIFICATION = 10000


@pytest.fixture(scope="module")
def product(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product of GeoTIFF at 60 and 20 m, moved after it was written."""
    folder = tmp_path_factory.mktemp("cog")
    for resolution in (60, 20):
        outcome = process(
            small_product,
            output_directory=folder / "first",
            image_format="cog",
            resolution=resolution,
            report=False,
        )
    moved = folder / "moved" / outcome.product.name
    shutil.move(outcome.product, moved)
    return moved


@pytest.mark.parametrize("resolution", [60, 20])
def test_a_virtual_raster_opens_all_images_of_a_resolution(product: Path, resolution: int) -> None:
    (path,) = product.glob(f"GRANULE/*/R{resolution}m.vrt")
    raster = gdal.Open(str(path))
    bands = {
        raster.GetRasterBand(number).GetDescription(): raster.GetRasterBand(number)
        for number in range(1, raster.RasterCount + 1)
    }
    files = {
        file.stem.split("_")[-2]: file
        for file in product.glob(f"GRANULE/*/*/**/*_{resolution}m.tif")
        if "TCI" not in file.name
    }
    assert bands.keys() == files.keys() >= {"B02", "B8A", "B12", "AOT", "WVP", "SCL", "CLD", "SNW"}
    assert list(bands)[-6:] == ["B12", "AOT", "CLD", "SCL", "SNW", "WVP"]
    for name, band in bands.items():
        pixels = band.ReadAsArray()
        np.testing.assert_array_equal(pixels, images.read(files[name]))
        assert name in ("CLD", "SNW") or pixels.any()
    assert bands["B02"].GetNoDataValue() == 0
    assert bands["B02"].GetScale() == pytest.approx(1.0 / QUANTIFICATION)
    assert bands["WVP"].GetUnitType() == "cm"
    assert bands["SCL"].GetCategoryNames()[4] == "vegetation"
    assert bands["SCL"].GetColorTable().GetColorEntry(6) == (0, 0, 255, 255)


def test_virtual_rasters_have_relative_paths_and_are_in_the_manifest(product: Path) -> None:
    found = sorted(path.name for path in product.glob("GRANULE/*/*.vrt"))
    assert found == ["R20m.vrt", "R60m.vrt"]
    manifest = (product / "manifest.safe").read_text()
    for path in product.glob("GRANULE/*/*.vrt"):
        assert str(product.parent) not in path.read_text()
        assert path.relative_to(product).as_posix() in manifest


def test_gdal_refuses_the_metadata_of_geotiff_instead_of_showing_zeros(product: Path) -> None:
    with pytest.raises(RuntimeError, match="not recognized"):
        gdal.Open(str(product / "MTD_MSIL2A.xml"))
    with pytest.raises(RuntimeError, match="not recognized"):
        gdal.Open(str(next(product.glob("GRANULE/*/MTD_TL.xml"))))


def test_no_file_is_jpeg2000(product: Path) -> None:
    """Readers that look for bands by ``*B04*.jp2`` must find nothing, not a mask."""
    assert not list(product.rglob("*.jp2"))
    assert list(product.glob("GRANULE/*/QI_DATA/*_PVI.tif"))
    assert ".jp2" not in "".join(path.read_text() for path in product.rglob("MTD_*.xml"))
    assert ".jp2" not in (product / "manifest.safe").read_text()


def test_raster_masks_are_copied_under_a_name_of_no_band(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    grid = Grid(32633, 300000.0, 5900040.0, 60.0, 70, 90)
    mask = np.random.default_rng(3).integers(0, 13, grid.shape).astype(np.uint8)
    images.write(source / "MSK_DETFOO_B04.jp2", mask, grid, 64)
    (source / "T33UUU_PVI.jp2").write_bytes(b"")
    (source / "QUALITY.xml").write_text("<report/>")
    copy_masks(source, target, "tif")
    assert {path.name for path in target.iterdir()} == {"MSK_DETFOO_B04.jpx", "QUALITY.xml"}
    raster = gdal.Open(str(target / "MSK_DETFOO_B04.jpx"))
    np.testing.assert_array_equal(raster.ReadAsArray(), mask)
    copy_masks(source, tmp_path / "other", "jp2")
    assert (tmp_path / "other" / "MSK_DETFOO_B04.jp2").is_file()


def test_gdal_opens_the_metadata_of_jpeg2000(small_product: Path, tmp_path: Path) -> None:
    outcome = process(small_product, output_directory=tmp_path, resolution=60, report=False)
    dataset = gdal.Open(str(outcome.product / "MTD_MSIL2A.xml"))
    (name,) = (name for name, _ in dataset.GetSubDatasets() if ":60m:" in name)
    raster = gdal.Open(name)
    pixels = raster.GetRasterBand(1).ReadAsArray()
    (file,) = outcome.product.glob("GRANULE/*/IMG_DATA/R60m/*_B01_60m.jp2")
    np.testing.assert_array_equal(pixels, images.read(file))
    assert not list(outcome.product.rglob("*.vrt"))
