"""Conversion between digital numbers and reflectance, for Level-1C and Level-2A.

``reflectance = (DN + offset) / quantification value``. Source: Sentinel-2 Products
Specification Document; ``RADIO_ADD_OFFSET`` and ``BOA_ADD_OFFSET`` exist from processing baseline
04.00 on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import NO_DATA, SATURATED
from sen2cor.raster.array_types import Float32Array, UInt16Array

MAX_NUMBER = 65534
"""Maximum digital number of a valid pixel."""


def to_reflectance(
    numbers: npt.NDArray[np.unsignedinteger[Any]], offset: float, scale: float
) -> Float32Array:
    """Convert digital numbers to reflectance.

    Parameters
    ----------
    numbers : ndarray of uint8 or uint16, any shape
        0 is no data; the result is undefined there.
    offset : float
        Added to the digital numbers before scaling.
    scale : float
        Reflectance of one digital number: 1 / quantification value.

    Returns
    -------
    ndarray of float32, same shape
    """
    result = numbers.astype(np.float32)
    result += np.float32(offset)
    result *= np.float32(scale)
    return result


def fold_calibration(
    gain: Float32Array, bias: Float32Array, offset: float, scale: float
) -> tuple[Float32Array, Float32Array]:
    """Convert gain and bias for reflectance to gain and bias for digital numbers.

    Parameters
    ----------
    gain, bias : ndarray of float32
        Coefficients of a linear function of reflectance.
    offset, scale : float
        As in `to_reflectance`.

    Returns
    -------
    gain, bias : ndarray of float32
    """
    gain = gain * np.float32(scale)
    return gain, bias + gain * np.float32(offset)


def to_digital_numbers(
    reflectance: Float32Array, source: UInt16Array, quantification: float, offset: int
) -> UInt16Array:
    """Convert surface reflectance to digital numbers.

    Parameters
    ----------
    reflectance : ndarray of float32
        Overwritten.
    source : ndarray of uint16, same shape
        Digital numbers of Level-1C: 0 (no data) and 65535 (saturated) are preserved.
    quantification : float
        Quantification value: digital numbers per unit of reflectance.
    offset : int
        BOA_ADD_OFFSET.

    Returns
    -------
    ndarray of uint16
        Valid pixels are clipped to 1..65534, so that a dark pixel does not become no data.
    """
    reflectance *= np.float32(quantification)
    reflectance += np.float32(0.5 - offset)
    np.clip(reflectance, 1.0, MAX_NUMBER, out=reflectance)
    numbers = reflectance.astype(np.uint16)
    numbers[source == NO_DATA] = NO_DATA
    numbers[source == SATURATED] = SATURATED
    return numbers
