"""Sums over shifted masks, and their union, by runs of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sen2cor.classification.pixel_runs import PixelRuns, accumulate


@pytest.fixture
def mask() -> np.ndarray:
    return np.random.default_rng(3).random((31, 43)) < 0.3


@pytest.mark.parametrize("cell", [1, 7, 100])
def test_pieces_are_connected_regions_cut_into_cells(mask: np.ndarray, cell: int) -> None:
    runs = PixelRuns.find(mask, cell)
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    row, col = np.nonzero(mask)
    pieces = {*zip(labels[mask], row // cell, col // cell, strict=True)}
    assert len(runs.first) == len(pieces)
    size = runs.sum_pieces(accumulate(np.ones_like(mask)))[:, 0]
    assert size.sum() == mask.sum()
    everything = runs.paint([(runs.unshifted(), np.ones(len(pieces), np.bool_))])
    np.testing.assert_array_equal(everything, mask)


@pytest.mark.parametrize("shift", [(0, 0), (4, -3), (-9, 12), (40, 0), (0, -60)])
def test_sum_over_a_shifted_mask(mask: np.ndarray, shift: tuple[int, int]) -> None:
    values = np.random.default_rng(4).integers(0, 9, mask.shape)
    runs = PixelRuns.find(mask, 8)
    by = tuple(np.full(len(runs.first), part, np.int32) for part in shift)
    row, col = (part + by for part, by in zip(np.nonzero(mask), shift, strict=True))
    inside = (row >= 0) & (row < 31) & (col >= 0) & (col < 43)
    expected = values[row[inside], col[inside]].sum()
    assert runs.sum_pieces(accumulate(values), by).sum() == expected
    painted = np.zeros_like(mask)
    painted[row[inside], col[inside]] = True
    everything = np.ones(len(runs.first), np.bool_)
    np.testing.assert_array_equal(runs.paint([(by, everything)]), painted)


def test_pieces_with_shifts_of_their_own() -> None:
    mask = np.zeros((5, 9), np.bool_)
    mask[2, 1] = mask[2, 7] = True
    runs = PixelRuns.find(mask, 9)
    shift = np.array([1, -1], np.int32), np.array([2, -4], np.int32)
    painted = runs.paint([(shift, np.array([True, True]))])
    np.testing.assert_array_equal(np.argwhere(painted), [[1, 3], [3, 3]])
    layer = np.arange(45, dtype=np.float32).reshape(5, 9)
    sums = runs.sum_pieces(accumulate(layer, -layer), shift)
    np.testing.assert_array_equal(sums, [[30, -30], [12, -12]])


def test_no_pixels() -> None:
    runs = PixelRuns.find(np.zeros((4, 5), np.bool_), 2)
    assert runs.sum_pieces(accumulate(np.ones((4, 5)))).shape == (0, 1)
    assert not runs.paint([(runs.unshifted(), np.zeros(0, np.bool_))]).any()
