"""Saturated and defective pixels, which Sen2Cor 2.3 has a class for but never looks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import BoolArray

SATURATED = 65535
"""Digital number of a saturated pixel of Level-1C."""


def find_defective(
    numbers: Mapping[str, npt.NDArray[Any]], masks: Iterable[BoolArray] = ()
) -> BoolArray:
    """Pixels that are saturated in any band, or in any mask of saturated or defective pixels.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers of the bands used; at least one.
    masks : iterable of ndarray of bool, shape (rows, cols)
        Masks of the product (MSK_SATURA, MSK_DEFECT), of the bands used.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    bands = list(numbers.values())
    found = np.zeros(bands[0].shape, np.bool_)
    for band in bands:
        found |= band == SATURATED
    for mask in masks:
        found |= mask
    return found
