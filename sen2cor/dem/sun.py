"""Where the sun stands over a projected grid.

Tile metadata give the azimuth of the sun from true north; slopes and shadows are worked out on a
grid whose north differs from it by the convergence of the meridians.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.coordinates import grid_convergence
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.raster.resampling import bilinear

_HIGHEST_ZENITH = 88.0


@dataclass(frozen=True)
class SunDirections:
    """Direction to the sun in the frame of a grid, at nodes.

    Node (i, j) lies ``i * step`` metres south and ``j * step`` metres east of the outer corner of
    the grid's upper left pixel.

    Attributes
    ----------
    east, north : ndarray of float32, shape (nodes south, nodes east)
        Horizontal components over the vertical one: ``tan(zenith)`` times the unit vector toward
        the sun along the axes of the grid.
    step : float
        Distance of nodes in metres.
    """

    east: Float32Array
    north: Float32Array
    step: float

    @classmethod
    def over(cls, grid: Grid, angles: AngleGrid) -> SunDirections:
        """Turn the angles of a tile into the frame of its grid.

        Parameters
        ----------
        grid : Grid
        angles : AngleGrid
            Of the tile whose upper left corner is the grid's. Zeniths are limited to 88 degrees.

        Returns
        -------
        SunDirections
        """
        i, j = np.indices(angles.zenith.shape)
        convergence = grid_convergence(
            grid.epsg, grid.ulx + j * angles.step, grid.uly - i * angles.step
        )
        azimuth = np.radians(angles.azimuth - convergence)
        tangent = np.tan(np.radians(np.minimum(angles.zenith, _HIGHEST_ZENITH)))
        return cls(
            (tangent * np.sin(azimuth)).astype(np.float32),
            (tangent * np.cos(azimuth)).astype(np.float32),
            angles.step,
        )

    def at(
        self, pixel_size: float, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]
    ) -> tuple[Float32Array, Float32Array]:
        """Components east and north at pixel centres.

        Parameters
        ----------
        pixel_size : float
            Metres.
        rows, cols : ndarray of int, shape (n,), (m,)
            Indices of pixels; the upper left pixel of the tile is (0, 0).

        Returns
        -------
        (ndarray of float32, ndarray of float32)
            Shape (n, m).
        """
        south, east = (
            ((index + 0.5) * (pixel_size / self.step)).astype(np.float32) for index in (rows, cols)
        )
        return bilinear(self.east, south, east), bilinear(self.north, south, east)

    def centre(self, grid: Grid) -> tuple[float, float]:
        """Components east and north in the middle of the tile."""
        row, col = np.array([grid.rows // 2]), np.array([grid.cols // 2])
        east, north = self.at(grid.pixel_size, row, col)
        return east.item(), north.item()
