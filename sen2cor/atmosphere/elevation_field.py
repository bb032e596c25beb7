"""The elevation of the ground, per pixel, for functions that are evaluated at nodes.

Around each node the functions are evaluated at levels between the lowest and the highest ground
that its interpolation reaches, and interpolated over the elevation of each pixel: between two
levels linearly where the ground is gentle, else through three by a parabola. Levels follow the
ground from node to node, so no step shows anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter, minimum_filter

from sen2cor.atmosphere.node_geometry import NodeGeometry
from sen2cor.raster.array_types import Float32Array

_LINEAR = 0.4
"""Greatest distance of two levels in km: linear errors stay below 0.0001 in reflectance."""

_LEAST_RANGE = np.float32(0.02)


@dataclass(frozen=True)
class ElevationField:
    """Elevation on a coarse grid, and how what depends on it is interpolated.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols) of the coarse grid
        Km above sea level.
    levels : ndarray of float32, shape (n, node rows, node cols)
        Elevations at which functions are evaluated, km.
    weights : tuple of n ndarray of float32, shape (rows, cols)
        Of each level in a pixel.
    """

    elevation: Float32Array
    levels: Float32Array
    weights: tuple[Float32Array, ...]

    @classmethod
    def over(cls, geometry: NodeGeometry, elevation: Float32Array) -> ElevationField:
        """Prepare an elevation model.

        Parameters
        ----------
        geometry : NodeGeometry
        elevation : ndarray of float32, shape (rows, cols) of its coarse grid
            Km; without gaps.

        Returns
        -------
        ElevationField
        """
        reach = [
            2 * int(np.ceil(nodes[1] - nodes[0])) + 1 for nodes in (geometry.rows, geometry.cols)
        ]
        rows, cols = (np.rint(nodes).astype(np.intp) for nodes in (geometry.rows, geometry.cols))
        low, high = (
            extreme(elevation, reach, mode="nearest")[np.ix_(rows, cols)]
            for extreme in (minimum_filter, maximum_filter)
        )
        high = np.maximum(high, low + _LEAST_RANGE)
        bottom = geometry.to_pixels(low)
        share = (elevation - bottom) / (geometry.to_pixels(high) - bottom)
        if float((high - low).max()) <= _LINEAR:
            return cls(elevation, np.stack([low, high]), (1.0 - share, share))
        double = 2.0 * share
        return cls(
            elevation,
            np.stack([low, 0.5 * (low + high), high]),
            ((1.0 - double) * (1.0 - share), 2.0 * double * (1.0 - share), share * (double - 1.0)),
        )

    def to_pixels(
        self, geometry: NodeGeometry, values: npt.ArrayLike, rows: slice | None = None
    ) -> Float32Array:
        """Interpolate values at the levels to the elevation of each pixel.

        Parameters
        ----------
        geometry : NodeGeometry
        values : ndarray of float32, shape (n, node rows, node cols)
        rows : slice, optional
            Of the coarse grid; all by default.

        Returns
        -------
        ndarray of float32, shape (rows, cols)
        """
        chosen = slice(None) if rows is None else rows
        at_levels = np.broadcast_to(np.asarray(values, np.float32), self.levels.shape)
        result = geometry.to_pixels(at_levels[0], rows)
        result *= self.weights[0][chosen]
        for weight, level in zip(self.weights[1:], at_levels[1:], strict=True):
            part = geometry.to_pixels(level, rows)
            part *= weight[chosen]
            result += part
        return result


GroundElevation = float | ElevationField
"""Of the ground in km: the same everywhere, or per pixel."""
