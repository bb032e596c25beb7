"""Statistics of reference pixels by blocks of the coarse grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import block_sum


@dataclass(frozen=True)
class Blocks:
    """Square blocks of a grid, those at the right and lower edge cut off by it.

    Attributes
    ----------
    shape : (int, int)
        Of the grid.
    side : int
        Pixels along a block.
    """

    shape: tuple[int, int]
    side: int

    @property
    def number(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        return -(-self.shape[0] // self.side), -(-self.shape[1] // self.side)

    def centres(self) -> tuple[Float32Array, Float32Array]:
        """Pixel coordinates of the centres of block rows and columns."""
        rows, cols = (
            np.minimum(
                (np.arange(count) + np.float32(0.5)) * self.side - np.float32(0.5),
                0.5 * (np.arange(count) * self.side + size - 1),
            ).astype(np.float32)
            for count, size in zip(self.number, self.shape, strict=True)
        )
        return rows, cols

    def counts(self, mask: BoolArray) -> npt.NDArray[np.intp]:
        """Pixels of a mask by block."""
        return block_sum(mask, self.side, np.intp)

    def means(self, values: Float32Array, mask: BoolArray) -> Float32Array:
        """Mean over the pixels of a mask; NaN where a block has none."""
        total = block_sum(np.where(mask, values, np.float32(0.0)), self.side, np.float32)
        count = self.counts(mask)
        result = np.full(total.shape, np.nan, np.float32)
        np.divide(total, count, out=result, where=count > 0)
        return result

    def quantiles(self, values: Float32Array, mask: BoolArray, level: float) -> Float32Array:
        """Quantile over the pixels of a mask, 0.5 the median; NaN where a block has none."""
        rows, cols = self.number
        padded = np.full((rows * self.side, cols * self.side), np.inf, np.float32)
        np.copyto(padded[: self.shape[0], : self.shape[1]], values, where=mask)
        blocks = padded.reshape(rows, self.side, cols, self.side).swapaxes(1, 2)
        count = self.counts(mask)
        occupied = count > 0
        ordered = np.sort(blocks.reshape(rows, cols, -1)[occupied], axis=-1)
        position = level * (count[occupied] - 1)
        lower = position.astype(np.intp)
        line = np.arange(len(lower))
        first = ordered[line, lower]
        step = ordered[line, np.minimum(lower + 1, count[occupied] - 1)] - first
        result = np.full((rows, cols), np.nan, np.float32)
        result[occupied] = first + (position - lower) * step
        return result
