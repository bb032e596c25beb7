"""Single runs of 6SV, and many of them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sen2cor.errors import AuxiliaryDataError
from sen2cor.radiative_transfer import sixs
from sen2cor.radiative_transfer.aerosol import aerosol_optics, mie_file
from sen2cor.radiative_transfer.band_average import rayleigh_thickness
from sen2cor.radiative_transfer.configuration import CONFIGURATIONS, nadir_state
from sen2cor.radiative_transfer.scattering_runs import run_all
from sen2cor.radiative_transfer.sixs import State

CLEAR = State(0.550, 0.0, 0.0, 30.0, 12.0, 0.0)


@pytest.fixture
def rural(tmp_path: Path, built_lowtran: None, installed_sixs: None) -> Path:
    path = tmp_path / "rural.mie"
    path.write_text(mie_file(aerosol_optics("rural")))
    return path


def test_input_names_the_aerosol_and_lifts_the_ground() -> None:
    text = sixs.input_text(State(0.86, 0.3, 1.5, 40.0, 12.0, 90.0), "rural.mie")
    assert text.splitlines()[:8] == [
        *["0", "40 0.0 12 90 7 15", "0", "12", "rural.mie", "0", "0.3", "-1.5"]
    ]
    assert "rural.mie" not in sixs.input_text(CLEAR, "rural.mie")


def test_molecules(rural: Path) -> None:
    found = sixs.run(CLEAR, rural)
    assert found.aerosol_thickness == 0.0
    assert found.rayleigh_thickness == pytest.approx(rayleigh_thickness(0.55), rel=0.01)
    assert 0.03 < found.path_reflectance < 0.05
    forward = sixs.run(CLEAR._replace(relative_azimuth=180.0, solar_zenith=60.0), rural)
    backward = sixs.run(CLEAR._replace(solar_zenith=60.0), rural)
    assert backward.path_reflectance > forward.path_reflectance


def test_thickness_is_that_of_the_aerosol_file(rural: Path) -> None:
    found = sixs.run(State(1.65, 0.5, 0.0, 0.0, 40.0, 0.0), rural)
    index = list(aerosol_optics("rural").wavelength).index(1.65)
    extinction = aerosol_optics("rural").extinction[index]
    assert found.aerosol_thickness == pytest.approx(0.5 * extinction, rel=2e-3)


@pytest.mark.parametrize("solar_zenith", [30.0, 65.0])
def test_sun_and_sensor_can_be_exchanged(rural: Path, solar_zenith: float) -> None:
    direct = sixs.run(State(0.694, 0.3, 0.0, solar_zenith, 0.0, 0.0), rural)
    exchanged = sixs.run(nadir_state(0.694, 0.0, 0.3, solar_zenith), rural)
    assert exchanged.path_reflectance == pytest.approx(direct.path_reflectance, rel=2e-3)
    assert exchanged.transmittance_up == pytest.approx(direct.transmittance_down, abs=2e-5)
    assert exchanged.spherical_albedo == direct.spherical_albedo


def test_little_aerosol_at_long_wavelengths_scatters_almost_once(rural: Path) -> None:
    """Version 2.1 fails here: twice the aerosol gives 8 per cent more than twice the light."""
    clear, some, more = (
        sixs.run(State(1.65, aot, 0.0, 0.0, 30.0, 0.0), rural).path_reflectance
        for aot in (0.0, 0.1, 0.2)
    )
    assert (more - clear) / (some - clear) == pytest.approx(2.03, abs=0.03)


def test_no_result_is_an_error(tmp_path: Path, installed_sixs: None) -> None:
    with pytest.raises(AuxiliaryDataError, match="6SV gave no result"):
        sixs.run(CLEAR._replace(aot550=0.2), tmp_path / "absent.mie")


def test_finished_runs_are_not_run_again(
    tmp_path: Path, built_lowtran: None, installed_sixs: None, caplog: pytest.LogCaptureFixture
) -> None:
    states = [nadir_state(0.86, 0.0, aot, 40.0) for aot in (0.0, 0.1, 0.3)]
    first = run_all(states[:2], "rural", tmp_path, 1)
    (journal,) = tmp_path.glob("*.runs")
    # as if the machine had gone down while a line was written
    journal.write_text(journal.read_text() + "0.86 0.3 0.0")
    with caplog.at_level(logging.INFO):
        second = run_all(states, "rural", tmp_path, 1)
    assert "3 runs of 6SV, 2 of them done before" in caplog.text
    assert set(second) == set(states)
    assert all(second[state] == first[state] for state in states[:2])
    third = run_all(states, "rural", tmp_path, 1)
    assert dict(third) == dict(second)


@pytest.mark.parametrize("name", list(CONFIGURATIONS))
def test_no_state_is_run_twice(name: str) -> None:
    states = CONFIGURATIONS[name].states()
    assert len(set(states)) == len(states)
    assert len(states) < 12000
