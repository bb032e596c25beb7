"""Haze: path reflectance beyond that of clear air, from dark vegetation.

Dark vegetation reflects about half as much in red and a quarter as much in blue as at 2.2 um, where
haze hardly matters; what red and blue show beyond that is light from the path. Its excess over that
of clear air below a high sun, for which the thresholds of the classification are meant, is taken
off up to the near infrared by a power of the wavelength, lest haze and a low sun turn vegetation
into cloud.

Source: Kaufman and Sendra 1988, International Journal of Remote Sensing 9, 1357-1381 (dark
vegetation); Kaufman et al. 1997, Journal of Geophysical Research 102, 17051-17067 (ratios to
2.1 um).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.bands import BAND
from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.row_sample import sampled_rows, snow
from sen2cor.raster.array_types import BoolArray, Float32Array

RATIO_TO_SWIR = {"B02": 0.25, "B04": 0.5}
HAZY_BANDS = ("B02", "B03", "B04", "B05", "B8A")
_GREATEST_EXCESS = 0.1
_LOSS = 4.0
"""Share of the light from the ground that haze keeps, by its path reflectance: about twice as much
as it scatters toward the zenith is missing on either way, down and up."""

_RAYLEIGH = 4.0
_CLEAR_RED_PATH = 0.025
"""Path reflectance below a high sun with an optical thickness of 0.2 of the aerosol at 550 nm."""

_LEAST_PIXELS = 100
_PERCENTILE = 25


@dataclass(frozen=True)
class Haze:
    """What haze adds to the reflectance of each band, and what it leaves of the contrasts.

    Attributes
    ----------
    excess : mapping of band name to float
        Path reflectance beyond that of clear air, of `HAZY_BANDS`.
    """

    excess: Mapping[str, float]

    def cleared(self, reflectance: Reflectance) -> Reflectance:
        """Take off the path reflectance of haze, and make up for what it keeps from the ground.

        Parameters
        ----------
        reflectance : mapping of band name to ndarray of float32
            Left alone.

        Returns
        -------
        mapping of band name to ndarray of float32
        """
        cleared = dict(reflectance)
        for band, excess in self.excess.items():
            image = reflectance[band] - np.float32(_clear_path(band) + excess)
            image /= np.float32(1.0 - _LOSS * excess)
            image += np.float32(_clear_path(band))
            cleared[band] = image
        return cleared


def haze_of(read_reflectance: Callable[[slice], Reflectance], no_data: BoolArray) -> Haze | None:
    """Estimate the haze of an image from a sample of its rows.

    Parameters
    ----------
    read_reflectance : callable
        As of `sen2cor.classification.classify_rows`.
    no_data : ndarray of bool, shape (rows, cols)

    Returns
    -------
    Haze or None
        None in clear air, where there is too little vegetation to tell, and where there is more
        snow, which shines through vegetation.
    """
    found: dict[str, list[Float32Array]] = {band: [] for band in RATIO_TO_SWIR}
    white = 0
    for line, data in sampled_rows(read_reflectance, no_data):
        white += np.count_nonzero(snow(line) & data)
        dark = _dark_vegetation(line) & data
        for band, share in RATIO_TO_SWIR.items():
            found[band].append((line[band] - np.float32(share) * line["B12"])[dark])
    if sum(values.size for values in found["B04"]) < max(_LEAST_PIXELS, white):
        return None
    excess = {
        band: float(np.percentile(np.concatenate(values), _PERCENTILE)) - _clear_path(band)
        for band, values in found.items()
    }
    if excess["B04"] <= 0:
        return None
    blue, red = (BAND[band].wavelength for band in RATIO_TO_SWIR)
    steepness = math.log(max(excess["B02"] / excess["B04"], 1.0)) / math.log(red / blue)
    exponent = min(steepness, _RAYLEIGH)
    strength = min(excess["B04"], _GREATEST_EXCESS)
    return Haze({band: strength * (red / BAND[band].wavelength) ** exponent for band in HAZY_BANDS})


def _clear_path(band: str) -> float:
    relative = BAND["B04"].wavelength / BAND[band].wavelength
    return _CLEAR_RED_PATH * float(relative**_RAYLEIGH)


def _dark_vegetation(reflectance: Reflectance) -> BoolArray:
    """Vegetation by its infrared and its red edge.

    Snow is too dark at 1.6 um, and water everywhere; what the sky alone lights has no red edge.
    """
    nir, near_swir, swir = (reflectance[band] for band in ("B8A", "B11", "B12"))
    dark = (swir > np.float32(0.01)) & (swir < np.float32(0.12)) & (nir > np.float32(0.1))
    dark &= nir - swir > np.float32(0.4) * (nir + swir)
    dark &= nir > reflectance["B05"]
    dark &= (near_swir > np.float32(0.3) * nir) & (near_swir < nir)
    return dark
