"""Synthetic terrain, irradiance of slopes, and band ratios of canopies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from sen2cor.errors import UsageError
from sen2cor.raster.grids import Grid
from sen2cor.simulation.canopies import CANOPIES, CanopyReflectance
from sen2cor.simulation.landscapes import LANDSCAPES, SURFACE_NAMES
from sen2cor.simulation.slope_irradiance import irradiance_on_slopes, sky_irradiance
from sen2cor.simulation.surface_spectra import band_reflectance
from sen2cor.simulation.synthetic_terrain import (
    MODEL_RESOLUTION,
    TerrainShape,
    derive_terrain,
    write_elevation_model,
)

GRID = Grid(32632, 600000.0, 5300040.0, 20.0, 60, 60)
HILLS = TerrainShape(1.0, 0.32, 1700.0)


class _Ramp(TerrainShape):
    """Ground that rises eastwards by 0.5 m a metre."""

    def elevation(self, y: object, x: object, seed: int) -> np.ndarray:  # type: ignore[override]
        columns = 0.5 * (np.asarray(x, np.float32) - np.float32(GRID.ulx))
        return np.repeat(columns[None, :], len(np.asarray(y)), axis=0)


def test_a_slope_towards_the_sun_is_brighter_by_the_known_ratio() -> None:
    shape = derive_terrain(_Ramp(0.0, 1.0, 1.0), GRID, 60.0, 270.0, 7)
    slope = np.arctan(0.5)
    np.testing.assert_allclose(shape.incidence, np.cos(np.radians(60.0) - slope), atol=1e-3)
    assert shape.sunlit.all()
    away = derive_terrain(_Ramp(0.0, 1.0, 1.0), GRID, 70.0, 90.0, 7)
    assert not away.incidence.any()
    assert not away.sunlit.any()


def test_a_slope_sees_the_sky_that_its_horizon_leaves() -> None:
    shape = derive_terrain(_Ramp(0.0, 1.0, 1.0), GRID, 60.0, 270.0, 7)
    _, ground_view = sky_irradiance(shape, 60.0, 270.0, 1e-6, 0.0)
    # an even sky: the part of the hemisphere over a plane that another plane cuts off
    expected = (1.0 - np.cos(np.arctan(0.5))) / 2.0
    assert ground_view.mean() == pytest.approx(expected, abs=0.02)


def test_level_ground_has_the_light_of_level_ground() -> None:
    shape = derive_terrain(TerrainShape(1.0, 0.0, 1700.0), GRID, 40.0, 150.0, 7)
    sky = sky_irradiance(shape, 40.0, 150.0, 0.2, 0.2)
    level = np.full(GRID.shape, 0.7, np.float32)
    light = irradiance_on_slopes(shape, 40.0, sky, level, level)
    np.testing.assert_allclose(light.direct, 1.0, atol=1e-4)
    np.testing.assert_allclose(light.diffuse, 1.0, atol=1e-3)


def test_valleys_are_darker_than_ridges_under_the_sky() -> None:
    shape = derive_terrain(HILLS, GRID, 50.0, 160.0, 7)
    diffuse, ground_view = sky_irradiance(shape, 50.0, 160.0, 0.2, 0.1)
    low = shape.elevation < np.quantile(shape.elevation, 0.1)
    high = shape.elevation > np.quantile(shape.elevation, 0.9)
    assert ground_view[low].mean() > ground_view[high].mean()
    assert (diffuse > 0.0).all()


def test_light_from_opposite_needs_bright_ground() -> None:
    shape = derive_terrain(HILLS, GRID, 50.0, 160.0, 7)
    sky = sky_irradiance(shape, 50.0, 160.0, 0.2, 0.1)
    fraction = np.full(GRID.shape, 0.8, np.float32)
    dark, bright = (
        irradiance_on_slopes(
            shape, 50.0, sky, np.full(GRID.shape, rho, np.float32), fraction
        ).diffuse
        for rho in (0.0, 0.5)
    )
    np.testing.assert_allclose(dark, sky[0])
    assert (bright > dark)[sky[1] > 1e-3].all()


def test_elevation_model_holds_the_scene_and_its_surroundings(tmp_path: Path) -> None:
    write_elevation_model(tmp_path / "dem" / "elevation.tif", HILLS, GRID, 7)
    image = gdal.Open(str(tmp_path / "dem" / "elevation.tif"))
    left, step, _, top, _, _ = image.GetGeoTransform()
    assert step == MODEL_RESOLUTION
    assert left < GRID.ulx - 3000
    raw = image.GetRasterBand(1).ReadRaster()
    stored = np.frombuffer(raw, np.float32).reshape(image.RasterYSize, image.RasterXSize)
    col, row = int((GRID.ulx - left) / step) + 3, int((top - GRID.uly) / step) + 5
    x, y = left + (col + 0.5) * step, top - (row + 0.5) * step
    assert stored[row, col] == HILLS.elevation(np.array([y]), np.array([x]), 7).item()


@pytest.mark.parametrize("name", ["ideal", "real"])
def test_canopies_have_the_ratios_of_their_colours(name: str) -> None:
    y, x = 5900035.0 - 10.0 * np.arange(300), 699965.0 + 10.0 * np.arange(300)
    ground = LANDSCAPES["montane"](y, x, 7)
    table = {
        band: np.array(
            [band_reflectance("S2A")[surface][band] for surface in SURFACE_NAMES], np.float32
        )
        for band in ("B02", "B04", "B12", "B8A")
    }
    canopies, colours = CanopyReflectance(name, ground, y, x, table, 7), CANOPIES[name]
    assert colours is not None
    bands = {band: ground.reflectance(values) for band, values in table.items()}
    before = bands["B8A"].copy()
    for band, values in bands.items():
        canopies.apply(values, band)
    np.testing.assert_array_equal(bands["B8A"], before)
    where = canopies.where
    red = bands["B04"][where] / bands["B12"][where]
    blue = bands["B02"][where] / bands["B04"][where]
    for ratio, middle, half in (
        (red, colours.red, colours.red_range),
        (blue, colours.blue, colours.blue_range),
    ):
        assert ratio.mean() == pytest.approx(middle, abs=0.25 * half)
        assert np.abs(ratio - middle).max() <= half + 1e-4


def test_unknown_canopies_are_refused() -> None:
    y = x = 10.0 * np.arange(5)
    with pytest.raises(UsageError):
        CanopyReflectance("violet", LANDSCAPES["summer"](y, x, 7), y, x, {}, 7)
