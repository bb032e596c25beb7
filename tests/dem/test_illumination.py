"""The direction to the sun in the frame of a grid, and slopes known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.dem.illumination import SunDirections, gradient
from sen2cor.raster.grids import AngleGrid, Grid


def test_azimuth_is_counted_from_the_north_of_the_grid() -> None:
    grid = Grid(32633, 667015.0, 6655205.0, 60.0, 100, 100)
    angles = AngleGrid(np.full((3, 3), 45.0, np.float32), np.full((3, 3), 180.0, np.float32), 5e3)
    east, north = SunDirections.from_angles(grid, angles).centre(grid)
    # 3 degrees east of the central meridian the grid's north lies 2.6 degrees east of true north
    assert np.degrees(np.arctan2(east, north)) == pytest.approx(180.0 - 2.6, abs=0.1)
    assert np.hypot(east, north) == pytest.approx(1.0, abs=1e-4)


def test_pixels_lie_between_the_nodes() -> None:
    grid = Grid(32633, 500000.0, 5000000.0, 60.0, 100, 100)
    zenith = np.broadcast_to(np.arange(30.0, 50.0, 10.0, dtype=np.float32), (2, 2))
    sun = SunDirections.from_angles(
        grid, AngleGrid(zenith, np.full((2, 2), 90.0, np.float32), 6000.0)
    )
    east, north = sun.at(60.0, np.arange(100), np.array([0, 49, 99]))
    assert east.shape == north.shape == (100, 3)
    tangent = np.tan(np.radians([30.0, 40.0]))
    expected = np.interp([0.5 / 100, 49.5 / 100, 99.5 / 100], [0.0, 1.0], tangent)
    np.testing.assert_allclose(east[40], expected, atol=0.001)


def test_tilted_plane_is_exact_everywhere() -> None:
    row, col = np.mgrid[0:7, 0:9]
    plane = (0.3 * 20.0 * col - 0.1 * 20.0 * row).astype(np.float32)
    east, north = gradient(plane, 20.0)
    assert east.shape == north.shape == (5, 7)
    np.testing.assert_allclose(east, 0.3, rtol=1e-5)
    np.testing.assert_allclose(north, 0.1, rtol=1e-5)


def test_cone_falls_by_its_slope_in_all_directions() -> None:
    row, col = np.mgrid[-50:51, -50:51] * 10.0
    distance = np.hypot(row, col)
    cone = (1000.0 - 0.7 * distance).astype(np.float32)
    east, north = gradient(cone, 10.0)
    inner = distance[1:-1, 1:-1]
    far = inner > 100.0
    np.testing.assert_allclose(np.hypot(east, north)[far], 0.7, atol=0.003)
    np.testing.assert_allclose(
        (east + 0.7 * col[1:-1, 1:-1] / np.maximum(inner, 1))[far], 0, atol=0.01
    )
    np.testing.assert_allclose(
        (north - 0.7 * row[1:-1, 1:-1] / np.maximum(inner, 1))[far], 0, atol=0.01
    )
