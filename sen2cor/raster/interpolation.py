"""Linear interpolation between the pixels or nodes of regular grids.

Grids are aligned by pixel edges: the centre of pixel i of a grid that is coarser by a factor f
lies at ``f * (i + 0.5) - 0.5`` of the finer one.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array

IndexArray = npt.NDArray[np.intp]
Neighbours: TypeAlias = tuple[IndexArray, IndexArray, Float32Array]


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
    rows = neighbours(row_positions, source.shape[0])
    cols = neighbours(col_positions, source.shape[1])
    top, bottom = int(rows[0].min()), int(rows[1].max()) + 1
    if bottom - top > len(row_positions):
        return _between(_between(source, rows, 0), cols, 1)
    # upsample_nearest downwards: the costly step across is taken on the fewer rows
    rows = rows[0] - top, rows[1] - top, rows[2]
    return _between(_between(source[top:bottom], cols, 1), rows, 0)


def nearest(position: Float32Array, size: int) -> IndexArray:
    """Index of the nearest pixel, within ``0 .. size - 1``."""
    index: IndexArray = np.floor(position + np.float32(0.5)).astype(np.intp)
    return index.clip(0, size - 1)


def neighbours(position: Float32Array, size: int) -> Neighbours:
    """Indices of the two pixels around a position, and the weight of the second."""
    inside = np.clip(position, 0.0, size - 1.0)
    first = np.minimum(inside.astype(np.intp), max(size - 2, 0))
    return first, np.minimum(first + 1, size - 1), (inside - first).astype(np.float32)


def _between(source: Float32Array, at: Neighbours, axis: int) -> Float32Array:
    """Interpolate along one axis."""
    first, second, weight = at
    result: Float32Array = np.take(source, first, axis)
    step = np.take(source, second, axis)
    step -= result
    step *= weight[:, np.newaxis] if axis == 0 else weight
    result += step
    return result
