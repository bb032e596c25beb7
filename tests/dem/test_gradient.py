"""Slopes of surfaces that are known in closed form."""

from __future__ import annotations

import numpy as np

from sen2cor.dem.gradient import gradient


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
