"""One raster of heights out of the files that an area needs, in their own projection."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sen2cor.dem.tiles import Bounds
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import bilinear

_VOIDS = (-32768, -32767)
"""Values that are never heights, declared or not."""

_HUGE = 1e7
"""Beyond this nothing is a height, in whatever unit."""

_FRAME = 4
"""Pixels around an area that an interpolation at its edge needs."""


@dataclass(frozen=True)
class Piece:
    """A file that takes part.

    Attributes
    ----------
    path : str
        As GDAL opens it.
    shift : float
        Degrees to be added to its longitudes (date line).
    corner_origin : bool
        An origin on whole multiples of 5 degrees is the centre of a pixel, not its corner.
    """

    path: str
    shift: float = 0.0
    corner_origin: bool = False


@dataclass
class Mosaic:
    """Heights on a north-up raster; changed in place by `sen2cor.dem.voids`.

    Attributes
    ----------
    heights : ndarray of float32, shape (rows, cols)
        Metres; NaN where unknown.
    covered : ndarray of bool, shape (rows, cols)
        Where a file lies: NaN in it is a void.
    west, north : float
        Outer corner of the upper left pixel.
    dx, dy : float
        Size of a pixel, both positive.
    """

    heights: Float32Array
    covered: BoolArray
    west: float
    north: float
    dx: float
    dy: float

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """The six numbers in GDAL's order."""
        return self.west, self.dx, 0.0, self.north, 0.0, -self.dy

    def window(self, bounds: Bounds) -> tuple[slice, slice]:
        """Rows and columns of the pixels whose centres lie in an area."""
        west, south, east, north = bounds
        rows, cols = self.heights.shape
        top, bottom = (round((self.north - y) / self.dy) for y in (north, south))
        left, right = (round((x - self.west) / self.dx) for x in (west, east))
        return slice(max(top, 0), min(bottom, rows)), slice(max(left, 0), min(right, cols))


@dataclass(frozen=True)
class _File:
    """An open file with its true place; ``thin`` pixels are read as one."""

    path: str
    dataset: Any
    west: float
    north: float
    dx: float
    dy: float
    thin: tuple[int, int]

    @property
    def spacing(self) -> tuple[float, float]:
        return round(self.dx, 12), round(self.dy, 12)


def read_mosaic(
    pieces: Sequence[Piece], bounds: Bounds, finest: tuple[float, float], unit: float
) -> Mosaic:
    """Read the pixels of an area.

    Files of equal spacing are put side by side as they are; where spacings differ (columns of
    Copernicus tiles thin out towards the poles) the coarser ones are interpolated linearly to the
    finest.

    Parameters
    ----------
    pieces : sequence of Piece
        At least one; later ones lie on top where they overlap.
    bounds : (float, float, float, float)
        West, south, east and north of the area in the projection of the files.
    finest : (float, float)
        Pixels much smaller than this are averaged.
    unit : float
        Metres per unit of the files.

    Returns
    -------
    Mosaic

    Raises
    ------
    AuxiliaryDataError
        If a file cannot be read or is not a north-up raster.
    """
    files = [_open(piece, finest) for piece in pieces]
    across = min(files, key=lambda file: file.dx)
    down = min(files, key=lambda file: file.dy)
    aside, above = _FRAME * across.dx, _FRAME * down.dy
    west, south, east, north = bounds
    bounds = west - aside, south - above, east + aside, north + above
    mosaic = _empty(bounds, across, down)
    groups: dict[tuple[float, float], list[_File]] = {}
    for file in files:
        groups.setdefault(file.spacing, []).append(file)
    for spacing, members in sorted(groups.items()):
        if spacing == (across.spacing[0], down.spacing[1]):
            _paste(members, mosaic)
        else:
            layer = _empty(bounds, members[0], members[0])
            _paste(members, layer)
            _fill_up(mosaic, layer)
    if unit != 1.0:
        mosaic.heights *= np.float32(unit)
    return mosaic


