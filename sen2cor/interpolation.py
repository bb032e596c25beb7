"""Linear interpolation between the pixels or nodes of regular grids.

Grids are aligned by pixel edges: the centre of pixel i of a grid that is coarser by a factor f
lies at ``f * (i + 0.5) - 0.5`` of the finer one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sen2cor.arrays import Float32Array

IndexArray = npt.NDArray[np.intp]


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
    upper, lower, row_weight = neighbours(row_positions, source.shape[0])
    left, right, col_weight = neighbours(col_positions, source.shape[1])
    by_row = source[upper]
    by_row += (source[lower] - by_row) * row_weight[:, np.newaxis]
    result: Float32Array = np.take(by_row, left, axis=1)
    step = np.take(by_row, right, axis=1)
    step -= result
    step *= col_weight
    result += step
    return result


def nearest(position: Float32Array, size: int) -> IndexArray:
    """Index of the nearest pixel, within ``0 .. size - 1``."""
    index: IndexArray = np.floor(position + np.float32(0.5)).astype(np.intp)
    return index.clip(0, size - 1)


def neighbours(position: Float32Array, size: int) -> tuple[IndexArray, IndexArray, Float32Array]:
    """Indices of the two pixels around a position, and the weight of the second."""
    inside = np.clip(position, 0.0, size - 1.0)
    first = np.minimum(inside.astype(np.intp), max(size - 2, 0))
    return first, np.minimum(first + 1, size - 1), (inside - first).astype(np.float32)
