"""Elevation on the grid of a tile and around it.

The files are joined first and resampled afterwards (SIIMPC-564), with a cubic B-spline.  Its
kernel has a standard deviation of 0.58 pixels of the source: this smooths away the facets that
interpolating a coarse model leaves in slopes, without an extra filter.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np

from sen2cor.dem.mosaic import DemFile, Mosaic, read_mosaic
from sen2cor.dem.sources import DemSource, Selection
from sen2cor.dem.tile_schemes import Bounds
from sen2cor.dem.voids import extrapolate_nearest, fill_as_sea, fill_voids
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array, UInt16Array
from sen2cor.raster.coordinates import transform, unwrap_longitudes, wkt
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)

_OFFSET = 10000.0
"""Added to metres in the elevation image (SIIMPC-551)."""

_METRES_PER_DEGREE = 111320.0
"""Along the equator (WGS 84)."""

_POINTS_PER_SIDE = 41
"""Of the lattice of points that finds the area of a grid in the source."""

_WARP_ROWS = 1024
"""Rows that are resampled at a time."""

_WARP_ERROR = 0.02
"""Largest error in pixels of the approximate coordinate transformation."""


@dataclass(frozen=True)
class TileElevation:
    """Elevation of a tile and a margin around it.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows + 2 * margin, cols + 2 * margin)
        Metres above sea level (geoid of the source); no NaN. Where it is unknown, the nearest
        known elevation.
    margin : int
        Pixels around the tile, a multiple of 3.
    known : ndarray of bool, same shape
        Where the source has elevation, including sea and interpolated voids.
    grid : Grid
        The tile without margin.
    source : str
        Description of the source and names of the files.
    voids : int
        Pixels of the source that were interpolated.
    """

    elevation: Float32Array
    margin: int
    known: BoolArray
    grid: Grid
    source: str
    voids: int


def read_elevation(source: DemSource, grid: Grid, *, margin: float) -> TileElevation | None:
    """Read elevation on the grid of a tile.

    Parameters
    ----------
    source : DemSource
        See `sen2cor.dem.sources.open_source`.
    grid : Grid
        The tile.
    margin : float
        Metres around the tile to read as well; rounded up to a multiple of three pixels.

    Returns
    -------
    TileElevation or None
        None if the tile lies outside the coverage of the source (SRTM beyond 60 degrees north, a
        raster of another area): the caller then assumes flat terrain, with a warning.

    Raises
    ------
    AuxiliaryDataError
        Elevation that should exist is unavailable: there is no file at all, a file beside land
        is missing, or a file cannot be fetched or read.

    Notes
    -----
    A tile of the source without a file is sea if the adjacent pixels are sea. If it should exist
    but only touches the margin, its area is unknown, with a warning.
    """
    pixels = 3 * math.ceil(margin / grid.pixel_size / 3)
    outer = grid.pad(pixels)
    bounds = _bounding_box(_sample_points(outer, source))
    selection = source.select(bounds)
    if not selection.files:
        if selection.absent:
            raise AuxiliaryDataError(_describe_absent_tiles(source, selection))
        return None
    mosaic = read_mosaic(
        selection.files, bounds, _pixel_size_in_source(source, outer, bounds), source.unit
    )
    _resolve_absent_tiles(mosaic, selection, source, _sample_points(grid, source))
    filled = fill_voids(mosaic)
    if filled.inland:
        logger.info("elevation model: %d void pixels interpolated", filled.inland)
    known = _warp_coverage(mosaic, source, outer)
    inner = known[pixels : pixels + grid.rows, pixels : pixels + grid.cols]
    fraction = float(np.count_nonzero(inner)) / inner.size
    if fraction == 0:
        return None
    if fraction < 1:
        logger.warning(
            "the elevation model covers %.1f %% of the tile; the rest is assumed to be flat",
            100 * fraction,
        )
    extrapolate_nearest(mosaic.elevation)
    elevation = _warp(mosaic.elevation, mosaic, source.projection, outer, "cubicspline")
    files = ", ".join(dict.fromkeys(_file_name(file) for file in selection.files))
    description = f"{source.description}: {files}"
    logger.info("elevation model: %s", description)
    return TileElevation(elevation, pixels, known, grid, description, filled.inland)


def encode_elevation(elevation: Float32Array, known: BoolArray) -> UInt16Array:
    """Encode elevation as the digital numbers of the product's elevation image.

    Parameters
    ----------
    elevation : ndarray of float32
        Metres.
    known : ndarray of bool, same shape
        Where the elevation is known.

    Returns
    -------
    ndarray of uint16
        Metres + 10000 (SIIMPC-551), 0 where unknown.
    """
    image = elevation + np.float32(_OFFSET)
    np.rint(image, out=image)
    np.clip(image, 1, 65535, out=image)
    image[~known] = 0
    return image.astype(np.uint16)


def _sample_points(grid: Grid, source: DemSource) -> Float64Array:
    """Points all over a grid, edges included, in the source's coordinates; shape (points, 2).

    Longitudes are continuous across the date line.
    """
    west, south, east, north = grid.bounds
    x, y = transform(
        grid.epsg,
        source.projection,
        np.linspace(west, east, _POINTS_PER_SIDE)[np.newaxis, :],
        np.linspace(north, south, _POINTS_PER_SIDE)[:, np.newaxis],
    )
    if source.geographic:
        x = unwrap_longitudes(x, x[_POINTS_PER_SIDE // 2, _POINTS_PER_SIDE // 2])
    return np.column_stack([x.ravel(), y.ravel()])


def _bounding_box(points: Float64Array) -> Bounds:
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _pixel_size_in_source(source: DemSource, grid: Grid, bounds: Bounds) -> tuple[float, float]:
    """Pixel size of the grid in the units of the source."""
    if not source.geographic:
        return grid.pixel_size, grid.pixel_size
    degrees = grid.pixel_size / _METRES_PER_DEGREE
    return degrees / math.cos(math.radians((bounds[1] + bounds[3]) / 2)), degrees


def _resolve_absent_tiles(
    mosaic: Mosaic, selection: Selection, source: DemSource, points: Float64Array
) -> None:
    """Decide for every tile without a file: sea, an error, or unknown in the margin."""
    for absent in selection.absent:
        if fill_as_sea(mosaic, absent.bounds):
            logger.info("elevation tile %s does not exist; assuming sea", absent.name)
            continue
        west, south, east, north = absent.bounds
        within = (points > (west, south)) & (points < (east, north))
        missing = f"elevation tile {absent.name} is missing from {source.location}"
        if within.all(axis=1).any():
            raise AuxiliaryDataError(
                f"{missing} and does not lie in the sea; add it, set DEM_Reference to a base URL, "
                "or set DEM_Missing to FLAT"
            )
        logger.warning("%s: its terrain cannot shade the tile", missing)


def _describe_absent_tiles(source: DemSource, selection: Selection) -> str:
    names = ", ".join(absent.name for absent in selection.absent)
    return (
        f"no elevation tile for this area in {source.location} or at DEM_Reference"
        f"{source.describe_reference()}: {names}; add them, check DEM_Reference, or set "
        "DEM_Missing to FLAT"
    )


def _file_name(file: DemFile) -> str:
    return file.path.rsplit("/", 1)[-1]


def _warp_coverage(mosaic: Mosaic, source: DemSource, grid: Grid) -> BoolArray:
    if mosaic.covered.all():
        return np.ones(grid.shape, np.bool_)
    covered = mosaic.covered.astype(np.float32)
    return _warp(covered, mosaic, source.projection, grid, "near") > np.float32(0.5)


def _warp(
    pixels: Float32Array, mosaic: Mosaic, projection: str, grid: Grid, method: str
) -> Float32Array:
    """Resample pixels of the mosaic to a grid."""
    from osgeo import gdal

    gdal.UseExceptions()
    rows, cols = pixels.shape
    memory = gdal.GetDriverByName("MEM")
    source = memory.Create("", cols, rows, 1, gdal.GDT_Float32)
    source.SetGeoTransform(mosaic.geotransform)
    source.SetProjection(projection)
    source.WriteRaster(0, 0, cols, rows, pixels, cols, rows, gdal.GDT_Float32)
    target_projection = wkt(grid.epsg)
    result = np.empty(grid.shape, np.float32)
    for first in range(0, grid.rows, _WARP_ROWS):
        part = result[first : first + _WARP_ROWS]
        target = memory.Create("", grid.cols, len(part), 1, gdal.GDT_Float32)
        target.SetGeoTransform(
            (grid.ulx, grid.pixel_size, 0, grid.uly - first * grid.pixel_size, 0, -grid.pixel_size)
        )
        target.SetProjection(target_projection)
        gdal.Warp(target, source, resampleAlg=method, errorThreshold=_WARP_ERROR)
        target.GetRasterBand(1).ReadRaster(buf_obj=part)
    return result
