"""Optical thickness by visibility."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.radiative_transfer.lowtran import MODELS
from sen2cor.radiative_transfer.visibility import ELEVATION, VISIBILITY, aot550
from tests.validation.atm_reference import AtmFile
from tests.validation.visibility_fit import fitted_aot550


@pytest.mark.parametrize("season", list(MODELS))
def test_haze_and_depth_of_air_thicken_the_aerosol(season: str) -> None:
    table = aot550(season)
    assert table.shape == (VISIBILITY.size, ELEVATION.size)
    assert np.all(np.diff(table, axis=0) < 0)
    assert np.all(np.diff(table, axis=1) < 0)


@pytest.mark.parametrize("season", list(MODELS))
def test_clear_air_is_linear_in_the_inverse_of_visibility(season: str) -> None:
    clear = aot550(season)[-3:]
    slope = np.diff(clear, axis=0) / np.diff(1.0 / VISIBILITY[-3:])[:, np.newaxis]
    assert slope[1] == pytest.approx(slope[0], rel=0.02)


def test_winter_is_clearer() -> None:
    assert np.all(aot550("winter") < aot550("summer"))


@pytest.mark.parametrize(("name", "season"), [("h99000_wv20", "summer"), ("w99000_wv08", "winter")])
def test_table_is_what_the_reference_gives(reference_data: Path, name: str, season: str) -> None:
    file = AtmFile.of_path(reference_data / "esa_lut" / "S2A" / "20_60" / f"{name}_rura.atm")
    fitted = fitted_aot550([file], load_table("S2A", "RURAL", season.upper()))
    assert np.abs(fitted - aot550(season)).max() < 0.003
