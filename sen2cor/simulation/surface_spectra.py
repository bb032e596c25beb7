"""Spectra of the surfaces of the scenes, and the command that tabulates them.

Measured spectra come from a library derived from ECOSTRESS (Meerdink et al. 2019, Remote Sensing of
Environment 230, 111196; as distributed with isofit, Apache-2.0); whole canopies from PROSAIL
(Jacquemoud et al. 2009, Remote Sensing of Environment 113, S56), since library spectra of
vegetation are those of leaves; water from the model of Gordon et al. (1988, Journal of Geophysical
Research 93, 10909).

``python -m sen2cor.simulation.surface_spectra LIBRARY`` writes the table into the package. It needs
the extra ``simulation``.
"""

from __future__ import annotations

import argparse
import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND_NAMES
from sen2cor.optional_packages import require
from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.spectral_responses import spectral_response

TABLE = Path(__file__).with_name("data") / "surfaces.json"

WAVELENGTHS = np.arange(400.0, 2451.0, 10.0)

LIBRARY_COLUMNS = {
    "tree_crowns_light": ("vegetation_13", 0.75),
    "dry_grass": ("mixture_05", 0.9),
    "straw": ("mixture_10", 0.95),
    "shrubs_on_soil": ("mixture_03", 0.8),
    "litter": ("mixture_09", 1.0),
    "soil_dark": ("soil_rock_04", 0.75),
    "soil_brown": ("soil_rock_13", 0.75),
    "soil_light": ("soil_rock_08", 0.85),
    "sand": ("soil_rock_11", 1.0),
    "sand_bright": ("soil_rock_10", 1.0),
    "gravel": ("soil_rock_12", 0.9),
    "rock_dark": ("soil_rock_04", 0.55),
    "rock_light": ("soil_rock_14", 0.8),
    "playa": ("soil_rock_05", 0.95),
    "asphalt": ("built_mineral_06", 1.0),
    "concrete": ("built_mineral_02", 0.95),
    "roof_tiles": ("soil_rock_09", 0.7),
    "roof_bright": ("built_mineral_05", 1.1),
    "roof_dark": ("built_mineral_04", 0.6),
    "snow_fresh": ("snow_04", 0.94),
    "snow_fine": ("snow_01", 0.93),
    "snow_old": ("snow_02", 1.05),
    "ice": ("ice_cloudlike_01", 0.8),
    "snow_coarse": ("snow_06", 0.95),
    "char": ("soil_rock_01", 1.2),
    "salt": ("soil_rock_06", 0.95),
    "dune": ("soil_rock_02", 1.0),
    "roof_membrane": ("built_mineral_03", 0.95),
    "roof_metal": ("built_mineral_07", 0.8),
    "water_silty": ("turbid_water_02", 0.7),
}
"""Column of the library, and a factor for the roughness and shadows of a real surface."""

CANOPY_PARAMETERS = {
    "forest_broadleaf": {"n": 1.45, "cab": 14.3, "car": 11.4, "cbrown": 0.31, "cw": 0.017,
                         "cm": 0.008, "lai": 4.65, "lidfa": 59.3, "soil": 0.24},
    "forest_mixed": {"n": 1.93, "cab": 17.3, "car": 13.1, "cbrown": 0.19, "cw": 0.017,
                     "cm": 0.011, "lai": 4.58, "lidfa": 70.3, "soil": 0.37},
    "forest_conifer": {"n": 1.35, "cab": 13.9, "car": 11.3, "cbrown": 0.61, "cw": 0.019,
                       "cm": 0.013, "lai": 4.8, "lidfa": 74.5, "soil": 0.9},
    "crop_dense": {"n": 1.5, "cab": 24.0, "car": 10.0, "cbrown": 0.10, "cw": 0.022,
                   "cm": 0.005, "lai": 4.0, "lidfa": 52.0, "soil": 0.9},
    "crop_row": {"n": 1.5, "cab": 32.0, "car": 9.0, "cbrown": 0.05, "cw": 0.018,
                 "cm": 0.005, "lai": 2.2, "lidfa": 57.0, "soil": 1.0},
    "crop_ripening": {"n": 1.6, "cab": 9.0, "car": 6.0, "cbrown": 0.6, "cw": 0.006,
                      "cm": 0.006, "lai": 3.0, "lidfa": 60.0, "soil": 1.0},
    "grass": {"n": 1.5, "cab": 26.0, "car": 8.0, "cbrown": 0.15, "cw": 0.014,
              "cm": 0.005, "lai": 2.8, "lidfa": 62.0, "soil": 0.9},
}  # fmt: skip
"""Parameters of PROSPECT-D and 4SAIL; soil: factor on the litter spectrum below the canopy."""


@lru_cache(maxsize=1)
def spectra() -> tuple[Float32Array, dict[str, Float32Array]]:
    """Read the table of spectra.

    Returns
    -------
    wavelengths : ndarray of float32, shape (n,)
        Nanometres.
    reflectance : dict of surface name to ndarray of float32, shape (n,)
    """
    table = json.loads(TABLE.read_text())
    reflectance = {
        name: np.array(values, np.float32) for name, values in table["reflectance"].items()
    }
    return np.array(table["wavelength_nm"], np.float32), reflectance


