"""Compare the look-up tables with a scalar discrete-ordinates solver.

``python -m tests.validation.lut_solver`` solves the radiative transfer for the aerosol of a table,
at ten states and in all bands, with PythonicDISORT (D. J. X. Ho, J. Open Source Software 9 (2024)
6442; ``make validate-lut-solver`` installs it separately). Optical thickness, single scattering
albedo and asymmetry are the same; molecules and aerosol have scale heights of 8 and 2 km as in 6SV.
The view is that of the outermost ordinate, so that nothing is interpolated.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
from PythonicDISORT import pydisort  # type: ignore[import-not-found]

from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from sen2cor.bands import BAND_NAMES
from sen2cor.radiative_transfer import sixs
from sen2cor.radiative_transfer.aerosol import MIXTURES, aerosol_optics, mie_file
from sen2cor.radiative_transfer.band_average import rayleigh_thickness
from sen2cor.spectral_responses import SPACECRAFT

from .lut_interpolation import WAVELENGTHS, Array, quadrature

STREAMS, FOURIER_TERMS, MOMENTS = 16, 8, 120
VIEW_COSINE = 0.5 * (1.0 + float(np.polynomial.legendre.leggauss(STREAMS // 2)[0][-1]))
VIEW_ZENITH = float(np.degrees(np.arccos(VIEW_COSINE)))
LEVELS = np.append(np.geomspace(30.0, 0.2, 23), 0.0)
"""Heights above the ground in km."""
MOLECULES_SCALE, AEROSOL_SCALE = 8.0, 2.0

DEPOLARISATION = 0.0279
"""Of 6SV; A. T. Young, Journal of Applied Meteorology 20 (1981) 328-330."""
_SKEWED = DEPOLARISATION / (2.0 - DEPOLARISATION)
MOLECULES_MOMENT = 0.1 * (1.0 - _SKEWED) / (1.0 + 2.0 * _SKEWED)
NEARLY_ONE = 1.0 - 1e-6
MAX_EXACT_WAVELENGTH = 0.86
"""um; beyond, the five decimals of 6SV are too few for the optical thickness of the molecules."""

# AOT550, elevation (km), solar zenith and relative azimuth (degrees)
STATES = (
    (0.05, 0.0, 20.0, 90.0),
    (0.08, 0.0, 45.0, 0.0),
    (0.12, 1.5, 35.0, 180.0),
    (0.20, 0.0, 30.0, 60.0),
    (0.20, 0.0, 60.0, 120.0),
    (0.30, 3.0, 50.0, 90.0),
    (0.40, 0.0, 40.0, 0.0),
    (0.60, 0.5, 65.0, 180.0),
    (0.80, 0.0, 25.0, 90.0),
    (1.20, 1.0, 55.0, 60.0),
)
QUANTITIES = ("path", "down", "up", "albedo")
POLARISED = ("B01", "B02", "B03")
LIMIT, POLARISED_LIMIT = 2.0, 6.0


@cache
def molecules(wavelength: float, elevation: float) -> float:
    """Optical thickness of the molecules above the ground, as in 6SV."""
    at = min(wavelength, MAX_EXACT_WAVELENGTH)
    state = sixs.State(at, 0.0, elevation, 0.0, 0.0, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        properties = Path(folder) / "unused.mie"
        properties.write_text(mie_file(aerosol_optics("rural")))
        exact = sixs.run(state, properties).rayleigh_thickness
    ratio = rayleigh_thickness(np.array(wavelength)) / rayleigh_thickness(np.array(at))
    return float(exact * ratio)


def solution(
    aerosol: str,
    wavelength: float,
    aot550: float,
    elevation: float,
    solar_zenith: float,
    relative_azimuth: float,
) -> Array:
    """Path reflectance, transmittances down and up, and spherical albedo at a wavelength (um)."""
    optics = aerosol_optics(aerosol, np.array([wavelength]))
    albedo, asymmetry = float(optics.albedo[0]), float(optics.asymmetry[0])
    of_molecules = molecules(wavelength, elevation) * np.exp(-LEVELS / MOLECULES_SCALE)
    of_aerosol = aot550 * optics.extinction[0] * np.exp(-LEVELS / AEROSOL_SCALE)
    air, haze = (np.diff(levels, prepend=0.0) for levels in (of_molecules, of_aerosol))
    scattered = air + haze * albedo
    of_air = np.zeros(MOMENTS)
    of_air[[0, 2]] = 1.0, MOLECULES_MOMENT
    of_haze = asymmetry ** np.arange(MOMENTS)
    moments = np.outer(air, of_air) + np.outer(haze * albedo, of_haze)
    moments = moments / scattered[:, np.newaxis]
    depth = np.cumsum(air + haze)
    medium = depth, np.minimum(scattered / (air + haze), NEARLY_ONE), STREAMS, moments
    scaling = {"NLeg": STREAMS, "f_arr": moments[:, STREAMS]}

    def transmittance(cosine: float) -> float:
        solved = pydisort(*medium, cosine, 1.0, 0.0, only_flux=True, **scaling)
        return float(sum(solved[2](depth[-1])) / cosine)

    sun = float(np.cos(np.radians(solar_zenith)))
    ordinates, *_, intensity = pydisort(
        *medium, sun, np.pi / sun, 0.0, NFourier=FOURIER_TERMS, NT_cor=True, **scaling
    )
    # azimuth 0 is the way the sunlight goes there, and backscatter here
    path = intensity(0.0, np.radians(180.0 - relative_azimuth))[np.argmax(ordinates)]
    from_below = pydisort(*medium, sun, 0.0, 0.0, b_pos=1.0 / np.pi, only_flux=True, **scaling)
    returned = from_below[2](depth[-1])[0]
    # reciprocity; the sun may not stand in an ordinate
    return np.array([path, transmittance(sun), transmittance(VIEW_COSINE - 1e-4), returned])


def tabulated(
    table: SixSLookUpTable,
    band: str,
    aot550: float,
    elevation: float,
    solar_zenith: float,
    relative_azimuth: float,
) -> Array:
    """Return the same four quantities from the table."""
    found = table.scattering(
        band,
        aot550=aot550,
        elevation=elevation,
        solar_zenith=solar_zenith,
        view_zenith=VIEW_ZENITH,
        relative_azimuth=relative_azimuth,
    )
    down = found.transmittance_down_direct + found.transmittance_down_diffuse
    up = found.transmittance_up_direct + found.transmittance_up_diffuse
    return np.array([found.path_reflectance, down, up, found.spherical_albedo], np.float64)


def differences(table: SixSLookUpTable, band: str) -> tuple[Array, Array]:
    """Table minus solver, relative in per cent and absolute, shape (states, quantities)."""
    wavelengths, weights = quadrature(table.spacecraft, band, WAVELENGTHS.get(band, 2))
    aerosol = table.aerosol.lower()
    relative, absolute = [], []
    for state in STATES:
        solved = weights @ np.array([solution(aerosol, float(at), *state) for at in wavelengths])
        own = tabulated(table, band, *state)
        relative.append(100.0 * (own / solved - 1.0))
        absolute.append(own - solved)
    return np.array(relative), np.array(absolute)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensor", choices=SPACECRAFT, default="S2A")
    parser.add_argument("--aerosol", choices=[name.upper() for name in MIXTURES], default="RURAL")
    options = parser.parse_args()

    start = time.monotonic()
    table = load_table(options.sensor, options.aerosol, "SUMMER")
    print(f"{table.name} minus discrete ordinates, {len(STATES)} states, %: mean, largest")
    print("(last: largest of path and of spherical albedo, in units of reflectance)")
    print("band " + "".join(f"{name:>16s}" for name in QUANTITIES))
    largest = {}
    for band in BAND_NAMES:
        relative, absolute = differences(table, band)
        largest[band] = dict(zip(QUANTITIES, np.abs(relative).max(0), strict=True))
        cells = [
            f"{mean:+9.2f}{size:7.2f}"
            for mean, size in zip(relative.mean(0), np.abs(relative).max(0), strict=True)
        ]
        size = np.abs(absolute).max(0)
        print(f"{band:5s}{''.join(cells)}{size[0]:10.5f}{size[-1]:9.5f}")
    print(f"{time.monotonic() - start:.0f} s\n")

    others = [band for band in BAND_NAMES if band not in POLARISED]
    targets = (
        ("transmittances", BAND_NAMES, ("down", "up"), LIMIT),
        ("path reflectance B04-B12", others, ("path",), LIMIT),
        ("path reflectance B01-B03", POLARISED, ("path",), POLARISED_LIMIT),
    )
    for name, bands, quantities, limit in targets:
        size, band = max((largest[band][each], band) for band in bands for each in quantities)
        verdict = "pass" if size <= limit else "FAIL"
        print(f"{verdict}: {name}: largest {size:.2f} % ({band}), {limit:g} % asked for")


if __name__ == "__main__":
    main()
