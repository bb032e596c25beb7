"""Heights on the grid of a tile and around it.

The files are joined first and resampled after (SIIMPC-564), with a cubic B-spline.  Its kernel has
a standard deviation of 0.58 pixels of the source: the facets that interpolation of a coarse model
makes in slopes are smoothed away without a filter of their own.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np

from sen2cor.dem.mosaic import Mosaic, Piece, read_mosaic
from sen2cor.dem.sources import DemSource, Selection
from sen2cor.dem.tiles import Bounds
from sen2cor.dem.voids import extrapolate_nearest, fill_voids, flood
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array, UInt16Array
from sen2cor.raster.coordinates import transform, unwrap_longitudes, wkt
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)

_OFFSET = 10000.0
"""What the elevation image adds to metres (SIIMPC-551)."""

_METRES_PER_DEGREE = 111320.0
_LATTICE = 41
_ROWS = 1024
"""Rows that are warped at once."""

_ERROR = 0.02
"""Pixels by which the approximate transformation may be wrong."""


@dataclass(frozen=True)
class Elevation:
    """Heights of a tile and a margin.

    Attributes
    ----------
    heights : ndarray of float32, shape (rows + 2 * margin, cols + 2 * margin)
        Metres above sea level (geoid of the source); no NaN. Where nothing is known the nearest
        known heights go on.
    margin : int
        Pixels around the tile, a multiple of 3.
    known : ndarray of bool, same shape
        Where the source has heights, sea and interpolated voids included.
    grid : Grid
        The tile without margin.
    source : str
        What was read.
    voids : int
        Pixels of the source that were interpolated.
    """

    heights: Float32Array
    margin: int
    known: BoolArray
    grid: Grid
    source: str
    voids: int


def elevation_on(source: DemSource, grid: Grid, *, margin: float) -> Elevation | None:
    """Bring heights to the grid of a tile.

    Parameters
    ----------
    source : DemSource
        See `sen2cor.dem.sources.open_source`.
    grid : Grid
        The tile.
    margin : float
        Metres around the tile that are wanted as well; rounded up to three pixels.

    Returns
    -------
    Elevation or None
        None where the tile lies outside the coverage of the source (SRTM beyond 60 degrees north,
        a raster of another place): the terrain is to be taken as flat, with a warning.

    Raises
    ------
    AuxiliaryDataError
        Heights that should exist cannot be had: no file at all, a file that is missing beside
        land, one that cannot be fetched or read. It is an error unless ``DEM_Missing`` is FLAT.

    Notes
    -----
    A tile of the source that does not exist is sea if its neighbours end in the sea; one that is
    only in the margin and should exist counts as unknown, with a warning.
    """
    pixels = 3 * math.ceil(margin / grid.pixel_size / 3)
    outer = grid.pad(pixels)
    places = _places(outer, source)
    bounds = _bounds(places)
    selection = source.select(bounds)
    if not selection.pieces:
        if selection.absent:
            raise AuxiliaryDataError(_nothing(source, selection))
        return None
    mosaic = read_mosaic(selection.pieces, bounds, _finest(source, outer, bounds), source.unit)
    _settle(mosaic, selection, source, _places(grid, source))
    filled = fill_voids(mosaic)
    if filled.inland:
        logger.info("%d pixels of the elevation model are void, interpolated", filled.inland)
    known = _known(mosaic, source, outer)
    inner = known[pixels : pixels + grid.rows, pixels : pixels + grid.cols]
    share = float(np.count_nonzero(inner)) / inner.size
    if share == 0:
        return None
    if share < 1:
        logger.warning(
            "the elevation model covers %.1f %% of the tile, the rest is taken as flat",
            100 * share,
        )
    extrapolate_nearest(mosaic.heights)
    heights = _warp(mosaic.heights, mosaic, source.projection, outer, "cubicspline")
    files = ", ".join(dict.fromkeys(_name(piece) for piece in selection.pieces))
    description = f"{source.description}: {files}"
    logger.info("elevation model: %s", description)
    return Elevation(heights, pixels, known, grid, description, filled.inland)


def dem_image(heights: Float32Array, known: BoolArray) -> UInt16Array:
    """Return the elevation image of the product.

    Parameters
    ----------
    heights : ndarray of float32
        Metres.
    known : ndarray of bool, same shape
        Where they are known.

    Returns
    -------
    ndarray of uint16
        Metres + 10000 (SIIMPC-551), 0 where unknown.
    """
    image = heights + np.float32(_OFFSET)
    np.rint(image, out=image)
    np.clip(image, 1, 65535, out=image)
    image[~known] = 0
    return image.astype(np.uint16)


def _places(grid: Grid, source: DemSource) -> Float64Array:
    """Points all over a grid, edges included, in the system of the source; shape (points, 2).

    Longitudes are continuous across the date line.
    """
    west, south, east, north = grid.bounds
    x, y = transform(
        grid.epsg,
        source.projection,
        np.linspace(west, east, _LATTICE)[np.newaxis, :],
        np.linspace(north, south, _LATTICE)[:, np.newaxis],
    )
    if source.geographic:
        x = unwrap_longitudes(x, x[_LATTICE // 2, _LATTICE // 2])
    return np.column_stack([x.ravel(), y.ravel()])


def _bounds(places: Float64Array) -> Bounds:
    (west, south), (east, north) = places.min(axis=0), places.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _finest(source: DemSource, grid: Grid, bounds: Bounds) -> tuple[float, float]:
    """Return the pixel size of the grid in the units of the source."""
    if not source.geographic:
        return grid.pixel_size, grid.pixel_size
    degrees = grid.pixel_size / _METRES_PER_DEGREE
    return degrees / math.cos(math.radians((bounds[1] + bounds[3]) / 2)), degrees


def _settle(mosaic: Mosaic, selection: Selection, source: DemSource, places: Float64Array) -> None:
    """Decide on each tile that has no file: sea, an error, or unknown in the margin."""
    for absent in selection.absent:
        if flood(mosaic, absent.bounds):
            logger.info("elevation tile %s does not exist, taken as sea", absent.name)
            continue
        west, south, east, north = absent.bounds
        within = (places > (west, south)) & (places < (east, north))
        missing = f"elevation tile {absent.name} is missing in {source.location}"
        if within.all(axis=1).any():
            raise AuxiliaryDataError(
                f"{missing} and it is not sea; put it there, set DEM_Reference to an address, or "
                "DEM_Missing to FLAT"
            )
        logger.warning("%s: no terrain from there shades the tile", missing)


def _nothing(source: DemSource, selection: Selection) -> str:
    names = ", ".join(absent.name for absent in selection.absent)
    return (
        f"no elevation tile of this place in {source.location}, nor at DEM_Reference if one is "
        f"set: {names}; put them there, check DEM_Reference, or set DEM_Missing to FLAT"
    )


def _name(piece: Piece) -> str:
    return piece.path.rsplit("/", 1)[-1]


def _known(mosaic: Mosaic, source: DemSource, grid: Grid) -> BoolArray:
    if mosaic.covered.all():
        return np.ones(grid.shape, np.bool_)
    covered = mosaic.covered.astype(np.float32)
    return _warp(covered, mosaic, source.projection, grid, "near") > np.float32(0.5)


def _warp(
    pixels: Float32Array, mosaic: Mosaic, projection: str, grid: Grid, method: str
) -> Float32Array:
    """Resample pixels on the raster of the mosaic to a grid."""
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
    for first in range(0, grid.rows, _ROWS):
        part = result[first : first + _ROWS]
        target = memory.Create("", grid.cols, len(part), 1, gdal.GDT_Float32)
        target.SetGeoTransform(
            (grid.ulx, grid.pixel_size, 0, grid.uly - first * grid.pixel_size, 0, -grid.pixel_size)
        )
        target.SetProjection(target_projection)
        gdal.Warp(target, source, resampleAlg=method, errorThreshold=_ERROR)
        target.GetRasterBand(1).ReadRaster(buf_obj=part)
    return result
