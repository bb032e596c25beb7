"""Geometry, clouds, air, sensor."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest

from sen2cor.raster.grids import Grid
from sen2cor.simulation.cloud_layers import CloudLayer, direct_transmittance
from sen2cor.simulation.forward_model import (
    BandAtmosphere,
    PixelStates,
    adjacency_kernel,
    band_atmosphere,
    environment_reflectance,
    lagrange_weights,
    toa_reflectance,
)
from sen2cor.simulation.mgrs_tiles import tile_grid
from sen2cor.simulation.overpass_geometry import Overpass, sun_distance_factor, sun_position
from sen2cor.simulation.scenes import SCENES
from sen2cor.simulation.sensor import digital_numbers, noise_level


def test_sun_stands_where_a_real_product_says() -> None:
    """Mean sun angle of S2B_MSIL1C_20170719T000219_N0205_R030_T56JKT.

    The time is that of the start of its datastrip, up to a minute before the tile was seen.
    """
    time = datetime(2017, 7, 19, 0, 2, 18, tzinfo=timezone.utc)
    zenith, azimuth = sun_position(time, -25.1, 151.05)
    assert zenith.item() == pytest.approx(54.27, abs=0.15)
    assert azimuth.item() == pytest.approx(35.21, abs=0.25)
    assert sun_distance_factor(time) == pytest.approx(0.9679, abs=5e-4)


def test_view_points_east_on_the_west_side_of_the_track() -> None:
    scene = SCENES["summer"]
    overpass = Overpass(tile_grid(scene.mgrs), scene.sensing_time, scene.track)
    x, y = overpass.grid.ulx + 5.0, overpass.grid.uly - 5.0
    zenith, azimuth = overpass.view("B04", overpass.detector(x, y), x, y)
    assert 8.0 < zenith.item() < 12.0
    assert 80.0 < azimuth.item() < 130.0


def test_every_node_is_seen_by_one_detector() -> None:
    scene = SCENES["winter"]
    overpass = Overpass(tile_grid(scene.mgrs), scene.sensing_time, scene.track)
    seen = sum(np.isfinite(overpass.view_nodes("B04", d)[0]).astype(int) for d in range(1, 13))
    assert (seen == 1).all()


def _one_cloud(height: float) -> tuple[CloudLayer, Grid]:
    depth = np.zeros((200, 200), np.float32)
    depth[95:105, 95:105] = 10.0
    return CloudLayer(depth, 0.0, 4000.0, height), Grid(32632, 0.0, 4000.0, 20.0, 200, 200)


@pytest.mark.parametrize(
    ("azimuth", "south", "east"), [(180.0, -1, 0), (90.0, 0, -1), (135.0, -1, -1)]
)
def test_shadow_lies_away_from_the_sun(azimuth: float, south: int, east: int) -> None:
    cloud, grid = _one_cloud(1000.0)
    shade = cloud.project(grid, np.float32(45.0), np.float32(azimuth))
    rows, cols = np.nonzero(shade > 5.0)
    moved = np.array([rows.mean(), cols.mean()]) - 99.5
    length = 50.0 if abs(south) + abs(east) == 1 else 50.0 / np.sqrt(2)
    np.testing.assert_allclose(moved, np.array([south, east]) * length, atol=0.6)


def test_cloud_moves_from_the_spacecraft_and_stays_in_nadir_view() -> None:
    cloud, grid = _one_cloud(1000.0)
    _, cols = np.nonzero(cloud.project(grid, np.float32(10.0), np.float32(100.0)) > 5.0)
    assert cols.mean() < 95.0
    nadir = cloud.project(grid, np.float32(0.0), np.float32(0.0))
    np.testing.assert_allclose(nadir, cloud.depth)


def test_shadow_is_dark_but_not_black() -> None:
    share = direct_transmittance(np.array([0.0, 30.0], np.float32))
    np.testing.assert_allclose(share, [1.0, 0.12], atol=1e-5)


def test_adjacency_reaches_beyond_a_kilometre() -> None:
    weights = adjacency_kernel(60.0)
    number = weights.shape[0] // 2
    distance = 60.0 * np.hypot(*np.mgrid[-number : number + 1, -number : number + 1])
    assert weights.sum() == pytest.approx(1.0, abs=1e-5)
    assert weights[distance > 1000.0].sum() > 0.3
    assert weights[distance > 3000.0].sum() > 0.02


def test_surroundings_of_even_ground_are_the_ground() -> None:
    ground = np.full((50, 40), 0.3, np.float32)
    np.testing.assert_allclose(environment_reflectance(ground, 60.0), 0.3, atol=1e-5)


def test_polynomial_goes_through_its_nodes() -> None:
    nodes = np.array([0.1, 0.2, 0.5])
    np.testing.assert_allclose(lagrange_weights(nodes, nodes), np.eye(3), atol=1e-6)


def test_no_air_changes_nothing() -> None:
    none, all_of_it = np.float32(0.0), np.float32(1.0)
    air = BandAtmosphere(none, none, all_of_it, none, all_of_it, none, none, *[all_of_it] * 4)
    ground = np.array([0.02, 0.3], np.float32)
    np.testing.assert_allclose(toa_reflectance(air, ground, ground), ground)


def test_even_ground_gives_the_closed_form() -> None:
    """Vermote et al. (1997), equation 10, with gas as in equation 13."""
    air = BandAtmosphere(
        *(np.float32(v) for v in (0.08, 0.05, 0.6, 0.2, 0.8, 0.1, 0.12, 0.97, 0.9, 0.95, 1))
    )
    ground = np.array([0.02, 0.3, 0.9], np.float32)
    reflected = 0.9 * (0.6 + 0.2) * (0.8 + 0.1) * ground / (1 - 0.12 * ground)
    expected = 0.97 * (0.05 + (0.08 - 0.05) * 0.95 + reflected)
    np.testing.assert_allclose(toa_reflectance(air, ground, ground), expected, rtol=1e-5)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("spacecraft", ["S2A", "S2B", "S2C"])
def test_air_of_the_built_in_scenes_is_plausible(scene: str, spacecraft: str) -> None:
    chosen = SCENES[scene]
    overpass = Overpass(tile_grid(chosen.mgrs), chosen.sensing_time, chosen.track)
    sun = np.float32(overpass.sun_nodes()[0][11, 11])
    paths = []
    for band in ("B01", "B02", "B04", "B8A", "B12"):
        pixels = PixelStates(
            aot550=np.full(2, chosen.aot550, np.float32),
            water_vapour=np.full(2, chosen.water_vapour, np.float32),
            solar_zenith=np.full(2, sun), view_zenith=np.full(2, 6.0, np.float32),
            relative_azimuth=np.array([30.0, 150.0], np.float32),
            elevation=np.full(2, chosen.elevation, np.float32),
        )  # fmt: skip
        air = band_atmosphere(chosen.states_name, spacecraft, band, pixels, 0.5)
        assert (air.path > air.rayleigh).all()
        for share in (air.down_direct + air.down_diffuse, air.up_direct + air.up_diffuse):
            assert ((share > 0.4) & (share < 1.0)).all()
        assert (air.water <= air.water_half + 1e-4).all()
        assert (air.water_half <= 1.0 + 1e-6).all()
        paths.append(float(air.path[0]))
    assert paths == sorted(paths, reverse=True)


def test_noise_at_the_reference_radiance_is_that_of_the_specification() -> None:
    reference = np.pi * 128.0 / (1823.24 * np.cos(np.radians(40.0)))
    level = noise_level("B03", np.array([reference], np.float32), "S2A", 40.0)
    assert reference / level.item() == pytest.approx(168.0, rel=1e-4)


@pytest.mark.parametrize("offset", [0, -1000])
def test_valid_numbers_are_neither_missing_nor_saturated(offset: int) -> None:
    numbers = digital_numbers(np.array([-0.3, 0.1, 9.0], np.float32), offset)
    np.testing.assert_array_equal(numbers, [1, 1000 - offset, 65534])
