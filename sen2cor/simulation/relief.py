"""The relief of a scene: its shape, its shadows, and the elevation model that describes it.

Nothing here is shared with the processor's own treatment of elevation models: heights are a
function of place, slopes are differences of that function, horizons are found by walking outwards
in sixteen directions.
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
"""Pixel size of the relief, metres."""

MODEL_RESOLUTION = 30.0
"""Pixel size of the elevation model that is written, metres: that of the global models."""

AZIMUTHS = np.arange(0.0, 360.0, 22.5)
"""Directions from the grid's north in which horizons are found, degrees."""

_MARGIN = 200
"""Pixels of relief around the scene that shade it and lie in the elevation model."""
_STEPS = np.unique(np.rint(np.geomspace(1.0, _MARGIN - 2, 26)))
"""Pixels from a place at which its horizon is sought."""
_DEEPEST = 2.2


@dataclass(frozen=True)
class Relief:
    """Mountains as a fractal field.

    Attributes
    ----------
    mean, deviation : float
        Elevation above sea level and its standard deviation, km.
    scale : float
        Distance of ridges, metres.
    """

    mean: float
    deviation: float
    scale: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Elevations in km between which all ground lies."""
        reach = _DEEPEST * self.deviation
        return self.mean - reach, self.mean + reach

    def elevation(self, y: npt.ArrayLike, x: npt.ArrayLike, seed: int) -> Float32Array:
        """Metres above sea level at map coordinates, shape (rows, cols)."""
        form = fractal(y, x, self.scale, 5, seed + 801, 0.42)
        np.clip(form, -_DEEPEST, _DEEPEST, out=form)
        return np.asarray(1000.0 * (self.mean + self.deviation * form), np.float32)


@dataclass(frozen=True)
class Terrain:
    """Relief of a scene at `RESOLUTION`.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols)
        Metres.
    normal : ndarray of float32, shape (3, rows, cols)
        East, north and upward parts of the unit vector that stands on the ground.
    horizons : ndarray of float32, shape (16, rows, cols)
        Tangent of the elevation angle of the horizon in the directions `AZIMUTHS`.
    incidence : ndarray of float32, shape (rows, cols)
        Cosine of the angle between the sun and the normal; 0 where the slope faces away.
    sunny : ndarray of float32, shape (rows, cols)
        1, 0 in cast shadows.
    """

    elevation: Float32Array
    normal: Float32Array
    horizons: Float32Array
    incidence: Float32Array
    sunny: Float32Array


def terrain(
    relief: Relief, grid: Grid, solar_zenith: float, solar_azimuth: float, seed: int
) -> Terrain:
    """Shape and shadows of the ground of a scene.

    Parameters
    ----------
    relief : Relief
    grid : Grid
        With pixels of `RESOLUTION`.
    solar_zenith, solar_azimuth : float
        Degrees; azimuth from the grid's north.
    seed : int
    """
    wide = _widened(relief, grid, seed)
    inner = (slice(_MARGIN, -_MARGIN),) * 2
    south, east = np.gradient(wide, float(RESOLUTION))
    normal = np.stack([-east[inner], south[inner], np.ones(grid.shape, np.float32)])
    normal /= np.sqrt((normal**2).sum(axis=0))
    zenith, azimuth = np.radians(solar_zenith), np.radians(solar_azimuth)
    sun = np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth), np.cos(zenith)
    incidence = sum(part * along for part, along in zip(normal, sun, strict=True))
    towards_sun = _horizon(wide, grid, solar_azimuth, np.arange(1.0, _MARGIN - 2))
    return Terrain(
        wide[inner],
        normal.astype(np.float32),
        np.stack([_horizon(wide, grid, azimuth, _STEPS) for azimuth in AZIMUTHS]),
        np.maximum(incidence, 0.0).astype(np.float32),
        (towards_sun < 1.0 / np.tan(zenith)).astype(np.float32),
    )


def _widened(relief: Relief, grid: Grid, seed: int) -> Float32Array:
    offsets = np.arange(-_MARGIN, grid.cols + _MARGIN) + 0.5
    x = grid.ulx + RESOLUTION * offsets
    y = grid.uly - RESOLUTION * (np.arange(-_MARGIN, grid.rows + _MARGIN) + 0.5)
    return relief.elevation(y, x, seed)


def _horizon(wide: Float32Array, grid: Grid, azimuth: float, steps: Float64Array) -> Float32Array:
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


def write_elevation_model(path: Path, relief: Relief, grid: Grid, seed: int) -> None:
    """Write the elevation of a scene and its surroundings as GeoTIFF of float32 metres.

    Parameters
    ----------
    path : Path
    relief : Relief
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
    elevation = relief.elevation(grid.uly - centres, grid.ulx + centres, seed)
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
