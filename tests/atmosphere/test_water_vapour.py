"""Water vapour: what was put in comes out, gaps are filled by the rules."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from sen2cor.atmosphere.atmospheric_terms import (
    AtmosphereState,
    WaterVapourCurve,
    band_terms,
    scattering_terms,
)
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.water_vapour import fill_water_vapour, retrieve_water_vapour

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
