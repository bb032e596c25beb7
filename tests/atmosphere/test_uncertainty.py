"""The first-order uncertainty beside changes that are made for real."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.inversion import inversion_with_adjacency, inversion_without_adjacency
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.atmosphere.terrain_inversion import (
    SlopeIllumination,
    TerrainParameters,
    terrain_inversion,
)
from sen2cor.atmosphere.toa_uncertainty import ToaUncertainty
from sen2cor.atmosphere.uncertainty import (
    InputUncertainty,
    reflectance_uncertainty,
    slope_uncertainty,
)

from .analytic import AnalyticTable

SHAPE = (120, 100)
ONES = np.ones(SHAPE, np.float32)
STATE = AtmosphereState(0.2 * ONES, 1.5 * ONES, ozone=331.0, elevation=0.1)
NOTHING = InputUncertainty(0.0, 0.0, 0.0, 0.0, 0.0)
EXACT = ToaUncertainty()


@pytest.fixture(params=["B02", "B8A", "B09"])
def terms_by_state(request, table: AnalyticTable, geometry: NodeGeometry):
    return partial(band_terms, table, request.param, geometry)


def inverted(terms: AtmosphericTerms, toa: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return inversion_with_adjacency(terms, terms.surface_signal(mean))(toa)


@pytest.fixture
def toa() -> np.ndarray:
    return np.random.default_rng(4).uniform(0.1, 0.5, SHAPE).astype(np.float32)


MEAN = 0.3 * ONES


@pytest.mark.parametrize(
    ("radiometry", "more", "offset"),
    [(ToaUncertainty(gain=0.03), 1.03, 0.0), (ToaUncertainty(offset=0.004), 1.0, 0.004)],
)
def test_errors_that_all_pixels_share(
    terms_by_state, toa: np.ndarray, radiometry: ToaUncertainty, more: float, offset: float
) -> None:
    terms = terms_by_state(STATE)
    changed = inverted(terms, more * toa + offset, more * MEAN + offset)
    found = reflectance_uncertainty(terms_by_state, STATE, MEAN, radiometry, NOTHING)(toa)
    np.testing.assert_allclose(found, np.abs(changed - inverted(terms, toa, MEAN)), atol=2e-5)


@pytest.mark.parametrize(
    ("radiometry", "change"),
    [
        (ToaUncertainty(pixel_gain=0.01), lambda toa: 0.01 * toa),
        (ToaUncertainty(noise_constant=1e-6), lambda toa: 0.001 + 0.0 * toa),
        (ToaUncertainty(noise_linear=1e-5), lambda toa: np.sqrt(1e-5 * toa)),
    ],
)
def test_errors_of_a_pixel_leave_its_neighbours(
    terms_by_state, toa: np.ndarray, radiometry: ToaUncertainty, change
) -> None:
    terms = terms_by_state(STATE)
    changed = inverted(terms, toa + change(toa), MEAN)
    found = reflectance_uncertainty(terms_by_state, STATE, MEAN, radiometry, NOTHING)(toa)
    np.testing.assert_allclose(found, np.abs(changed - inverted(terms, toa, MEAN)), atol=2e-5)


def test_error_of_the_position_adds_the_change_of_the_signal(
    terms_by_state, toa: np.ndarray
) -> None:
    model = reflectance_uncertainty(terms_by_state, STATE, MEAN, EXACT, NOTHING)
    change = (0.02 * toa).astype(np.float32)
    terms = terms_by_state(STATE)
    expected = inverted(terms, toa + change, MEAN) - inverted(terms, toa, MEAN)
    np.testing.assert_allclose(model(toa, change), np.abs(expected), atol=2e-5)


@pytest.mark.parametrize(
    ("inputs", "state"),
    [
        (replace(NOTHING, aot_absolute=0.05), replace(STATE, aot550=0.25 * ONES)),
        (replace(NOTHING, aot_relative=0.2), replace(STATE, aot550=0.24 * ONES)),
        (replace(NOTHING, aot550=0.07 * ONES), replace(STATE, aot550=0.27 * ONES)),
        (
            replace(NOTHING, aot550=0.07 * ONES, aot_absolute=1.0),
            replace(STATE, aot550=0.27 * ONES),
        ),
        (replace(NOTHING, water_absolute=0.3), replace(STATE, water_vapour=1.8 * ONES)),
        (replace(NOTHING, water_relative=0.1), replace(STATE, water_vapour=1.65 * ONES)),
    ],
)
def test_aerosol_and_water_vapour_alone(
    terms_by_state, toa: np.ndarray, inputs: InputUncertainty, state: AtmosphereState
) -> None:
    change = inverted(terms_by_state(state), toa, MEAN) - inverted(terms_by_state(STATE), toa, MEAN)
    found = reflectance_uncertainty(terms_by_state, STATE, MEAN, EXACT, inputs)(toa)
    np.testing.assert_allclose(found, np.abs(change), atol=2e-5)


def test_contributions_add_in_quadrature(terms_by_state, toa: np.ndarray) -> None:
    radiometry = ToaUncertainty(0.05, 0.001, 0.004, 1e-6, 1e-6)
    alone = [
        (radiometry, NOTHING),
        (EXACT, replace(NOTHING, aot_relative=0.1, aot_absolute=0.03)),
        (EXACT, replace(NOTHING, water_relative=0.1, water_absolute=0.2)),
    ]
    parts = [reflectance_uncertainty(terms_by_state, STATE, MEAN, *each)(toa) for each in alone]
    together = reflectance_uncertainty(terms_by_state, STATE, MEAN, radiometry, InputUncertainty())(
        toa
    )
    np.testing.assert_allclose(together, np.sqrt(sum(part**2 for part in parts)), atol=2e-5)
    assert (together > 0.0).all()


def test_without_adjacency_it_is_that_of_the_flat_inversion(
    terms_by_state, toa: np.ndarray
) -> None:
    radiometry = ToaUncertainty(gain=0.01)
    inversion = inversion_without_adjacency(terms_by_state(STATE))
    found = reflectance_uncertainty(
        terms_by_state, STATE, toa, radiometry, NOTHING, adjacency=False
    )(toa)
    # to first order: the neighbourhood as bright as the pixel changes with it
    np.testing.assert_allclose(found, inversion(1.01 * toa) - inversion(toa), rtol=0.01, atol=1e-5)


def test_fields_are_interpolated_to_finer_pixels(terms_by_state) -> None:
    radiometry = ToaUncertainty(0.01, 0.001 * ONES)
    coarse = reflectance_uncertainty(terms_by_state, STATE, MEAN, radiometry, InputUncertainty())
    fine = coarse.map(lambda field: field[5:6, 7:8])
    np.testing.assert_array_equal(fine(MEAN[:1, :1]), coarse(MEAN)[5:6, 7:8])


@pytest.mark.parametrize("half_width", [17, None])
def test_error_of_the_gradient_on_slopes(terms_by_state, half_width: int | None) -> None:
    terms = terms_by_state(STATE)
    light = SlopeIllumination(0.7 * ONES, ONES.copy(), 0.95 * ONES, np.zeros(ONES.shape, bool))
    light.sunlit[:10] = 0.0
    light.illumination[:10] = 0.0
    correction = TerrainParameters(
        start_reflectance=0.1, max_iterations=0, half_width=8, max_factor=10.0
    )
    inversion = terrain_inversion(
        MEAN, terms, light, ONES > 0, correction, adjacency_half_width=half_width
    )
    reflectance = inversion(MEAN, light.illumination, light.sunlit)
    factor = inversion.terrain_factor(light.illumination, light.sunlit)
    inputs = replace(NOTHING, gradient=0.01)
    found = slope_uncertainty(
        np.zeros(SHAPE, np.float32),
        reflectance,
        inversion,
        factor,
        light.sunlit,
        solar_zenith=40.0,
        inputs=inputs,
    )
    steeper = light.illumination + np.float32(0.01 * np.tan(np.radians(40.0)))
    change = np.abs(inversion(MEAN, steeper, light.sunlit) - reflectance)
    np.testing.assert_allclose(found[10:], change[10:], rtol=0.02)
    assert not found[:10].any()
    level = 0.02 * ONES
    both = slope_uncertainty(
        level, reflectance, inversion, factor, light.sunlit,
        solar_zenith=40.0, inputs=inputs,
    )  # fmt: skip
    np.testing.assert_allclose(both, np.hypot(0.02 * factor, found), rtol=1e-5)
