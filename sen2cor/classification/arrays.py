"""The arrays that the steps of the classification exchange, and the arithmetic that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sen2cor.raster.array_types import BoolArray, Float32Array

Reflectance: TypeAlias = Mapping[str, Float32Array]
"""Top-of-atmosphere reflectance by band name: float32, all of one shape (rows, cols), finite
wherever there are data (NaN may stand where there are none)."""

_LEAST_DENOMINATOR = np.float32(1e-6)


@dataclass(frozen=True)
class Evidence:
    """What a step says about every pixel, without regard to other steps.

    Attributes
    ----------
    members : ndarray of bool, shape (rows, cols)
        Pixels that belong to the class of the step, unless an earlier step has claimed them.
    cloud_factor : ndarray of float32, shape (rows, cols)
        0..1, by which the cloud probability of the pixels that are not members is multiplied.
    """

    members: BoolArray
    cloud_factor: Float32Array


def ramp(values: Float32Array, t1: float, t2: float) -> Float32Array:
    """Score 0 up to ``t1``, 1 from ``t2`` on, linear between; a step if ``t2`` is not above ``t1``.

    Parameters
    ----------
    values : ndarray of float32
    t1, t2 : float

    Returns
    -------
    ndarray of float32
    """
    low, high = np.float32(t1), np.float32(t2)
    if not high > low:
        return (values >= high).astype(np.float32)
    score = np.maximum(values, low)
    np.minimum(score, high, out=score)
    score -= low
    # The difference of the rounded thresholds, not the rounded difference: 1 has to be exactly 1.
    score /= high - low
    return score


def line(
    values: Float32Array, slope: float, offset: float, low: float, high: float
) -> Float32Array:
    """Straight line over ``values``, kept between ``low`` and ``high``; float32."""
    result = values * np.float32(slope)
    result += np.float32(offset)
    np.maximum(result, np.float32(low), out=result)
    np.minimum(result, np.float32(high), out=result)
    return result


def ratio(numerator: Float32Array, denominator: Float32Array) -> Float32Array:
    """Quotient with a denominator of at least 1e-6; float32."""
    result = np.maximum(denominator, _LEAST_DENOMINATOR)
    np.divide(numerator, result, out=result)
    return result


def normalised_difference(first: Float32Array, second: Float32Array) -> Float32Array:
    """``(first - second) / (first + second)`` with a sum of at least 1e-6; float32."""
    total = first + second
    np.maximum(total, _LEAST_DENOMINATOR, out=total)
    result = first - second
    result /= total
    return result
