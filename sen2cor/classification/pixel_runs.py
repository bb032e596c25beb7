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
Shift = tuple[IntArray, IntArray]
"""Rows down and columns to the right by which each piece is shifted, shape (pieces,)."""


@dataclass(frozen=True)
class PixelRuns:
    """Runs of a mask, sorted by the piece that they belong to.

    Attributes
    ----------
    row, start, stop : ndarray of int32, shape (runs,)
        Row, first column, and the column behind the last.
    first : ndarray of int64, shape (pieces,)
        First run of each piece.
    piece : ndarray of int32, shape (runs,)
        Piece of each run.
    shape : (int, int)
        Of the image.
    """

    row: IntArray
    start: IntArray
    stop: IntArray
    first: npt.NDArray[np.int64]
    piece: IntArray
    shape: tuple[int, int]

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
        piece = np.cumsum(np.diff(ordered, prepend=ordered[:1]) != 0, dtype=np.int32)
        return cls(
            row[order].astype(np.int32),
            start[order].astype(np.int32),
            stop.astype(np.int32),
            first,
            piece,
            (rows, cols),
        )

    def unshifted(self) -> Shift:
        """A shift of no piece."""
        none = np.zeros(len(self.first), np.int32)
        return none, none

    def sum_pieces(self, cumulative: Float32Array, shift: Shift | None = None) -> Float32Array:
        """Sums over the pixels of each piece, shifted.

        Parameters
        ----------
        cumulative : ndarray of float32, shape (rows + 1, cols + 1, layers)
            As of `accumulate`.
        shift : (ndarray of int32, ndarray of int32), shape (pieces,), optional

        Returns
        -------
        ndarray of float32, shape (pieces, layers)
            Pixels beyond the edges add nothing.
        """
        layers = cumulative.shape[-1]
        if not len(self.first):
            return np.zeros((0, layers), np.float32)
        row, start, stop = self._shift(shift or self.unshifted())
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
        pieces : iterable of ((ndarray, ndarray), ndarray of bool), all of shape (pieces,)
            Shift, and which pieces are shifted by it.

        Returns
        -------
        ndarray of bool, shape (rows, cols)
        """
        rows, cols = self.shape
        starts, stops = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for shift, chosen in pieces:
            if chosen.any():
                row, start, stop = self._shift(shift, chosen[self.piece])
                row *= np.int32(cols + 1)
                starts.append(row + start)
                stops.append(row + stop)
        size = (rows + 1) * (cols + 1)
        steps = np.bincount(np.concatenate(starts), minlength=size)
        steps -= np.bincount(np.concatenate(stops), minlength=size)
        covered: BoolArray = np.cumsum(steps.reshape(rows + 1, cols + 1), axis=1)[:rows, :cols] > 0
        return covered

    def _shift(
        self, shift: Shift, chosen: BoolArray | slice = slice(None)
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Shifted runs, clipped to the image; the row behind the last where beyond the image."""
        rows, cols = self.shape
        piece = self.piece[chosen]
        row = self.row[chosen] + shift[0][piece]
        row[(row < 0) | (row > rows)] = rows
        right = shift[1][piece]
        start, stop = (
            np.clip(column[chosen] + right, 0, cols) for column in (self.start, self.stop)
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
