"""Interpolation of the aerosol between reference pixels.

``MEAN`` fills gaps with the mean of the reference pixels. ``DISTANCE`` is an approximate optimal
interpolation (L. S. Gandin, Objective Analysis of Meteorological Fields, 1963): a mean of the
surrounding values, weighted by distance and number of pixels, and of the mean of the scene. The
weight of the mean of the scene increases with the scatter of neighbouring values and with their
distance.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from sen2cor.raster.array_types import Float32Array

MEAN, DISTANCE = "MEAN", "DISTANCE"

_CORRELATION_LENGTHS = (2.5, 1.5)
"""Standard deviations in km of the Gaussian weights of a first pass, and of a second pass over the
residuals of the first (S. L. Barnes, J. Appl. Meteorol. 3 (1964) 396-409)."""

_MAX_DEVIATIONS = 3.0
_MIN_RELATIVE_SPREAD = 0.25
"""Outliers lie more than so many standard deviations from the median; a standard deviation is at
least this fraction of the median."""

_MAD_TO_SIGMA = 1.4826
"""Ratio of the standard deviation to the median absolute deviation of a normal distribution."""

_MIN_NOISE_TO_SIGNAL = 0.02
_HALF_WEIGHT_COUNT = 5.0
"""Number of pixels at which a block has half of the maximum weight."""


def robust_mean(values: Float32Array, counts: Float32Array) -> tuple[Float32Array, float]:
    """Limit outliers, and compute the weighted mean.

    Parameters
    ----------
    values : ndarray of float32
        NaN where there is no value.
    counts : ndarray of float32, same shape
        Number of reference pixels of each value.

    Returns
    -------
    values : ndarray of float32
        Limited to three standard deviations about the median. The standard deviation is estimated
        from the median absolute deviation and is at least a quarter of the median.
    mean : float
        The weight of a value saturates with its count.
    """
    known = np.isfinite(values)
    weight = _weight(counts)[known]
    median = _weighted_median(values[known], weight)
    spread = _MAD_TO_SIGMA * _weighted_median(np.abs(values[known] - median), weight)
    spread = max(spread, _MIN_RELATIVE_SPREAD * abs(median))
    limited = np.clip(values, median - _MAX_DEVIATIONS * spread, median + _MAX_DEVIATIONS * spread)
    return limited, float(np.average(limited[known], weights=weight))


def fill_gaps(
    values: Float32Array, counts: Float32Array, mean: float, mode: str, spacing: float
) -> Float32Array:
    """Fill the gaps of a field.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, cols)
        NaN in gaps.
    counts : ndarray of float32, same shape
        Number of reference pixels of each value.
    mean : float
        Mean of the scene.
    mode : {`MEAN`, `DISTANCE`}
    spacing : float
        Distance of the values, km.

    Returns
    -------
    ndarray of float32, same shape
    """
    known = np.isfinite(values)
    if mode == MEAN:
        return np.where(known, values, np.float32(mean))
    weight = np.where(known, _weight(counts), np.float32(0.0))
    noise = np.float32(_noise_to_signal(values))
    result = np.full(values.shape, mean, np.float32)
    for length in _CORRELATION_LENGTHS:
        departure = np.where(known, values - result, np.float32(0.0))
        sigma = length / spacing
        # the kernel is 1 at its centre, so that weights count neighbours
        peak = np.float32(2.0 * np.pi * sigma**2)
        near = peak * gaussian_filter(weight, sigma, mode="constant")
        total = peak * gaussian_filter(weight * departure, sigma, mode="constant")
        result += total / (near + noise)
    return result


def _noise_to_signal(values: Float32Array) -> float:
    """Ratio of the variance between neighbours to the remaining variance of the field."""
    steps = np.concatenate([np.diff(values, axis=axis).ravel() for axis in (0, 1)])
    steps = steps[np.isfinite(steps)]
    field = values[np.isfinite(values)]
    if steps.size == 0:
        return 1.0
    noise = 0.5 * (_MAD_TO_SIGMA * float(np.median(np.abs(steps)))) ** 2
    variance = (_MAD_TO_SIGMA * float(np.median(np.abs(field - np.median(field))))) ** 2
    signal = max(variance - noise, 0.05 * variance)
    return max(noise / signal, _MIN_NOISE_TO_SIGNAL) if signal > 0.0 else 1.0


def _weight(counts: Float32Array) -> Float32Array:
    counts = np.asarray(counts, np.float32)
    result: Float32Array = counts / (counts + np.float32(_HALF_WEIGHT_COUNT))
    return result


def _weighted_median(values: Float32Array, weight: Float32Array) -> float:
    order = np.argsort(values)
    above = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(above, 0.5 * above[-1])])
