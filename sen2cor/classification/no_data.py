"""Step 0: pixels without data.

Outside the swath the bands of a Level-1C image are 0, but not every one: the bands of 10 m may hold
a digital number of 1 or 2 there. On the other hand a single band may truly be 0 over water or in
shade, B10 above all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import BoolArray

_LEAST_ZERO_BANDS = 2
_OFTEN_ZERO = "B10"


def find_no_data(
    numbers: Mapping[str, npt.NDArray[Any]], mask: BoolArray | None = None
) -> BoolArray:
    """Pixels without data: in the no-data mask, or 0 in at least two bands other than B10.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers (not reflectance: an offset moves the 0) of at least two bands but B10.
    mask : ndarray of bool, shape (rows, cols), optional
        The mask of the product.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    bands = [band for name, band in numbers.items() if name != _OFTEN_ZERO]
    zeros = np.zeros(bands[0].shape, np.uint8)
    for band in bands:
        zeros += band == 0
    found = zeros >= _LEAST_ZERO_BANDS
    if mask is not None:
        found |= mask
    return found
