"""Synthetic terrain: elevation, normals, horizons, shadows, and its elevation model on disk.

The code is independent of the processor's terrain code: elevation is a function of map coordinates,
slopes are its differences, horizons are found by stepping outwards in sixteen directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from osgeo import gdal
from scipy.ndimage import map_coordinates

from sen2cor.errors import OutputError
from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.raster.coordinates import wkt
from sen2cor.raster.grids import Grid
from sen2cor.simulation.patterns import fractal

RESOLUTION = 20
"""Pixel size of the terrain, metres."""

MODEL_RESOLUTION = 30.0
"""Pixel size of the elevation model on disk, metres: that of the global models."""

AZIMUTHS = np.arange(0.0, 360.0, 22.5)
"""Directions of the horizons from grid north, degrees."""

_MARGIN = 200
"""Pixels around the scene that shade it and are part of the elevation model."""
_HORIZON_STEPS = np.unique(np.rint(np.geomspace(1.0, _MARGIN - 2, 26)))
"""Distances in pixels at which the horizon is searched."""
_MAX_DEVIATIONS = 2.2
"""Limit of the elevation in standard deviations."""


@dataclass(frozen=True)
class TerrainShape:
    """Shape of mountains: a fractal field.

    Attributes
    ----------
    mean, deviation : float
        Elevation above sea level and its standard deviation, km.
    scale : float
        Distance between ridges, metres.
    """

    mean: float
    deviation: float
    scale: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest possible elevation in km."""
        amplitude = _MAX_DEVIATIONS * self.deviation
        return self.mean - amplitude, self.mean + amplitude

    def elevation(self, y: npt.ArrayLike, x: npt.ArrayLike, seed: int) -> Float32Array:
        """Metres above sea level at map coordinates, shape (rows, cols)."""
        form = fractal(y, x, self.scale, 5, seed + 801, 0.42)
        np.clip(form, -_MAX_DEVIATIONS, _MAX_DEVIATIONS, out=form)
        return np.asarray(1000.0 * (self.mean + self.deviation * form), np.float32)


@dataclass(frozen=True)
class SceneTerrain:
    """Terrain of a scene at `RESOLUTION`.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols)
        Metres.
    normal : ndarray of float32, shape (3, rows, cols)
        East, north and upward components of the unit normal.
    horizons : ndarray of float32, shape (16, rows, cols)
        Tangent of the elevation angle of the horizon in the directions `AZIMUTHS`.
    incidence : ndarray of float32, shape (rows, cols)
        Cosine of the incidence angle of the sun; 0 in self shadow.
    sunlit : ndarray of float32, shape (rows, cols)
        1; 0 in cast shadow.
    """

    elevation: Float32Array
    normal: Float32Array
    horizons: Float32Array
    incidence: Float32Array
    sunlit: Float32Array


def derive_terrain(
    shape: TerrainShape, grid: Grid, solar_zenith: float, solar_azimuth: float, seed: int
) -> SceneTerrain:
    """Derive normals, horizons and shadows of the terrain of a scene.

    Parameters
    ----------
    shape : TerrainShape
    grid : Grid
        With pixels of `RESOLUTION`.
    solar_zenith, solar_azimuth : float
        Degrees; azimuth from the grid's north.
    seed : int
    """
    wide = _elevation_with_margin(shape, grid, seed)
    inner = (slice(_MARGIN, -_MARGIN),) * 2
    south, east = np.gradient(wide, float(RESOLUTION))
    normal = np.stack([-east[inner], south[inner], np.ones(grid.shape, np.float32)])
    normal /= np.sqrt((normal**2).sum(axis=0))
    zenith, azimuth = np.radians(solar_zenith), np.radians(solar_azimuth)
    sun = np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth), np.cos(zenith)
    incidence = sum(part * along for part, along in zip(normal, sun, strict=True))
    towards_sun = _horizon_tangent(wide, grid, solar_azimuth, np.arange(1.0, _MARGIN - 2))
    return SceneTerrain(
        wide[inner],
        normal.astype(np.float32),
        np.stack([_horizon_tangent(wide, grid, azimuth, _HORIZON_STEPS) for azimuth in AZIMUTHS]),
        np.maximum(incidence, 0.0).astype(np.float32),
        (towards_sun < 1.0 / np.tan(zenith)).astype(np.float32),
    )


def _elevation_with_margin(shape: TerrainShape, grid: Grid, seed: int) -> Float32Array:
    offsets = np.arange(-_MARGIN, grid.cols + _MARGIN) + 0.5
    x = grid.ulx + RESOLUTION * offsets
    y = grid.uly - RESOLUTION * (np.arange(-_MARGIN, grid.rows + _MARGIN) + 0.5)
    return shape.elevation(y, x, seed)


def _horizon_tangent(
    wide: Float32Array, grid: Grid, azimuth: float, steps: Float64Array
) -> Float32Array:
    """Tangent of the elevation angle of the horizon in one direction."""
    rows = np.arange(grid.rows, dtype=np.float32)[:, None] + _MARGIN
    cols = np.arange(grid.cols, dtype=np.float32)[None, :] + _MARGIN
    here = wide[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    highest = np.full(grid.shape, -np.inf, np.float32)
    north, east = np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))
    for step in steps:
        at = np.broadcast_arrays(rows - np.float32(step * north), cols + np.float32(step * east))
        there = map_coordinates(wide, np.stack(at), order=1, mode="nearest")
        np.maximum(highest, (there - here) / np.float32(step * RESOLUTION), out=highest)
    return highest


def write_elevation_model(path: Path, shape: TerrainShape, grid: Grid, seed: int) -> None:
    """Write the elevation of a scene and its surroundings as GeoTIFF of float32 metres.

    Parameters
    ----------
    path : Path
    shape : TerrainShape
    grid : Grid
        Of the scene, any pixel size.
    seed : int

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    margin = _MARGIN * RESOLUTION
    size = int((grid.rows * grid.pixel_size + 2 * margin) // MODEL_RESOLUTION)
    centres = MODEL_RESOLUTION * (np.arange(size) + 0.5) - margin
    elevation = shape.elevation(grid.uly - centres, grid.ulx + centres, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = gdal.GetDriverByName("GTiff").Create(
        str(path), size, size, 1, gdal.GDT_Float32, ["COMPRESS=DEFLATE", "PREDICTOR=3"]
    )
    if image is None:
        raise OutputError(f"{path}: cannot write the elevation model")
    corner = grid.ulx - margin, grid.uly + margin
    image.SetGeoTransform((corner[0], MODEL_RESOLUTION, 0.0, corner[1], 0.0, -MODEL_RESOLUTION))
    image.SetProjection(wkt(grid.epsg))
    image.GetRasterBand(1).WriteRaster(0, 0, size, size, elevation.tobytes())
    image.FlushCache()
