"""Operations on the neighbours of a pixel."""

from __future__ import annotations

import math

import numpy as np

from sen2cor.raster.array_types import BoolArray, UInt8Array, UInt16Array

_ROWS = 256


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


def widen(mask: BoolArray, distance: float) -> BoolArray:
    """Pixels whose centre lies within a distance of one of a mask; nothing is outside the image.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
    distance : float
        Pixels, in a straight line.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Includes the mask.
    """
    reach = int(distance)
    wide = mask.copy()
    if reach == 0 or not mask.any():
        return wide
    beside = _distance_in_row(mask, reach + 1)
    rows = len(mask)
    for step in range(-min(reach, rows - 1), min(reach, rows - 1) + 1):
        half = math.sqrt(distance * distance - step * step)
        source = slice(max(-step, 0), rows - max(step, 0))
        target = slice(max(step, 0), rows - max(-step, 0))
        wide[target] |= beside[source] <= np.float32(half)
    return wide


def _distance_in_row(mask: BoolArray, greatest: int) -> UInt16Array:
    """Distance in pixels to the nearest pixel of a mask in the same row, cut at a greatest one."""
    distance = np.empty(mask.shape, np.uint16)
    column = np.arange(mask.shape[1], dtype=np.int32)
    for top in range(0, len(mask), _ROWS):
        rows = slice(top, top + _ROWS)
        before = np.where(mask[rows], column, np.int32(-greatest))
        np.maximum.accumulate(before, axis=1, out=before)
        after = np.where(mask[rows], column, np.int32(mask.shape[1] + greatest))[:, ::-1]
        after = np.minimum.accumulate(after, axis=1)[:, ::-1]
        nearest = np.minimum(column - before, after - column)
        distance[rows] = np.minimum(nearest, greatest)
    return distance
