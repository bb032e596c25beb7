"""Spectral response functions of the bands, as published by ESA.

Source: ESA, Sentinel-2 Spectral Response Functions, COPE-GSEG-EOPG-TN-15-0007, issue 4.0 (2024),
mean over the detectors of each spacecraft.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float64Array

RESPONSE_SOURCE = "ESA COPE-GSEG-EOPG-TN-15-0007 issue 4.0"
SPACECRAFT = ("S2A", "S2B", "S2C")
_FOLDER = Path(__file__).parent / "data"


@cache
def _load(spacecraft: str) -> tuple[Float64Array, dict[str, Float64Array]]:
    """Read the table of a spacecraft: wavelengths in nm, and the responses by band."""
    path = _FOLDER / f"spectral_response_{spacecraft.lower()}.csv"
    try:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        columns = np.loadtxt(lines[1:], delimiter=",", unpack=True)
    except (OSError, ValueError, IndexError) as error:
        raise AuxiliaryDataError(
            f"cannot read the spectral responses in {path}: {error}"
        ) from error
    names = lines[0].split(",")[1:]
    return columns[0], dict(zip(names, columns[1:], strict=True))


def spectral_response(spacecraft: str, band: str) -> tuple[Float64Array, Float64Array]:
    """Relative spectral response of a band.

    Parameters
    ----------
    spacecraft : str
        ``S2A``, ``S2B`` or ``S2C``.
    band : str
        ``B01`` .. ``B12``, ``B8A``.

    Returns
    -------
    wavelength : ndarray of float64, shape (n,)
        In nm, in steps of 1 nm over the band's support.
    response : ndarray of float64, shape (n,)
        Relative to the maximum of the band; 0 in gaps of the support.

    Raises
    ------
    AuxiliaryDataError
        There is no table for the spacecraft, or no such band in it.

    Notes
    -----
    Source: ESA, COPE-GSEG-EOPG-TN-15-0007, issue 4.0 (2024).
    """
    if spacecraft not in SPACECRAFT:
        raise AuxiliaryDataError(
            f"no spectral responses for spacecraft {spacecraft!r}, only for {', '.join(SPACECRAFT)}"
        )
    wavelengths, responses = _load(spacecraft)
    if band not in responses:
        raise AuxiliaryDataError(f"the spectral responses of {spacecraft} have no band {band!r}")
    support = responses[band] > 0
    first, last = wavelengths[support][[0, -1]]
    wavelength = np.arange(first, last + 1.0)
    response = np.zeros_like(wavelength)
    response[np.rint(wavelengths[support] - first).astype(int)] = responses[band][support]
    return wavelength, response
