"""Water vapour from the absorption at 945 nm: the differential absorption ratio of B09 and B8A.

D. Schlaepfer et al., Remote Sens. Environ. 65 (1998) 353-366 (APDA); A. Makarau et al., IEEE GRSL
14 (2017) 227-231 (Sentinel-2). With one window band the surface is taken as equally bright in
both. The ratio of the two bands, path reflectance removed, is compared with the ratio of the
table's transmittances over the slant column; that ratio falls monotonically, so it is inverted
by the table itself instead of a fitted exponential. Liquid water in leaves, which makes B09 darker
than B8A over vegetation, is not accounted for: two bands cannot tell it from vapour, and B09 lies
before the liquid's absorption at 970 nm.
"""

from __future__ import annotations

import logging

import numpy as np
from scipy.ndimage import uniform_filter

from sen2cor.atmosphere.atmospheric_terms import ScatteringTerms, WaterCurve
from sen2cor.raster.array_types import BoolArray, Float32Array

MEASUREMENT_BAND = "B09"
WINDOW_BAND = "B8A"
_ITERATIONS = 4
_LEAST_SIGNAL = np.float32(0.005)
_LARGEST = 8.0
"""Column in cm that no clear sky holds."""

_LAST_RESORT = 1.0

logger = logging.getLogger(__name__)


def retrieve_water_vapour(
    measurement: Float32Array,
    window: Float32Array,
    *,
    scattering: tuple[ScatteringTerms, ScatteringTerms],
    water: tuple[WaterCurve, WaterCurve],
    start: float,
) -> Float32Array:
    """Retrieve the column per pixel.

    Parameters
    ----------
    measurement, window : ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of B09 and B8A.
    scattering : pair of ScatteringTerms
        Of B09 and B8A, on the same grid.
    water : pair of WaterCurve
        Of B09 and B8A.
    start : float
        First guess of the column in cm.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Column above the ground in cm, between 0 and the end of the table; NaN where the window
        band carries no signal from the ground.
    """
    first, second = scattering
    root, log_ratio = _log_ratio(*water)
    column = np.full(measurement.shape, start, np.float32)
    absorption = np.zeros_like(column)
    visible = np.zeros(column.shape, bool)
    for _ in range(_ITERATIONS):
        absorbed, signal = (
            _ground_signal(toa, functions, curve, column)
            for toa, functions, curve in zip((measurement, window), scattering, water, strict=True)
        )
        visible = signal > _LEAST_SIGNAL
        surface = signal / (1.0 + second.spherical_albedo * signal)
        absorbed *= 1.0 - first.spherical_albedo * surface
        np.divide(absorbed, surface, out=absorption, where=visible)
        np.clip(absorption, 1e-6, None, out=absorption)
        # the ratio falls with the column: np.interp wants rising abscissae
        slant_root = np.interp(-np.log(absorption), -log_ratio, root)
        slant = slant_root**2 / water[0].scale
        column = (slant / (0.5 * (first.air_mass + second.air_mass))).astype(np.float32)
    column[~visible] = np.nan
    return column


def fill_water_vapour(
    column: Float32Array,
    clear_land: BoolArray,
    water: BoolArray,
    *,
    over_water: int,
    window: int,
    fallback: float,
) -> Float32Array:
    """Fill what cannot be retrieved, and smooth.

    Parameters
    ----------
    column : ndarray of float32, shape (rows, cols)
        As retrieved, in cm; NaN where there is nothing.
    clear_land : ndarray of bool, same shape
        Pixels whose retrieval is trusted.
    water : ndarray of bool, same shape
        Water pixels.
    over_water : int
        0: as retrieved, 1: mean of the clear land, 2: mean of the clear land in the same line.
    window : int
        Width of the smoothing box in pixels; 1 and less is none.
    fallback : float
        Column in cm where no clear land is in the scene.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Without gaps. Where half of the clear land seems without water vapour, or under more than
        any sky holds, 1 cm everywhere, with a WARNING.
    """
    found = column[clear_land & np.isfinite(column)]
    if found.size and not 0.0 < (middle := float(np.median(found))) < _LARGEST:
        logger.warning(
            "water vapour of %.2f cm over the clear land cannot be: %.2f cm are taken everywhere",
            middle, _LAST_RESORT,
        )  # fmt: skip
        return np.full_like(column, _LAST_RESORT)
    trusted = clear_land & (column < _LARGEST)
    mean = np.float32(column[trusted].mean(dtype=np.float64) if trusted.any() else fallback)
    kept = trusted | (water & np.isfinite(column) if over_water == 0 else False)
    filled = np.where(kept, column, mean)
    if over_water == 2:
        number = trusted.sum(axis=1)
        total = np.where(trusted, column, np.float32(0.0)).sum(axis=1)
        line = np.divide(total, number, out=np.full(len(number), mean), where=number > 0)
        filled = np.where(water, line[:, np.newaxis], filled)
    if window > 1:
        filled = uniform_filter(filled, window, mode="nearest")
    return filled.astype(np.float32)


def _ground_signal(
    toa: Float32Array, functions: ScatteringTerms, water: WaterCurve, column: Float32Array
) -> Float32Array:
    """Reflectance from the ground, absorbed by water vapour, other transmittances removed."""
    half = water.transmittance(np.float32(0.5) * column * functions.air_mass)
    path = functions.rayleigh + functions.aerosol * half
    result: Float32Array = (toa / functions.gas - path) / functions.transmittance
    return result


def _log_ratio(measurement: WaterCurve, window: WaterCurve) -> tuple[Float32Array, Float32Array]:
    """Root of the slant column and the falling logarithm of the transmittance ratio."""
    ratio = np.log(np.maximum(measurement.value, 1e-9) / window.value)
    falling = np.minimum.accumulate(ratio)
    keep = np.concatenate([[True], np.diff(falling) < 0])
    return measurement.root_slant[keep], falling[keep]
