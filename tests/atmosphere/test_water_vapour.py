"""Water vapour: what was put in comes out, gaps are filled by the rules."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sen2cor.atmosphere.atmospheric_terms import (
    AtmosphereState,
    WaterVapourCurve,
    band_terms,
    scattering_terms,
)
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.water_vapour import (
    blur_window_band,
    fill_water_vapour,
    find_mixed_pixels,
    retrieve_water_vapour,
)
from sen2cor.raster.resampling import block_fraction, block_mean

from .analytic import AnalyticTable


@pytest.mark.parametrize("start", [0.4, 1.0, 4.0])
@pytest.mark.parametrize("surface", [0.05, 0.3, 0.9])
def test_column_comes_back(
    table: AnalyticTable, geometry: NodeGeometry, surface: float, start: float
) -> None:
    rows, cols = np.mgrid[0:120, 0:100].astype(np.float32)
    column = (0.3 + 0.03 * rows + 0.002 * cols).astype(np.float32)
    aot = np.full(column.shape, 0.2, np.float32)
    state = AtmosphereState(aot, column, 331.0, 0.1)
    bands = ("B09", "B8A")
    toa, scattering, curves = [], [], []
    for band in bands:
        terms = band_terms(table, band, geometry, state)
        ground = surface / (1.0 - terms.spherical_albedo * surface)
        toa.append((terms.path_reflectance + terms.transmittance * ground).astype(np.float32))
        scattering.append(
            scattering_terms(table, band, geometry, aot550=aot, ozone=331.0, elevation=0.1)
        )
        curves.append(WaterVapourCurve.for_band(table, band, 0.1))
    found = retrieve_water_vapour(
        *toa, scattering=tuple(scattering), water=tuple(curves), start=start
    )
    np.testing.assert_allclose(found, column, rtol=0.003)


def fields() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    column = np.full((6, 5), 2.0, np.float32)
    column[:3] = 1.0
    column[0, 0] = np.nan
    water = np.zeros(column.shape, bool)
    water[:, 4] = True
    column[:, 4] = 9.0
    land = ~water
    return column, land, water


LAND_MEAN = (11 * 1.0 + 12 * 2.0) / 23


@pytest.mark.parametrize(
    ("rule", "upper", "lower"),
    [(0, 9.0, 9.0), (1, LAND_MEAN, LAND_MEAN), (2, 1.0, 2.0)],
    ids=["as retrieved", "mean of the land", "mean of the line"],
)
def test_rules_over_water(rule: int, upper: float, lower: float) -> None:
    column, land, water = fields()
    filled = fill_water_vapour(column, land, water, over_water=rule, window=1, fallback=3.0)
    np.testing.assert_allclose([filled[1, 4], filled[5, 4]], [upper, lower], rtol=1e-5)
    assert filled[0, 0] == pytest.approx(LAND_MEAN)
    assert np.isfinite(filled).all()


def test_without_clear_land_the_fallback_serves() -> None:
    column, land, water = fields()
    none = np.zeros_like(land)
    filled = fill_water_vapour(column, none, water, over_water=1, window=3, fallback=1.7)
    np.testing.assert_allclose(filled, 1.7)


@pytest.mark.parametrize("nonsense", [0.0, 12.0])
def test_nonsense_is_reset_loudly(caplog: pytest.LogCaptureFixture, nonsense: float) -> None:
    column, land, water = fields()
    column[1:] = nonsense
    with caplog.at_level(logging.WARNING):
        filled = fill_water_vapour(column, land, water, over_water=1, window=1, fallback=3.0)
    assert "using 1.00 cm everywhere" in caplog.text
    np.testing.assert_array_equal(filled, 1.0)


def test_single_impossible_pixels_count_as_gaps() -> None:
    column, land, water = fields()
    column[5, 0] = 30.0
    filled = fill_water_vapour(column, land, water, over_water=1, window=1, fallback=3.0)
    mean = (11 * 1.0 + 11 * 2.0) / 22
    np.testing.assert_allclose([filled[5, 0], filled[5, 4]], mean, rtol=1e-6)


@pytest.mark.parametrize("window", [3, 5])
def test_smoothing_leaves_no_frame(window: int) -> None:
    """Neither level nor slope changes towards the rim by more than the box reaches."""
    rows, cols = np.mgrid[0:60, 0:80].astype(np.float32)
    land, water = np.ones(rows.shape, bool), np.zeros(rows.shape, bool)

    def smoothed(column: np.ndarray) -> np.ndarray:
        return fill_water_vapour(column, land, water, over_water=1, window=window, fallback=1.0)

    level = np.full(rows.shape, 1.7, np.float32)
    np.testing.assert_allclose(smoothed(level), level, rtol=1e-6)
    slope = (1.0 + 0.01 * rows + 0.005 * cols).astype(np.float32)
    left = np.abs(smoothed(slope) - slope)
    inside = slice(window, -window)
    assert left[inside, inside].max() < 1e-5
    assert left.max() < 0.015 * window / 4
    noise = np.random.default_rng(3).normal(2.0, 0.2, rows.shape).astype(np.float32)
    rim = np.r_[smoothed(noise)[0], smoothed(noise)[-1]]
    assert abs(rim.mean() - 2.0) < 0.05
    assert smoothed(noise).std() < 0.25 / window * 2


COLUMN = 1.6
SHAPE = (120, 100)


@pytest.fixture
def coast(
    table: AnalyticTable, geometry: NodeGeometry
) -> tuple[list[np.ndarray], tuple, tuple, np.ndarray]:
    """Top of atmosphere, terms, curves and clear land of a winding shore with an island.

    B09 sees the ground through a Gaussian of 26 m, B8A does not; all pixels of 60 m.
    """
    y, x = np.mgrid[0 : 3 * SHAPE[0], 0 : 3 * SHAPE[1]]
    land = x < 150 + 20 * np.sin(y / 17.0)
    land |= np.hypot(y - 180, x - 230) < 25
    ground = np.where(land, 0.32, 0.02).astype(np.float32)
    state = AtmosphereState(
        np.full(SHAPE, 0.15, np.float32), np.full(SHAPE, COLUMN, np.float32), 331.0, 0.1
    )
    toa, scattering, curves = [], [], []
    for band, seen in (("B09", gaussian_filter(ground, 26.0 / 20.0)), ("B8A", ground)):
        terms = band_terms(table, band, geometry, state)
        mean = block_mean(seen, 3)
        signal = terms.transmittance * mean / (1.0 - terms.spherical_albedo * mean)
        toa.append((terms.path_reflectance + signal).astype(np.float32))
        scattering.append(
            scattering_terms(table, band, geometry, aot550=state.aot550, ozone=331.0, elevation=0.1)
        )
        curves.append(WaterVapourCurve.for_band(table, band, 0.1))
    return toa, tuple(scattering), tuple(curves), block_fraction(land, 3) == 1.0


def test_shores_show_no_ring(
    coast: tuple[list[np.ndarray], tuple, tuple, np.ndarray],
) -> None:
    (measurement, window), scattering, curves, land = coast
    mixed = find_mixed_pixels(window)
    errors = {}
    for name, band in (("sharp", window), ("blurred", blur_window_band(window))):
        column = retrieve_water_vapour(
            measurement, band, scattering=scattering, water=curves, start=1.0
        )
        for excluded in (None, mixed):
            filled = fill_water_vapour(
                column, land, ~land, mixed=excluded, over_water=1, window=1, fallback=1.0
            )
            found = float(np.abs(filled[land] - COLUMN).max())
            errors[name, excluded is not None] = found
    assert errors["sharp", False] > 0.3
    assert errors["blurred", False] < 0.7 * errors["sharp", False]
    assert errors["blurred", True] < 0.05
    assert 0.02 < mixed.mean() < 0.15


def test_mixed_pixels_of_the_land_become_the_mean_of_their_neighbours() -> None:
    land, water = np.ones((40, 60), bool), np.zeros((40, 60), bool)
    column = np.where(np.arange(60) < 30, 1.0, 2.0) * np.ones((40, 1))
    mixed = np.zeros_like(land)
    mixed[10:14, 10:14] = mixed[:3, 50:] = True
    column[mixed] = 3.9
    filled = fill_water_vapour(
        column.astype(np.float32), land, water, mixed=mixed, over_water=1, window=1, fallback=9.0
    )
    np.testing.assert_allclose(filled[:, :30], 1.0, rtol=1e-5)
    np.testing.assert_allclose(filled[:, 30:], 2.0, rtol=1e-5)
    mixed[10:30, 5:25] = True
    column[mixed] = 3.9
    filled = fill_water_vapour(
        column.astype(np.float32), land, water, mixed=mixed, over_water=1, window=1, fallback=9.0
    )
    mean = column[~mixed].mean()
    assert 1.2 < mean < 1.8
    np.testing.assert_allclose(filled[20, 15], mean, rtol=1e-5)


def test_retrieved_water_is_filled_from_water() -> None:
    water = np.arange(60) >= 30
    water = np.broadcast_to(water, (40, 60))
    column = np.where(water, 2.5, 1.0).astype(np.float32)
    mixed = np.zeros_like(water)
    mixed[:, 29:31] = True
    column[mixed] = 3.9
    filled = fill_water_vapour(
        column, ~water, water, mixed=mixed, over_water=0, window=1, fallback=9.0
    )
    np.testing.assert_allclose(filled, np.where(water, 2.5, 1.0), rtol=1e-5)


def test_a_scene_of_mixed_pixels_only_is_taken_as_it_is() -> None:
    column, land, water = fields()
    arguments = {"over_water": 1, "window": 1, "fallback": 3.0}
    everywhere = fill_water_vapour(column, land, water, mixed=land | water, **arguments)
    np.testing.assert_array_equal(everywhere, fill_water_vapour(column, land, water, **arguments))


def test_pixels_beside_no_data_are_mixed_and_even_ground_is_not() -> None:
    even = np.full((30, 30), 0.3, np.float32)
    even *= 1.0 + 0.05 * np.random.default_rng(2).standard_normal(even.shape).astype(np.float32)
    assert not find_mixed_pixels(even).any()
    even[:, :10] = 0.0
    mixed = find_mixed_pixels(even)
    assert mixed[:, 10].all()
    assert not mixed[:, 11:].any()


def test_blur_has_the_width_of_the_point_spread_function() -> None:
    point = np.zeros((9, 9), np.float32)
    point[4, 4] = 1.0
    spread = blur_window_band(point)
    assert spread.sum() == pytest.approx(1.0, rel=1e-6)
    for axis in (0, 1):
        profile = spread.sum(axis=axis)
        assert 60.0 * np.sqrt((profile * (np.arange(9) - 4) ** 2).sum()) == pytest.approx(20.0)
    np.testing.assert_allclose(blur_window_band(np.full((5, 4), 0.3, np.float32)), 0.3, rtol=1e-6)
