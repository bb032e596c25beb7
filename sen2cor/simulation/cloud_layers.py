"""Layers of clouds and cirrus, and their effect on top-of-atmosphere reflectance.

All clouds have one height. A cloud covers a pixel if the line of sight crosses the cloud at that
height, and shades it if the line to the sun does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import Grid
from sen2cor.simulation.patterns import fractal
from sen2cor.simulation.scenes import Scene

RESOLUTION = 20
"""Pixel size of the cloud layers, metres."""

_ASYMMETRY = 0.86
"""Asymmetry parameter of cloud droplets."""
_SCATTERED_FRACTION = 0.12
"""Fraction of the direct beam that a thick cloud transmits by scattering."""

_ICE = {"B11": 0.60, "B12": 0.45}
_DROPLETS = {"B11": 0.82, "B12": 0.62}
"""Reflectance over that in the visible, where water absorbs (Nakajima & King 1990, figure 2)."""


@dataclass(frozen=True)
class CloudLayer:
    """A layer of clouds above the ground, on a grid wider than the scene.

    Attributes
    ----------
    depth : ndarray of float32, shape (rows, cols)
        Optical thickness, or reflectance of the cirrus.
    ulx, uly : float
        Map coordinates of the upper left corner.
    height : float
        Metres.
    """

    depth: Float32Array
    ulx: float
    uly: float
    height: float

    def project(self, grid: Grid, zenith: Float32Array, azimuth: Float32Array) -> Float32Array:
        """Project the layer to the ground along the lines to the sun or to the spacecraft.

        Parameters
        ----------
        grid : Grid
            Of the ground, any pixel size.
        zenith, azimuth : ndarray of float32, shape of the grid or broadcastable
            Of the lines, degrees; azimuth from grid north.

        Returns
        -------
        ndarray of float32, shape of the grid
        """
        shift = np.float32(self.height) * np.tan(np.radians(zenith))
        rows = (np.arange(grid.rows, dtype=np.float32)[:, None] + 0.5) * grid.pixel_size
        cols = (np.arange(grid.cols, dtype=np.float32)[None, :] + 0.5) * grid.pixel_size
        south = rows + np.float32(self.uly - grid.uly) - shift * np.cos(np.radians(azimuth))
        east = cols + np.float32(grid.ulx - self.ulx) + shift * np.sin(np.radians(azimuth))
        south, east = np.broadcast_arrays(south, east)
        at = np.stack([south, east]).astype(np.float32) / np.float32(RESOLUTION) - np.float32(0.5)
        return np.asarray(map_coordinates(self.depth, at, order=1, mode="nearest"), np.float32)


def cumulus_layer(scene: Scene, grid: Grid, seed: int) -> CloudLayer:
    """Make fair-weather clouds; depth is their optical thickness."""
    field = _layer(grid, scene.cloud_height, scene.cloud_scale, 6, seed + 301, 1.0)
    level = _level(field.depth, scene.cloud_cover)
    excess = np.maximum(field.depth - np.float32(level), 0.0)
    depth = np.float32(scene.cloud_depth) * (
        1.0 - np.exp(-((excess / scene.cloud_softness) ** 1.3))
    )
    return CloudLayer(depth.astype(np.float32), field.ulx, field.uly, field.height)


def cirrus_layer(scene: Scene, grid: Grid, seed: int) -> CloudLayer:
    """Make cirrus streaks; depth is their reflectance in the visible."""
    field = _layer(grid, scene.cirrus_height, 2600.0, 5, seed + 401, 2.6)
    level = _level(field.depth, scene.cirrus_cover)
    excess = np.clip(field.depth - np.float32(level), 0.0, 1.0)
    depth = np.float32(scene.cirrus_depth) * excess
    return CloudLayer(depth.astype(np.float32), field.ulx, field.uly, field.height)


def _layer(
    grid: Grid, height: float, scale: float, octaves: int, seed: int, stretch: float
) -> CloudLayer:
    margin = RESOLUTION * (int(2.3 * height) // RESOLUTION + 2)
    ulx, uly = grid.ulx - margin, grid.uly + margin
    extent = grid.rows * grid.pixel_size + 2 * margin
    number = int(extent // RESOLUTION)
    x = ulx + RESOLUTION * (np.arange(number) + 0.5)
    y = uly - RESOLUTION * (np.arange(number) + 0.5)
    depth = np.empty((number, number), np.float32)
    for start in range(0, number, 256):
        rows = slice(start, start + 256)
        depth[rows] = fractal(y[rows], x / stretch, scale, octaves, seed, 0.6)
    return CloudLayer(depth, ulx, uly, height)


def _level(noise: Float32Array, cover: float) -> float:
    if cover <= 0:
        return np.inf
    return float(np.quantile(noise[::8, ::8], 1.0 - cover))


def cloud_reflectance(depth: Float32Array, band: str, of_ice: bool = False) -> Float32Array:
    """Reflectance of a cloud by the two-stream formula of a non-absorbing layer."""
    scattering = np.float32(1.0 - _ASYMMETRY) * depth
    ratio = (_ICE if of_ice else _DROPLETS).get(band, 1.0)
    return np.asarray(scattering / (2.0 + scattering) * np.float32(ratio))


def cirrus_reflectance(depth: Float32Array, band: str) -> Float32Array:
    """Reflectance of the cirrus in a band."""
    return np.asarray(depth * np.float32(_ICE.get(band, 1.0)))


def direct_transmittance(depth: Float32Array) -> Float32Array:
    """Fraction of the direct beam that reaches the ground through a cloud."""
    direct = np.float32(1.0 - _SCATTERED_FRACTION) * np.exp(np.float32(-0.5) * depth)
    return np.asarray(direct + np.float32(_SCATTERED_FRACTION))


def add_clouds(
    reflectance: Float32Array,
    dry: Float32Array,
    gas_above: Float32Array,
    band: str,
    depth: Float32Array,
    high: Float32Array,
    of_ice: bool = False,
) -> Float32Array:
    """Add clouds and cirrus to clear pixels.

    A cloud attenuates the signal from below twice, downward and upward; its own reflectance is
    absorbed by the gases above it. Cirrus is above all water vapour.

    Parameters
    ----------
    reflectance : ndarray of float32
        At the top of the atmosphere without clouds.
    dry, gas_above : ndarray of float32
        Two-way transmittance of all gases but water vapour, and of all gases above the clouds.
    band : str
    depth, high : ndarray of float32
        Optical thickness of the clouds and reflectance of the cirrus in the line of sight.
    of_ice : bool
        Whether the clouds consist of ice.
    """
    hidden = (1.0 - cloud_reflectance(depth, "B03")) ** 2
    covered = reflectance * hidden + cloud_reflectance(depth, band, of_ice) * gas_above
    ice = cirrus_reflectance(high, band)
    covered *= (1.0 - ice) ** 2
    covered += ice * dry
    return np.asarray(covered, np.float32)
