"""Angles of pixels beside those of the overpass that the nodes come from."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest

from sen2cor.bands import BAND_NAMES
from sen2cor.raster.array_types import Float64Array, UInt8Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry
from sen2cor.raster.pixel_angles import PixelAngles, fill_directions, to_angles, to_directions
from sen2cor.simulation.overpass_geometry import STEP, Overpass

GRID = Grid(32633, 300000.0, 5900040.0, 900.0, 122, 122)
WHOLE = slice(0, GRID.rows)
TILE = Overpass(GRID, datetime(2017, 6, 16, 10, 21, tzinfo=timezone.utc), 60.0)


def angle_grid(zenith: Float64Array, azimuth: Float64Array) -> AngleGrid:
    return AngleGrid(zenith.astype(np.float32), azimuth.astype(np.float32), STEP)


def centres(grid: Grid) -> tuple[Float64Array, Float64Array]:
    x = grid.ulx + (np.arange(grid.cols) + 0.5) * grid.pixel_size
    y = grid.uly - (np.arange(grid.rows) + 0.5) * grid.pixel_size
    return np.meshgrid(x, y)


def read_detectors(band: str, grid: Grid) -> UInt8Array:
    return TILE.detector(*centres(grid)).astype(np.uint8)


@pytest.fixture(scope="module")
def geometry() -> TileGeometry:
    merged = angle_grid(np.full((23, 23), 45.0), np.full((23, 23), 300.0))
    return TileGeometry(
        angle_grid(*TILE.sun_nodes()),
        dict.fromkeys(BAND_NAMES, merged),
        30.0,
        150.0,
        {
            band: {number: angle_grid(*TILE.view_nodes(band, number)) for number in range(1, 13)}
            for band in BAND_NAMES
        },
    )


def separation(first: tuple[np.ndarray, ...], second: tuple[np.ndarray, ...]) -> Float64Array:
    """Angle between directions in degrees."""
    product = (to_directions(*first) * to_directions(*second)).sum(axis=-1)
    return np.degrees(np.arccos(np.clip(product, -1.0, 1.0)))


def test_sun_is_that_of_the_overpass(geometry: TileGeometry) -> None:
    angles = PixelAngles(geometry, GRID, read_detectors)
    assert separation(angles.sun(WHOLE), TILE.sun(*centres(GRID))).max() < 0.02


@pytest.mark.parametrize("band", ["B02", "B12"])
def test_view_is_that_of_the_detector_of_each_pixel(geometry: TileGeometry, band: str) -> None:
    angles = PixelAngles(geometry, GRID, read_detectors)
    x, y = centres(GRID)
    detector = TILE.detector(x, y)
    assert len(np.unique(detector[detector > 0])) >= 4
    seen = detector > 0
    error = separation(angles.view([band], WHOLE), TILE.view(band, detector, x, y))
    # detector 10 sees a corner with three nodes on one line
    assert np.isfinite(geometry.detector_view[band][10].zenith).sum() == 3
    assert error[seen].max() < 0.002
    zenith, azimuth = angles.view([band], WHOLE)
    edge = np.diff(detector.astype(int), axis=1) != 0
    jump = np.abs((np.diff(azimuth, axis=1) + 180.0) % 360.0 - 180.0)
    assert np.median(jump[edge]) > 10 * np.median(jump[~edge])
    assert zenith.dtype == np.float32 and (azimuth >= 0).all() and (azimuth < 360.0).all()


def test_pixels_without_detector_have_the_merged_angles(geometry: TileGeometry) -> None:
    for reader in (lambda band, grid: None, lambda band, grid: np.zeros(grid.shape, np.uint8)):
        zenith, azimuth = PixelAngles(geometry, GRID, reader).view(["B02"], WHOLE)
        np.testing.assert_allclose(zenith, 45.0, atol=1e-4)
        np.testing.assert_allclose(azimuth, 300.0, atol=1e-4)


def test_mean_of_bands_and_parts_of_rows(geometry: TileGeometry) -> None:
    angles = PixelAngles(geometry, GRID, read_detectors)
    singles = [to_directions(*angles.view([band], WHOLE)) for band in ("B02", "B12")]
    mean = to_angles(*np.moveaxis(sum(singles), -1, 0))
    assert separation(angles.view(["B02", "B12"], WHOLE), mean).max() < 1e-3
    rows = slice(37, 81)
    part = angles.view(["B02"], rows)
    np.testing.assert_allclose(part, [one[rows] for one in angles.view(["B02"], WHOLE)], atol=1e-4)


def test_azimuth_has_no_jump_at_north() -> None:
    azimuth = np.where(np.arange(23) % 2 == 0, 359.0, 1.0)[np.newaxis].repeat(23, 0)
    north = angle_grid(np.full((23, 23), 30.0), azimuth)
    angles = PixelAngles(TileGeometry(north, {}, 30.0, 0.0), GRID, read_detectors)
    found = (angles.sun(WHOLE)[1] + 180.0) % 360.0 - 180.0
    assert np.abs(found).max() <= 1.001


def test_gaps_are_filled_by_a_linear_function() -> None:
    rows, cols = np.indices((9, 7)).astype(float)
    truth = np.stack([0.01 * rows - 0.02 * cols, 0.1 + 0.03 * cols, 0.9 - 0.01 * rows], -1)
    valid = (rows + cols) % 3 == 0
    damaged = np.where(valid[..., np.newaxis], truth, np.nan)
    filled = fill_directions(damaged, valid)
    np.testing.assert_allclose(filled, truth, atol=1e-12)
    np.testing.assert_array_equal(filled[valid], truth[valid])
