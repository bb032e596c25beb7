"""Shadows and sky view of terrain that are known in closed form, or marched through ray by ray."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from sen2cor.dem.horizon import EARTH_RADIUS, cast_shadow, sky_view_factor


def sun_at(zenith: float, azimuth: float) -> tuple[float, float]:
    tangent = np.tan(np.radians(zenith))
    return tangent * np.sin(np.radians(azimuth)), tangent * np.cos(np.radians(azimuth))


def rough(size: int, seed: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((size, size))
    elevation = 2000.0 * gaussian_filter(noise, 8.0) + 150.0 * gaussian_filter(noise, 2.0)
    return elevation.astype(np.float32)


@pytest.mark.parametrize("azimuth", [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0])
@pytest.mark.parametrize("zenith", [30.0, 60.0, 75.0])
def test_wall_casts_a_shadow_of_its_height_over_the_tangent(zenith: float, azimuth: float) -> None:
    size, height, pixel = 241, 300.0, 20.0
    row, col = np.mgrid[-120:121, -120:121] * pixel
    toward = col * np.sin(np.radians(azimuth)) - row * np.cos(np.radians(azimuth))
    wall = np.where(np.abs(toward) <= 10.0, height, 0.0).astype(np.float32)
    shadow = cast_shadow(wall, pixel, sun_at(zenith, azimuth))
    centre = np.hypot(row, col) < 1600.0
    length = -toward[shadow & centre & (wall == 0)].min()
    assert length == pytest.approx(height * np.tan(np.radians(zenith)), abs=1.5 * pixel)
    assert not shadow[(toward > 10.0) & centre].any()
    assert shadow.shape == (size, size)


@pytest.mark.parametrize("azimuth", [10.0, 63.0, 100.0, 160.0, 200.0, 260.0, 290.0, 350.0])
def test_shadow_agrees_with_marching_along_each_ray(azimuth: float) -> None:
    elevation, pixel, zenith = rough(150), 20.0, 65.0
    shadow = cast_shadow(elevation, pixel, sun_at(zenith, azimuth))
    row, col = np.mgrid[40:110, 40:110].astype(float)
    distance = np.arange(0.5, 60.0, 0.5)
    south, east = -np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))
    highest = np.full(row.shape, -np.inf)
    for step in distance:
        at = map_coordinates(elevation, [row + step * south, col + step * east], order=1)
        highest = np.maximum(highest, at - step * pixel / np.tan(np.radians(zenith)))
    marched = highest > elevation[40:110, 40:110]
    assert 0.02 < marched.mean() < 0.6
    assert (marched != shadow[40:110, 40:110]).mean() < 0.02


def test_flat_ground_and_a_sun_overhead_have_no_shadow() -> None:
    assert not cast_shadow(np.zeros((50, 60), np.float32), 20.0, sun_at(80.0, 200.0)).any()
    assert not cast_shadow(rough(60), 20.0, (0.0, 0.0)).any()


@pytest.mark.parametrize("azimuth", [0.0, 45.0, 200.0, 280.0])
def test_rays_are_parallel_over_the_curved_earth(azimuth: float) -> None:
    # a plane as steep as the sun's rays at the centre: towards the sun they meet it more steeply
    size, pixel = 161, 600.0
    row, col = (np.indices((size, size)) - size // 2) * pixel
    toward = col * np.sin(np.radians(azimuth)) - row * np.cos(np.radians(azimuth))
    plane = (toward * np.tan(np.radians(30.0))).astype(np.float32)
    inner = (slice(2, -2), slice(2, -2))
    shadow = cast_shadow(plane, pixel, sun_at(60.0, azimuth))[inner]
    zenith = np.radians(60.0) - toward[inner] / EARTH_RADIUS
    away = zenith > np.radians(60.0)
    assert 0.4 < away.mean() < 0.6
    assert (shadow != away).mean() < 0.02


def test_flat_ground_sees_the_whole_sky() -> None:
    np.testing.assert_allclose(
        sky_view_factor(np.full((60, 50), 700, np.float32), 5, 60.0), 1.0, atol=1e-6
    )


@pytest.mark.parametrize("azimuth", [0.0, 30.0, 90.0, 200.0])
@pytest.mark.parametrize("slope", [5.0, 20.0, 45.0])
def test_endless_tilted_plane(slope: float, azimuth: float) -> None:
    row, col = np.mgrid[0:150, 0:150] * 60.0
    toward = col * np.sin(np.radians(azimuth)) - row * np.cos(np.radians(azimuth))
    plane = (np.tan(np.radians(slope)) * toward).astype(np.float32)
    expected = 0.5 * (1.0 + np.cos(np.radians(slope)))
    found = sky_view_factor(plane, 60, 60.0, max_distance=3000.0)
    np.testing.assert_allclose(found, expected, atol=0.004)


def test_bottom_of_a_round_basin_sees_the_sky_above_its_rim() -> None:
    row, col = np.mgrid[-60:61, -60:61] * 60.0
    rim, height = 1800.0, 900.0
    basin = np.where(np.hypot(row, col) >= rim, height, 0.0).astype(np.float32)
    elevation_angle = np.arctan(height / rim)
    assert sky_view_factor(basin, 20, 60.0)[40, 40] == pytest.approx(
        np.cos(elevation_angle) ** 2, abs=0.02
    )


def test_more_directions_and_finer_steps_change_little() -> None:
    elevation, margin, pixel = rough(120), 30, 20.0
    found = sky_view_factor(elevation, margin, pixel, max_distance=600.0)
    many = sky_view_factor(elevation, margin, pixel, max_distance=600.0, azimuths=64)
    assert np.sqrt(np.mean((found - many) ** 2)) < 0.01
    assert found.std() > 0.03
    assert np.abs(sky_view_factor(elevation, margin, pixel, max_distance=60.0) - found).max() > 0.02
