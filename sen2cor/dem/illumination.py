"""Direction to the sun over a projected grid, and the direct illumination of slopes.

Tile metadata give the solar azimuth from true north. Slopes and shadows are computed on a grid
whose north differs from it by the grid convergence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.coordinates import grid_convergence
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.raster.resampling import bilinear

_MAX_ZENITH = 88.0
"""Solar zenith angle in degrees beyond which the tangent is not followed."""


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
        Node spacing in metres.
    """

    east: Float32Array
    north: Float32Array
    step: float

    @classmethod
    def from_angles(cls, grid: Grid, angles: AngleGrid) -> SunDirections:
        """Convert the sun angles of a tile to the frame of its grid.

        Parameters
        ----------
        grid : Grid
        angles : AngleGrid
            Of the tile whose upper left corner is that of the grid. Zenith angles are limited to
            88 degrees.

        Returns
        -------
        SunDirections
        """
        i, j = np.indices(angles.zenith.shape)
        convergence = grid_convergence(
            grid.epsg, grid.ulx + j * angles.step, grid.uly - i * angles.step
        )
        azimuth = np.radians(angles.azimuth - convergence)
        tangent = np.tan(np.radians(np.minimum(angles.zenith, _MAX_ZENITH)))
        return cls(
            (tangent * np.sin(azimuth)).astype(np.float32),
            (tangent * np.cos(azimuth)).astype(np.float32),
            angles.step,
        )

    def at(
        self, pixel_size: float, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]
    ) -> tuple[Float32Array, Float32Array]:
        """Interpolate the components east and north to pixel centres.

        Parameters
        ----------
        pixel_size : float
            Metres.
        rows, cols : ndarray of int, shape (n,), (m,)
            Pixel indices; the upper left pixel of the tile is (0, 0).

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
        """Components east and north at the centre of the tile."""
        row, col = np.array([grid.rows // 2]), np.array([grid.cols // 2])
        east, north = self.at(grid.pixel_size, row, col)
        return east.item(), north.item()


def gradient(elevation: Float32Array, pixel_size: float) -> tuple[Float32Array, Float32Array]:
    """Gradient of the surface to the east and to the north.

    Source: B. K. P. Horn, Proceedings of the IEEE 69 (1981) 14-47: weighted differences over a
    window of 3 x 3 pixels.

    Parameters
    ----------
    elevation : ndarray of float32, shape (rows + 2, cols + 2)
        Metres; row 0 is the northernmost.
    pixel_size : float
        Metres.

    Returns
    -------
    (ndarray of float32, ndarray of float32)
        Metres per metre, shape (rows, cols): towards east and towards north.
    """
    scale = np.float32(1.0 / (8.0 * pixel_size))
    down = elevation[:-2] + elevation[2:]
    down += np.float32(2.0) * elevation[1:-1]
    east = down[:, 2:] - down[:, :-2]
    east *= scale
    across = elevation[:-2] - elevation[2:]
    north = across[:, :-2] + across[:, 2:]
    north += np.float32(2.0) * across[:, 1:-1]
    north *= scale
    return east, north


def illumination_and_slope(
    gradient_east: Float32Array,
    gradient_north: Float32Array,
    sun_east: Float32Array,
    sun_north: Float32Array,
) -> tuple[Float32Array, Float32Array]:
    """Illumination ratio and slope of a surface; the arguments are overwritten.

    With s the direction to the sun over its vertical component and p, q the gradient::

        cos(i) / cos(solar zenith) = (1 - s_east p - s_north q) / sqrt(1 + p^2 + q^2)

    Parameters
    ----------
    gradient_east, gradient_north : ndarray of float32, one shape
        As `gradient` gives them.
    sun_east, sun_north : ndarray of float32, same shape
        As `SunDirections.at` gives them.

    Returns
    -------
    illumination : ndarray of float32, same shape
        Cosine of the incidence angle over that of the solar zenith angle; 0 in self shadow.
    slope : ndarray of float32, same shape
        Degrees.
    """
    sun_east *= gradient_east
    sun_north *= gradient_north
    illumination = np.float32(1.0) - sun_east
    illumination -= sun_north
    np.maximum(illumination, np.float32(0.0), out=illumination)
    gradient_east *= gradient_east
    gradient_north *= gradient_north
    gradient_east += gradient_north
    gradient_north[...] = gradient_east
    gradient_north += np.float32(1.0)
    np.sqrt(gradient_north, out=gradient_north)
    illumination /= gradient_north
    np.sqrt(gradient_east, out=gradient_east)
    np.arctan(gradient_east, out=gradient_east)
    gradient_east *= np.float32(180.0 / np.pi)
    return illumination, gradient_east
