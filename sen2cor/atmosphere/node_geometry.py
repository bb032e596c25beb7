"""Sun and view angles on the nodes at which the look-up tables are evaluated.

The tile metadata give angles every 5 km; atmosphere and aerosol vary over kilometres. The tables
are evaluated at nodes some hundred metres apart and their results interpolated, so that no step
shows anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry
from sen2cor.raster.resampling import bilinear

_NODE_DISTANCE = 600.0
_FEWEST_NODES = 2


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

    def to_pixels(self, nodes: npt.ArrayLike, rows: slice | None = None) -> Float32Array:
        """Interpolate from the nodes to the pixels of some rows of the coarse grid, or of all."""
        values = np.asarray(nodes, np.float32)
        values = np.broadcast_to(values, (len(self.rows), len(self.cols)))
        down, across = (
            np.linspace(0.0, len(node) - 1.0, size, dtype=np.float32)
            for node, size in zip((self.rows, self.cols), self.grid.shape, strict=True)
        )
        return bilinear(values, down if rows is None else down[rows], across)


def relative_azimuth(solar_azimuth: Float32Array, view_azimuth: Float32Array) -> Float32Array:
    """Difference of azimuths folded to 0..180 degrees; 0 is sun and sensor on one side."""
    difference = np.abs(solar_azimuth - view_azimuth) % np.float32(360.0)
    folded: Float32Array = np.minimum(difference, np.float32(360.0) - difference)
    return folded


def _nodes(size: int, pixel_size: float) -> Float32Array:
    number = max(_FEWEST_NODES, int(np.ceil(size * pixel_size / _NODE_DISTANCE)) + 1)
    return np.linspace(0.0, size - 1.0, min(number, max(size, _FEWEST_NODES)), dtype=np.float32)


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
