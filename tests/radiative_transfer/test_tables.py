"""From runs to the bytes of a table, with an atmosphere that can be written down."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sen2cor.atmosphere.look_up_tables import sixs_tables
from sen2cor.radiative_transfer import __main__ as command
from sen2cor.radiative_transfer.aerosol import aerosol_optics
from sen2cor.radiative_transfer.band_average import average, band_weights, rayleigh_thickness
from sen2cor.radiative_transfer.configuration import (
    CONFIGURATIONS,
    Configuration,
    GasAxes,
    ScatteringAxes,
)
from sen2cor.radiative_transfer.sixs import Scattering, State
from sen2cor.radiative_transfer.tables import Variable, write_scattering, write_table

COARSE = CONFIGURATIONS["coarse"]
SUBSET = Configuration(
    name="subset",
    nadir=ScatteringAxes((0.412, 0.860, 2.250), (0.0, 4.0), (0.0, 0.4), (0.0, 40.0, 70.0, 84.0)),
    slanted=ScatteringAxes((0.412, 2.250), (0.0, 4.0), (0.0, 0.4), (0.0, 60.0)),
    gas=GasAxes((0.0, 3.0), (0.0, 5.0, 50.0), (0.0, 900.0, 4500.0), (0.0, 2.5, 13.0)),
)


@cache
def extinction_at(wavelength: float) -> float:
    return float(aerosol_optics("rural", np.array([wavelength])).extinction[0])


def single_scattering(state: State) -> Scattering:
    """An atmosphere so thin that light is scattered once, with a view term of known shape."""
    extinction = extinction_at(state.wavelength)
    molecules = 0.1 * float(rayleigh_thickness(np.array(state.wavelength)))
    molecules *= np.exp(-state.elevation / 8.0)
    aerosol = 0.1 * state.aot550 * extinction
    angles = np.radians([state.solar_zenith, state.view_zenith])
    down, up = np.cos(angles)
    slant = np.prod(np.sin(angles)) * np.cos(np.radians(state.relative_azimuth))
    path = (molecules + 0.2 * aerosol) * (1.0 + 0.5 * slant) / (down + up)
    thickness = 0.5 * molecules + 0.2 * aerosol
    return Scattering(
        path, 10 * molecules, 10 * aerosol, *np.exp(-thickness / np.cos(angles)), thickness
    )


@pytest.fixture(scope="module")
def results(built_lowtran: None) -> dict[State, Scattering]:
    return {state: single_scattering(state) for state in COARSE.states()}


def test_bands_are_averages_of_the_spectrum(results: dict[State, Scattering]) -> None:
    bands = average(results, COARSE, "rural", "S2A")
    wavelength, weights = band_weights("S2A", "B02")
    sun = list(bands.solar_zenith).index(40.0)
    row, sea_level, aot = 1, 1, 4
    exact = [
        single_scattering(State(at * 1e-3, 0.4, 0.0, 40.0, 0.0, 0.0)).path_reflectance
        for at in wavelength
    ]
    found = bands.path_reflectance[row, sea_level, aot, sun]
    assert found[0] == pytest.approx(np.average(exact, weights=weights), rel=2e-4)
    shape = 0.5 * np.sin(np.radians(40.0)) * np.sin(np.radians(12.0))
    assert found[2] == pytest.approx(found[1] * shape, rel=2e-3)
    assert found[3] == pytest.approx(0.0, abs=1e-6)
    total = -np.log(bands.total_down[row, sea_level, aot, sun]) * np.cos(np.radians(40.0))
    assert total == pytest.approx(bands.spherical_albedo[row, sea_level, aot], rel=1e-3)
    assert np.all(bands.direct_down < bands.total_down)


def test_below_sea_level_molecules_grow_with_pressure(results: dict[State, Scattering]) -> None:
    bands = average(results, COARSE, "rural", "S2A")
    assert bands.elevation[0] == -0.5
    clear = bands.path_reflectance[0, :, 0, 0, 0]
    assert clear[0] / clear[1] == pytest.approx(np.exp(0.5 / 8.0), rel=1e-3)


def test_table_is_always_the_same_and_can_be_read(
    results: dict[State, Scattering], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sen2cor.radiative_transfer.sixs.version", lambda: "6SV of this test")
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        path = write_scattering(tmp_path / name, COARSE, results, "S2A", "rural")
        contents.append(path.read_bytes())
        assert [file.name for file in path.parent.iterdir()] == ["S2A_rural.nc"]
    assert contents[0] == contents[1]
    assert sixs_tables._read(path)["path_reflectance"].shape[0] == 13


@pytest.mark.slow
@pytest.mark.usefixtures("built_lowtran", "installed_sixs")
def test_two_runs_of_the_command_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONFIGURATIONS, SUBSET.name, SUBSET)
    made = []
    for name in ("first", "second"):
        output = tmp_path / name
        chosen = ["--sensor", "S2B", "--season", "winter", "--aerosol", "rural"]
        folders = ["--output", str(output), "--work", str(tmp_path / f"work-{name}")]
        assert command.main([*chosen, *folders, "--configuration", SUBSET.name]) == 0
        made.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert set(made[0]) == {"S2B_rural.nc", "S2B_winter.nc"}
    assert made[0] == made[1]


def test_a_value_that_changed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "table.nc"
    write_table(
        path,
        {"aot550": Variable(("aot550",), [0.0, 1.0], "1", "optical thickness")},
        {"bands": " ".join(sixs_tables.BAND)},
    )
    assert list(sixs_tables._read(path)["aot550"]) == [0.0, 1.0]
    path.write_bytes(path.read_bytes().replace(np.array(1.0, ">f4").tobytes(), b"\x40\0\0\0"))
    with pytest.raises(sixs_tables.AuxiliaryDataError, match="checksum"):
        sixs_tables._read(path)


def test_axes_reach_as_far_as_the_products_do() -> None:
    for configuration in CONFIGURATIONS.values():
        assert isinstance(configuration, Configuration)
        assert configuration.nadir.solar_zenith[-1] >= 80.0
        assert configuration.nadir.aot550[0] == configuration.slanted.aot550[0] == 0.0
        assert configuration.gas.water[-1] >= 47.0


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(["--help"])
    assert exit_.value.code == 0
    assert "--sensor" in capsys.readouterr().out
