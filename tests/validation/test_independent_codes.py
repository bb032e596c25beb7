"""The look-up tables beside runs of MODTRAN 6 and libRadtran."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from tests.validation.independent_codes import (
    LIBRADTRAN_ALBEDO,
    State,
    compare,
    evaluate,
    libradtran_runs,
    libradtran_toa,
    modtran_runs,
    toa_reflectance,
    with_direct_transmittance,
)

OWN = load_table("S2A", "RURAL", "SUMMER")
WINDOWS = ("B01", "B02", "B03", "B04", "B07", "B8A")
"""Bands with little absorption by water vapour."""


@pytest.fixture(scope="module")
def runs(reference_data: Path) -> Path:
    folder = reference_data / "radiative_transfer"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


def test_terms_of_modtran(runs: Path) -> None:
    differences = compare(modtran_runs(runs), OWN)
    assert len(differences) == 11
    for band, points in differences.items():
        assert points.shape == (9, 5)
        path, _, down, up, albedo = np.abs(points).max(0)
        assert path < 0.0025, band
        assert albedo < (0.003 if band in WINDOWS else 0.01), band
        if band in WINDOWS:
            assert max(down, up) < 0.009, band


def test_extinction_of_modtran_explains_its_direct_transmittance(runs: Path) -> None:
    differences = compare(modtran_runs(runs), OWN, equal_direct=True)
    for band in WINDOWS:
        path, direct, down, up, albedo = np.abs(differences[band]).max(0)
        assert path < 0.0025, band
        assert direct < 1e-5, band
        assert max(down, up) < 0.008, band
        assert albedo < 0.004, band


def test_terms_of_libradtran(runs: Path) -> None:
    for band, points in compare(libradtran_runs(runs, OWN), OWN).items():
        path, _, down, up, _ = np.abs(points[0])
        assert path < 0.003, band
        if band in WINDOWS:
            assert max(down, up) < 0.009, band


def test_newer_codes_absorb_less_in_the_short_wave_infrared(runs: Path) -> None:
    """A known difference: LOWTRAN7 gives less transmittance."""
    compared = [
        wanted.transmittance_up - evaluate(OWN, band, state).transmittance_up
        for band, state, wanted in (*modtran_runs(runs), *libradtran_runs(runs, OWN))
        if band == "B12"
    ]
    assert len(compared) == 10
    assert 0.04 < min(compared) <= max(compared) < 0.05


def test_reflectance_at_the_top_of_libradtran(runs: Path) -> None:
    for band, state, wanted in libradtran_toa(runs):
        found = toa_reflectance(OWN, band, state, LIBRADTRAN_ALBEDO)
        assert abs(found - wanted) < (0.004 if band in (*WINDOWS, "B06", "B08") else 0.01), band


def test_aerosol_with_a_direct_transmittance() -> None:
    state = State(0.2, 2.0, 300.0, 0.0, 30.0, 0.0, 90.0)
    wanted = evaluate(OWN, "B04", state).transmittance_down_direct
    found = with_direct_transmittance(OWN, "B04", replace(state, aot550=0.5), wanted)
    assert astuple(found) == pytest.approx(astuple(state), rel=1e-4)
    assert with_direct_transmittance(OWN, "B04", state, 1.0).aot550 == 0.0
