"""Operations on the neighbours of a pixel."""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import BoolArray


def dilate(mask: BoolArray, distance: int) -> BoolArray:
    """Pixels within a city-block distance of a mask; outside the image there is nothing.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
    distance : int
        Pixels.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Includes the mask.
    """
    if not mask.any():
        return np.zeros_like(mask)
    grown = mask.copy()
    for _ in range(distance):
        before = grown.copy()
        grown[1:] |= before[:-1]
        grown[:-1] |= before[1:]
        grown[:, 1:] |= before[:, :-1]
        grown[:, :-1] |= before[:, 1:]
    return grown
