"""Spectral indices, and the linear functions of them that the spectral tests use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sen2cor.raster.array_types import BoolArray, Float32Array

Reflectance: TypeAlias = Mapping[str, Float32Array]
"""Top-of-atmosphere reflectance by band name: float32, all of one shape (rows, cols), finite
wherever there are data; pixels without data may be NaN."""

ReflectanceReader: TypeAlias = Callable[[slice], Reflectance]
"""Reads the reflectance of a slice of rows."""

_MIN_DENOMINATOR = np.float32(1e-6)


@dataclass(frozen=True)
class ClassMembership:
    """Result of one spectral test for every pixel, independent of the other tests.

    Attributes
    ----------
    members : ndarray of bool, shape (rows, cols)
        Pixels that pass the test. They get its class unless an earlier test has assigned one.
    cloud_factor : ndarray of float32, shape (rows, cols)
        0..1; factor of the cloud probability of the pixels that are not members.
    """

    members: BoolArray
    cloud_factor: Float32Array


def linear_probability(values: Float32Array, t1: float, t2: float) -> Float32Array:
    """Probability that rises linearly from 0 at ``t1`` to 1 at ``t2``.

    Parameters
    ----------
    values : ndarray of float32
    t1, t2 : float
        If ``t2`` is not above ``t1``, the result is a step from 0 to 1 at ``t2``.

    Returns
    -------
    ndarray of float32
        0..1; exactly 0 up to ``t1`` and exactly 1 from ``t2`` on.
    """
    low, high = np.float32(t1), np.float32(t2)
    if not high > low:
        return (values >= high).astype(np.float32)
    probability = np.maximum(values, low)
    np.minimum(probability, high, out=probability)
    probability -= low
    # Difference of the rounded thresholds, not the rounded difference: 1 must be exactly 1.
    probability /= high - low
    return probability


def linear_limit(
    values: Float32Array, slope: float, offset: float, minimum: float, maximum: float
) -> Float32Array:
    """Limit ``slope * values + offset``, clipped to ``minimum`` .. ``maximum``; float32."""
    limit = values * np.float32(slope)
    limit += np.float32(offset)
    np.maximum(limit, np.float32(minimum), out=limit)
    np.minimum(limit, np.float32(maximum), out=limit)
    return limit


def ratio(numerator: Float32Array, denominator: Float32Array) -> Float32Array:
    """Band ratio with a denominator of at least 1e-6; float32."""
    result = np.maximum(denominator, _MIN_DENOMINATOR)
    np.divide(numerator, result, out=result)
    return result


def normalised_difference(first: Float32Array, second: Float32Array) -> Float32Array:
    """``(first - second) / (first + second)`` with a sum of at least 1e-6; float32."""
    total = first + second
    np.maximum(total, _MIN_DENOMINATOR, out=total)
    result = first - second
    result /= total
    return result
