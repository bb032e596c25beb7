"""Water vapour from the absorption at 945 nm: the differential absorption ratio of B09 and B8A.

APDA: D. Schlaepfer et al., Remote Sens. Environ. 65 (1998) 353-366; for Sentinel-2: A. Makarau et
al., IEEE GRSL 14 (2017) 227-231. With one window band, the surface reflectance is assumed equal in
both bands. The ratio of the two bands without path reflectance is compared with the ratio of the
tabulated transmittances over the slant column. The tabulated ratio decreases monotonically and is
inverted directly, without fitting an exponential. Absorption by liquid water in leaves, which
darkens B09 relative to B8A over vegetation, is neglected: two bands cannot separate it from vapour,
and B09 lies below the liquid absorption band at 970 nm.

B09 sees a pixel of 60 m blurred by its point-spread function; the mean of a block of B8A pixels is
sharper. At shores and edges of fields their ratio would show rings of false water vapour. So B8A is
blurred like B09, and pixels whose surroundings in B8A vary much take the mean of the retrieval over
uniform pixels nearby.
"""

from __future__ import annotations

import logging

import numpy as np
from scipy.ndimage import convolve1d, uniform_filter

from sen2cor.atmosphere.atmospheric_terms import WaterVapourCurve
from sen2cor.atmosphere.radiative_equation import ScatteringTerms, uniform_surface_reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import masked_mean

MEASUREMENT_BAND = "B09"
WINDOW_BAND = "B8A"
_ITERATIONS = 4
_MIN_SIGNAL = np.float32(0.005)
"""Minimum surface signal in the window band."""

_MAX_COLUMN = 8.0
"""Column in cm that no clear atmosphere exceeds."""

_BLUR = (1.0 / 18.0, 16.0 / 18.0, 1.0 / 18.0)
"""Weights of a pixel of 60 m and its two neighbours: the variance of a Gaussian of 20 m.

From B09 and B8A of five real Level-1C scenes of 2016 to 2023: the Gaussian that fits best measures
24 to 34 m in four of them, in the fifth 20 m along the track and 3 m across. 20 m reduces the
residual in the four by 8 to 20 % and leaves it as it is in the fifth. With the width of the pixel,
the modulation transfer function at the Nyquist frequency of 60 m becomes 0.37.
"""

_MAX_VARIATION = np.float32(0.15)
"""Maximum standard deviation of B8A over 3 x 3 pixels of 60 m, relative to the central one.

Chosen on the same five scenes: it excludes 1 to 45 % of their bright pixels, and a quarter to a
half of the scatter of B09 over B8A.
"""

_FILL_WINDOW = 9
"""Width in pixels of the window from whose uniform pixels mixed ones are filled."""

_MIN_FILL_FRACTION = 0.05
"""Minimum fraction of uniform pixels in that window."""

_FALLBACK_COLUMN = 1.0
"""Column in cm that replaces an implausible retrieval."""

logger = logging.getLogger(__name__)


def blur_window_band(window: Float32Array) -> Float32Array:
    """Blur means of blocks of 60 m of the window band to the point-spread function of B09.

    Parameters
    ----------
    window : ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of B8A at 60 m; beyond the edge, the outermost pixels are
        repeated.

    Returns
    -------
    ndarray of float32, same shape
    """
    along = convolve1d(window, _BLUR, axis=0, mode="nearest")
    return np.asarray(convolve1d(along, _BLUR, axis=1, mode="nearest"), np.float32)


def find_mixed_pixels(window: Float32Array) -> BoolArray:
    """Find pixels where the ratio of B09 and B8A depends on the point-spread functions.

    Parameters
    ----------
    window : ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of B8A at 60 m, not blurred. No data are as dark as a digital
        number of 0, so that the pixels beside them count as mixed.

    Returns
    -------
    ndarray of bool, same shape
    """
    values = window.astype(np.float64)
    mean = uniform_filter(values, 3, mode="nearest")
    variance = uniform_filter(values**2, 3, mode="nearest") - mean**2
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)) > _MAX_VARIATION * values)


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
        Top-of-atmosphere reflectance of B09 and B8A, blurred alike.
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
    mixed: BoolArray | None = None,
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
    mixed : ndarray of bool, same shape, optional
        Pixels whose retrieval is not trusted because of their surroundings. Those of the clear land
        become the mean of its other pixels in a window of 9 pixels, or of the scene where there are
        few; those of the water likewise if its column is as retrieved. Default: none.
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
    if mixed is None or not (trusted & ~mixed).any():
        mixed = np.zeros_like(trusted)
    unmixed = trusted & ~mixed
    mean = np.float32(column[unmixed].mean(dtype=np.float64) if unmixed.any() else fallback)
    kept = unmixed | (water & ~mixed & np.isfinite(column) if over_water == 0 else False)
    filled = np.where(kept, column, mean)
    if mixed.any():
        sources = [(clear_land, unmixed)] + ([(water, kept & water)] if over_water == 0 else [])
        for where, source in sources:
            nearby = masked_mean(
                filled, source, _FILL_WINDOW, min_fraction=_MIN_FILL_FRACTION, fallback=float(mean)
            )
            filled = np.where(where & mixed, nearby, filled)
    if over_water == 2:
        number = unmixed.sum(axis=1)
        total = np.where(unmixed, column, np.float32(0.0)).sum(axis=1)
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
