"""The sensor: noise, offset and quantisation of reflectance.

Signal-to-noise ratios at reference radiances: Sentinel-2 Mission Requirements Document
(EOP-SM/1163/MR-dr) and Drusch et al. (2012), Remote Sensing of Environment 120, 25, table 1.
Solar irradiance: metadata of Level-1C products of S2A and S2B; S2C: that of S2B times the ratio of
the means of the LOWTRAN7 solar spectrum over the responses of the two (which gives S2B from S2A
to 0.5 %, most bands 0.1 %).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.raster.array_types import Float32Array, UInt16Array

QUANTIFICATION = 10000

_NOISE = {
    "B01": (129.0, 129.0), "B02": (128.0, 154.0), "B03": (128.0, 168.0), "B04": (108.0, 142.0),
    "B05": (74.5, 117.0), "B06": (68.0, 89.0), "B07": (67.0, 105.0), "B08": (103.0, 174.0),
    "B8A": (52.5, 72.0), "B09": (9.0, 114.0), "B10": (6.0, 50.0), "B11": (4.0, 100.0),
    "B12": (1.5, 100.0),
}  # fmt: skip
"""Reference radiance (W m-2 sr-1 um-1) and signal-to-noise ratio there."""

SOLAR_IRRADIANCE: Mapping[str, tuple[float, ...]] = {
    "S2A": (1884.69, 1959.66, 1823.24, 1512.06, 1424.64, 1287.61, 1162.08, 1041.63, 955.32,
            812.92, 367.15, 245.59, 85.25),
    "S2B": (1874.30, 1959.77, 1824.93, 1512.79, 1425.78, 1291.13, 1175.57, 1041.28, 953.93,
            817.58, 365.41, 247.08, 87.75),
    "S2C": (1907.74, 1968.36, 1824.44, 1507.37, 1416.21, 1287.04, 1163.09, 1036.92, 957.24,
            807.86, 368.63, 246.47, 86.93),
}  # fmt: skip
"""W m-2 um-1 by bandId."""


def noise_level(
    band: str, reflectance: Float32Array, spacecraft: str, solar_zenith: float
) -> Float32Array:
    """Standard deviation of the noise, in reflectance.

    At the reference radiance, half of the variance is constant and half proportional to the
    signal (photon noise).

    Parameters
    ----------
    band : str
    reflectance : ndarray of float32
        At the top of the atmosphere.
    spacecraft : str
    solar_zenith : float
        Degrees.
    """
    radiance, ratio = _NOISE[band]
    irradiance = SOLAR_IRRADIANCE[spacecraft][BAND[band].index]
    reference = math.pi * radiance / (irradiance * math.cos(math.radians(solar_zenith)))
    relative = np.maximum(reflectance, 0.0) / np.float32(reference)
    level = np.float32(reference / ratio) * np.sqrt(np.float32(0.5) * (1.0 + relative))
    return np.asarray(level, np.float32)


def digital_numbers(reflectance: Float32Array, offset: int) -> UInt16Array:
    """Quantise to 1..65534, since 0 is no data and 65535 saturated.

    Parameters
    ----------
    reflectance : ndarray of float32
    offset : int
        RADIO_ADD_OFFSET: reflectance = (DN + offset) / 10000.
    """
    numbers = np.rint(reflectance * np.float32(QUANTIFICATION)) - np.float32(offset)
    return np.asarray(np.clip(numbers, 1, 65534), np.uint16)


def generator(seed: int, band: str) -> np.random.Generator:
    """Random number generator of one band of one scene."""
    return np.random.default_rng([seed, BAND_NAMES.index(band)])
