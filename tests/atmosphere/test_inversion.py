"""The inversion gives back the surface that made the signal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.inversion import (
    flat_terrain_inversion,
    inversion_with_adjacency,
    inversion_without_adjacency,
    neighbourhood_mean,
)
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms

from .analytic import AnalyticTable


@pytest.fixture(params=["B02", "B04", "B8A", "B12"])
def terms(request, table: AnalyticTable, geometry: NodeGeometry) -> AtmosphericTerms:
    rows, cols = np.mgrid[0:120, 0:100].astype(np.float32)
    state = AtmosphereState(
        aot550=(0.15 + 0.001 * rows).astype(np.float32),
        water_vapour=(1.0 + 0.01 * cols).astype(np.float32),
        ozone=331.0,
        elevation=0.1,
    )
    return band_terms(table, request.param, geometry, state)


def toa_of_constant(reflectance: float, terms: AtmosphericTerms) -> np.ndarray:
    ground = reflectance / (1.0 - terms.spherical_albedo * reflectance)
    return (terms.path_reflectance + terms.transmittance * ground).astype(np.float32)


@pytest.mark.parametrize("reflectance", [0.0, 0.02, 0.3, 0.6])
def test_constant_surface_comes_back_unchanged_with_adjacency(
    terms: AtmosphericTerms, reflectance: float
) -> None:
    toa = toa_of_constant(reflectance, terms)
    x = terms.surface_signal(toa)
    mean = neighbourhood_mean(x, np.ones(x.shape, bool), 17)
    # the mean over a window of a varying atmosphere is what a constant surface sends up on average
    exact = np.float32(reflectance) / (1.0 - terms.spherical_albedo * np.float32(reflectance))
    np.testing.assert_allclose(inversion_with_adjacency(terms, exact)(toa), reflectance, atol=1e-6)
    np.testing.assert_allclose(inversion_with_adjacency(terms, mean)(toa), reflectance, atol=2e-3)


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("albedo", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("reflectance", [0.0, 0.05, 0.4, 0.9])
def test_constant_surface_under_constant_atmosphere_to_1e_6(
    q: float, albedo: float, reflectance: float
) -> None:
    shape = (60, 50)
    terms = AtmosphericTerms(
        *(np.full(shape, value, np.float32) for value in (0.07, 0.8, albedo, q, 0.6, 0.7))
    )
    toa = toa_of_constant(reflectance, terms)
    usable = np.random.default_rng(1).random(shape) > 0.3
    for half_width in (0, 8):
        result = flat_terrain_inversion(toa, terms, usable, half_width)(toa)
        np.testing.assert_allclose(result, reflectance, atol=1e-6)


def test_without_adjacency_the_surroundings_are_as_bright_as_the_pixel(
    terms: AtmosphericTerms,
) -> None:
    reflectance = np.random.default_rng(0).uniform(0.0, 0.6, terms.path_reflectance.shape)
    ground = reflectance / (1.0 - terms.spherical_albedo * reflectance)
    toa = (terms.path_reflectance + terms.transmittance * ground).astype(np.float32)
    np.testing.assert_allclose(inversion_without_adjacency(terms)(toa), reflectance, atol=1e-6)


def test_checkered_surface_is_sharpened_back() -> None:
    shape = (80, 80)
    albedo, q = np.float32(0.12), np.float32(0.35)
    terms = AtmosphericTerms(
        *(np.full(shape, v, np.float32) for v in (0.05, 0.75, albedo, q, 0.6, 0.7))
    )
    reflectance = np.where(np.add.outer(np.arange(80), np.arange(80)) // 5 % 2, 0.4, 0.05)
    around = uniform_filter(reflectance.astype(np.float32), 9, mode="nearest")
    seen = (reflectance + q * around) / (1.0 + q) / (1.0 - albedo * around)
    toa = (terms.path_reflectance + terms.transmittance * seen).astype(np.float32)
    x = terms.surface_signal(toa)
    mean = neighbourhood_mean(x, np.ones(shape, bool), 4)
    inner = (slice(12, -12), slice(12, -12))
    sharpened = inversion_with_adjacency(terms, mean)(toa)
    flat = inversion_without_adjacency(terms)(toa)
    error, before = (np.abs(r - reflectance)[inner].mean() for r in (sharpened, flat))
    assert error < 0.15 * before


def test_clouds_and_gaps_do_not_leak_into_the_neighbourhood() -> None:
    x = np.full((60, 60), 0.1, np.float32)
    usable = np.ones(x.shape, bool)
    usable[20:30, 20:30] = False
    x[20:30, 20:30] = 0.9
    np.testing.assert_allclose(neighbourhood_mean(x, usable, 6), 0.1, rtol=1e-5)


def test_neighbourhood_without_any_usable_pixel_is_the_pixel_itself() -> None:
    x = np.random.default_rng(2).random((9, 9)).astype(np.float32)
    np.testing.assert_array_equal(neighbourhood_mean(x, np.zeros(x.shape, bool), 3), x)
