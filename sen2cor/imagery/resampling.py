"""Changing the pixel size: block means downward, linear interpolation upward.

Pixels are aligned by their edges: the centre of pixel i of a grid that is coarser by a factor f
lies at ``f * (i + 0.5) - 0.5`` of the finer one. A digital number of 0 is no data.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sen2cor.grids import Float32Array

UInt16Array = npt.NDArray[np.uint16]


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
    valid = np.zeros(shape, np.uint8 if factor < 16 else np.uint32)
    for i in range(factor):
        for j in range(factor):
            part = pixels[i : rows * factor : factor, j : cols * factor : factor]
            total += part
            valid += part != 0
    count = np.maximum(valid, 1)
    total += count >> 1
    total //= count
    total[valid < (factor * factor + 1) // 2] = 0
    return total.astype(np.uint16)


def positions(number: int, factor: float, start: int = 0) -> Float32Array:
    """Where pixel centres of a grid lie in the index coordinates of another one.

    Parameters
    ----------
    number : int
        How many pixels, from ``start`` on.
    factor : float
        Size of the other grid's pixels in pixels of this one (3 from 20 m to 60 m).
    start : int
        First pixel.

    Returns
    -------
    ndarray of float32, shape (number,)
    """
    return ((np.arange(start, start + number) + 0.5) / factor - 0.5).astype(np.float32)


def bilinear(
    source: Float32Array, row_positions: Float32Array, col_positions: Float32Array
) -> Float32Array:
    """Interpolate linearly between pixel centres; constant beyond the outermost ones.

    Parameters
    ----------
    source : ndarray of float32, shape (rows, cols)
        Without gaps.
    row_positions, col_positions : ndarray of float32, shape (n,), (m,)
        In index coordinates of the source.

    Returns
    -------
    ndarray of float32, shape (n, m)
    """
    upper, lower, row_weight = _neighbours(row_positions, source.shape[0])
    left, right, col_weight = _neighbours(col_positions, source.shape[1])
    by_row = source[upper]
    by_row += (source[lower] - by_row) * row_weight[:, np.newaxis]
    result: Float32Array = np.take(by_row, left, axis=1)
    step = np.take(by_row, right, axis=1)
    step -= result
    step *= col_weight
    result += step
    return result


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
    nearest = part[_nearest(row_at, part.shape[0])][:, _nearest(col_at, part.shape[1])]
    value[nearest == 0] = 0.0
    return np.rint(value).astype(np.uint16)


def _nearest(position: Float32Array, size: int) -> npt.NDArray[np.intp]:
    return np.clip(np.floor(position + np.float32(0.5)).astype(np.intp), 0, size - 1)


def _neighbours(
    position: Float32Array, size: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Float32Array]:
    inside = np.clip(position, 0.0, size - 1.0)
    first = np.minimum(inside.astype(np.intp), max(size - 2, 0))
    return first, np.minimum(first + 1, size - 1), (inside - first).astype(np.float32)
