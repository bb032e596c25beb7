"""Aerosol and water vapour of a scene together, from arrays alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval, FirstGuess
from sen2cor.atmosphere.aerosol_and_water_vapour import (
    _odd_window,
    retrieve_aerosol_and_water_vapour,
)
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.parameters import AerosolParameters, WaterVapourParameters
from tests.atmosphere.aerosol_scene import (
    BANDS,
    FOREST,
    LAKE,
    MARITIME,
    RURAL,
    SOIL,
    Landscape,
    forest_and_fields,
)


def retrieved(
    land: Landscape,
    tables: Any = (RURAL,),
    *,
    clear_land: np.ndarray | None = None,
    column: float = 1.0,
    run: Any = map,
    **water_vapour: Any,
) -> Any:
    scene = land.scene()
    if clear_land is not None:
        scene.clear_land = clear_land
    return retrieve_aerosol_and_water_vapour(
        scene,
        tables,
        FirstGuess(40.0, water_vapour=column),
        aerosol=AerosolParameters(method="DDV"),
        water_vapour=WaterVapourParameters(**water_vapour),
        run=run,
    )


def test_both_are_found_from_a_wrong_guess() -> None:
    land = replace(forest_and_fields(0.35), column=3.1)
    state, aerosol = retrieved(land)
    assert isinstance(state, AtmosphereState)
    assert isinstance(aerosol, AerosolRetrieval)
    assert state.aot550.mean() == pytest.approx(0.35, abs=0.01)
    assert state.water_vapour.mean() == pytest.approx(3.1, abs=0.05)
    assert state.elevation == land.elevation


def test_water_vapour_can_be_left_as_guessed() -> None:
    state, _ = retrieved(forest_and_fields(), retrieve=False)
    np.testing.assert_array_equal(state.water_vapour, np.float32(1.0))


def test_trials_are_those_of_all_candidates() -> None:
    _, aerosol = retrieved(replace(forest_and_fields(0.5), table=MARITIME), (RURAL, MARITIME))
    assert aerosol.table is MARITIME
    assert [trial.table for trial in aerosol.trials] == [RURAL, MARITIME]


def test_without_clear_land_the_guess_stands_in(caplog: pytest.LogCaptureFixture) -> None:
    land = Landscape.of([], 0.3, SOIL)
    with caplog.at_level(logging.WARNING):
        state, _ = retrieved(land, clear_land=np.zeros_like(land.water), column=1.4)
    np.testing.assert_allclose(state.water_vapour, 1.4)
    assert any(record.args == (1.4,) for record in caplog.records)


def test_water_vapour_over_water_is_that_of_the_land_or_its_own() -> None:
    land = forest_and_fields()
    land.water[:8] = True
    (over_land, _), (own, _) = (
        retrieved(land, over_water=over_water, smoothing=0.0) for over_water in (1, 0)
    )
    assert np.ptp(over_land.water_vapour[:8]) == 0.0
    assert np.ptp(own.water_vapour[:8]) > 0.0


def test_shore_of_a_lake_has_the_column_of_the_land() -> None:
    """B09 is blurred at the shore, as its point-spread function does; B8A is not."""
    land = Landscape.of([((slice(60, 100), slice(60, 120)), LAKE)], 0.2, FOREST)
    scene = land.scene()
    bands = {band: scene.toa(band) for band in BANDS}
    bands["B09"] = gaussian_filter(scene.toa("B09"), 26.0 / 60.0)
    scene.toa = bands.__getitem__
    state, _ = retrieve_aerosol_and_water_vapour(
        scene,
        (RURAL,),
        FirstGuess(40.0, water_vapour=1.0),
        aerosol=AerosolParameters(),
        water_vapour=WaterVapourParameters(),
    )
    np.testing.assert_allclose(state.water_vapour, land.column, atol=0.03)


@pytest.mark.parametrize(
    ("size", "pixels"), [(0.0, 1), (100.0, 1), (120.0, 3), (200.0, 3), (300.0, 5)]
)
def test_smoothing_box_is_centred(size: float, pixels: int) -> None:
    assert _odd_window(size, 60.0) == pixels


def test_order_of_the_blocks_does_not_matter() -> None:
    land = forest_and_fields()
    asked: list[slice] = []

    def backwards(work: Callable[[slice], None], blocks: Iterable[slice]) -> list[None]:
        chosen = list(blocks)
        asked.extend(chosen)
        return [work(rows) for rows in reversed(chosen)]

    (forwards, _), (other, _) = retrieved(land), retrieved(land, run=backwards)
    assert len(asked) > 10
    np.testing.assert_array_equal(other.aot550, forwards.aot550)
    np.testing.assert_array_equal(other.water_vapour, forwards.water_vapour)
