"""Small ``.atm`` files of a made-up atmosphere, in the layout of the original's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sen2cor.atmosphere.look_up_tables.atm_files import (
    AEROSOL,
    AZIMUTH,
    BANDS,
    ELEVATION,
    SOLAR_ZENITH,
    VISIBILITY,
    WATER_FRACTION,
    WATER_VAPOUR,
)
from sen2cor.bands import BAND


def irradiance(band: str) -> float:
    """W m-2 um-1 of the made-up sun; that of B09 cannot be told from a file."""
    return 813.04 if band == "B09" else 1900.0 - 120.0 * BAND[band].index


def cells(band: str, water: float, season: str, sun: float = 1.0) -> np.ndarray:
    """Cells of a band, shape (visibility, solar zenith, elevation, 17), under a sun of a factor."""
    wavelength = BAND[band].wavelength
    visibility = VISIBILITY[:, None, None].astype(float)
    cosine = np.cos(np.radians(SOLAR_ZENITH.astype(float)))[:, None]
    molecules = 0.0088 * wavelength**-4.1 * np.exp(-ELEVATION.astype(float) / 8.0)
    aerosol = 4.0 / visibility * (wavelength / 0.55) ** -1.2
    root = np.sqrt(water * WATER_FRACTION[season].astype(float))
    thickness = molecules + aerosol + 0.01 * root
    scattered = 0.7 * (1.0 - np.exp(-(molecules + aerosol)))
    direct, diffuse = np.exp(-thickness), scattered * np.exp(-0.01 * root)
    flux = sun * irradiance(band) / 10.0
    path = (0.1 * molecules + 0.05 * aerosol) / cosine * np.exp(-0.005 * root)
    result = np.empty((VISIBILITY.size, SOLAR_ZENITH.size, ELEVATION.size, 17))
    result[..., 0] = flux * cosine * path / np.pi
    result[..., 1] = flux * cosine * 0.7 * (1.0 - np.exp(-thickness / cosine)) * (direct + diffuse)
    result[..., 2] = flux * np.exp(-thickness / cosine) * (direct + diffuse)
    result[..., 3], result[..., 4] = direct, diffuse
    result[..., 5] = 0.15 * (molecules + aerosol) - 0.01 * root
    result[..., 6:10] = result[..., 1:5]
    # brighter towards the sun's own side
    around = 1.0 + 0.06 * np.cos(np.radians(AZIMUTH.astype(float)))
    result[..., 10:17] = result[..., :1] * around
    return result


def write_files(
    folder: Path,
    *,
    season: str = "WINTER",
    aerosol: str = "RURAL",
    letter: str = "w",
    sun: float = 1.0,
) -> Path:
    """Write all files of an atmosphere into ``20_60`` and ``10``."""
    for size, bands in BANDS.items():
        place = folder / size
        place.mkdir(parents=True, exist_ok=True)
        for water in WATER_VAPOUR[season].astype(float):
            table = np.empty((len(bands), VISIBILITY.size, SOLAR_ZENITH.size, 104), ">f4")
            table[..., 0], table[..., 1] = SOLAR_ZENITH, VISIBILITY[:, None]
            for row, band in zip(table, bands, strict=True):
                factor = 1.0 if band == "B09" else sun
                row[..., 2:] = cells(band, water, season, factor).reshape(*row.shape[:2], -1)
            name = f"{letter}99000_wv{round(10 * water):02d}_{AEROSOL[aerosol]}.atm"
            table.tofile(place / name)
    return folder
