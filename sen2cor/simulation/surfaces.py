"""Reflectance of the surfaces of the scene maker in the bands of a spacecraft."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND_NAMES
from sen2cor.raster.array_types import Float32Array
from sen2cor.spectral_responses import spectral_response

TABLE = Path(__file__).with_name("data") / "surfaces.json"


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
