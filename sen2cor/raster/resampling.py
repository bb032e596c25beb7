"""Changing the pixel size: block means downward, linear interpolation upward.

Grids are aligned by pixel edges. A digital number of 0 is no data.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import UInt16Array
from sen2cor.raster.interpolation import bilinear, nearest, positions


def block_mean(pixels: UInt16Array, factor: int, shape: tuple[int, int]) -> UInt16Array:
    """Mean of blocks of pixels, rounded half up.

    Parameters
    ----------
    pixels : ndarray of uint16, shape (rows, cols)
        0 is no data and takes no part in the mean.
    factor : int
        Block size in pixels.
    shape : (int, int)
        Size of the result; blocks that reach beyond the input count its outside as no data.

    Returns
    -------
    ndarray of uint16
        0 where more than half of the block is no data.
    """
    rows, cols = shape
    missing = (max(0, rows * factor - pixels.shape[0]), max(0, cols * factor - pixels.shape[1]))
    if any(missing):
        pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1])))
    total = np.zeros(shape, np.uint32)
    valid = np.zeros(shape, np.uint32)
    for i in range(factor):
        for j in range(factor):
            part = pixels[i : rows * factor : factor, j : cols * factor : factor]
            total += part
            valid += part != 0
    count: npt.NDArray[np.uint32] = np.maximum(valid, np.uint32(1))
    total += count >> np.uint32(1)
    total //= count
    total[valid < (factor * factor + 1) // 2] = 0
    return total.astype(np.uint16)


def bilinear_pixels(source: UInt16Array, factor: int, rows: slice, cols: int) -> UInt16Array:
    """Interpolate digital numbers to a finer grid, with gaps kept apart.

    Parameters
    ----------
    source : ndarray of uint16, shape (rows, cols)
        0 is no data.
    factor : int
        How much finer the result is.
    rows : slice
        Rows of the result (start and stop).
    cols : int
        Columns of the result.

    Returns
    -------
    ndarray of uint16, shape (rows.stop - rows.start, cols)
        0 where the nearest source pixel is no data; elsewhere the mean of the valid neighbours,
        weighted by distance.
    """
    row_at = positions(rows.stop - rows.start, factor, rows.start)
    col_at = positions(cols, factor)
    first = max(0, int(row_at[0]) - 1)
    part = source[first : int(row_at[-1]) + 3]
    row_at -= np.float32(first)
    value = bilinear(part.astype(np.float32), row_at, col_at)
    if part.all():
        return np.rint(value).astype(np.uint16)
    weight = bilinear((part != 0).astype(np.float32), row_at, col_at)
    np.divide(value, weight, out=value, where=weight > 0)
    closest = part[nearest(row_at, part.shape[0])][:, nearest(col_at, part.shape[1])]
    value[closest == 0] = 0.0
    return np.rint(value).astype(np.uint16)
