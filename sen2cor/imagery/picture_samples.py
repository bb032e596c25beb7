"""Subsampled images for pictures, taken while the images are in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Pixels
from sen2cor.raster.grids import Grid


@dataclass(frozen=True)
class PictureSamples:
    """Images of a tile, subsampled for pictures of one shape.

    Attributes
    ----------
    shape : (rows, cols)
        Of the pictures.
    toa : dict of band name to ndarray of uint16, shape ``shape``
        Digital numbers of Level-1C.
    surface : dict of kind to ndarray of uint8 or uint16, shape ``shape``
        Images of Level-2A; colour images are left out.
    """

    shape: tuple[int, int]
    toa: dict[str, Pixels] = field(default_factory=dict)
    surface: dict[str, Pixels] = field(default_factory=dict)

    def add_toa(self, band: str, numbers: Pixels) -> None:
        """Sample a band of Level-1C, if it is fine enough for the pictures."""
        if self._is_coarser_than(numbers.shape):
            self.toa[band] = subsample(numbers, self.shape)

    def gather(
        self, kind: str, grid: Grid, dtype: npt.DTypeLike
    ) -> Callable[[int, Pixels], None] | None:
        """Return a function that samples blocks of rows of an image, given the first row.

        None if the image is too coarse for the pictures, or sampled already at another resolution.
        """
        if kind in self.surface or not self._is_coarser_than(grid.shape):
            return None
        at_rows, at_cols = find_centres(grid.shape, self.shape)
        sampled = self.surface[kind] = np.zeros(self.shape, dtype)

        def sample(first: int, rows: Pixels) -> None:
            start, stop = np.searchsorted(at_rows, (first, first + len(rows)))
            sampled[start:stop] = rows[np.ix_(at_rows[start:stop] - first, at_cols)]

        return sample

    def _is_coarser_than(self, shape: tuple[int, ...]) -> bool:
        return all(have >= wanted for have, wanted in zip(shape, self.shape, strict=True))


def find_centres(
    shape: tuple[int, ...], wanted: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return rows and columns of an image at the centres of the pixels of a picture."""
    rows, cols = (
        (2 * np.arange(number) + 1) * have // (2 * number)
        for have, number in zip(shape, wanted, strict=False)
    )
    return rows, cols


def subsample(pixels: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Pick the pixel at the centre of each pixel of a picture of the same area."""
    picked: npt.NDArray[Any] = pixels[np.ix_(*find_centres(pixels.shape, shape))]
    return picked
