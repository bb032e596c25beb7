"""Compare the look-up tables with runs of MODTRAN 6 and libRadtran.

``python -m tests.validation.independent_codes`` prints for each band the terms of the radiative
equation, gas absorption included, at the states of the runs:

- MODTRAN 6, a tile of Sentinel-2A with nine points (tropical atmosphere, rural aerosol of optical
  thickness 0.06 with a Henyey-Greenstein phase function);
- libRadtran, with the options of the Sen2Cor tables (mid-latitude summer, rural aerosol of optical
  thickness 0.53, DISORT without polarization, channels of REPTRAN).

Each term stands beside that of the 6SV tables at the same aerosol optical thickness at 550 nm, and
at the one that gives the direct transmittance of the run in that band, which takes out differences
of extinction. For libRadtran the ``.atm`` files of Sen2Cor are added.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.bands import BAND_NAMES
from sen2cor.simulation.sensor import SOLAR_IRRADIANCE

ROOT = Path(__file__).resolve().parents[2]
BANDS = tuple(band for band in BAND_NAMES if band not in ("B09", "B10"))
LIBRADTRAN_BANDS = tuple(band for band in BANDS if band != "B08")
"""The files of B08 repeat those of B8A."""

EARTH_RADIUS, ORBIT = 6371.0, 786.0
"""Kilometres."""

MAX_AOT = 1.2
"""Within the range of all tables."""

LIBRADTRAN_ALBEDO = 0.15
"""Surface reflectance of the runs for fluxes."""


@dataclass(frozen=True)
class State:
    """State of the atmosphere and geometry of a run; units of `LookUpTable`."""

    aot550: float
    water_vapour: float
    ozone: float
    elevation: float
    solar_zenith: float
    view_zenith: float
    relative_azimuth: float


@dataclass(frozen=True)
class Terms:
    """Terms of a band with gas absorption: of the atmosphere over a black surface."""

    path_reflectance: float
    transmittance_down_direct: float
    transmittance_down: float
    transmittance_up: float
    spherical_albedo: float


def evaluate(table: LookUpTable, band: str, state: State) -> Terms:
    """Terms of a table; gas absorbs along the direct path."""
    found = table.scattering(
        band,
        aot550=state.aot550,
        elevation=state.elevation,
        solar_zenith=state.solar_zenith,
        view_zenith=state.view_zenith,
        relative_azimuth=state.relative_azimuth,
        water_vapour=state.water_vapour,
    )
    down, up = (
        float(1.0 / np.cos(np.radians(angle))) for angle in (state.solar_zenith, state.view_zenith)
    )
    whole, on_down, on_up = (
        table.gas(
            band,
            water_vapour=state.water_vapour,
            ozone=state.ozone,
            elevation=state.elevation,
            air_mass=mass,
        )
        for mass in (down + up, down, up)
    )
    absorbed_down, absorbed_up = (gas.ozone * gas.other * gas.water for gas in (on_down, on_up))
    aerosol = found.path_reflectance - found.rayleigh_reflectance
    path = whole.ozone * whole.other * (found.rayleigh_reflectance + aerosol * whole.water_half)
    return Terms(
        float(path),
        float(found.transmittance_down_direct * absorbed_down),
        float(found.transmittance_down * absorbed_down),
        float(found.transmittance_up * absorbed_up),
        float(found.spherical_albedo),
    )


def with_direct_transmittance(table: LookUpTable, band: str, state: State, wanted: float) -> State:
    """State whose aerosol gives the direct transmittance from the sun, or none if that is less."""

    def excess(aot: float) -> float:
        changed = State(aot, *astuple(state)[1:])
        return evaluate(table, band, changed).transmittance_down_direct - wanted

    aot = float(brentq(excess, 0.0, MAX_AOT)) if excess(0.0) > 0.0 else 0.0
    return State(aot, *astuple(state)[1:])


def modtran_runs(folder: Path) -> Iterator[tuple[str, State, Terms]]:
    """Band, state and terms of the points of the MODTRAN run.

    ``TS`` is the direct transmittance from the sun, ``DIR`` and ``DIF`` the irradiance of the
    ground, ``A`` their sum times the total upward transmittance over pi, ``B`` the path radiance.
    The solar zenith angle at the ground follows from ``DIR = ESUN cos(zenith) TS``, the view zenith
    angle from that at the sensor on a sphere.
    """
    with (folder / "modtran6" / "S2A_48LWP.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        band = "B" + row["band"].removeprefix("BAND-").zfill(2)
        if band not in BANDS:
            continue
        run = {name: float(row[name]) for name in row if name not in _TEXT}
        cosine = run["DIR"] / (run["ESUN"] * run["TS"])
        nadir = np.radians(180.0 - run["observer_zenith_deg"])
        view = np.degrees(np.arcsin(np.sin(nadir) * (EARTH_RADIUS + ORBIT) / EARTH_RADIUS))
        # the azimuth of the row points from the sensor to the ground
        azimuth = run["true_azimuth_deg"] + 180.0 - _solar_azimuth(run)
        state = State(
            run["aot550"],
            run["water_vapour_g_cm2"],
            1000.0 * run["ozone_atm_cm"],
            run["ground_altitude_km"],
            float(np.degrees(np.arccos(cosine))),
            float(view),
            abs((azimuth + 180.0) % 360.0 - 180.0),
        )
        horizontal = run["ESUN"] * cosine
        ground = run["DIR"] + run["DIF"]
        yield (
            band,
            state,
            Terms(
                np.pi * run["B"] / horizontal,
                run["TS"],
                ground / horizontal,
                np.pi * run["A"] / ground,
                run["S"],
            ),
        )


_TEXT = ("atmosphere", "aerosol", "band", "point")


def _solar_azimuth(run: dict[str, float]) -> float:
    """Azimuth of the sun in degrees (J. W. Spencer, Search 2 (1971) 172)."""
    day = 2.0 * np.pi * (run["day_of_year"] - 1.0 + (run["gmt_hours"] - 12.0) / 24.0) / 365.0
    minutes = 229.18 * (
        0.000075
        + 0.001868 * np.cos(day)
        - 0.032077 * np.sin(day)
        - 0.014615 * np.cos(2.0 * day)
        - 0.040849 * np.sin(2.0 * day)
    )
    declination = (
        0.006918
        - 0.399912 * np.cos(day)
        + 0.070257 * np.sin(day)
        - 0.006758 * np.cos(2.0 * day)
        + 0.000907 * np.sin(2.0 * day)
        - 0.002697 * np.cos(3.0 * day)
        + 0.00148 * np.sin(3.0 * day)
    )
    hour = np.radians(15.0 * (run["gmt_hours"] - 12.0) - run["longitude_west"] + minutes / 4.0)
    latitude = np.radians(run["latitude"])
    east = -np.sin(hour) * np.cos(declination)
    north = np.sin(declination) * np.cos(latitude)
    north -= np.cos(declination) * np.sin(latitude) * np.cos(hour)
    return float(np.degrees(np.arctan2(east, north)))


def libradtran_runs(folder: Path, own: LookUpTable) -> Iterator[tuple[str, State, Terms]]:
    """Band, state and terms of the libRadtran runs.

    Files ``path``: radiance at the top over a black surface; ``surface`` and ``tx``: fluxes at the
    ground, over a reflectance of 0.15, with the sun and with the sun at the zenith angle of the
    view, the latter over the irradiance. The irradiance follows from the two direct fluxes, the
    fluxes without reflection between surface and atmosphere from the spherical albedo of the 6SV
    table. What the files ``toasph`` call spherical albedo is the albedo for a beam from the zenith:
    with the transmittance of ``tx`` and some absorption it adds up to 1, and in the blue it is less
    than the spherical albedo of the molecules; it is not used.
    """
    root = folder / "libradtran"
    for band in LIBRADTRAN_BANDS:
        stem = band.replace("B0", "B")
        path, surface, up = (
            np.loadtxt(root / f"sen2corlutuncertainty_{kind}{stem}.out")[1:]
            for kind in ("path", "surface", "tx")
        )
        options = _options(root / f"sen2corlutuncertainty_path{stem}.inp")
        state = _libradtran_state(options)
        view, cosine = options["umu"], np.cos(np.radians(options["sza"]))
        single = 1.0 - LIBRADTRAN_ALBEDO * evaluate(own, band, state).spherical_albedo
        direct = (up[1] / view) ** (view / cosine)
        horizontal = surface[1] / direct
        yield (
            band,
            state,
            Terms(
                float(np.pi * path[0] / horizontal),
                float(direct),
                float((surface[1] + surface[2]) * single / horizontal),
                float((up[1] + up[2]) * single / view),
                np.nan,
            ),
        )


def libradtran_toa(folder: Path) -> Iterator[tuple[str, State, float]]:
    """Band, state and reflectance at the top over a surface reflectance of 0.15.

    The band averages of these runs are over the whole path.
    """
    root = folder / "libradtran"
    irradiance = dict(zip(BAND_NAMES, SOLAR_IRRADIANCE["S2A"], strict=True))
    for band in BANDS:
        stem = band.replace("B0", "B")
        options = _options(root / f"sen2corlutuncertainty_toa{stem}.inp")
        radiance = np.loadtxt(root / f"sen2corlutuncertainty_toa{stem}.out")[1]
        horizontal = irradiance[band] * np.cos(np.radians(options["sza"]))
        yield band, _libradtran_state(options), float(np.pi * radiance / horizontal)


def _libradtran_state(options: dict[str, float]) -> State:
    # azimuths are those of the photons' paths: equal ones are forward scattering
    azimuth = 180.0 - abs((options["phi"] - options["phi0"] + 180.0) % 360.0 - 180.0)
    return State(
        options["aerosol_set_tau_at_wvl 550.0"],
        options["mol_modify h2o"] / 10.0,
        options["mol_modify O3"],
        options["altitude"],
        options["sza"],
        float(np.degrees(np.arccos(options["umu"]))),
        azimuth,
    )


def toa_reflectance(table: LookUpTable, band: str, state: State, surface: float) -> float:
    """Reflectance at the top of the atmosphere; gas absorbs along the whole path."""
    both = evaluate(table, band, state)
    found = table.scattering(
        band,
        aot550=state.aot550,
        elevation=state.elevation,
        solar_zenith=state.solar_zenith,
        view_zenith=state.view_zenith,
        relative_azimuth=state.relative_azimuth,
        water_vapour=state.water_vapour,
    )
    down, up = (
        float(1.0 / np.cos(np.radians(angle))) for angle in (state.solar_zenith, state.view_zenith)
    )
    gas = table.gas(
        band,
        water_vapour=state.water_vapour,
        ozone=state.ozone,
        elevation=state.elevation,
        air_mass=down + up,
    )
    absorbed = gas.ozone * gas.other * gas.water
    reflected = surface / (1.0 - both.spherical_albedo * surface)
    transmitted = absorbed * found.transmittance_down * found.transmittance_up * reflected
    return float(both.path_reflectance + transmitted)


def _options(path: Path) -> dict[str, float]:
    """Numbers of an input file by option, the unit left out."""
    result = {}
    for line in path.read_text().splitlines():
        words = line.split()
        while words and words[-1].isalpha():
            words.pop()
        try:
            result[" ".join(words[:-1])] = float(words[-1])
        except (IndexError, ValueError):
            continue
    return result


def compare(
    runs: Iterable[tuple[str, State, Terms]], table: LookUpTable, *, equal_direct: bool = False
) -> dict[str, np.ndarray]:
    """Differences table minus run by band; shape (points, terms in the order of `Terms`)."""
    result: dict[str, list[np.ndarray]] = {}
    for band, state, theirs in runs:
        if equal_direct:
            wanted = theirs.transmittance_down_direct
            state = with_direct_transmittance(table, band, state, wanted)
        ours = evaluate(table, band, state)
        result.setdefault(band, []).append(np.subtract(astuple(ours), astuple(theirs)))
    return {band: np.array(rows) for band, rows in result.items()}


def _print(title: str, runs: list[tuple[str, State, Terms]], tables: dict[str, tuple]) -> None:
    names = [item.name.replace("transmittance", "T") for item in fields(Terms)]
    print(f"{title}: terms of the run, then table minus run, mean over its points")
    print(f"{'':34s}" + "".join(f"{name:>18s}" for name in names))
    compared = {
        name: compare(runs, table, equal_direct=equal) for name, (table, equal) in tables.items()
    }
    for band in dict.fromkeys(band for band, _, _ in runs):
        terms = np.array([astuple(theirs) for name, _, theirs in runs if name == band]).mean(0)
        print(f"{band:4s}{'run':30s}" + "".join(_cell(value, "") for value in terms))
        for name, differences in compared.items():
            mean = differences[band].mean(0)
            print(f"{'':4s}{name:30s}" + "".join(_cell(value) for value in mean))
    print()


def _cell(value: float, sign: str = "+") -> str:
    return f"{'-':>18s}" if np.isnan(value) else f"{value:{sign}18.4f}"


def main() -> None:
    default = Path(os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    data = parser.parse_args().data
    folder = data / "radiative_transfer"
    if not folder.is_dir():
        parser.exit(1, f"no {folder}\n")
    own = load_table("S2A", "RURAL", "SUMMER")
    tables = {"6SV": (own, False), "6SV, equal direct": (own, True)}
    _print("MODTRAN 6", list(modtran_runs(folder)), tables)
    theirs = load_atm_files(data / "esa_lut", "S2A", "RURAL", "SUMMER")
    tables |= {".atm files": (theirs, False), ".atm files, equal direct": (theirs, True)}
    _print("libRadtran", list(libradtran_runs(folder, own)), tables)
    print("libRadtran: reflectance at the top over 0.15, then 6SV and .atm files minus run")
    for band, state, reflectance in libradtran_toa(folder):
        ours = [toa_reflectance(table, band, state, LIBRADTRAN_ALBEDO) for table in (own, theirs)]
        print(
            f"{band:4s}{reflectance:8.4f}" + "".join(f"{each - reflectance:+9.4f}" for each in ours)
        )


if __name__ == "__main__":
    main()
