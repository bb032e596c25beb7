"""Fields that vary smoothly over a tile: aerosol, water vapour, sun angles, elevation, at 60 m."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.raster.grids import Grid
from sen2cor.raster.resampling import block_mean
from sen2cor.simulation import synthetic_terrain
from sen2cor.simulation.level1c_writer.description import TileDescription
from sen2cor.simulation.overpass_geometry import STEP
from sen2cor.simulation.patterns import fractal
from sen2cor.simulation.scenes import Scene

COARSE = 60
"""Pixel size in metres at which the atmosphere is evaluated: that of the coarsest images."""

SCALE_HEIGHT = 2.0
"""Of aerosol and water vapour, km."""

_MAX_DEVIATIONS = 2.2
"""Limit of the variation of aerosol and water vapour, in standard deviations."""


@dataclass(frozen=True)
class SmoothFields:
    """Atmosphere and geometry of a tile at 60 m.

    Attributes
    ----------
    aot550, water_vapour : ndarray of float32, shape (rows, cols)
    solar_zenith, solar_azimuth : ndarray of float32
        Degrees, azimuth from true north.
    detector : ndarray of int64
    elevation : ndarray of float32
        km.
    """

    aot550: Float32Array
    water_vapour: Float32Array
    solar_zenith: Float32Array
    solar_azimuth: Float32Array
    detector: npt.NDArray[np.int64]
    elevation: Float32Array


def make_fields(
    scene: Scene,
    tile: TileDescription,
    grid: Grid,
    terrain: synthetic_terrain.SceneTerrain | None,
    seed: int,
) -> SmoothFields:
    """Make the fields of a tile.

    Parameters
    ----------
    scene : Scene
    tile : TileDescription
    grid : Grid
        Of the tile, with pixels of `COARSE`.
    terrain : SceneTerrain, optional
    seed : int
    """
    x = grid.ulx + (np.arange(grid.cols) + 0.5) * COARSE
    y = grid.uly - (np.arange(grid.rows) + 0.5) * COARSE
    limits = -_MAX_DEVIATIONS, _MAX_DEVIATIONS
    aerosol = np.clip(fractal(y, x, 9000.0, 3, seed + 501), *limits)
    moisture = np.clip(fractal(y, x, 12000.0, 4, seed + 601), *limits)
    zenith, azimuth = (_interpolate_nodes(nodes, grid, x, y) for nodes in tile.overpass.sun_nodes())
    elevation = np.full(grid.shape, scene.elevation, np.float32)
    if terrain is not None:
        factor = COARSE // synthetic_terrain.RESOLUTION
        elevation = block_mean_by_columns(terrain.elevation, factor) / np.float32(1000.0)
    dilution = np.exp((np.float32(scene.elevation) - elevation) / np.float32(SCALE_HEIGHT))
    return SmoothFields(
        np.float32(scene.aot550) * (1 + np.float32(scene.aot_variation) * aerosol) * dilution,
        np.float32(scene.water_vapour)
        * (1 + np.float32(scene.water_variation) * moisture)
        * dilution,
        zenith,
        azimuth,
        tile.overpass.detector(x[None, :], y[:, None]),
        elevation,
    )


def block_mean_by_columns(values: Float32Array, factor: int) -> Float32Array:
    """Mean of blocks of pixels, summed along the columns first."""
    return block_mean(values, factor, first_axis=1)


def _interpolate_nodes(
    values: Float64Array, grid: Grid, x: Float64Array, y: Float64Array
) -> Float32Array:
    """Interpolate an angle bilinearly between the nodes of the metadata."""
    south, east = (grid.uly - y) / STEP, (x - grid.ulx) / STEP
    row, col = south.astype(int), east.astype(int)
    down, right = (south - row)[:, None], (east - col)[None, :]
    top = values[row][:, col] * (1 - right) + values[row][:, col + 1] * right
    bottom = values[row + 1][:, col] * (1 - right) + values[row + 1][:, col + 1] * right
    return np.asarray(top * (1 - down) + bottom * down, np.float32)
