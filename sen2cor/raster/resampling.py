"""Interpolation to finer grids, aggregation to coarser ones, means of neighbourhoods.

Grids are aligned by pixel edges: the centre of pixel i of a grid that is coarser by a factor f
lies at ``f * (i + 0.5) - 0.5`` of the finer one. A digital number of 0 is no data.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from sen2cor.bands import SATURATED
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt16Array

IndexArray = npt.NDArray[np.intp]
Real = TypeVar("Real", np.float32, np.float64)
Neighbours: TypeAlias = tuple[IndexArray, IndexArray, npt.NDArray[Real]]
Pixel = TypeVar("Pixel", bound=np.generic)


def positions(number: int, factor: float, start: int = 0) -> Float32Array:
    """Positions of pixel centres in the index coordinates of another grid.

    Parameters
    ----------
    number : int
        Number of pixels, from ``start`` on.
    factor : float
        Pixel size of the other grid over that of this one (3 from 20 m to 60 m).
    start : int
        First pixel.

    Returns
    -------
    ndarray of float32, shape (number,)
    """
    return ((np.arange(start, start + number) + 0.5) / factor - 0.5).astype(np.float32)


def nearest(position: Float32Array, size: int) -> IndexArray:
    """Index of the nearest pixel, within ``0 .. size - 1``."""
    index: IndexArray = np.floor(position + np.float32(0.5)).astype(np.intp)
    return index.clip(0, size - 1)


def neighbours(position: npt.NDArray[Real], size: int) -> Neighbours[Real]:
    """Indices of the two pixels around a position, and the weight of the second."""
    inside = np.clip(position, 0.0, size - 1.0)
    first = np.minimum(inside.astype(np.intp), max(size - 2, 0))
    return first, np.minimum(first + 1, size - 1), (inside - first).astype(position.dtype)


def bilinear(
    source: npt.NDArray[Real], row_positions: npt.NDArray[Real], col_positions: npt.NDArray[Real]
) -> npt.NDArray[Real]:
    """Interpolate bilinearly between pixel centres; constant beyond the outermost ones.

    Parameters
    ----------
    source : ndarray of float32 or float64, shape (rows, cols)
        Without gaps.
    row_positions, col_positions : ndarray, shape (n,), (m,)
        In index coordinates of the source, of its dtype.

    Returns
    -------
    ndarray of the dtype of the source, shape (n, m)
    """
    rows = neighbours(row_positions, source.shape[0])
    cols = neighbours(col_positions, source.shape[1])
    top, bottom = int(rows[0].min()), int(rows[1].max()) + 1
    if bottom - top > len(row_positions):
        return _interpolate_cols(_interpolate_rows(source, rows), cols)
    # the step across the columns costs most: take it where there are fewer rows
    rows = rows[0] - top, rows[1] - top, rows[2]
    return _interpolate_rows(_interpolate_cols(source[top:bottom], cols), rows)


def _interpolate_cols(source: npt.NDArray[Real], at: Neighbours[Real]) -> npt.NDArray[Real]:
    first, second, weight = at
    result: npt.NDArray[Real] = np.take(source, first, 1)
    step = np.take(source, second, 1)
    step -= result
    step *= weight
    result += step
    return result


def _interpolate_rows(source: npt.NDArray[Real], at: Neighbours[Real]) -> npt.NDArray[Real]:
    """Interpolate down the columns; rows between the same two rows of the source at once."""
    first, second, weight = at
    result: npt.NDArray[Real] = np.empty((len(first), source.shape[1]), source.dtype)
    starts: list[int] = np.flatnonzero(np.diff(first, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(first)], strict=True):
        above = source[first[start]]
        rows = result[start:stop]
        np.multiply(weight[start:stop, np.newaxis], source[second[start]] - above, out=rows)
        rows += above
    return result


def bilinear_pixels(source: UInt16Array, factor: int, rows: slice, cols: int) -> UInt16Array:
    """Interpolate digital numbers to a finer grid, ignoring no data.

    Parameters
    ----------
    source : ndarray of uint16, shape (rows, cols)
        0 is no data.
    factor : int
        Pixel size of the source over that of the result.
    rows : slice
        Rows of the result (start and stop).
    cols : int
        Columns of the result.

    Returns
    -------
    ndarray of uint16, shape (rows.stop - rows.start, cols)
        0 where the nearest source pixel is no data; 65535 where a neighbour is saturated; elsewhere
        the mean of the valid neighbours, weighted by distance.
    """
    row_at = positions(rows.stop - rows.start, factor, rows.start)
    col_at = positions(cols, factor)
    first = max(0, int(row_at[0]) - 1)
    part = source[first : int(row_at[-1]) + 3]
    row_at -= np.float32(first)
    value = bilinear(part.astype(np.float32), row_at, col_at)
    saturated = None
    if part.max(initial=0) == SATURATED:
        saturated = bilinear((part == SATURATED).astype(np.float32), row_at, col_at) > 0
        value[saturated] = SATURATED
    if part.all():
        return np.rint(value).astype(np.uint16)
    weight = bilinear((part != 0).astype(np.float32), row_at, col_at)
    np.divide(value, weight, out=value, where=weight > 0)
    closest = part[nearest(row_at, part.shape[0])][:, nearest(col_at, part.shape[1])]
    if saturated is not None:
        value[saturated] = SATURATED
    value[closest == 0] = 0.0
    return np.rint(value).astype(np.uint16)


def repeat_pixels(values: npt.NDArray[Pixel], factor: int) -> npt.NDArray[Pixel]:
    """Repeat every pixel ``factor`` times in both directions."""
    if factor == 1:
        return values
    return np.repeat(np.repeat(values, factor, axis=0), factor, axis=1)


def repeat_rows(
    values: npt.NDArray[Pixel], factor: int, rows: slice, cols: int
) -> npt.NDArray[Pixel]:
    """Some rows of an image whose pixels are repeated ``factor`` times in both directions.

    Parameters
    ----------
    values : ndarray, shape (ceil(all rows / factor), ceil(cols / factor))
    factor : int
    rows : slice
        Rows of the result (start and stop).
    cols : int
        Columns of the result.

    Returns
    -------
    ndarray, shape (rows.stop - rows.start, cols)
    """
    first = rows.start // factor
    part = np.repeat(values[first : -(-rows.stop // factor)], factor, axis=1)[:, :cols]
    repeated: npt.NDArray[Pixel] = part[np.arange(rows.start, rows.stop) // factor - first]
    return repeated


def block_mean(values: Float32Array, factor: int, *, first_axis: Literal[0, 1] = 0) -> Float32Array:
    """Mean of blocks of pixels.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, cols)
        NaN where unknown.
    factor : int
        Side of a block in pixels. Rows and columns beyond the last whole block are left out.
    first_axis : {0, 1}
        Axis along which the float32 sums run first; it decides their last bit.

    Returns
    -------
    ndarray of float32, shape (rows // factor, cols // factor)
        NaN where any pixel of the block is NaN.
    """
    if factor == 1:
        return values
    rows, cols = (size // factor * factor for size in values.shape)
    # two short sums are much faster than a mean over two axes of the blocks
    total = values[:rows, :cols]
    for axis in (first_axis, 1 - first_axis):
        total = _sum_runs(total, factor, axis)
    total /= np.float32(factor * factor)
    return total


def _sum_runs(values: Float32Array, factor: int, axis: int) -> Float32Array:
    """Sum runs of ``factor`` pixels along one axis, one after the other."""
    shape = [size // factor if number == axis else size for number, size in enumerate(values.shape)]
    total = np.zeros(shape, np.float32)
    for start in range(factor):
        total += values[start::factor] if axis == 0 else values[:, start::factor]
    return total


def block_mean_pixels(pixels: UInt16Array, factor: int, shape: tuple[int, int]) -> UInt16Array:
    """Mean of blocks of digital numbers, rounded half up, ignoring no data.

    Parameters
    ----------
    pixels : ndarray of uint16, shape (rows, cols)
        0 is no data.
    factor : int
        Side of a block in pixels.
    shape : (int, int)
        Shape of the result; where a block reaches beyond the input, that part is no data.

    Returns
    -------
    ndarray of uint16
        0 where more than half of the block is no data; 65535 where a pixel of it is saturated.
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
    if pixels.max(initial=0) == SATURATED:
        for i in range(factor):
            for j in range(factor):
                part = pixels[i : rows * factor : factor, j : cols * factor : factor]
                total[part == SATURATED] = SATURATED
    total[valid < (factor * factor + 1) // 2] = 0
    return total.astype(np.uint16)


def block_sum(values: npt.NDArray[Any], factor: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Sum of blocks of pixels; blocks at the lower and right edges may be smaller.

    Parameters
    ----------
    values : ndarray, shape (rows, cols)
    factor : int
        Side of a block in pixels.
    dtype : dtype
        Of the sums and the result.

    Returns
    -------
    ndarray, shape (ceil(rows / factor), ceil(cols / factor))
    """
    total = values
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], factor)
        total = np.add.reduceat(total, starts, axis=axis, dtype=dtype)
    return total


def block_fraction(mask: BoolArray, factor: int) -> Float32Array:
    """Fraction of every block that lies in a mask; edge blocks may be smaller.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
    factor : int
        Side of a block in pixels, at most 15.

    Returns
    -------
    ndarray of float32, shape (ceil(rows / factor), ceil(cols / factor))
    """
    if factor == 1 or not mask.size:
        return mask.astype(np.float32)
    counts = np.zeros([-(-size // factor) for size in mask.shape], np.uint8)
    for i in range(factor):
        for j in range(factor):
            part = mask[i::factor, j::factor].view(np.uint8)
            counts[: part.shape[0], : part.shape[1]] += part
    result: Float32Array = counts.astype(np.float32)
    heights, widths = (np.diff(np.arange(0, size, factor), append=size) for size in mask.shape)
    result /= np.multiply.outer(heights, widths)
    return result


def masked_mean(
    values: Float32Array, mask: BoolArray, width: int, *, min_fraction: float, fallback: float
) -> Float32Array:
    """Mean over the pixels of a mask in a square window around every pixel.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, cols)
        Beyond the edge, the outermost pixels are repeated.
    mask : ndarray of bool, same shape
        Pixels that are averaged.
    width : int
        Width of the window in pixels.
    min_fraction : float
        Fraction of the window that the mask must exceed.
    fallback : float
        Result where it does not.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
    """
    weight = uniform_filter(mask.astype(np.float32), width, mode="nearest")
    total = uniform_filter(np.where(mask, values, np.float32(0.0)), width, mode="nearest")
    mean = np.full(values.shape, fallback, np.float32)
    np.divide(total, weight, out=mean, where=weight > np.float32(min_fraction))
    return mean
