"""Optimal estimation of the aerosol: truth comes back, with an uncertainty that can be trusted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sen2cor.atmosphere.aerosol import optimal_estimation
from sen2cor.atmosphere.aerosol.optimal_estimation import log_likelihood
from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval
from sen2cor.atmosphere.aerosol.scene import PointSample
from sen2cor.atmosphere.aerosol.surface_prior import (
    BANDS,
    OFFSET,
    PATH,
    SurfacePrior,
    load_surface_prior,
    log_slope,
    to_scale,
)
from sen2cor.atmosphere.parameters import OptimalEstimationParameters
from sen2cor.raster.array_types import Float32Array
from sen2cor.simulation.surface_spectra import band_reflectance
from tests.atmosphere.aerosol_scene import LAKE, LEFT, MARITIME, RURAL, SHAPE, Landscape

SPECTRA = band_reflectance("S2A")
FOREST, SOIL = SPECTRA["forest_mixed"], SPECTRA["soil_brown"]

PARAMETERS = OptimalEstimationParameters()


def draw_from_prior(number: int) -> Float32Array:
    """Surface reflectance of land drawn from the shipped mixture, shape (number, bands)."""
    content = json.loads(PATH.read_text())
    land = np.array([kind == "land" for kind in content["kinds"]])
    weights, means, covariances = (
        np.array(content[name])[land] for name in ("weights", "means", "covariances")
    )
    random = np.random.default_rng(4)
    chosen = random.choice(len(weights), number, p=weights / weights.sum())
    scaled = [random.multivariate_normal(means[k], covariances[k]) for k in chosen]
    return np.maximum(np.exp(np.array(scaled)) - OFFSET, 0.0).astype(np.float32)


def forest_and_fields(aot: float) -> Landscape:
    """Half forest, half bare fields."""
    return Landscape.of([(LEFT, FOREST)], aot, SOIL)


def varied_land(aot: float) -> Landscape:
    """Patches of half a kilometre of surfaces drawn from the prior."""
    land = forest_and_fields(aot)
    rows, cols = (np.arange(size) // 8 for size in SHAPE)
    patch = rows[:, np.newaxis] * (cols[-1] + 1) + cols
    surfaces = draw_from_prior(int(patch.max()) + 1)
    for band, reflectance in zip(BANDS, surfaces.T, strict=True):
        land.surface[band] = reflectance[patch]
    return land


def estimate(land: Landscape, **items: Any) -> AerosolRetrieval:
    return land.retrieve(aot_method="OE", **items)


@pytest.mark.parametrize("aot", [0.02, 0.05, 0.12, 0.3, 0.7])
def test_aerosol_comes_back_within_its_requirement(aot: float) -> None:
    found = estimate(varied_land(aot))
    assert found.source == "optimal estimation"
    assert abs(float(found.aot550.mean()) - aot) < 0.04 + 0.1 * aot


def test_posterior_covers_the_truth_as_often_as_it_states() -> None:
    """Surfaces and aerosol drawn from their priors: one observation each, without a weight."""
    number, random = 400, np.random.default_rng(6)
    spread = np.log(PARAMETERS.spread)
    truth = PARAMETERS.median_aot * np.exp(spread * random.normal(size=number))
    truth = np.minimum(truth, 0.9).astype(np.float32)
    surface = draw_from_prior(number)
    scene = forest_and_fields(0.2).scene()
    row, zero = np.full(number, 40.0, np.float32), np.zeros(number, np.float32)
    points = PointSample(row, row, zero, zero + 2.0, {}, {})
    toa = {}
    for band, reflectance in zip(BANDS, surface.T, strict=True):
        terms = scene.terms_at(RURAL, band, points, truth)
        toa[band] = terms.path_reflectance + terms.transmittance * reflectance / (
            1.0 - terms.spherical_albedo * reflectance
        )
    points = replace(points, toa=toa, neighbourhood=toa)
    nodes = np.linspace(0.0, 1.0, 201, dtype=np.float32)
    aot = np.repeat(nodes[:, np.newaxis], number, axis=1)
    likelihood = log_likelihood(
        scene, RURAL, points, aot, water=np.zeros(number, bool), self_share=zero + 1.0
    )
    prior = optimal_estimation._log_prior(nodes, PARAMETERS.median_aot, PARAMETERS)
    low, _, high = optimal_estimation._quantiles(nodes, likelihood + prior[:, np.newaxis])
    assert np.mean((truth > low) & (truth < high)) == pytest.approx(0.682, abs=0.07)
    assert np.mean(truth < high) == pytest.approx(0.841, abs=0.06)


def test_bright_soil_alone_is_less_certain_than_forest() -> None:
    forest, soil = (estimate(Landscape.of([], 0.2, surface)) for surface in (FOREST, SOIL))
    assert forest.sigma is not None and soil.sigma is not None
    assert soil.sigma.mean() > 1.3 * forest.sigma.mean()
    assert forest.information is not None and soil.information is not None
    assert forest.information > soil.information


def test_without_ground_the_prior_remains() -> None:
    land = forest_and_fields(0.5)
    scene = land.scene()
    scene.land[:] = False
    scene.water[:] = False
    found = estimate(land, scene=scene)
    assert found.aot550.mean() == pytest.approx(PARAMETERS.median_aot, abs=0.01)
    assert found.information == pytest.approx(0.0, abs=1e-3)
    assert found.sigma is not None and found.sigma.mean() > 0.07
    assert found.observed is not None and not found.observed.any()
    assert found.source == "prior of the optical thickness"


def test_a_forecast_replaces_the_median_of_the_prior_and_narrows_it() -> None:
    scene = forest_and_fields(0.5).scene()
    scene.land[:] = False
    with_forecast = estimate(forest_and_fields(0.5), scene=scene, visibility=15.0, forecast=True)
    assert with_forecast.aot550.mean() == pytest.approx(
        float(RURAL.aot_from_visibility(15.0, 0.1)), rel=0.05
    )
    ratio = with_forecast.sigma / with_forecast.aot550
    without = estimate(forest_and_fields(0.5), scene=scene)
    assert ratio.mean() < 0.8 * (without.sigma / without.aot550).mean()


def test_a_gradient_of_aerosol_is_followed_without_steps() -> None:
    land = varied_land(0.3)
    rows = np.linspace(0.1, 0.5, SHAPE[0], dtype=np.float32)
    land.aot = np.repeat(rows[:, np.newaxis], SHAPE[1], axis=1)
    found = estimate(land).aot550
    assert found[-1].mean() - found[0].mean() > 0.04
    assert np.abs(np.diff(found, axis=0)).max() < 0.01


def test_evidence_chooses_the_aerosol() -> None:
    land = forest_and_fields(0.5)
    found = estimate(land, tables=(MARITIME, RURAL))
    assert found.table is RURAL
    assert [name for name, _ in found.evidence] == [MARITIME.name, RURAL.name]


def test_water_near_the_shore_is_not_observed() -> None:
    land = Landscape.of([(LEFT, LAKE)], 0.2, SOIL)
    scene = land.scene(adjacency=4)
    found = estimate(land, scene=scene)
    assert found.observed is not None
    shore = np.flatnonzero(scene.water[0])[-1]
    assert not found.observed[20, shore - scene.adjacency + 1 : shore + 1].any()
    assert found.observed[20, : shore - 2 * scene.adjacency].any()


def test_one_odd_block_does_not_move_its_neighbours() -> None:
    land = forest_and_fields(0.2)
    plain = estimate(land).aot550
    for band in land.surface:
        land.surface[band][:12, :12] = 0.9
    odd = estimate(land).aot550
    assert np.abs(odd - plain).max() < 0.03


def test_prior_is_a_probability_density() -> None:
    random = np.random.default_rng(2)
    means = np.array([[0.0, 1.0], [2.0, -1.0]])
    covariances = np.array([[[1.0, 0.3], [0.3, 0.5]], [[0.2, 0.0], [0.0, 0.1]]])
    prior = SurfacePrior.from_mixture(np.array([0.3, 0.7]), means, covariances)
    points = random.uniform(-8.0, 8.0, (200_000, 2)).astype(np.float32)
    assert 256.0 * np.exp(prior.log_density(points)).mean() == pytest.approx(1.0, abs=0.03)


def test_shipped_priors_of_land_and_water_know_their_surfaces() -> None:
    lake, soil = (
        to_scale(np.array([surface[band] for band in BANDS], np.float32))
        for surface in (LAKE, SOIL)
    )
    land, water = (load_surface_prior(water=kind) for kind in (False, True))
    assert water.log_density(lake) > land.log_density(lake)
    assert land.log_density(soil) > water.log_density(soil)


def test_scale_rises_smoothly_through_zero() -> None:
    reflectance = np.linspace(-0.02, 0.5, 20001, dtype=np.float32).astype(np.float64)
    scaled = to_scale(reflectance.astype(np.float32)).astype(np.float64)
    slope = np.diff(scaled) / np.diff(reflectance)
    assert (slope > 0.0).all()
    middle = 0.5 * (reflectance[1:] + reflectance[:-1])
    np.testing.assert_allclose(np.log(slope), log_slope(middle.astype(np.float32)), atol=0.05)
    assert scaled[np.searchsorted(reflectance, 0.1)] == pytest.approx(
        np.log(0.1 + OFFSET), abs=1e-3
    )


def test_quantiles_are_those_of_the_density() -> None:
    nodes = np.linspace(0.0, 1.0, 401, dtype=np.float32)
    normal = (-0.5 * ((nodes - 0.4) / 0.05) ** 2).astype(np.float32)
    low, median, high = optimal_estimation._quantiles(nodes, normal)
    np.testing.assert_allclose([low, median, high], [0.35, 0.4, 0.45], atol=1e-3)