@lru_cache(maxsize=8)
def band_reflectance(spacecraft: str) -> dict[str, dict[str, float]]:
    """Average the spectra over the bands' spectral responses.

    Parameters
    ----------
    spacecraft : str
        ``"S2A"``, ``"S2B"`` or ``"S2C"``.

    Returns
    -------
    dict of surface name to dict of band name to reflectance
    """
    wavelengths, reflectance = spectra()
    averaged: dict[str, dict[str, float]] = {name: {} for name in reflectance}
    for band in BAND_NAMES:
        at, response = spectral_response(spacecraft, band)
        for name, values in reflectance.items():
            averaged[name][band] = float(
                np.average(np.interp(at, wavelengths, values), weights=response)
            )
    return averaged


def canopy(parameters: dict[str, float], litter: Float64Array) -> Float64Array:
    """Run PROSAIL for one canopy: bidirectional reflectance, nadir view, sun at 35 degrees.

    Parameters
    ----------
    parameters : dict
        As in `CANOPY_PARAMETERS`.
    litter : ndarray, shape (2101,)
        Reflectance below the canopy at 400..2500 nm.

    Returns
    -------
    ndarray, shape (2101,)
    """
    require("simulation", "PROSAIL canopies")
    import prosail

    leaf = [parameters[key] for key in ("n", "cab", "car", "cbrown", "cw", "cm")]
    return np.asarray(
        prosail.run_prosail(
            *leaf, parameters["lai"], parameters["lidfa"], 0.1, 35.0, 0.0, 90.0, ant=0.0,
            prospect_version="D", typelidf=2, rsoil0=parameters["soil"] * litter,
        )
    )  # fmt: skip


def water(chlorophyll: float, sediment: float, dissolved: float) -> Float64Array:
    """Reflectance of deep water: pi times the remote-sensing reflectance above the surface.

    Parameters
    ----------
    chlorophyll : float
        mg m-3.
    sediment : float
        Backscattering of mineral particles at 550 nm, m-1.
    dissolved : float
        Absorption of dissolved matter at 440 nm, m-1.

    Returns
    -------
    ndarray, shape as `WAVELENGTHS`

    Notes
    -----
    Absorption of water: Pope & Fry (1997) below 700 nm, Kou et al. (1993) above, at nodes.
    """
    nodes = np.array([400, 440, 490, 530, 560, 600, 640, 670, 700, 720, 740, 780, 820, 860, 900,
                      950, 1000, 1100, 1250, 1400, 1600, 1900, 2200, 2450.0])  # fmt: skip
    absorption = np.array([0.0066, 0.0064, 0.015, 0.043, 0.062, 0.222, 0.311, 0.439, 0.624, 1.23,
                           2.47, 2.36, 2.8, 4.6, 6.8, 39, 37, 18, 100, 1300, 650, 12000, 2000,
                           8000.0])  # fmt: skip
    total = np.exp(np.interp(WAVELENGTHS, nodes, np.log(absorption)))
    total += dissolved * np.exp(-0.014 * (WAVELENGTHS - 440.0))
    pigment = np.exp(-(((WAVELENGTHS - 440.0) / 45.0) ** 2))
    pigment += 0.5 * np.exp(-(((WAVELENGTHS - 675.0) / 12.0) ** 2))
    total += 0.04 * chlorophyll**0.65 * pigment
    back = 0.0011 * (WAVELENGTHS / 500.0) ** -4.3 + 0.005 * chlorophyll**0.62 * 0.3
    back += sediment * (WAVELENGTHS / 550.0) ** -0.7
    fraction = back / (total + back)
    return np.asarray(np.pi * 0.54 * fraction * (0.0949 + 0.0794 * fraction))


def tabulate(library: Path) -> dict[str, list[float]]:
    """Compute all spectra of the table, rounded to 1e-4."""
    columns = np.genfromtxt(library, delimiter=",", names=True)

    def measured(name: str, at: Float64Array) -> Float64Array:
        return np.interp(at, columns["wavelength_nm"], columns[name])

    litter = measured("mixture_09", np.arange(400.0, 2501.0))
    spectra = {
        name: f * measured(column, WAVELENGTHS) for name, (column, f) in LIBRARY_COLUMNS.items()
    }
    for name, parameters in CANOPY_PARAMETERS.items():
        spectra[name] = canopy(parameters, litter)[:2051:10]
    spectra["water_clear"] = water(1.0, 0.002, 0.08)
    spectra["water_lake"] = water(8.0, 0.01, 0.4)
    spectra["water_turbid"] = water(10.0, 0.25, 0.8)
    return {name: [round(float(value), 4) for value in s] for name, s in spectra.items()}


def main() -> None:
    """Write the table into the data of the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path, help="surface_reflectance_10nm.csv")
    parser.add_argument("--output", type=Path, default=TABLE)
    arguments = parser.parse_args()
    table = {
        "source": " ".join((__doc__ or "").split("\n\n")[1].split()),
        "canopies": CANOPY_PARAMETERS,
        "library": LIBRARY_COLUMNS,
        "wavelength_nm": [float(value) for value in WAVELENGTHS],
        "reflectance": tabulate(arguments.library),
    }
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(table, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
