"""Blocks of rows and changes of resolution by whole factors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sen2cor.raster.array_types import Float32Array

BLOCK = 240
"""Rows of 10 m made at a time; a multiple of 6."""


def row_blocks(rows: int, height: int = BLOCK) -> Iterator[slice]:
    """Cut a number of rows into blocks."""
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def upsample_nearest(values: Float32Array, factor: int) -> Float32Array:
    """Repeat each pixel in both directions."""
    if factor == 1:
        return values
    return np.repeat(np.repeat(values, factor, axis=0), factor, axis=1)


def block_mean(values: Float32Array, factor: int) -> Float32Array:
    """Mean of the pixels that a coarser pixel covers."""
    if factor == 1:
        return values
    rows, cols = values.shape[0] // factor, values.shape[1] // factor
    blocks = values[: rows * factor, : cols * factor].reshape(rows, factor, cols, factor)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))
