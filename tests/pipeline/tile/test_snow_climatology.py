from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from osgeo import gdal

from sen2cor.api import process
from sen2cor.pipeline.tile.snow_climatology import snow_possible
from sen2cor.raster.grids import Grid
from sen2cor.settings import Settings
from sen2cor.settings.l2a_cal_sc_gipp import ClassificationSettings
from tests.small_product import write_small_product

BERLIN = Grid(32633, 300000.0, 5900040.0, 60.0, 1830, 1830)
"""52.3 to 53.2 degrees north, 12.0 to 13.7 degrees east."""
ACROSS_DATE_LINE = Grid(32601, 300000.0, 7300020.0, 60.0, 1830, 1830)
"""64.8 to 65.8 degrees north."""


def _map(folder: Path, *places: tuple[float, float]) -> Path:
    """Write a map of the layout with snow at places, given by longitude and latitude."""
    path = folder / "GlobalSnowMap.tiff"
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), 7200, 3600, 1, gdal.GDT_Byte, ["COMPRESS=DEFLATE", "SPARSE_OK=TRUE"]
    )
    for lon, lat in places:
        col, row = int((lon + 180) / 0.05), int((90 - lat) / 0.05)
        dataset.GetRasterBand(1).WriteRaster(col, row, 1, 1, b"\x01")
    return path


def test_snow_within_the_tile_makes_snow_possible(tmp_path: Path) -> None:
    assert snow_possible(_map(tmp_path, (12.8, 52.7)), BERLIN)


def test_snow_elsewhere_does_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    around = [(11.0, 52.7), (14.5, 52.7), (12.8, 51.0), (12.8, 54.5), (12.8, -52.7)]
    with caplog.at_level(logging.INFO):
        assert not snow_possible(_map(tmp_path, *around), BERLIN)
    assert "GlobalSnowMap.tiff" in caplog.text


@pytest.mark.parametrize("lon", [-179.9, 179.9])
def test_tile_across_the_date_line_looks_at_both_sides(tmp_path: Path, lon: float) -> None:
    assert snow_possible(_map(tmp_path, (lon, 65.4)), ACROSS_DATE_LINE)
    assert not snow_possible(_map(tmp_path, (0.0, 65.4)), ACROSS_DATE_LINE)


def test_map_that_cannot_be_read_leaves_snow_possible(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "GlobalSnowMap.tiff"
    path.write_bytes(b"no image")
    assert snow_possible(path, BERLIN)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_metadata_name_the_map(tmp_path: Path) -> None:
    level1c = write_small_product(tmp_path)
    named = replace(ClassificationSettings(), snow_map=str(_map(tmp_path, (12.8, 52.7))))
    settings = replace(Settings(), classification=named)
    product = process(level1c, settings=settings, classification_only=True, resolution=60).product
    (metadata,) = product.glob("MTD*.xml")
    assert ">GlobalSnowMap.tiff</L2A_SNOW_CLIMATOLOGY>" in metadata.read_text()
