"""Slope, illumination and shadow of a tile, and how they pass from grid to grid."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.dem.illumination import SunDirections
from sen2cor.dem.terrain import (
    Terrain,
    TerrainType,
    classify_terrain,
    derive_terrain,
)
from sen2cor.raster.grids import AngleGrid, Grid

GRID = Grid(32633, 500000.0, 5000000.0, 20.0, 90, 84)
MARGIN = 12
SHAPE = (GRID.rows + 2 * MARGIN, GRID.cols + 2 * MARGIN)


def sun(zenith: float = 50.0, azimuth: float = 140.0) -> SunDirections:
    full = np.full((3, 3), 1.0, np.float32)
    return SunDirections.from_angles(GRID, AngleGrid(zenith * full, azimuth * full, 5000.0))


def plane(slope: float, aspect: float) -> np.ndarray:
    """A plane that falls towards its aspect."""
    row, col = np.indices(SHAPE) * GRID.pixel_size
    downhill = col * np.sin(np.radians(aspect)) - row * np.cos(np.radians(aspect))
    return (2000.0 - np.tan(np.radians(slope)) * downhill).astype(np.float32)


def hills() -> np.ndarray:
    row, col = np.indices(SHAPE)
    return (300.0 * np.sin(row / 9.0) * np.cos(col / 7.0)).astype(np.float32)


@pytest.mark.parametrize(
    ("slope", "aspect"), [(0, 0), (10, 140), (25, 300), (35, 60), (35, 320), (44, 320)]
)
def test_plane_has_its_slope_and_its_lambertian_illumination(slope: float, aspect: float) -> None:
    terrain = derive_terrain(plane(slope, aspect), MARGIN, GRID, sun(), with_sky_view=True)
    s, z = np.radians(slope), np.radians(50.0)
    cosine = np.cos(z) * np.cos(s) + np.sin(z) * np.sin(s) * np.cos(np.radians(140.0 - aspect))
    np.testing.assert_allclose(terrain.slope, slope, atol=0.02)
    np.testing.assert_allclose(terrain.illumination, max(0.0, cosine) / np.cos(z), atol=2e-3)
    assert terrain.shadow.all() == (cosine <= 0.0)
    assert terrain.sky_view is not None
    assert terrain.sky_view.shape == terrain.elevation.shape == GRID.shape


def test_flat_ground_is_lit_as_flat_ground() -> None:
    terrain = derive_terrain(
        np.full(SHAPE, 812.5, np.float32), MARGIN, GRID, sun(), with_sky_view=True
    )
    assert not terrain.slope.any() and not terrain.shadow.any()
    assert (terrain.illumination == 1.0).all() and (terrain.sky_view == 1.0).all()


def test_blocks_leave_no_seam() -> None:
    elevation = hills()
    terrain = derive_terrain(elevation, MARGIN, GRID, sun(), with_sky_view=True)
    north = Grid(GRID.epsg, GRID.ulx, GRID.uly - 40 * 20.0, 20.0, 50, GRID.cols)
    part = derive_terrain(elevation[40:], MARGIN, north, sun(), with_sky_view=True)
    np.testing.assert_allclose(terrain.illumination[40:], part.illumination, atol=1e-6)
    np.testing.assert_allclose(terrain.slope[40:], part.slope, atol=1e-4)


def test_shadow_of_the_margin_reaches_the_tile() -> None:
    elevation = np.zeros(SHAPE, np.float32)
    elevation[3] = 500.0
    terrain = derive_terrain(elevation, MARGIN, GRID, sun(60.0, 0.0))
    length = 500.0 * np.tan(np.radians(60.0)) / 20.0 - (MARGIN - 3)
    assert terrain.shadow[:, 40].sum() == pytest.approx(length, abs=1.5)


def test_shadow_goes_by_the_sun_over_the_tile() -> None:
    """The angles may be given far beyond a small tile."""
    azimuth = np.full((23, 23), 180.0, np.float32)
    azimuth[0, 0] = azimuth[0, 1] = azimuth[1, 0] = azimuth[1, 1] = 0.0
    directions = SunDirections.from_angles(GRID, AngleGrid(60.0 + 0 * azimuth, azimuth, 5000.0))
    elevation = np.zeros(SHAPE, np.float32)
    elevation[3] = 500.0
    assert derive_terrain(elevation, MARGIN, GRID, directions).shadow[:10].any()


def test_unknown_heights_count_as_flat_and_hide_nothing() -> None:
    elevation = hills()
    elevation[30:60, 30:60] = np.nan
    terrain = derive_terrain(elevation, MARGIN, GRID, sun(70.0), with_sky_view=True)
    hole = (slice(30 - MARGIN, 60 - MARGIN),) * 2
    assert np.isnan(terrain.slope[hole]).all() and np.isnan(terrain.illumination[hole]).all()
    assert np.isnan(terrain.slope).sum() == 32 * 32
    assert not terrain.shadow[hole].any() and (terrain.sky_view[hole] == 1.0).all()
    illumination, sunlit = terrain.interpolate_illumination(slice(0, 90), 84)
    assert (illumination[hole] == 1.0).all() and (sunlit[hole] == 1.0).all()
    assert not np.isnan(illumination).any()


def test_no_known_height_at_all_is_flat() -> None:
    terrain = derive_terrain(np.full(SHAPE, np.nan, np.float32), MARGIN, GRID, sun())
    illumination, sunlit = terrain.interpolate_illumination(slice(0, 90), 84)
    assert (illumination == 1.0).all() and (sunlit == 1.0).all()


def test_light_is_off_in_the_shadow() -> None:
    terrain = derive_terrain(hills(), MARGIN, GRID, sun(72.0))
    illumination, sunlit = terrain.interpolate_illumination(slice(10, 30), 84)
    assert 0.05 < terrain.shadow.mean() < 0.9
    np.testing.assert_array_equal(sunlit == 0.0, terrain.shadow[10:30])
    assert (illumination[sunlit == 0.0] == 0.0).all()
    lit = sunlit == 1.0
    np.testing.assert_array_equal(illumination[lit], terrain.illumination[10:30][lit])


def test_light_of_a_finer_grid_is_smooth_and_does_not_depend_on_the_rows() -> None:
    terrain = derive_terrain(hills(), MARGIN, GRID, sun(72.0))
    whole = terrain.interpolate_illumination(slice(0, 180), 168, 2)
    for top in range(0, 180, 37):
        rows = slice(top, min(top + 37, 180))
        for field, part in zip(whole, terrain.interpolate_illumination(rows, 168, 2), strict=True):
            np.testing.assert_allclose(part, field[rows], atol=1e-6)
    blocks = whole[0].reshape(90, 2, 84, 2).mean(axis=(1, 3))
    own = terrain.interpolate_illumination(slice(0, 90), 84)[0]
    assert np.abs(blocks - own).mean() < 0.03
    assert np.isin(whole[1], np.arange(17) / 16.0).all() and len(np.unique(whole[1])) > 5


TESTS = {"min_range": 50.0, "steep_slope": 6.0, "max_steep_fraction": 0.01}


@pytest.mark.parametrize(
    ("height_range", "steep_pixels", "changed", "expected"),
    [
        (49.0, 100, {}, TerrainType.FLAT),
        (51.0, 0, {}, TerrainType.GENTLE),
        (49.0, 0, {"min_range": 40.0}, TerrainType.GENTLE),
        (51.0, 10, {}, TerrainType.GENTLE),
        (51.0, 11, {}, TerrainType.RUGGED),
        (51.0, 11, {"max_steep_fraction": 0.02}, TerrainType.GENTLE),
        (51.0, 11, {"steep_slope": 9.0}, TerrainType.GENTLE),
        (299.0, 0, {}, TerrainType.GENTLE),
        (301.0, 0, {}, TerrainType.RUGGED),
    ],
)
def test_ruggedness(
    height_range: float, steep_pixels: int, changed: dict, expected: TerrainType
) -> None:
    elevation = np.linspace(100.0, 100.0 + height_range, 1002, dtype=np.float32)
    slope = np.where(np.arange(1002) < steep_pixels, 8.0, 3.0).astype(np.float32)
    elevation[-2], slope[-2:] = np.nan, np.nan
    assert classify_terrain(elevation, slope, **TESTS | changed) is expected


def test_relief_without_heights_is_flat() -> None:
    nothing = np.full((5, 5), np.nan, np.float32)
    assert classify_terrain(nothing, nothing, **TESTS) is TerrainType.FLAT


def test_terrain_needs_no_sky() -> None:
    assert isinstance(derive_terrain(hills(), MARGIN, GRID, sun()), Terrain)
    assert derive_terrain(hills(), MARGIN, GRID, sun()).sky_view is None
