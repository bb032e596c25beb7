"""Displacement between bands: by detector, forth and back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from sen2cor.raster.parallax import Parallax

SHAPE = 40, 50


def ramp() -> np.ndarray:
    """Linear in both directions: bilinear interpolation is exact."""
    row, col = np.indices(SHAPE)
    return (3.0 * row + 0.5 * col).astype(np.float32)


def halves() -> np.ndarray:
    detectors = np.zeros(SHAPE, np.uint8)
    detectors[:, :30] = 7
    detectors[:, 30:45] = 8
    return detectors


def test_each_detector_shifts_its_own_pixels() -> None:
    parallax = Parallax(halves(), {7: (0.01, -0.02), 8: (-0.01, 0.02)}, 60.0)
    seen = parallax.project(ramp(), 6000.0)
    row, col = np.indices(SHAPE)
    inside = (row > 2) & (row < 37) & (col > 1)
    for detector, sense in ((7, 1), (8, -1)):
        here = inside & (halves() == detector)
        expected = 3.0 * (row + 2.0 * sense) + 0.5 * (col + 1.0 * sense)
        np.testing.assert_allclose(seen[here], expected[here], rtol=1e-6)
    none = halves() == 0
    np.testing.assert_array_equal(seen[none], ramp()[none])


@pytest.mark.parametrize("height", [0.0, 5000.0, 9321.0, 17000.0])
def test_image_and_points_agree(height: float) -> None:
    random = np.random.default_rng(3)
    image = random.normal(0.0, 1.0, SHAPE).astype(np.float32)
    parallax = Parallax(halves(), {7: (0.003, -0.016), 8: (-0.003, 0.015)}, 60.0)
    pixels = np.arange(image.size)
    at = np.divmod(pixels, SHAPE[1]) + parallax.displacement(height, pixels)
    expected = map_coordinates(image, at, order=1, mode="nearest")
    seen = parallax.project(image, height)
    np.testing.assert_allclose(seen.ravel(), expected, atol=1e-5)


def test_nothing_without_detectors() -> None:
    image = ramp()
    parallax = Parallax(np.zeros(SHAPE, np.uint8), {7: (0.01, 0.01)}, 60.0)
    np.testing.assert_array_equal(parallax.project(image, 9000.0), image)
