"""A sample of the rows of an image, and the snow in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sen2cor.classification.arrays import Reflectance, normalised_difference
from sen2cor.raster.array_types import BoolArray

_SAMPLES = 256


def sampled_rows(
    read_reflectance: Callable[[slice], Reflectance], no_data: BoolArray
) -> Iterator[tuple[Reflectance, BoolArray]]:
    """Every n-th pixel of every n-th row, up to 256 rows.

    Parameters
    ----------
    read_reflectance : callable
        As of `sen2cor.classification.classify_rows`.
    no_data : ndarray of bool, shape (rows, cols)

    Yields
    ------
    mapping of band name to ndarray of float32, shape (1, cols / n)
    ndarray of bool, of that shape
        Whether the pixel has data.
    """
    rows = no_data.shape[0]
    step = max(1, rows // _SAMPLES)
    for row in range(step // 2, rows, step):
        whole = read_reflectance(slice(row, row + 1))
        line = {name: band[:, ::step] for name, band in whole.items()}
        yield line, ~no_data[row : row + 1, ::step]


def snow(reflectance: Reflectance) -> BoolArray:
    """Snow by its index and its brightness.

    Parameters
    ----------
    reflectance : mapping
        B03, B8A, B11.

    Returns
    -------
    ndarray of bool
    """
    index = normalised_difference(reflectance["B03"], reflectance["B11"])
    found: BoolArray = index > np.float32(0.35)
    found &= reflectance["B8A"] > np.float32(0.15)
    return found
