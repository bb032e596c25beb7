"""Valid pixels: where there are no data, and where a pixel is saturated or defective.

Outside the swath the bands of a Level-1C image are 0, but not all of them: the 10 m bands may hold
a digital number of 1 or 2 there. Conversely, a single band, mostly B10, may be 0 over water or in
shadow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import SATURATED
from sen2cor.raster.array_types import BoolArray

_MIN_ZERO_BANDS = 2
_CIRRUS_BAND = "B10"
"""Often 0 where there are data."""


def find_no_data(
    numbers: Mapping[str, npt.NDArray[Any]], mask: BoolArray | None = None
) -> BoolArray:
    """Step 0: pixels in the no-data mask, or 0 in at least two bands other than B10.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers of at least two bands besides B10. Not reflectance: its offset shifts the 0.
    mask : ndarray of bool, shape (rows, cols), optional
        The no-data mask of the product.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    bands = [band for name, band in numbers.items() if name != _CIRRUS_BAND]
    zeros = np.zeros(bands[0].shape, np.uint8)
    for band in bands:
        zeros += band == 0
    found = zeros >= _MIN_ZERO_BANDS
    if mask is not None:
        found |= mask
    return found


def find_defective(
    numbers: Mapping[str, npt.NDArray[Any]], masks: Iterable[BoolArray] = ()
) -> BoolArray:
    """Pixels that are saturated in any band, or in any mask of saturated or defective pixels.

    Sen2Cor 2.3 defines class 1 for them but never assigns it.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers of the bands in use; at least one.
    masks : iterable of ndarray of bool, shape (rows, cols)
        MSK_SATURA and MSK_DEFECT of these bands.

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
