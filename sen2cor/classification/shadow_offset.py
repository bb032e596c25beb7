"""Offset of the shadow of a cloud from the cloud, by its height.

The shadow lies away from the sun, by the height times the tangent of the solar zenith angle. The
sensor sees the cloud itself displaced too, away from the sensor, by the height times the tangent of
the view zenith angle: a cloud at 10 km by up to 2 km at the edge of the swath.

Source: Zhu and Woodcock 2012, Remote Sensing of Environment 118, 83-94, and Luo, Trishchenko and
Khlopenkov 2008, Remote Sensing of Environment 112, 4167-4185 (displacement by the view angle).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.classification.scene import SunGeometry
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import AngleGrid
from sen2cor.raster.resampling import neighbours

MIN_HEIGHT, MAX_HEIGHT = 200.0, 12000.0
"""Metres above ground: range of cloud bases (Zhu and Woodcock 2012)."""
_HEIGHT_STEP = 100.0
"""Metres: difference of the heights that are compared."""
_MAX_SPACING = 3.0
"""Pixels: greatest distance of the shadows of two such heights."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ShadowOffset:
    """Directions of the sun and of the sensor over an image.

    Attributes
    ----------
    sun : SunGeometry
        With the pixel size of the image.
    view : AngleGrid or None
        None: the sensor is in the zenith.
    convergence : float
        Degrees: azimuth of grid north. The rows of the image follow it, azimuths true north.
    """

    sun: SunGeometry
    view: AngleGrid | None = None
    convergence: float = 0.0

    def heights(self) -> Float32Array:
        """Heights in metres that are compared; they differ by at least a pixel of shadow."""
        pixel = self.sun.pixel_size / max(np.tan(np.radians(self.sun.zenith)), 1e-3)
        step = max(pixel, min(_HEIGHT_STEP, _MAX_SPACING * pixel))
        return np.arange(MIN_HEIGHT, MAX_HEIGHT + 1, step, np.float32)

    def per_metre(
        self, row: npt.NDArray[Any], col: npt.NDArray[Any]
    ) -> tuple[FloatArray, FloatArray]:
        """Rows down and columns to the right from cloud to shadow, per metre of height.

        Parameters
        ----------
        row, col : ndarray of int, shape (n,)
            Of the clouds.
        """
        north, east = _direction(self.sun.zenith, self.sun.azimuth - self.convergence)
        down, right = np.full(len(row), north), np.full(len(row), -east)
        if self.view is not None:
            towards = _direction(self.view.zenith, self.view.azimuth - self.convergence)
            spacing = self.sun.pixel_size / self.view.step
            at = [(part.astype(np.float64) + 0.5) * spacing for part in (row, col)]
            view_north, view_east = (_interpolate(part, *at) for part in towards)
            down -= view_north
            right += view_east
        return down / self.sun.pixel_size, right / self.sun.pixel_size


def _direction(zenith: npt.ArrayLike, azimuth: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Horizontal distance to the north and to the east per metre of height."""
    slope = np.tan(np.radians(np.asarray(zenith, np.float64)))
    turn = np.radians(np.asarray(azimuth, np.float64))
    return slope * np.cos(turn), slope * np.sin(turn)


def _interpolate(nodes: FloatArray, row: FloatArray, col: FloatArray) -> FloatArray:
    """Interpolate nodes bilinearly to single points."""
    top, bottom, down = neighbours(row, nodes.shape[0])
    left, right, along = neighbours(col, nodes.shape[1])
    upper = nodes[top, left] * (1 - along) + nodes[top, right] * along
    lower = nodes[bottom, left] * (1 - along) + nodes[bottom, right] * along
    result: FloatArray = upper * (1 - down) + lower * down
    return result
