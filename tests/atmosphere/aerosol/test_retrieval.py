"""Aerosol: what was put in comes out; every setting and rule does what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sen2cor.atmosphere.aerosol.dark_reference_pixels import (
    BRIGHT_VEGETATION,
    DARK_SOIL,
    DARK_VEGETATION,
    WATER,
)
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.interpolation_nodes import ElevationField
from sen2cor.atmosphere.inversion import neighbourhood_mean
from sen2cor.settings.l2a_cal_ac_gipp import CorrectionSettings
from tests.atmosphere.aerosol_scene import (
    CORNER,
    CROP,
    FOREST,
    LAKE,
    LEFT,
    MARITIME,
    RURAL,
    SHAPE,
    SOIL,
    STUBBLE,
    TURBID,
    Landscape,
    forest_and_fields,
    small_geometry,
)
from tests.atmosphere.aerosol_scene import (
    DARK_SOIL as SOIL_SURFACE,
)


def stands(aot: float) -> Landscape:
    """Stands of half a kilometre between fields."""
    land = forest_and_fields(aot)
    forest = np.add.outer(np.arange(SHAPE[0]) // 8, np.arange(SHAPE[1]) // 8) % 2 == 0
    for band in land.surface:
        land.surface[band] = np.where(forest, FOREST[band], SOIL[band]).astype(np.float32)
    return land


@pytest.mark.parametrize("aot", [0.12, 0.3, 0.7, 1.1])
@pytest.mark.parametrize("mapped", [True, False])
def test_constant_aerosol_comes_back(aot: float, mapped: bool) -> None:
    found = forest_and_fields(aot).retrieve(mapped=mapped)
    assert found.source == DARK_VEGETATION
    np.testing.assert_allclose(found.aot550, aot, atol=0.004)


def test_map_follows_the_aerosol_and_the_mean_does_not() -> None:
    land = stands(0.3)
    random = np.random.default_rng(3)
    land.surface["B04"] *= random.uniform(0.9, 1.1, SHAPE).astype(np.float32)
    rows = np.linspace(0.25, 0.45, SHAPE[0], dtype=np.float32)
    land.aot = np.repeat(rows[:, np.newaxis], SHAPE[1], axis=1)
    mapped, mean = (land.retrieve(mapped=mode).aot550 for mode in (True, False))
    assert np.sqrt(np.mean((mapped - land.aot) ** 2)) < 0.02
    assert np.ptp(mean) < 1e-6
    assert mean.mean() == pytest.approx(0.35, abs=0.01)


def test_noise_and_odd_pixels_do_not_bias() -> None:
    land = forest_and_fields(0.25)
    random = np.random.default_rng(5)
    land.surface["B04"] *= (1.0 + 0.2 * random.standard_normal(SHAPE)).astype(np.float32)
    land.surface["B04"][random.random(SHAPE) < 0.1] += np.float32(0.02)
    assert land.retrieve().aot550.mean() == pytest.approx(0.25, abs=0.03)


def test_adjacency_of_bright_surroundings_is_not_taken_for_aerosol() -> None:
    land = stands(0.2)
    scene = land.scene(adjacency=17)
    geometry, toa = scene.geometry, {}
    state = AtmosphereState(land.aot, np.full(SHAPE, 2.0, np.float32), 331.0, 0.2)
    everywhere = np.ones(SHAPE, bool)
    for band, ground in land.surface.items():
        terms = band_terms(RURAL, band, geometry, state)
        around = neighbourhood_mean(ground, everywhere, 17)
        q, albedo = terms.diffuse_to_direct, terms.spherical_albedo
        mixed = (ground + q * around) / (1.0 + q) / (1.0 - albedo * around)
        toa[band] = terms.path_reflectance + terms.transmittance * mixed
    scene.toa = toa.__getitem__
    with_it = land.retrieve(scene=scene).aot550.mean()
    without = land.retrieve(scene=replace(scene, adjacency=0, _neighbourhood={})).aot550.mean()
    assert with_it == pytest.approx(0.2, abs=0.012)
    assert without > with_it + 0.02


def test_aerosol_over_mountains_has_one_visibility() -> None:
    land = forest_and_fields()
    heights = np.linspace(0.0, 1.8, SHAPE[0], dtype=np.float32)
    elevation = np.repeat(heights[:, np.newaxis], SHAPE[1], axis=1)
    land.elevation = ElevationField.over(small_geometry(), elevation)
    land.aot = RURAL.aot_from_visibility(np.full(SHAPE, 18.0, np.float32), elevation)
    found = land.retrieve()
    assert found.visibility == pytest.approx(18.0, rel=0.03)
    np.testing.assert_allclose(found.aot550, land.aot, atol=0.012)
    assert found.aot550[0, 0] > found.aot550[-1, 0] + 0.1


def test_maritime_and_rural_scenes_are_recognised() -> None:
    for truth in (RURAL, MARITIME):
        land = replace(forest_and_fields(0.5), table=truth)
        found = land.retrieve(tables=(RURAL, MARITIME))
        assert found.table is truth
        assert len(found.trials) in (0, 2)


def test_auto_without_dark_vegetation_takes_the_first() -> None:
    land = Landscape.of([], 0.3, SOIL)
    assert land.retrieve(tables=(RURAL, MARITIME)).table is RURAL


def test_without_reference_pixels_the_visibility_is_the_given_one() -> None:
    land = Landscape.of([], 0.3, SOIL)
    found = land.retrieve(visibility=23.0)
    assert found.reference is None
    expected = float(RURAL.aot_from_visibility(23.0, 0.2))
    np.testing.assert_allclose(found.aot550, expected, rtol=1e-4)


@pytest.mark.parametrize(("visibility", "bound"), [(2.0, 5.0), (300.0, 120.0)])
def test_visibility_is_bounded(visibility: float, bound: float) -> None:
    land = Landscape.of([], 0.3, SOIL)
    assert land.retrieve(visibility=visibility).visibility == pytest.approx(bound)


def test_forecast_of_clear_air_is_kept() -> None:
    land = Landscape.of([], 0.3, SOIL)
    forecast = float(RURAL.visibility_from_aot(0.02, 0.2))
    found = land.retrieve(visibility=forecast, forecast=True)
    assert found.visibility == pytest.approx(forecast)
    assert found.visibility > 120.0
    np.testing.assert_allclose(found.aot550, np.full(SHAPE, 0.02), rtol=1e-4)


def test_aerosol_forecast_comes_before_soil_and_water() -> None:
    land = Landscape.of([(LEFT, LAKE)], 0.3, SOIL)
    assert land.retrieve().source == WATER
    forecast = land.retrieve(forecast=True)
    assert forecast.reference is None
    assert forecast.forecast


def test_few_clear_pixels_take_the_given_visibility() -> None:
    land = forest_and_fields()
    scene = land.scene()
    scene.ground = np.zeros(SHAPE, bool)
    scene.ground[:4] = True
    found = land.retrieve(scene=scene)
    assert found.reference is None
    assert "only 2.5 % of the pixels are clear" in found.source


def test_sea_with_an_island_looks_for_no_vegetation() -> None:
    island = (slice(0, 12), slice(0, 12))
    land = Landscape.of([(island, FOREST)], 0.2, LAKE)
    assert land.retrieve(min_ddv_area=0.1).source == WATER
    np.testing.assert_allclose(land.retrieve(min_ddv_area=0.1).aot550, 0.2, atol=0.01)
    more = Landscape.of([(CORNER, FOREST)], 0.2, LAKE)
    assert more.retrieve().source == DARK_VEGETATION


def test_water_is_never_a_reference_pixel_of_vegetation() -> None:
    land = Landscape.of([(LEFT, FOREST), (CORNER, TURBID)], 0.2, SOIL)
    scene = land.scene()
    scene.land = np.ones(SHAPE, bool)
    found = land.retrieve(scene=scene)
    assert found.reference is not None
    assert not (found.reference.mask & land.water).any()


def test_snow_among_trees_is_no_haze() -> None:
    land = forest_and_fields(0.15)
    white = (slice(None), slice(0, 44))
    for band, part in {"B02": 0.03, "B03": 0.05, "B04": 0.03}.items():
        land.surface[band][white] += np.float32(part)
    scene = land.scene()
    mistaken = land.retrieve(scene=scene).aot550.mean()
    known = land.retrieve(scene=replace(scene, snowy=True)).aot550.mean()
    assert mistaken > 0.25
    assert known == pytest.approx(0.15, abs=0.01)


def test_negative_vegetation_raises_the_visibility() -> None:
    land = forest_and_fields(0.15)
    land.surface["B04"][:, 60:88] = 0.001
    # half of the forest is redder than expected: the map takes too much away elsewhere
    land.surface["B04"][:, :60] = 0.035
    kept = land.retrieve(cut_off_aot_iter_vegetation=1.0)
    raised = land.retrieve()
    assert raised.visibility > kept.visibility
    assert raised.visibility > 1.05 * raised.first_visibility


def test_negative_water_raises_the_visibility() -> None:
    land = Landscape.of([(LEFT, FOREST), ((slice(0, 60), slice(100, 160)), LAKE)], 0.15, SOIL)
    land.surface["B04"][LEFT] = 0.035
    kept = land.retrieve(cut_off_aot_iter_water=-0.5)
    raised = land.retrieve(cut_off_aot_iter_water=-0.001)
    assert raised.visibility > kept.visibility


def bright_block(land: Landscape) -> Landscape:
    bright = (slice(40, 56), slice(40, 56))
    for band in ("B02", "B03", "B04"):
        land.surface[band][bright] = 0.6
    return land


def test_siimpc_552_bright_pixels_do_not_change_the_blue_path_radiance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land = replace(forest_and_fields(0.4), table=MARITIME)
    plain = land.retrieve()
    scene = bright_block(land).scene()
    found = land.retrieve(scene=scene)
    assert plain.path_ratio is not None
    assert found.path_ratio == pytest.approx(plain.path_ratio, rel=0.01)


Make = Callable[[], Landscape]


def crops() -> Landscape:
    return Landscape.of([(LEFT, CROP)], 0.3, SOIL)


def forest_and_crops() -> Landscape:
    return Landscape.of([(LEFT, FOREST), (CORNER, CROP)], 0.3, SOIL)


def crops_and_stubble() -> Landscape:
    return Landscape.of([(LEFT, CROP), (CORNER, STUBBLE)], 0.3, SOIL)


def few_crops() -> Landscape:
    return Landscape.of([((slice(0, 14), slice(0, 14)), CROP)], 0.3, SOIL)


def brown() -> Landscape:
    """Forest, and dark soil with some green."""
    soil = {**SOIL_SURFACE, "B04": 0.045, "B8A": 0.13, "B12": 0.045}
    return Landscape.of([(LEFT, soil), (CORNER, FOREST)], 0.3, SOIL)


def without_b12(land: Landscape) -> Landscape:
    land.surface["B12"][:] = 0.0
    return land


def bright_green() -> Landscape:
    leaves = {**CROP, "B12": 0.2, "B11": 0.3, "B04": 0.03}
    return Landscape.of([(LEFT, leaves)], 0.3, SOIL)


def greens_that_differ() -> Landscape:
    """Forest redder than expected, with dark stands that turn negative."""
    land = forest_and_fields(0.15)
    land.surface["B04"][:, :60] = 0.035
    land.surface["B04"][:, 60:88] = 0.001
    return land


def patches() -> Landscape:
    """Two far patches of forest of different redness."""
    land = Landscape.of([(CORNER, FOREST), ((slice(110, 150), slice(110, 150)), FOREST)], 0.3, SOIL)
    land.surface["B04"][CORNER] *= 0.8
    return land


def blue_haze() -> Landscape:
    return replace(forest_and_fields(0.8), table=MARITIME)


@pytest.mark.parametrize(
    ("make", "item", "value"),
    [
        (brown, "min_ddv_area", 40.0),
        (forest_and_fields, "swir_refl_lower_th", 0.06),
        (crops, "swir_refl_ndvi_th", 0.9),
        (
            forest_and_crops,
            "ddv_swir_refl_th1",
            0.1,
        ),
        (crops_and_stubble, "ddv_swir_refl_th2", 0.12),
        (few_crops, "ddv_swir_refl_th3", 0.08),
        (lambda: without_b12(forest_and_crops()), "ddv_16um_refl_th1", 0.18),
        (lambda: without_b12(forest_and_crops()), "ddv_16um_refl_th2", 0.18),
        (lambda: without_b12(crops()), "ddv_16um_refl_th3", 0.01),
        (forest_and_fields, "swir_22um_red_refl_ratio", 0.45),
        (forest_and_fields, "red_blue_refl_ratio", 0.9),
        (bright_green, "dbv_nir_refl_th", 0.6),
        (bright_green, "dbv_ndvi_th", 0.95),
        (bright_green, "red_ref_refl_th", 0.03),
        (greens_that_differ, "cut_off_aot_iter_vegetation", 0.9),
        (greens_that_differ, "dbv_red_veget_tst_ndvi_th", 1.0),
        (greens_that_differ, "dbv_red_veget_refl_th", 0.0),
        (brown, "vegetation_index_th", 1.0),
        (forest_and_fields, "limit_area_path_rad_scale", 60.0),
        (patches, "ddv_smoothing_window", 3.0),
        (patches, "ddv_gap_filling", "MEAN"),
        (few_crops, "spr_refl_percentage", 1.0),
        (few_crops, "spr_refl_promille", 1000.0),
    ],
)
def test_every_item_changes_the_result(make: Make, item: str, value: Any) -> None:
    land = make()
    settings = CorrectionSettings(scaling_disabler=False)
    shipped, changed = land.retrieve(settings), land.retrieve(settings, **{item: value})
    pixels = [
        0 if found.reference is None else int(found.reference.mask.sum())
        for found in (shipped, changed)
    ]
    different = (
        pixels[0] != pixels[1]
        or float(np.abs(shipped.aot550 - changed.aot550).max()) > 1e-4
        or shipped.path_ratio != changed.path_ratio
    )
    assert different


@pytest.mark.parametrize(
    ("make", "kind", "truth"),
    [
        (forest_and_fields, DARK_VEGETATION, 0.3),
        (lambda: Landscape.of([(LEFT, SOIL_SURFACE)], 0.3, SOIL), DARK_SOIL, 0.3),
        (lambda: Landscape.of([(LEFT, LAKE)], 0.3, SOIL), WATER, 0.3),
    ],
)
def test_each_kind_of_reference_serves(make: Make, kind: str, truth: float) -> None:
    found = make().retrieve()
    assert found.source == kind
    np.testing.assert_allclose(found.aot550.mean(), truth, atol=0.01)


def test_bright_vegetation_has_the_red_of_the_settings() -> None:
    found = bright_green().retrieve(red_ref_refl_th=0.03)
    assert found.source == BRIGHT_VEGETATION
    assert found.aot550.mean() == pytest.approx(0.3, abs=0.01)
