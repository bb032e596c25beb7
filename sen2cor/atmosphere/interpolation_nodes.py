"""The nodes at which the look-up tables are evaluated, and the interpolation to pixels.

Angles and aerosol vary over kilometres. The tables are therefore evaluated at nodes a few hundred
metres apart, and the results are interpolated bilinearly to the pixels of the coarse grid.

Where the elevation varies, the tables are evaluated at two or three elevations around each node,
from the lowest to the highest elevation that the interpolation reaches, and the results are
interpolated to the elevation of each pixel: linearly over gentle terrain, otherwise by a parabola.
These elevations change continuously from node to node, so the result has no steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter, minimum_filter

from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry
from sen2cor.raster.resampling import bilinear

_NODE_DISTANCE = 600.0
"""Metres."""

_MIN_NODES = 2
_MAX_LINEAR_STEP = 0.4
"""Maximum distance in km of two elevations for linear interpolation, whose error is then below
0.0001 in reflectance."""

_MIN_RANGE = np.float32(0.02)
"""Kilometres."""


@dataclass(frozen=True)
class NodeGeometry:
    """Nodes over a coarse grid of pixels, and the angles there.

    Attributes
    ----------
    grid : Grid
        The coarse grid.
    rows, cols : ndarray of float32
        Pixel coordinates of the nodes: the first and last lie on the outermost pixel centres.
    solar_zenith, solar_azimuth : ndarray of float32, shape (len(rows), len(cols))
        Degrees.
    angles : TileGeometry
    """

    grid: Grid
    rows: Float32Array
    cols: Float32Array
    solar_zenith: Float32Array
    solar_azimuth: Float32Array
    angles: TileGeometry

    @classmethod
    def over(cls, grid: Grid, angles: TileGeometry) -> NodeGeometry:
        """Lay nodes over a grid.

        Parameters
        ----------
        grid : Grid
        angles : TileGeometry
            Of the tile whose upper left corner is the grid's.

        Returns
        -------
        NodeGeometry
        """
        rows, cols = (_nodes(size, grid.pixel_size) for size in grid.shape)
        zenith, azimuth = _angles_at(angles.sun, grid, rows, cols)
        return cls(grid, rows, cols, zenith, azimuth, angles)

    def view(self, band: str) -> tuple[Float32Array, Float32Array]:
        """View zenith and relative azimuth (0 = backscatter, to 180) of a band, in degrees."""
        zenith, azimuth = _angles_at(self.angles.view[band], self.grid, self.rows, self.cols)
        return zenith, relative_azimuth(self.solar_azimuth, azimuth)

    def air_mass(self, band: str) -> Float32Array:
        """Sum of the slant factors of sun and view path: ``1/cos(sza) + 1/cos(vza)``."""
        zenith, _ = self.view(band)
        down = 1.0 / np.cos(np.radians(self.solar_zenith))
        total: Float32Array = down + 1.0 / np.cos(np.radians(zenith))
        return total

    def at_nodes(self, pixels: Float32Array) -> Float32Array:
        """Sample a field of the coarse grid at the nodes."""
        return bilinear(pixels, self.rows, self.cols)

    @cached_property
    def _pixel_positions(self) -> tuple[Float32Array, Float32Array]:
        """Node coordinates of the rows and columns of the coarse grid."""
        down, across = (
            np.linspace(0.0, len(node) - 1.0, size, dtype=np.float32)
            for node, size in zip((self.rows, self.cols), self.grid.shape, strict=True)
        )
        return down, across

    def to_pixels(self, nodes: npt.ArrayLike, rows: slice | None = None) -> Float32Array:
        """Interpolate from the nodes to the pixels of some rows of the coarse grid, or of all."""
        values = np.asarray(nodes, np.float32)
        values = np.broadcast_to(values, (len(self.rows), len(self.cols)))
        down, across = self._pixel_positions
        return bilinear(values, down if rows is None else down[rows], across)


@dataclass(frozen=True)
class ElevationField:
    """Surface elevation on a coarse grid, and the interpolation of terms that depend on it.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols) of the coarse grid
        Km above sea level.
    levels : ndarray of float32, shape (n, node rows, node cols)
        Elevations at which the tables are evaluated, km.
    weights : tuple of n ndarray of float32, shape (rows, cols)
        Weight of each level in a pixel.
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
        high = np.maximum(high, low + _MIN_RANGE)
        bottom = geometry.to_pixels(low)
        fraction = (elevation - bottom) / (geometry.to_pixels(high) - bottom)
        if float((high - low).max()) <= _MAX_LINEAR_STEP:
            return cls(elevation, np.stack([low, high]), (1.0 - fraction, fraction))
        double = 2.0 * fraction
        return cls(
            elevation,
            np.stack([low, 0.5 * (low + high), high]),
            (
                (1.0 - double) * (1.0 - fraction),
                2.0 * double * (1.0 - fraction),
                fraction * (double - 1.0),
            ),
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
"""Elevation of the surface in km: one value, or one per pixel."""


def relative_azimuth(solar_azimuth: Float32Array, view_azimuth: Float32Array) -> Float32Array:
    """Difference of azimuths folded to 0..180 degrees; 0 is sun and sensor on one side."""
    difference = np.abs(solar_azimuth - view_azimuth) % np.float32(360.0)
    folded: Float32Array = np.minimum(difference, np.float32(360.0) - difference)
    return folded


def _nodes(size: int, pixel_size: float) -> Float32Array:
    number = max(_MIN_NODES, int(np.ceil(size * pixel_size / _NODE_DISTANCE)) + 1)
    return np.linspace(0.0, size - 1.0, min(number, max(size, _MIN_NODES)), dtype=np.float32)


def _angles_at(
    angles: AngleGrid, grid: Grid, rows: Float32Array, cols: Float32Array
) -> tuple[Float32Array, Float32Array]:
    """Interpolate zenith and azimuth; the azimuth by its unit vector."""
    south, east = (
        (at + np.float32(0.5)) * np.float32(grid.pixel_size / angles.step) for at in (rows, cols)
    )
    zenith = bilinear(angles.zenith, south, east)
    azimuth = np.radians(angles.azimuth)
    y = bilinear(np.sin(azimuth), south, east)
    x = bilinear(np.cos(azimuth), south, east)
    return zenith, (np.degrees(np.arctan2(y, x)) % 360.0).astype(np.float32)
