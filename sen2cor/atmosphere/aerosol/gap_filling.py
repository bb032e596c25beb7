"""From values at reference pixels to a map without gaps and edges.

`MEAN` fills gaps with the mean of the reference pixels. `DISTANCE` takes each place as an
optimal interpolation would (L. S. Gandin, Objective Analysis of Meteorological Fields, 1963): the
values around it, weighted by distance and number of pixels, and the mean, which weighs the more
the more the values scatter from neighbour to neighbour and the farther they are.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from sen2cor.raster.array_types import Float32Array

MEAN, DISTANCE = "MEAN", "DISTANCE"

_REACHES = (2.5, 1.5)
"""Standard deviations in km of the weights over distance: of a first pass, and of one that corrects
what the first leaves (S. L. Barnes, J. Appl. Meteorol. 3 (1964) 396-409)."""

_OUTLIER = 3.0
_LEAST_SPREAD = 0.25
_DEVIATION = 1.4826
"""Standard deviations in a median absolute deviation."""

_LEAST_NOISE = 0.02
_TRUSTED = 5.0
"""Pixels from which on a block's own scatter is no matter any more."""


def central_value(values: Float32Array, counts: Float32Array) -> tuple[Float32Array, float]:
    """Values without outliers, and their weighted mean.

    Parameters
    ----------
    values : ndarray of float32
        NaN where there is none.
    counts : ndarray of float32, same shape
        Reference pixels behind each.

    Returns
    -------
    values : ndarray of float32
        Limited to three standard deviations, estimated from the median, about the median; a
        quarter of it counts as one at least.
    mean : float
        Weighted by a weight that saturates at some pixels.
    """
    known = np.isfinite(values)
    weight = _weight(counts)[known]
    median = _weighted_median(values[known], weight)
    spread = _DEVIATION * _weighted_median(np.abs(values[known] - median), weight)
    spread = max(spread, _LEAST_SPREAD * abs(median))
    limited = np.clip(values, median - _OUTLIER * spread, median + _OUTLIER * spread)
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
        Reference pixels behind each value.
    mean : float
        Of the scene.
    mode : {`MEAN`, `DISTANCE`}
    spacing : float
        Of the values, km.

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
    for reach in _REACHES:
        departure = np.where(known, values - result, np.float32(0.0))
        sigma = reach / spacing
        # weights are those of a kernel that is 1 at its centre, so that they count neighbours
        height = np.float32(2.0 * np.pi * sigma**2)
        near = height * gaussian_filter(weight, sigma, mode="constant")
        total = height * gaussian_filter(weight * departure, sigma, mode="constant")
        result += total / (near + noise)
    return result


def _noise_to_signal(values: Float32Array) -> float:
    """Variance between neighbours over that of the field beyond it."""
    steps = np.concatenate([np.diff(values, axis=axis).ravel() for axis in (0, 1)])
    steps = steps[np.isfinite(steps)]
    field = values[np.isfinite(values)]
    if steps.size == 0:
        return 1.0
    noise = 0.5 * (_DEVIATION * float(np.median(np.abs(steps)))) ** 2
    variance = (_DEVIATION * float(np.median(np.abs(field - np.median(field))))) ** 2
    signal = max(variance - noise, 0.05 * variance)
    return max(noise / signal, _LEAST_NOISE) if signal > 0.0 else 1.0


def _weight(counts: Float32Array) -> Float32Array:
    counts = np.asarray(counts, np.float32)
    result: Float32Array = counts / (counts + np.float32(_TRUSTED))
    return result


def _weighted_median(values: Float32Array, weight: Float32Array) -> float:
    order = np.argsort(values)
    above = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(above, 0.5 * above[-1])])
