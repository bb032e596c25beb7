"""Multilinear interpolation in look-up tables.

There is no extrapolation: a value outside an axis is replaced by the nearest limit, with one
warning per quantity.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from sen2cor.raster.array_types import Float32Array

LOGGER = logging.getLogger(__name__)

AxisPosition = tuple[npt.NDArray[np.intp], Float32Array]
"""Index of the lower node, and weight (0..1) of the upper node."""


class Axes:
    """The axes of a table by quantity.

    Parameters
    ----------
    table : str
        Name of the table, for the warnings.
    nodes : mapping of str to ndarray
        Rising or falling nodes of each quantity.
    units : mapping of str to str, optional
        Units for the warnings.
    """

    def __init__(
        self,
        table: str,
        nodes: Mapping[str, Float32Array],
        units: Mapping[str, str] | None = None,
    ) -> None:
        self._table, self._nodes, self._units = table, nodes, units or {}
        self._warned: set[str] = set()

    def __getitem__(self, quantity: str) -> Float32Array:
        return self._nodes[quantity]

    def locate(
        self,
        quantity: str,
        values: npt.ArrayLike,
        coordinate: Callable[[Float32Array], Float32Array] | None = None,
    ) -> AxisPosition:
        """Locate values on an axis; the weight of NaN is NaN.

        Between the nodes weights are linear in the quantity, or in a coordinate: a monotonic
        function of the quantity.
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
        """Warn, once per quantity, if values are outside its axis."""
        axis = self._nodes[quantity]
        low, high = float(axis.min()), float(axis.max())
        margin = 1e-5 * (high - low)
        if np.any((values < low - margin) | (values > high + margin)):
            self.warn_outside(quantity, low, high)

    def warn_outside(self, quantity: str, low: float, high: float) -> None:
        """Warn, once per quantity, that the nearest limit of its axis is used."""
        if quantity in self._warned:
            return
        self._warned.add(quantity)
        unit = self._units.get(quantity, "")
        LOGGER.warning(
            "Look-up table %s: %s is outside its range (%g .. %g%s); using the nearest limit.",
            self._table, quantity, low, high, unit and f" {unit}",
        )  # fmt: skip


def interpolate(table: Float32Array, positions: Sequence[AxisPosition]) -> Float32Array:
    """Interpolate linearly along the leading axes of a table.

    Axes with a single position are interpolated first, which leaves a smaller table for the others.
    """
    remaining: list[tuple[int, AxisPosition]] = []
    for index, weight in positions:
        axis = len(remaining)
        if index.size == 1:
            lower = int(index.flat[0])
            first, second = table.take(lower, axis), table.take(lower + 1, axis)
            table = first + weight.reshape(()) * (second - first)
        else:
            remaining.append((axis, (index, weight)))
    result: Float32Array = _interpolate_corners(table, [position for _, position in remaining], [])
    return result


def halve_intervals(nodes: Float32Array) -> Float32Array:
    """Add a node in the middle of each interval of an axis."""
    denser: Float32Array = np.insert(
        nodes, np.arange(1, nodes.size), 0.5 * (nodes[1:] + nodes[:-1])
    )
    return denser


def refine_by_splines(
    table: Float32Array, axis: int, nodes: Float32Array, denser: Float32Array
) -> Float32Array:
    """Interpolate a table to denser nodes along one of its axes by cubic splines."""
    return np.asarray(CubicSpline(nodes, table, axis=axis)(denser), np.float32)


def _interpolate_corners(
    table: Float32Array, positions: Sequence[AxisPosition], chosen: list[npt.NDArray[np.intp]]
) -> Float32Array:
    if len(chosen) == len(positions):
        return table[tuple(chosen)] if chosen else table
    index, weight = positions[len(chosen)]
    first = _interpolate_corners(table, positions, [*chosen, index])
    second = _interpolate_corners(table, positions, [*chosen, index + 1])
    weight = weight.reshape(weight.shape + (1,) * (table.ndim - len(positions)))
    return first + weight * (second - first)
