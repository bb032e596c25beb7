"""Layers of clouds and cirrus, and their effect on top-of-atmosphere reflectance.

All clouds have one height. A cloud covers a pixel of a band if the line of sight of that band and
detector crosses the cloud at that height, and shades it if the line to the sun does. So clouds are
displaced between bands and between detectors, as in images of the Multispectral Instrument (Frantz
et al. 2018, Remote Sensing of Environment 215, 471-481); their shadows are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.ndimage import binary_dilation, map_coordinates

from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Grid
from sen2cor.raster.resampling import block_fraction, repeat_pixels
from sen2cor.simulation.patterns import fractal
from sen2cor.simulation.scenes import Scene
from sen2cor.simulation.smooth_fields import block_mean_by_columns

RESOLUTION = 20
"""Pixel size of the cloud layers, metres."""

_CELL = 3
"""Side in pixels of the cells that are skipped if no cloud is near them."""

_MAX_SIGHT_TANGENT = 0.25
"""Upper limit of the tangent of the view zenith angle within the swath."""

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
        zenith, azimuth : ndarray of float32, both scalars, or of one shape (rows, cols)
            Of the lines, degrees; azimuth from grid north. A shape smaller than that of the grid
            holds the angles of blocks of pixels, of at most 60 m.

        Returns
        -------
        ndarray of float32, shape of the grid
        """
        shift = np.float32(self.height) * np.tan(np.radians(zenith))
        angle = np.radians(azimuth)
        shape = np.shape(shift) or grid.shape
        north, east = (np.broadcast_to(shift * f(angle), shape) for f in (np.cos, np.sin))
        factor = grid.rows // shape[0]
        size = np.float32(grid.pixel_size * factor)
        y = (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) * size - north
        x = (np.arange(shape[1], dtype=np.float32)[None, :] + 0.5) * size + east
        y += np.float32(self.uly - grid.uly)
        x += np.float32(grid.ulx - self.ulx)
        rows, cols = np.nonzero(self._is_near_cloud(y, x))
        within = (np.arange(factor, dtype=np.float32) - (factor - 1) / 2) * grid.pixel_size
        at = np.empty((2, rows.size, factor, factor), np.float32)
        at[0] = y[rows, cols][:, None, None] + within[:, None]
        at[1] = x[rows, cols][:, None, None] + within
        at /= np.float32(RESOLUTION)
        at -= np.float32(0.5)
        result = np.zeros(grid.shape, np.float32)
        blocks = result.reshape(shape[0], factor, shape[1], factor).swapaxes(1, 2)
        blocks[rows, cols] = map_coordinates(self.depth, at, order=1, mode="nearest")
        return result

    def crop_to_sight(self, grid: Grid) -> CloudLayer:
        """Cut off the margin that is never seen above a scene from within the swath."""
        unseen = (self.uly - grid.uly - _MAX_SIGHT_TANGENT * self.height) // RESOLUTION - 1
        margin = RESOLUTION * max(int(unseen), 0)
        part = slice(margin // RESOLUTION, len(self.depth) - margin // RESOLUTION)
        return CloudLayer(
            self.depth[part, part].copy(), self.ulx + margin, self.uly - margin, self.height
        )

    @cached_property
    def _near_cloud(self) -> BoolArray:
        """Cells of the layer with cloud in them or in a neighbour."""
        cloudy: BoolArray = block_fraction(self.depth > 0, _CELL) > 0
        return np.asarray(binary_dilation(cloudy, np.ones((3, 3), bool)))

    def _is_near_cloud(self, south: Float32Array, east: Float32Array) -> BoolArray:
        """Whether cloud may be near points, in metres from the upper left corner."""
        cells = self._near_cloud
        row, col = (
            np.clip((at * np.float32(1.0 / (_CELL * RESOLUTION))).astype(np.int32), 0, size - 1)
            for at, size in zip((south, east), cells.shape, strict=True)
        )
        return cells[row, col]


@dataclass(frozen=True)
class TileClouds:
    """Clouds of a tile.

    Attributes
    ----------
    grid : Grid
        Of the tile, with pixels of `RESOLUTION`.
    cumulus, cirrus : CloudLayer
        Depth of the cirrus is its reflectance.
    shade : ndarray of float32, shape of the grid
        Optical thickness of clouds towards the sun.
    """

    grid: Grid
    cumulus: CloudLayer
    cirrus: CloudLayer
    shade: Float32Array

    def rows_in_sight(
        self, rows: slice, resolution: int, zenith: Float32Array, azimuth: Float32Array
    ) -> list[Float32Array]:
        """Project clouds and cirrus along the lines of sight of some rows of a band.

        Parameters
        ----------
        rows : slice
            Of the image of the band.
        resolution : int
            Of the band, metres.
        zenith, azimuth : ndarray of float32, shape (rows, cols) at 60 m
            Of the view in these rows, degrees; azimuth from grid north.

        Returns
        -------
        list of ndarray of float32
            Optical thickness of the clouds and reflectance of the cirrus.
        """
        first, last = (row * resolution // RESOLUTION for row in (rows.start, rows.stop))
        strip = replace(self.grid, uly=self.grid.uly - first * RESOLUTION, rows=last - first)
        seen = [layer.project(strip, zenith, azimuth) for layer in (self.cumulus, self.cirrus)]
        return resample_rows(seen, slice(0, rows.stop - rows.start), resolution)


def resample_rows(
    layers: Iterable[Float32Array], rows: slice, resolution: int
) -> list[Float32Array]:
    """Resample some rows of layers with pixels of `RESOLUTION` to the resolution of a band."""
    if resolution >= RESOLUTION:
        factor = resolution // RESOLUTION
        part = slice(rows.start * factor, rows.stop * factor)
        return [block_mean_by_columns(layer[part], factor) for layer in layers]
    factor = RESOLUTION // resolution
    part = slice(rows.start // factor, rows.stop // factor)
    return [repeat_pixels(layer[part], factor) for layer in layers]


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
