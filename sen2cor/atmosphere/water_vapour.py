"""Water vapour from the absorption at 945 nm: the differential absorption ratio of B09 and B8A.

APDA: D. Schlaepfer et al., Remote Sens. Environ. 65 (1998) 353-366; for Sentinel-2: A. Makarau et
al., IEEE GRSL 14 (2017) 227-231. With one window band, the surface reflectance is assumed equal in
both bands. The ratio of the two bands without path reflectance is compared with the ratio of the
tabulated transmittances over the slant column. The tabulated ratio decreases monotonically and is
inverted directly, without fitting an exponential. Absorption by liquid water in leaves, which
darkens B09 relative to B8A over vegetation, is neglected: two bands cannot separate it from vapour,
and B09 lies below the liquid absorption band at 970 nm.
"""

from __future__ import annotations

import logging

import numpy as np
from scipy.ndimage import uniform_filter

from sen2cor.atmosphere.atmospheric_terms import WaterVapourCurve
from sen2cor.atmosphere.radiative_equation import ScatteringTerms, uniform_surface_reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array

MEASUREMENT_BAND = "B09"
WINDOW_BAND = "B8A"
_ITERATIONS = 4
_MIN_SIGNAL = np.float32(0.005)
"""Minimum surface signal in the window band."""

_MAX_COLUMN = 8.0
"""Column in cm that no clear atmosphere exceeds."""

_FALLBACK_COLUMN = 1.0
"""Column in cm that replaces an implausible retrieval."""

logger = logging.getLogger(__name__)


def retrieve_water_vapour(
    measurement: Float32Array,
    window: Float32Array,
    *,
    scattering: tuple[ScatteringTerms, ScatteringTerms],
    water: tuple[WaterVapourCurve, WaterVapourCurve],
    start: float,
) -> Float32Array:
    """Retrieve the water vapour column of each pixel.

    Parameters
    ----------
    measurement, window : ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of B09 and B8A.
    scattering : pair of ScatteringTerms
        Of B09 and B8A, on the same grid.
    water : pair of WaterVapourCurve
        Of B09 and B8A.
    start : float
        First guess of the column in cm.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Column above the surface in cm, between 0 and the end of the table; NaN where the window
        band has too little signal from the surface.
    """
    first, second = scattering
    root, log_ratio = _log_ratio(*water)
    column = np.full(measurement.shape, start, np.float32)
    absorption = np.zeros_like(column)
    visible = np.zeros(column.shape, bool)
    for _ in range(_ITERATIONS):
        absorbed, signal = (
            _surface_signal(toa, terms, curve, column)
            for toa, terms, curve in zip((measurement, window), scattering, water, strict=True)
        )
        visible = signal > _MIN_SIGNAL
        surface = uniform_surface_reflectance(signal, second.spherical_albedo)
        absorbed *= 1.0 - first.spherical_albedo * surface
        np.divide(absorbed, surface, out=absorption, where=visible)
        np.clip(absorption, 1e-6, None, out=absorption)
        # the ratio decreases with the column, np.interp needs increasing abscissae
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
    """Fill the gaps of the retrieved map and smooth it.

    Parameters
    ----------
    column : ndarray of float32, shape (rows, cols)
        As retrieved, in cm; NaN where nothing was retrieved.
    clear_land : ndarray of bool, same shape
        Pixels whose retrieval is trusted.
    water : ndarray of bool, same shape
        Water pixels.
    over_water : int
        0: as retrieved, 1: mean of the clear land, 2: mean of the clear land in the same row.
    window : int
        Width of the smoothing box in pixels; 1 or less: no smoothing.
    fallback : float
        Column in cm for scenes without clear land.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Without gaps. If the median over the clear land is implausible (0, or 8 cm and more), 1 cm
        everywhere, with a WARNING.
    """
    found = column[clear_land & np.isfinite(column)]
    if found.size and not 0.0 < (median := float(np.median(found))) < _MAX_COLUMN:
        logger.warning(
            "Implausible water vapour (%.2f cm) over clear land; using %.2f cm everywhere.",
            median, _FALLBACK_COLUMN,
        )  # fmt: skip
        return np.full_like(column, _FALLBACK_COLUMN)
    trusted = clear_land & (column < _MAX_COLUMN)
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


def _surface_signal(
    toa: Float32Array, terms: ScatteringTerms, water: WaterVapourCurve, column: Float32Array
) -> Float32Array:
    """Surface signal, still absorbed by water vapour."""
    half = water.transmittance(np.float32(0.5) * column * terms.air_mass)
    return terms.surface_signal(toa, half)


def _log_ratio(
    measurement: WaterVapourCurve, window: WaterVapourCurve
) -> tuple[Float32Array, Float32Array]:
    """Square root of the slant column, and decreasing logarithm of the transmittance ratio."""
    ratio = np.log(np.maximum(measurement.value, 1e-9) / window.value)
    decreasing = np.minimum.accumulate(ratio)
    keep = np.concatenate([[True], np.diff(decreasing) < 0])
    return measurement.root_slant[keep], decreasing[keep]
