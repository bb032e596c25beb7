"""Reflectance from the digital numbers of Level-1C and Level-2A."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array


def reflectance(
    numbers: npt.NDArray[np.unsignedinteger[Any]], offset: float, scale: float
) -> Float32Array:
    """Turn digital numbers into reflectance.

    Source: Sentinel-2 Products Specification Document, ``RADIO_ADD_OFFSET`` and
    ``BOA_ADD_OFFSET`` from processing baseline 04.00 on.

    Parameters
    ----------
    numbers : ndarray of uint8 or uint16, any shape
        0 is no data; the result means nothing there.
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
