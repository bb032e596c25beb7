"""Morphology of masks and class maps: dilation, 3 x 3 majority, median filter."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from sen2cor.classification.scene_class import SceneClass
from sen2cor.raster.array_types import BoolArray, UInt8Array, UInt16Array

_ROWS_AT_ONCE = 256
_MAJORITY_OF_NINE = 5


def dilate(mask: BoolArray, distance: int) -> BoolArray:
    """Dilate a mask by a city-block distance; the mask ends at the edges of the image.

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
    """Median of a mask in a 3 x 3 window: at least 5 of the 9 pixels are in the mask.

    The image is mirrored at its edges.

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
    found: BoolArray = counts >= _MAJORITY_OF_NINE
    return found


def _sum_of_three(counts: UInt8Array, axis: int) -> UInt8Array:
    total = counts.copy()
    source, target = np.moveaxis(counts, axis, 0), np.moveaxis(total, axis, 0)
    target[1:] += source[:-1]
    target[:-1] += source[1:]
    target[0] += source[0]
    target[-1] += source[-1]
    return total


def dilate_euclidean(mask: BoolArray, distance: float) -> BoolArray:
    """Dilate a mask by a Euclidean distance; the mask ends at the edges of the image.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
    distance : float
        Pixels, between pixel centres.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Includes the mask.
    """
    reach = int(distance)
    dilated = mask.copy()
    if reach == 0 or not mask.any():
        return dilated
    in_row = _distance_in_row(mask, reach + 1)
    rows = len(mask)
    for step in range(-min(reach, rows - 1), min(reach, rows - 1) + 1):
        half = math.sqrt(distance * distance - step * step)
        source = slice(max(-step, 0), rows - max(step, 0))
        target = slice(max(step, 0), rows - max(-step, 0))
        dilated[target] |= in_row[source] <= np.float32(half)
    return dilated


def _distance_in_row(mask: BoolArray, maximum: int) -> UInt16Array:
    """Distance in pixels to the nearest pixel of a mask in the same row, clipped to a maximum."""
    distance = np.empty(mask.shape, np.uint16)
    column = np.arange(mask.shape[1], dtype=np.int32)
    for top in range(0, len(mask), _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        before = np.where(mask[rows], column, np.int32(-maximum))
        np.maximum.accumulate(before, axis=1, out=before)
        after = np.where(mask[rows], column, np.int32(mask.shape[1] + maximum))[:, ::-1]
        after = np.minimum.accumulate(after, axis=1)[:, ::-1]
        nearest = np.minimum(column - before, after - column)
        distance[rows] = np.minimum(nearest, maximum)
    return distance


def median_filter(scene_class: UInt8Array, window: int) -> UInt8Array:
    """Replace each class code by the median of its window; the image is mirrored at its edges.

    No-data pixels keep their class and do not spread (``Median_Filter`` of L2A_GIPP).

    Parameters
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`.
    window : int
        Side of the window in pixels; 0 or 1: no filter.

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
    """
    if window < 2:
        return scene_class.copy()
    filtered: UInt8Array = ndimage.median_filter(scene_class, size=window, mode="reflect")
    no_data = int(SceneClass.NO_DATA)
    keep = (scene_class == no_data) | (filtered == no_data)
    np.copyto(filtered, scene_class, where=keep)
    return filtered
