"""Slopes simulated with the equations of the flux come back as the surface that was put in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.brdf import empirical_brdf
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.inversion import (
    inversion_with_adjacency,
    inversion_without_adjacency,
    neighbourhood_mean,
)
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.atmosphere.terrain_inversion import (
    MIN_FLUX,
    SlopeIllumination,
    TerrainInversion,
    TerrainParameters,
    terrain_inversion,
)
from sen2cor.raster.resampling import bilinear, positions
from tests.validation.rugged_terrain import residuals

from .analytic import AnalyticTable

SHAPE = (120, 100)
USABLE = np.ones(SHAPE, bool)
CORRECTION = TerrainParameters(
    start_reflectance=0.1, max_iterations=9, half_width=8, max_factor=10.0
)


@pytest.fixture(params=["B02", "B8A"])
def terms(request, table: AnalyticTable, geometry: NodeGeometry) -> AtmosphericTerms:
    ones = np.ones(SHAPE, np.float32)
    state = AtmosphereState(0.2 * ones, 1.5 * ones, ozone=331.0, elevation=0.4)
    found = band_terms(table, request.param, geometry, state)
    return AtmosphericTerms(*(np.full(SHAPE, field.mean()) for field in vars(found).values()))


def rough_light() -> SlopeIllumination:
    """Random slopes, a cast shadow with soft edges, and less sky in it."""
    noise = np.random.default_rng(5).standard_normal(SHAPE)
    slopes = gaussian_filter(noise, 2.0)
    illumination = np.clip(1.0 + 0.5 * slopes / slopes.std(), 0.1, 1.9)
    sunlit = np.ones(SHAPE)
    sunlit[30:50, 40:60] = 0.0
    sunlit[29, 40:60] = sunlit[50, 40:60] = 0.4
    sky = np.clip(0.9 - 0.1 * gaussian_filter(noise, 6.0) / 0.05, 0.6, 1.0)
    fields = (f.astype(np.float32) for f in (illumination * sunlit, sunlit, sky))
    return SlopeIllumination(*fields, vegetation=np.zeros(SHAPE, bool))


def flat_light() -> SlopeIllumination:
    fields = (np.ones(SHAPE, np.float32) for _ in range(3))
    return SlopeIllumination(*fields, vegetation=np.zeros(SHAPE, bool))


def simulated(
    reflectance: np.ndarray,
    terms: AtmosphericTerms,
    light: SlopeIllumination,
    around: np.ndarray,
) -> np.ndarray:
    """Top-of-atmosphere reflectance by the sum of direct, diffuse and reflected light."""
    share, sun = terms.direct_fraction, terms.transmittance_down_direct
    c, b, sky = light.illumination, light.sunlit, light.sky_view
    direct = share * c
    diffuse = (1.0 - share) * (sun * c + (1.0 - b * sun) * sky)
    reflected = around * (1.0 - sky)
    ground = reflectance / (1.0 - terms.spherical_albedo * reflectance)
    flux = direct + diffuse + reflected
    return (terms.path_reflectance + terms.transmittance * flux * ground).astype(np.float32)


def corrected(
    toa: np.ndarray,
    terms: AtmosphericTerms,
    light: SlopeIllumination,
    correction: TerrainParameters = CORRECTION,
    half_width: int | None = 12,
    brdf=None,
) -> np.ndarray:
    inversion = terrain_inversion(
        toa, terms, light, USABLE, correction, adjacency_half_width=half_width, brdf=brdf
    )
    return inversion(toa, light.illumination, light.sunlit, light.vegetation)


def test_flat_terrain_is_the_flat_inversion(terms: AtmosphericTerms) -> None:
    toa = np.random.default_rng(0).uniform(0.05, 0.5, SHAPE).astype(np.float32)
    mean = neighbourhood_mean(terms.surface_signal(toa), USABLE, 12)
    np.testing.assert_allclose(
        corrected(toa, terms, flat_light()),
        inversion_with_adjacency(terms, mean)(toa),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        corrected(toa, terms, flat_light(), half_width=None),
        inversion_without_adjacency(terms)(toa),
        atol=1e-6,
    )


@pytest.mark.parametrize("cutoff", [0.0, 1.0, 1.5])
def test_flat_terrain_knows_no_cutoff(terms: AtmosphericTerms, cutoff: float) -> None:
    toa = np.random.default_rng(0).uniform(0.05, 0.5, SHAPE).astype(np.float32)
    correction = replace(CORRECTION, max_factor=cutoff)
    found = corrected(toa, terms, flat_light(), correction, half_width=None)
    np.testing.assert_allclose(found, inversion_without_adjacency(terms)(toa), atol=1e-6)


@pytest.mark.parametrize("half_width", [None, 12])
@pytest.mark.parametrize("reflectance", [0.03, 0.3, 0.6])
def test_constant_surface_comes_back_from_a_rough_terrain(
    terms: AtmosphericTerms, reflectance: float, half_width: int | None
) -> None:
    light = rough_light()
    surface = np.full(SHAPE, reflectance)
    toa = simulated(surface, terms, light, surface)
    # in the cast shadow the visible light of the sky still tells the surface
    bright = toa > terms.path_reflectance + MIN_FLUX * terms.transmittance * reflectance
    assert bright.mean() > 0.9
    known = replace(CORRECTION, start_reflectance=reflectance)
    found = corrected(toa, terms, light, known, half_width=half_width)
    np.testing.assert_allclose(found[bright], reflectance, atol=1e-5)
    # from elsewhere the iteration comes near and stops
    found = corrected(toa, terms, light, half_width=half_width)
    np.testing.assert_allclose(found[bright], reflectance, atol=1e-3)
    assert np.std(inversion_without_adjacency(terms)(toa)) > 0.2 * reflectance


def test_surface_no_longer_follows_the_light(terms: AtmosphericTerms) -> None:
    light = rough_light()
    surface = 0.3 + 0.1 * np.random.default_rng(8).standard_normal(SHAPE).clip(-2, 2)
    around = neighbourhood_mean(surface.astype(np.float32), USABLE, CORRECTION.half_width)
    toa = simulated(surface, terms, light, around)
    sunlit = light.sunlit == 1.0
    found = corrected(toa, terms, light, half_width=None)

    def correlation(reflectance: np.ndarray) -> float:
        return float(np.corrcoef(reflectance[sunlit], light.illumination[sunlit])[0, 1])

    assert correlation(inversion_without_adjacency(terms)(toa)) > 0.4
    assert abs(correlation(found)) < 0.03
    np.testing.assert_allclose(found[sunlit], surface[sunlit], atol=1e-3)


def test_fine_pixels_get_their_own_light(terms: AtmosphericTerms) -> None:
    coarse = flat_light()
    toa = np.full(SHAPE, 0.2, np.float32)
    inversion = terrain_inversion(toa, terms, coarse, USABLE, CORRECTION, adjacency_half_width=12)
    rows, cols = positions(60, 3, 120), positions(SHAPE[1] * 3, 3)
    fine = inversion.map(lambda field: bilinear(field, rows, cols))
    assert isinstance(fine, TerrainInversion)
    light = np.tile(np.array([0.5, 1.0, 1.5], np.float32), (60, SHAPE[1]))
    found = fine(np.full(light.shape, 0.2, np.float32), light, np.ones_like(light))
    assert (np.diff(found[:, :3], axis=1) < -0.01).all()
    level = inversion(toa, coarse.illumination, coarse.sunlit)
    np.testing.assert_allclose(found[:, 1], level[40, 0], atol=1e-6)


def test_flux_of_the_darkest_slopes_has_a_floor(terms: AtmosphericTerms) -> None:
    light = flat_light()
    for field in (light.illumination, light.sunlit, light.sky_view):
        field[:60] = 0.0
    toa = np.full(SHAPE, 0.1, np.float32)
    correction = TerrainParameters(
        start_reflectance=0.05, max_iterations=0, half_width=8, max_factor=20.0
    )
    inversion = terrain_inversion(toa, terms, light, USABLE, correction, adjacency_half_width=None)
    flux = inversion.flux(light.illumination, light.sunlit)
    np.testing.assert_allclose(flux[:60], 0.05, rtol=1e-5)
    factor = inversion.terrain_factor(light.illumination, light.sunlit)
    np.testing.assert_allclose(factor[:60], 1.0 / MIN_FLUX, rtol=1e-6)
    np.testing.assert_allclose(factor[60:], 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {"start_reflectance": 0.3, "max_iterations": 0},
        {"max_iterations": 0},
        {"half_width": 2},
        {"max_factor": 1.5},
    ],
)
def test_every_item_of_the_correction_matters(terms: AtmosphericTerms, changed: dict) -> None:
    light = rough_light()
    surface = np.where(np.arange(SHAPE[1]) // 10 % 2, 0.05, 0.6) * np.ones(SHAPE)
    toa = simulated(surface, terms, light, surface)
    base = {"max_iterations": 0} if "start_reflectance" in changed else {}
    before = corrected(toa, terms, light, replace(CORRECTION, **base))
    after = corrected(toa, terms, light, replace(CORRECTION, **changed))
    assert np.abs(after - before).max() > 2e-3


def test_cutoff_bounds_the_ratio_to_the_flat_signal(terms: AtmosphericTerms) -> None:
    light = rough_light()
    toa = np.full(SHAPE, 0.4, np.float32)
    for brdf in (None, empirical_brdf(2, 0.5, 40.0, lower_bound=0.22, snow_fraction=0.0)):
        inversion = terrain_inversion(
            toa,
            terms,
            light,
            USABLE,
            replace(CORRECTION, max_factor=1.5),
            adjacency_half_width=12,
            brdf=brdf,
        )
        factor = inversion.terrain_factor(light.illumination, light.sunlit)
        assert factor.max() == pytest.approx(1.5)


def test_slopes_too_dark_to_be_corrected_do_not_lower_the_terrain(
    terms: AtmosphericTerms,
) -> None:
    light = rough_light()
    light.illumination[:, ::3] = 0.2
    surface = np.full(SHAPE, 0.4)
    toa = simulated(surface, terms, light, surface)
    # the bounded pixels stay too dark, the others come out as with the reflectance known
    bounded, known = (
        corrected(toa, terms, light, replace(CORRECTION, **items), half_width=None)
        for items in ({"max_factor": 1.2}, {"start_reflectance": 0.4, "max_iterations": 0})
    )
    free = known < 1.15 * inversion_without_adjacency(terms)(toa)
    assert 0.2 < free.mean() < 0.8 and bounded.min() < 0.3
    np.testing.assert_allclose(bounded[free], known[free], atol=1e-3)


def test_weakly_lit_slopes_get_darker_by_the_empirical_factor(terms: AtmosphericTerms) -> None:
    light = replace(rough_light(), vegetation=np.arange(100) % 2 == np.zeros(SHAPE))
    surface = np.full(SHAPE, 0.3)
    toa = simulated(surface, terms, light, surface)
    plain = corrected(toa, terms, light, half_width=None)
    weak = (light.illumination < 0.6) & (light.sunlit == 1.0)
    for code in (1, 2, 11, 12, 21, 22):
        brdf = empirical_brdf(code, 0.865, 40.0, lower_bound=0.22, snow_fraction=0.0)
        found = corrected(toa, terms, light, half_width=None, brdf=brdf)
        assert (found[weak] < plain[weak]).all()
        np.testing.assert_array_equal(found[light.illumination > 1], plain[light.illumination > 1])
    bound = [
        corrected(
            toa,
            terms,
            light,
            brdf=empirical_brdf(1, 0.865, 40.0, lower_bound=bound, snow_fraction=0.0),
        ).min()
        for bound in (0.1, 0.25)
    ]
    assert bound[0] < bound[1] - 0.01


def test_clouds_do_not_light_the_slopes(terms: AtmosphericTerms) -> None:
    light = rough_light()
    surface = np.full(SHAPE, 0.2)
    toa = simulated(surface, terms, light, surface)
    cloudy = toa.copy()
    cloudy[80:100, 20:60] = 0.9
    usable = cloudy == toa
    known = replace(CORRECTION, start_reflectance=0.2)
    inversion = terrain_inversion(cloudy, terms, light, usable, known, adjacency_half_width=12)
    found = inversion(toa, light.illumination, light.sunlit)
    lit = light.sunlit == 1.0
    np.testing.assert_allclose(found[lit], 0.2, atol=1e-5)
    assert not usable.all()


@pytest.mark.parametrize("band", ["B06", "B8A", "B12"])
def test_official_reflectance_of_hills(reference_data: Path, band: str) -> None:
    found = residuals(reference_data, band, smoothing=30.0, cutoff=10.0)
    assert found.corrected < 0.55 * found.flat
    assert found.flat_correlation > 0.25
    assert abs(found.corrected_correlation - found.official_correlation) < 0.06