def _open(piece: Piece, finest: tuple[float, float]) -> _File:
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        dataset = gdal.Open(piece.path)
    except RuntimeError as error:
        raise AuxiliaryDataError(f"cannot read elevation model {piece.path}: {error}") from error
    west, dx, skew, north, tilt, dy = dataset.GetGeoTransform()
    if skew or tilt or dx <= 0 or dy >= 0:
        raise AuxiliaryDataError(f"elevation model {piece.path} is not a north-up raster")
    if piece.corner_origin and all(abs(x - 5 * round(x / 5)) < 1e-6 for x in (west, north)):
        west, north = west - dx / 2, north + dy / 2
    thin = max(1, int(finest[0] / dx)), max(1, int(finest[1] / -dy))
    return _File(piece.path, dataset, west + piece.shift, north, dx * thin[0], -dy * thin[1], thin)


def _empty(bounds: Bounds, across: _File, down: _File) -> Mosaic:
    """Void mosaic over an area, aligned to the columns of one file and the rows of another."""
    west, south, east, north = bounds
    left = across.west + math.floor((west - across.west) / across.dx) * across.dx
    top = down.north + math.ceil((north - down.north) / down.dy) * down.dy
    shape = math.ceil((top - south) / down.dy), math.ceil((east - left) / across.dx)
    heights = np.full(shape, np.nan, np.float32)
    return Mosaic(heights, np.zeros(shape, np.bool_), left, top, across.dx, down.dy)


def _paste(files: Iterable[_File], mosaic: Mosaic) -> None:
    """Put the known pixels of files with the spacing of the mosaic in their places."""
    for file in files:
        left = round((file.west - mosaic.west) / mosaic.dx)
        top = round((mosaic.north - file.north) / mosaic.dy)
        height = file.dataset.RasterYSize // file.thin[1]
        width = file.dataset.RasterXSize // file.thin[0]
        rows = slice(max(top, 0), min(top + height, mosaic.heights.shape[0]))
        cols = slice(max(left, 0), min(left + width, mosaic.heights.shape[1]))
        if rows.start >= rows.stop or cols.start >= cols.stop:
            continue
        shape = rows.stop - rows.start, cols.stop - cols.start
        block = _read(file, cols.start - left, rows.start - top, shape)
        np.copyto(mosaic.heights[rows, cols], block, where=~np.isnan(block))
        mosaic.covered[rows, cols] = True


def _read(file: _File, col: int, row: int, shape: tuple[int, int]) -> Float32Array:
    from osgeo import gdal

    thin_x, thin_y = file.thin
    band = file.dataset.GetRasterBand(1)
    block = np.empty(shape, np.float32)
    try:
        band.ReadRaster(
            col * thin_x,
            row * thin_y,
            shape[1] * thin_x,
            shape[0] * thin_y,
            shape[1],
            shape[0],
            gdal.GDT_Float32,
            resample_alg=gdal.GRIORA_Average,
            buf_obj=block,
        )
    except RuntimeError as error:
        raise AuxiliaryDataError(f"cannot read elevation model {file.path}: {error}") from error
    block[~(np.abs(block) < _HUGE)] = np.nan
    for value in (*_VOIDS, band.GetNoDataValue()):
        if value is not None and abs(value) < _HUGE:
            block[block == np.float32(value)] = np.nan
    return block


def _fill_up(mosaic: Mosaic, layer: Mosaic) -> None:
    """Interpolate a layer of another spacing into the parts of a mosaic that are unknown yet."""
    rows, cols = mosaic.heights.shape
    north = mosaic.north - (np.arange(rows) + 0.5) * mosaic.dy
    east = mosaic.west + (np.arange(cols) + 0.5) * mosaic.dx
    row_at = ((layer.north - north) / layer.dy - 0.5).astype(np.float32)
    col_at = ((east - layer.west) / layer.dx - 0.5).astype(np.float32)
    known = ~np.isnan(layer.heights)
    weight = bilinear(known.astype(np.float32), row_at, col_at)
    value = bilinear(np.where(known, layer.heights, np.float32(0)), row_at, col_at)
    use = np.isnan(mosaic.heights)
    use &= weight >= np.float32(0.5)
    np.divide(value, weight, out=mosaic.heights, where=use)
    mosaic.covered |= bilinear(layer.covered.astype(np.float32), row_at, col_at) > np.float32(0.5)
