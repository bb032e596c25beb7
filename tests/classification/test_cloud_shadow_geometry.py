from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from sen2cor.classification import SunGeometry
from sen2cor.classification.cloud_shadow_geometry import (
    HIGH_CLOUD,
    compute_height_weight,
    compute_shadow_likelihood,
    find_shadow_casting_clouds,
)


@pytest.mark.parametrize(
    ("height", "low", "high"),
    [
        *((0, 0, 0.01), (300, 0.04, 0.06), (600, 0.5, 0.6), (1500, 1, 1), (3000, 0.99, 1)),
        *((4230, 0.5, 0.53), (5800, 0, 0.02), (7000, 0, 0)),
    ],
)
def test_clouds_are_likely_between_600_and_4200_m(height: float, low: float, high: float) -> None:
    assert low <= compute_height_weight(height) <= high


@pytest.mark.parametrize("azimuth", [0, 45, 90, 160, 225, 300])
@pytest.mark.parametrize("zenith", [20, 60])
def test_shadow_falls_away_from_the_sun(azimuth: float, zenith: float) -> None:
    size, pixel = 301, 60.0
    clouds = np.zeros((size, size), np.float32)
    middle = size // 2
    clouds[middle, middle] = 1
    likelihood = compute_shadow_likelihood(clouds, SunGeometry(zenith, azimuth, pixel), 1.0)
    for height in (1000, 2000, 3000):
        distance = height * math.tan(math.radians(zenith)) / pixel
        row = middle + round(distance * math.cos(math.radians(azimuth)))
        col = middle - round(distance * math.sin(math.radians(azimuth)))
        assert likelihood[row, col] > 0.2
        assert likelihood[2 * middle - row, 2 * middle - col] == 0
    assert likelihood[middle, middle] < 0.05


def test_shadow_of_a_cloud_near_the_edge_leaves_the_image() -> None:
    clouds = np.zeros((5, 40), np.float32)
    clouds[0, 2] = 1
    likelihood = compute_shadow_likelihood(clouds, SunGeometry(60, 90, 60), 0.5)
    assert not likelihood.any()


def test_clouds_hide_the_shadow_below_them() -> None:
    clouds = np.zeros((60, 160), np.float32)
    clouds[10:50, 60:100] = 1
    likelihood = compute_shadow_likelihood(clouds, SunGeometry(45, 90, 60), 0.5)
    assert likelihood[30, 62:98].max() < 1e-3
    assert likelihood[30, 40] > 0.9


def test_sun_in_the_zenith_casts_no_shadow_beside_the_cloud() -> None:
    clouds = np.zeros((20, 20), np.float32)
    clouds[5:9, 5:9] = 1
    assert not compute_shadow_likelihood(clouds, SunGeometry(0, 90, 60), 1.0).any()


def test_casting_clouds_are_those_of_a_median_grown_by_a_cross() -> None:
    probability = np.random.default_rng(1).random((30, 40)).astype(np.float32)
    median = ndimage.median_filter(probability, 3, mode="reflect")
    cross = ndimage.generate_binary_structure(2, 1)
    expected = ndimage.binary_dilation(median > 0.5, cross)
    np.testing.assert_array_equal(find_shadow_casting_clouds(probability > 0.5), expected)


def test_only_high_clouds_cast_their_shadow_from_10_km() -> None:
    clouds = np.zeros((40, 400), np.float32)
    clouds[18:22, 390:394] = 1
    sun = SunGeometry(45, 90, 60)
    col = round(392 - 10_000 / 60)
    assert compute_shadow_likelihood(clouds, sun, 1.0)[20, col] == 0
    high = compute_shadow_likelihood(clouds, sun, 1.0, heights=HIGH_CLOUD)
    assert high[20, col] > 0.5
    assert high[20, round(392 - 3000 / 60)] == 0
    assert high[20, round(392 - 14_000 / 60)] == 0
