"""Operations on the neighbours of a pixel."""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import BoolArray, UInt8Array


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


def majority(mask: BoolArray) -> BoolArray:
    """Pixels with at least 5 of the 9 pixels around and including them in a mask.

    That is the median of a window of 3 by 3 pixels. The image is mirrored at its edges.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    if not mask.any():
        return np.zeros_like(mask)
    counts = mask.view(np.uint8)
    for axis in (0, 1):
        counts = _sum_of_three(counts, axis)
    found: BoolArray = counts >= 5
    return found


def _sum_of_three(counts: UInt8Array, axis: int) -> UInt8Array:
    total = counts.copy()
    source, target = np.moveaxis(counts, axis, 0), np.moveaxis(total, axis, 0)
    target[1:] += source[:-1]
    target[:-1] += source[1:]
    target[0] += source[0]
    target[-1] += source[-1]
    return total
