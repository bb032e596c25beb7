"""Axes of look-up tables: finding values on them, and interpolating between their nodes.

Nothing is extrapolated: what lies beyond an axis is taken at its end, with one warning per
quantity.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from sen2cor.raster.array_types import Float32Array

LOGGER = logging.getLogger(__name__)

Place = tuple[npt.NDArray[np.intp], Float32Array]
"""Index of the node below, and share of the node above."""


class Axes:
    """The axes of a table by quantity.

    Parameters
    ----------
    table : str
        Name of the table, for the warnings.
    nodes : mapping of str to ndarray
        Rising or falling nodes of each quantity.
    units : mapping of str to str, optional
        Of quantities that are said with their unit.
    """

    def __init__(
        self,
        table: str,
        nodes: Mapping[str, Float32Array],
        units: Mapping[str, str] | None = None,
    ) -> None:
        self._table, self._nodes, self._units = table, nodes, units or {}
        self._announced: set[str] = set()

    def __getitem__(self, quantity: str) -> Float32Array:
        return self._nodes[quantity]

    def place(
        self,
        quantity: str,
        values: npt.ArrayLike,
        coordinate: Callable[[Float32Array], Float32Array] | None = None,
    ) -> Place:
        """Find values on an axis; NaN keeps a share of NaN.

        Between the nodes shares are linear in the quantity, or in a coordinate, a rising or
        falling function of it.
        """
        axis = self._nodes[quantity]
        array = np.asarray(values, np.float32)
        self.check(quantity, array)
        if coordinate is not None:
            axis, array = coordinate(axis), coordinate(np.clip(array, axis.min(), axis.max()))
        count = np.arange(axis.size)
        if axis[-1] < axis[0]:
            position = np.interp(array, axis[::-1], count[::-1])
        else:
            position = np.interp(array, axis, count)
        lower = np.minimum(np.nan_to_num(position).astype(np.intp), axis.size - 2)
        return lower, np.asarray(position - lower, np.float32)

    def check(self, quantity: str, values: Float32Array) -> None:
        """Warn, once per quantity, where values lie beyond its axis."""
        axis = self._nodes[quantity]
        low, high = float(axis.min()), float(axis.max())
        margin = 1e-5 * (high - low)
        if np.any((values < low - margin) | (values > high + margin)):
            self.announce(quantity, low, high)

    def announce(self, quantity: str, low: float, high: float) -> None:
        """Warn, once per quantity, that the end of its axis is used."""
        if quantity in self._announced:
            return
        self._announced.add(quantity)
        unit = self._units.get(quantity, "")
        LOGGER.warning(
            "look-up table %s: %s outside the axis (%g .. %g%s), its end is used",
            self._table, quantity, low, high, unit and f" {unit}",
        )  # fmt: skip


def interpolate(table: Float32Array, places: Sequence[Place]) -> Float32Array:
    """Interpolate linearly along the leading axes of a table.

    Places with a single point are taken first, which leaves a smaller table for the others.
    """
    remaining: list[tuple[int, Place]] = []
    for index, share in places:
        axis = len(remaining)
        if index.size == 1:
            lower = int(index.flat[0])
            first, second = table.take(lower, axis), table.take(lower + 1, axis)
            table = first + share.reshape(()) * (second - first)
        else:
            remaining.append((axis, (index, share)))
    result: Float32Array = _corners(table, [place for _, place in remaining], [])
    return result


def halved(nodes: Float32Array) -> Float32Array:
    """Nodes of an axis, with one more in the middle of each interval."""
    denser: Float32Array = np.insert(
        nodes, np.arange(1, nodes.size), 0.5 * (nodes[1:] + nodes[:-1])
    )
    return denser


def splined(
    table: Float32Array, axis: int, nodes: Float32Array, denser: Float32Array
) -> Float32Array:
    """Take a table to denser nodes along one of its axes by cubic splines through all of them."""
    return np.asarray(CubicSpline(nodes, table, axis=axis)(denser), np.float32)


def _corners(
    table: Float32Array, places: Sequence[Place], chosen: list[npt.NDArray[np.intp]]
) -> Float32Array:
    if len(chosen) == len(places):
        return table[tuple(chosen)] if chosen else table
    index, share = places[len(chosen)]
    first = _corners(table, places, [*chosen, index])
    second = _corners(table, places, [*chosen, index + 1])
    share = share.reshape(share.shape + (1,) * (table.ndim - len(places)))
    return first + share * (second - first)
