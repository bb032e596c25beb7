"""What the pipeline makes of settings and product before and after the physics."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sen2cor.classification import GroundMasks
from sen2cor.pipeline.tile.atmosphere_retrieval import retrieve_atmosphere
from sen2cor.pipeline.tile.tile_correction import TileCorrection
from sen2cor.settings import Settings
from tests.atmosphere.aerosol_scene import (
    LEFT,
    MARITIME,
    RURAL,
    SHAPE,
    SOIL,
    Landscape,
    forest_and_fields,
)

SETTINGS = Settings()


def retrieved(
    land: Landscape,
    tables: Any = (RURAL,),
    *,
    forecast: float | None = None,
    ozone: float | None = None,
    **items: Any,
) -> TileCorrection:
    """Retrieve the aerosol alone from dark vegetation, or with other settings."""
    scene = land.scene()
    items = {
        "wv_correction": 0,
        "cirrus_correction": False,
        "adjacency_range": 0.0,
        "aot_method": "DDV",
        "scaling_disabler": False,
        **items,
    }
    groups = {
        name: {key: value for key, value in items.items() if hasattr(getattr(SETTINGS, name), key)}
        for name in ("flags", "calibration", "correction", "look_up_tables")
    }
    settings = replace(
        SETTINGS,
        **{name: replace(getattr(SETTINGS, name), **values) for name, values in groups.items()},
    )
    pixels: Any = SimpleNamespace(
        grids={60: scene.geometry.grid},
        native={},
        toa_reflectance=lambda band, resolution: scene.toa(band),
    )
    weather = None if ozone is None else SimpleNamespace(ozone=ozone, water_vapour=2.0)
    tile: Any = SimpleNamespace(
        geometry=scene.geometry.angles,
        sensing_time=datetime(2017, 7, 1, 10, tzinfo=timezone.utc),
        read_ecmwf=lambda: weather,
        read_cams_aot=lambda: forecast,
    )
    classes = np.where(land.water, 6, 4).astype(np.uint8)
    masks = GroundMasks.from_classes(classes, 1, SHAPE)
    return retrieve_atmosphere(pixels, tile, masks, tables, settings)


def test_aerosol_is_a_map_or_a_mean() -> None:
    land = forest_and_fields()
    rows = np.linspace(0.2, 0.5, SHAPE[0], dtype=np.float32)
    land.aot = np.repeat(rows[:, np.newaxis], SHAPE[1], axis=1)
    mean, mapped = (
        retrieved(land, vis_update_mode=mode, ozone=331.0, altitude=0.2).state.aot550
        for mode in (0, 1)
    )
    assert np.ptp(mean) < 1e-6
    assert mapped[-1].mean() > mapped[0].mean() + 0.15


def test_without_reference_pixels_the_visibility_of_the_settings_holds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = retrieved(Landscape.of([], 0.3, SOIL), altitude=0.1)
    expected = float(RURAL.aot_from_visibility(40.0, 0.1))
    np.testing.assert_allclose(found.state.aot550, expected, rtol=1e-3)
    assert found.retrieval.aot_method == "DEFAULT"
    assert found.retrieval.aerosol.visibility == 40.0
    assert "configured visibility" in caplog.text


def test_forecast_of_the_product_comes_before_the_settings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = retrieved(Landscape.of([], 0.3, SOIL), forecast=0.27)
    np.testing.assert_allclose(found.state.aot550, 0.27, atol=2e-3)
    assert found.retrieval.aot_method == "CAMS"
    assert "CAMS forecast" in caplog.text
    with_forest = retrieved(forest_and_fields(0.4), forecast=0.1, altitude=0.2, ozone=331.0)
    assert with_forest.retrieval.aot_method == "SEN2COR_DDV"
    assert with_forest.state.aot550.mean() == pytest.approx(0.4, abs=0.02)


def test_optimal_estimation_says_aot_uncertainty_and_origin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "sen2cor"):
        found = retrieved(forest_and_fields(0.3), (RURAL, MARITIME), aot_method="OE", ozone=331.0)
    record = found.retrieval
    assert record.aot_method == "OPTIMAL_ESTIMATION"
    assert record.mean_aot_sigma is not None
    assert f"with a standard uncertainty of {record.mean_aot_sigma:.3f}" in caplog.text
    assert f"evidence of {MARITIME.name}" in caplog.text
    assert record.details()["information"] > 0.3
    assert found.reference_mask.all()
    assert found.state.path_factors == {}


def test_auto_says_its_trials_and_takes_the_best(caplog: pytest.LogCaptureFixture) -> None:
    land = replace(forest_and_fields(0.5), table=MARITIME)
    with caplog.at_level(logging.INFO, "sen2cor"):
        found = retrieved(land, (RURAL, MARITIME), altitude=0.2, ozone=331.0)
    assert found.table is MARITIME
    assert set(found.retrieval.double_ratios) == {RURAL.name, MARITIME.name}
    assert f"Double ratio of {RURAL.name}" in caplog.text
    assert f"Look-up table {MARITIME.name}" in caplog.text
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(set(messages))
    assert "Blue path radiance:" in caplog.text
    assert "of dark vegetation (" in caplog.text


def test_auto_without_reference_pixels_takes_the_first(caplog: pytest.LogCaptureFixture) -> None:
    found = retrieved(Landscape.of([], 0.3, SOIL), (RURAL, MARITIME))
    assert found.table is RURAL
    warned = [record.args for record in caplog.records if record.levelno == logging.WARNING]
    assert (RURAL.name, "SUMMER") in warned


@pytest.mark.parametrize(
    ("given", "in_product", "used", "source"),
    [
        (None, 267.4, 267.4, "AUX_ECMWFT"),
        (None, None, 331.0, "OTHER"),
        (410.0, 267.4, 410.0, "CONFIG"),
    ],
)
def test_ozone_of_the_settings_or_the_product(
    given: float | None, in_product: float | None, used: float, source: str
) -> None:
    found = retrieved(Landscape.of([], 0.3, SOIL), ozone=in_product, ozone_content=given)
    assert found.state.ozone == pytest.approx(used)
    assert found.retrieval.ozone_source == source


def test_start_of_the_water_vapour_is_that_of_the_season() -> None:
    found = retrieved(Landscape.of([], 0.3, SOIL), wv_iter_start_summer=1.7)
    np.testing.assert_allclose(found.state.water_vapour, 1.7)


@pytest.mark.parametrize(
    ("settings", "factor"),
    [({}, None), ({"scaling_limiter": True}, 1.1), ({"scaling_disabler": True}, 1.0)],
)
def test_blue_bands_are_rescaled(settings: dict[str, bool], factor: float | None) -> None:
    land = forest_and_fields(0.3)
    for band in ("B02", "B03"):
        land.surface[band] = land.surface[band] + np.float32(0.04)
    found = retrieved(land, altitude=0.2, ozone=331.0, **settings)
    aerosol = found.retrieval.aerosol
    raw = aerosol.path_ratio
    assert raw is not None
    assert raw > 1.15
    assert aerosol.path_factor == pytest.approx(raw if factor is None else factor)
    assert found.state.path_factors.get("B02", 1.0) == pytest.approx(
        found.retrieval.aerosol.path_factor
    )
    plain = replace(found, state=replace(found.state, path_factors={}))
    blue = np.zeros(SHAPE, bool)
    blue[LEFT] = True
    change = (found.inversion("B02").bias - plain.inversion("B02").bias)[blue].mean()
    if factor == 1.0:
        assert change == 0.0
    else:
        assert change < -0.005
    np.testing.assert_array_equal(found.inversion("B04").bias, plain.inversion("B04").bias)
