"""Runs: pixels of a mask that adjoin in a row. Sums over shifted masks, and their union.

A sum over a run is the difference of two entries of the cumulative sum of the row, so that the cost
of a shifted mask grows with the number of its runs, not with its area.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sen2cor.raster.array_types import BoolArray, Float32Array

IntArray = npt.NDArray[np.int32]
Shift = tuple[int, int]
"""Rows down and columns to the right."""


@dataclass(frozen=True)
class PixelRuns:
    """Runs of a mask, sorted by the piece that they belong to.

    Attributes
    ----------
    row, start, stop : ndarray of int32, shape (runs,)
        Row, first column, and the column behind the last.
    first : ndarray of int64, shape (pieces,)
        First run of each piece.
    shape : (int, int)
        Of the image.
    """

    row: IntArray
    start: IntArray
    stop: IntArray
    first: npt.NDArray[np.int64]
    shape: Shift

    @classmethod
    def find(cls, mask: BoolArray, cell: int) -> PixelRuns:
        """Find the runs of a mask, cut where a grid of square cells cuts it.

        Parameters
        ----------
        mask : ndarray of bool, shape (rows, cols)
        cell : int
            Side of a cell in pixels. The parts of a connected region in one cell are a piece.

        Returns
        -------
        PixelRuns
        """
        rows, cols = mask.shape
        before, after = np.zeros_like(mask), np.zeros_like(mask)
        before[:, 1:] = mask[:, :-1]
        before[:, ::cell] = False
        after[:, :-1] = mask[:, 1:]
        after[:, cell - 1 :: cell] = False
        starts, stops = np.flatnonzero(mask & ~before), np.flatnonzero(mask & ~after)
        row, start = np.divmod(starts, cols) if cols else (starts, starts)
        labels, _ = ndimage.label(mask, np.ones((3, 3)))
        cells = (row // cell) * (cols // cell + 1) + start // cell
        key = labels.ravel()[starts] * np.int64((rows // cell + 1) * (cols // cell + 1)) + cells
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        stop = stops[order] - row[order] * cols + 1
        numbers = (row[order], start[order], stop)
        at_row, at_start, at_stop = (number.astype(np.int32) for number in numbers)
        return cls(at_row, at_start, at_stop, first, (rows, cols))

    def piece_of_run(self) -> IntArray:
        """Piece of each run, shape (runs,)."""
        lengths = np.diff(self.first, append=len(self.row))
        return np.repeat(np.arange(len(self.first), dtype=np.int32), lengths)

    def sum_pieces(self, cumulative: Float32Array, shift: Shift = (0, 0)) -> Float32Array:
        """Sums over the pixels of each piece, shifted.

        Parameters
        ----------
        cumulative : ndarray of float32, shape (rows + 1, cols + 1, layers)
            As of `accumulate`.
        shift : (int, int), optional

        Returns
        -------
        ndarray of float32, shape (pieces, layers)
            Pixels beyond the edges add nothing.
        """
        layers = cumulative.shape[-1]
        if not len(self.first):
            return np.zeros((0, layers), np.float32)
        row, start, stop = self._shift(shift)
        table = cumulative.reshape(-1, layers)
        row *= np.int32(self.shape[1] + 1)
        sums = table.take(row + stop, axis=0)
        sums -= table.take(row + start, axis=0)
        total: Float32Array = np.add.reduceat(sums, self.first, axis=0)
        return total

    def paint(self, pieces: Iterable[tuple[Shift, BoolArray]]) -> BoolArray:
        """Union of shifted pieces.

        Parameters
        ----------
        pieces : iterable of ((int, int), ndarray of bool, shape (pieces,))
            Shift, and which pieces are shifted by it.

        Returns
        -------
        ndarray of bool, shape (rows, cols)
        """
        rows, cols = self.shape
        steps = np.zeros((rows + 1) * (cols + 1), np.int32)
        of = self.piece_of_run()
        for shift, chosen in pieces:
            if not chosen.any():
                continue
            row, start, stop = self._shift(shift, chosen[of])
            row *= np.int32(cols + 1)
            # The runs of one shift do not overlap, except those of no length.
            seen = stop > start
            steps[(row + start)[seen]] += 1
            steps[(row + stop)[seen]] -= 1
        covered: BoolArray = np.cumsum(steps.reshape(rows + 1, cols + 1), axis=1)[:rows, :cols] > 0
        return covered

    def _shift(
        self, shift: Shift, chosen: BoolArray | slice = slice(None)
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Shifted runs, clipped to the image; the row behind the last where beyond the image."""
        rows, cols = self.shape
        row = self.row[chosen] + np.int32(shift[0])
        row[(row < 0) | (row > rows)] = rows
        start, stop = (
            np.clip(column[chosen] + np.int32(shift[1]), 0, cols)
            for column in (self.start, self.stop)
        )
        return row, start, stop


def accumulate(*layers: npt.NDArray[np.generic]) -> Float32Array:
    """Cumulative sums along the rows.

    Parameters
    ----------
    layers : ndarray, shape (rows, cols)
        Bool or numbers.

    Returns
    -------
    ndarray of float32, shape (rows + 1, cols + 1, layers)
        The first column and the last row are 0.
    """
    rows, cols = layers[0].shape
    sums = np.zeros((rows + 1, cols + 1, len(layers)), np.float32)
    for number, layer in enumerate(layers):
        np.cumsum(layer, axis=1, dtype=np.float32, out=sums[:rows, 1:, number])
    return sums
