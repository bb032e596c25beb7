"""Interpolation error of the look-up tables, against direct runs of 6SV and LOWTRAN7.

``python -m tests.validation.lut_interpolation`` draws random states between the nodes, with a fixed
seed. It runs 6SV for these states at wavelengths across the bands, averages the signal over
surfaces of known reflectance for each band, and inverts it with the tables: the difference is the
error. One state in four has a slanted view, which takes ten times as long to run as a nadir view
(with sun and sensor exchanged, as in the runs of the tables). Finished runs stay in the work
folder. Gas transmittances are compared with LOWTRAN7 in the same way.

The error includes more than interpolation: the nadir runs of the tables exchange sun and sensor,
and 6SV is not quite reciprocal in thick haze under a low sun (0.009 of surface reflectance in B01
at AOT 2 and a zenith angle of 72 degrees, both of them nodes).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from sen2cor.bands import BAND_NAMES
from sen2cor.radiative_transfer import lowtran
from sen2cor.radiative_transfer.aerosol import AEROSOLS
from sen2cor.radiative_transfer.band_average import band_weights
from sen2cor.radiative_transfer.configuration import nadir_state
from sen2cor.radiative_transfer.gas_tables import spectral_weights
from sen2cor.radiative_transfer.scattering_runs import run_all
from sen2cor.radiative_transfer.sixs import Scattering, State
from sen2cor.spectral_responses import SPACECRAFT

Array = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
SEED = 20170719
SURFACES = np.array([0.0, 0.1, 0.3, 0.6])
SLANTED_EVERY = 4
BANDS = tuple(band for band in BAND_NAMES if band not in ("B09", "B10"))
WAVELENGTHS = dict.fromkeys(BANDS, 2) | {"B02": 5, "B08": 3, "B12": 3}
"""Points of the quadrature in each band; two are exact for a cubic over a narrow band."""

HIGHEST, HIGHEST_OF_COARSE = {"RURAL": 4.5, "MARITIME": 4.5}, 4.0
"""Elevations in km up to which states are drawn."""

MAX_ERROR, MIN_PERCENT = 0.002, 95.0
COLUMNS = ("median", "95 %", "largest")
GAS_PARTS = ("all gases", "water vapour", "ozone, plane-parallel")


@dataclass(frozen=True)
class Sample:
    """States of the atmosphere and the geometry, arrays of shape (n,), in the units of `State`."""

    aot550: Array
    elevation: Array
    solar_zenith: Array
    view_zenith: Array
    relative_azimuth: Array

    @classmethod
    def random(cls, rng: np.random.Generator, count: int, highest: float) -> Sample:
        """Draw states, two thirds with an AOT below 0.8; a small sample starts a larger one."""
        fractions = rng.random((count, 5))
        fractions[:, 0] **= 2
        fractions[np.arange(count) % SLANTED_EVERY != 0, 3] = 0.0
        return cls(*np.round(fractions * (2.0, highest, 75.0, 12.0, 180.0), 3).T)

    def states(self, wavelength: float) -> list[State]:
        return [
            State(wavelength, *map(float, row)) for row in zip(*vars(self).values(), strict=True)
        ]

    def runs(self, wavelength: float) -> list[State]:
        """Return the states of the 6SV runs."""
        return [
            state
            if state.view_zenith > 0.0
            else nadir_state(wavelength, state.elevation, state.aot550, state.solar_zenith)
            for state in self.states(wavelength)
        ]


def quadrature(spacecraft: str, band: str, count: int) -> tuple[Array, Array]:
    """Wavelengths (um) and weights of the Gaussian quadrature for the weights of a band.

    From the recurrence of the polynomials that are orthogonal under them (Golub and Welsch, 1969).
    """
    wavelength, weights = band_weights(spacecraft, band)
    weights = weights / weights.sum()
    diagonal, beside = np.zeros(count), np.zeros(count)
    previous, current = np.zeros_like(weights), np.ones_like(weights)
    for order in range(count):
        diagonal[order] = (weights * wavelength * current**2).sum()
        following = (wavelength - diagonal[order]) * current - beside[order - 1] * previous
        beside[order] = np.sqrt((weights * following**2).sum())
        previous, current = current, following / beside[order]
    recurrence = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    nodes, vectors = np.linalg.eigh(recurrence)
    return np.round(nodes * 1e-3, 6), vectors[0] ** 2


def signal(runs: list[Scattering]) -> Array:
    """Reflectance at the top of the atmosphere, shape (states, surfaces)."""
    path, down, up, albedo = (
        np.array([getattr(run, name) for run in runs])[:, np.newaxis]
        for name in (
            "path_reflectance", "transmittance_down", "transmittance_up", "spherical_albedo",
        )
    )  # fmt: skip
    return np.asarray(path + down * up * SURFACES / (1.0 - albedo * SURFACES))


def inverted(table: SixSLookUpTable, band: str, sample: Sample, measured: Array) -> Array:
    """Surface reflectance from the look-up table, shape (states, surfaces)."""
    found = table.scattering(band, **vars(sample))
    down = found.transmittance_down_direct + found.transmittance_down_diffuse
    up = found.transmittance_up_direct + found.transmittance_up_diffuse
    ground = (measured - found.path_reflectance[:, np.newaxis]) / (down * up)[:, np.newaxis]
    return np.asarray(ground / (1.0 + found.spherical_albedo[:, np.newaxis] * ground))


def scattering_errors(
    table: SixSLookUpTable, sample: Sample, work: Path, processes: int
) -> dict[str, Array]:
    """Error of surface reflectance by band, shape (states, surfaces)."""
    plan = {}
    for band in BANDS:
        wavelengths, weights = quadrature(table.spacecraft, band, WAVELENGTHS[band])
        plan[band] = weights, [sample.runs(float(at)) for at in wavelengths]
    # state by state, so that a start that was interrupted has done all of the first ones
    states = [
        state
        for same in zip(*(group for _, groups in plan.values() for group in groups), strict=True)
        for state in same
    ]
    runs: Mapping[State, Scattering] = run_all(states, table.aerosol.lower(), work, processes)
    print(f"runs of 6SV: {len(states)}")
    errors = {}
    for band, (weights, groups) in plan.items():
        spectrum = np.stack([signal([runs[state] for state in group]) for group in groups])
        measured = np.tensordot(weights, spectrum, 1)
        errors[band] = inverted(table, band, sample, measured) - SURFACES
    return errors


def gas_errors(table: SixSLookUpTable, count: int) -> dict[str, dict[str, Array]]:
    """Error of the two-way transmittance by band: of all gases, and of parts of them.

    Water vapour is near the ground: its path follows the air mass. Ozone is high up, where the
    curvature of the earth shortens a slanted path: LOWTRAN7 is run for the way down and the way up,
    and once more for the plane-parallel amount, as in the tables.
    """
    rng = np.random.default_rng(SEED + 2)
    season, weights = table.season.lower(), spectral_weights(table.spacecraft)
    errors: dict[str, dict[str, list[float]]] = {
        band: {name: [] for name in GAS_PARTS} for band in BAND_NAMES
    }
    constant = dict.fromkeys(lowtran.CONSTANT_GASES, 1.0)
    for _ in range(count):
        elevation = rng.uniform(0.0, 4.5)
        # the air above high ground holds less water, with a scale height of about 2 km
        water = rng.uniform(0.2, max(0.5, 6.5 * np.exp(-elevation / 2.0)))
        ozone = rng.uniform(150.0, 480.0)
        zenith = np.radians([rng.uniform(0.0, 75.0), rng.uniform(0.0, 12.0)])
        down, up = map(float, 1.0 / np.cos(zenith))

        run = partial(lowtran.gas_transmittance, season, elevation=elevation)
        amount = ozone / lowtran.ozone_column(season, elevation)
        of_water = {"water": water / lowtran.water_column(season, elevation)}
        of_ozone = {"ozone": amount}
        curved = run(of_ozone, air_mass=down) * run(of_ozone, air_mass=up)
        direct = {
            "all gases": run(of_water | constant, air_mass=down + up) * curved,
            "water vapour": run(of_water, air_mass=down + up),
            "ozone, plane-parallel": run({"ozone": amount * (down + up)}),
        }
        for row, band in enumerate(BAND_NAMES):
            own = table.gas(
                band, water_vapour=water, ozone=ozone, elevation=elevation, air_mass=down + up
            )
            found = (own.ozone * own.other * own.water, own.water, own.ozone)
            for (name, spectrum), value in zip(direct.items(), found, strict=True):
                errors[band][name].append(float(value) - float(weights[row] @ spectrum))
    return {
        band: {name: np.array(values) for name, values in parts.items()}
        for band, parts in errors.items()
    }


def summary(errors: Array) -> str:
    """Median, 95th percentile and largest of the absolute errors."""
    size = np.abs(errors)
    return "".join(f"{x:11.5f}" for x in (np.median(size), np.percentile(size, 95.0), size.max()))


def within(errors: Array) -> float:
    """Percentage of the errors within the limit."""
    return 100.0 * float(np.mean(np.abs(errors) <= MAX_ERROR))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensor", choices=SPACECRAFT, default="S2A")
    parser.add_argument("--aerosol", choices=[name.upper() for name in AEROSOLS], default="RURAL")
    parser.add_argument("--season", choices=("SUMMER", "WINTER"), default="SUMMER")
    parser.add_argument("--states", type=int, default=220, help="random states of scattering")
    parser.add_argument("--gas-states", type=int, default=60, help="random states of gases")
    parser.add_argument("--worst", type=int, default=3, help="states to list with their error")
    parser.add_argument("--work", type=Path, default=ROOT / "benchmark-work" / "lut_interpolation")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()

    table = load_table(options.sensor, options.aerosol, options.season)
    highest = HIGHEST.get(options.aerosol, HIGHEST_OF_COARSE)
    sample = Sample.random(np.random.default_rng(SEED), options.states, highest)
    start = time.monotonic()
    errors = scattering_errors(table, sample, options.work, options.processes)
    print(f"{table.name}: {options.states} random states;")
    print("error of surface reflectance 0, 0.1, 0.3, 0.6")
    heading = "".join(f"{name:>11s}" for name in COLUMNS)
    print(f"{'band':5s}{heading}{'<= 0.002':>10s}")
    for band, error in errors.items():
        print(f"{band:5s}{summary(error)}{within(error):9.1f}%")
    worst = sorted(
        (float(np.abs(row).max()), band, state)
        for band, error in errors.items()
        for row, state in zip(error, sample.states(0.0), strict=True)
    )[::-1]
    for size, band, state in worst[: options.worst]:
        named = ", ".join(f"{name} {value:g}" for name, value in list(state._asdict().items())[1:])
        print(f"  {size:.4f} in {band} at {named}")
    print(f"{time.monotonic() - start:.0f} s\n")

    start = time.monotonic()
    print(f"two-way transmittance of the gases, {options.gas_states} random states")
    print(f"{'':5s}{''.join(f'{name:>33s}' for name in GAS_PARTS)}")
    print(f"{'band':5s}{heading * len(GAS_PARTS)}")
    for band, parts in gas_errors(table, options.gas_states).items():
        print(f"{band:5s}{''.join(summary(values) for values in parts.values())}")
    print(f"{time.monotonic() - start:.0f} s\n")

    percent = within(np.concatenate([error.ravel() for error in errors.values()]))
    verdict = "pass" if percent >= MIN_PERCENT else "FAIL"
    print(f"{verdict}: {percent:.1f} % within {MAX_ERROR} ({MIN_PERCENT:g} % required)")


if __name__ == "__main__":
    main()
