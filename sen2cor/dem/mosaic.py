"""Mosaic of the elevation files of an area, in their own projection."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sen2cor.dem.tile_schemes import Bounds
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import bilinear

_VOID_VALUES = (-32768, -32767)
"""Values that mean void, declared or not."""

_MAX_ABS_ELEVATION = 1e7
"""Larger values are voids, in any unit."""

_FRAME_PIXELS = 4
"""Pixels around an area that interpolation at its edge needs."""


@dataclass(frozen=True)
class DemFile:
    """A file of the mosaic.

    Attributes
    ----------
    path : str
        Name for GDAL.
    shift : float
        Degrees to add to its longitudes (date line).
    origin_at_centre : bool
        Whether an origin on a multiple of 5 degrees is a pixel centre, not a corner.
    """

    path: str
    shift: float = 0.0
    origin_at_centre: bool = False


@dataclass
class Mosaic:
    """Elevation on a north-up raster; changed in place by `sen2cor.dem.voids`.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols)
        Metres; NaN where unknown.
    covered : ndarray of bool, shape (rows, cols)
        Where there is a file; NaN there is a void.
    west, north : float
        Outer corner of the upper left pixel.
    dx, dy : float
        Size of a pixel, both positive.
    """

    elevation: Float32Array
    covered: BoolArray
    west: float
    north: float
    dx: float
    dy: float

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL geotransform."""
        return self.west, self.dx, 0.0, self.north, 0.0, -self.dy

    def window(self, bounds: Bounds) -> tuple[slice, slice]:
        """Rows and columns of the pixels with their centre in an area."""
        west, south, east, north = bounds
        rows, cols = self.elevation.shape
        top, bottom = (round((self.north - y) / self.dy) for y in (north, south))
        left, right = (round((x - self.west) / self.dx) for x in (west, east))
        return slice(max(top, 0), min(bottom, rows)), slice(max(left, 0), min(right, cols))


@dataclass(frozen=True)
class _OpenFile:
    """An open file with its true position; blocks of ``step`` pixels are read as one."""

    path: str
    dataset: Any
    west: float
    north: float
    dx: float
    dy: float
    step: tuple[int, int]

    @property
    def spacing(self) -> tuple[float, float]:
        return round(self.dx, 12), round(self.dy, 12)


def read_mosaic(
    files: Sequence[DemFile], bounds: Bounds, finest: tuple[float, float], unit: float
) -> Mosaic:
    """Read the pixels of an area.

    Files of equal spacing are joined as they are. Where spacings differ (Copernicus tiles have
    fewer columns towards the poles), the coarser files are interpolated linearly to the finest.

    Parameters
    ----------
    files : sequence of DemFile
        At least one; where they overlap, later ones are on top.
    bounds : (float, float, float, float)
        West, south, east and north of the area in the projection of the files.
    finest : (float, float)
        Pixel size in x and y; much smaller pixels of the files are averaged.
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
    opened = [_open(file, finest) for file in files]
    across = min(opened, key=lambda file: file.dx)
    down = min(opened, key=lambda file: file.dy)
    aside, above = _FRAME_PIXELS * across.dx, _FRAME_PIXELS * down.dy
    west, south, east, north = bounds
    bounds = west - aside, south - above, east + aside, north + above
    mosaic = _void_mosaic(bounds, across, down)
    groups: dict[tuple[float, float], list[_OpenFile]] = {}
    for file in opened:
        groups.setdefault(file.spacing, []).append(file)
    for spacing, members in sorted(groups.items()):
        if spacing == (across.spacing[0], down.spacing[1]):
            _paste_files(members, mosaic)
        else:
            layer = _void_mosaic(bounds, members[0], members[0])
            _paste_files(members, layer)
            _fill_from_layer(mosaic, layer)
    if unit != 1.0:
        mosaic.elevation *= np.float32(unit)
    return mosaic


def _open(file: DemFile, finest: tuple[float, float]) -> _OpenFile:
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        dataset = gdal.Open(file.path)
    except RuntimeError as error:
        raise AuxiliaryDataError(f"cannot read elevation model {file.path}: {error}") from error
    west, dx, skew, north, tilt, dy = dataset.GetGeoTransform()
    if skew or tilt or dx <= 0 or dy >= 0:
        raise AuxiliaryDataError(f"elevation model {file.path} is not a north-up raster")
    if file.origin_at_centre and all(abs(x - 5 * round(x / 5)) < 1e-6 for x in (west, north)):
        west, north = west - dx / 2, north + dy / 2
    step = max(1, int(finest[0] / dx)), max(1, int(finest[1] / -dy))
    return _OpenFile(
        file.path, dataset, west + file.shift, north, dx * step[0], -dy * step[1], step
    )


def _void_mosaic(bounds: Bounds, across: _OpenFile, down: _OpenFile) -> Mosaic:
    """Void mosaic of an area, aligned with the columns of one file and the rows of another."""
    west, south, east, north = bounds
    left = across.west + math.floor((west - across.west) / across.dx) * across.dx
    top = down.north + math.ceil((north - down.north) / down.dy) * down.dy
    shape = math.ceil((top - south) / down.dy), math.ceil((east - left) / across.dx)
    elevation = np.full(shape, np.nan, np.float32)
    return Mosaic(elevation, np.zeros(shape, np.bool_), left, top, across.dx, down.dy)


def _paste_files(files: Iterable[_OpenFile], mosaic: Mosaic) -> None:
    """Copy the known pixels of files that have the spacing of the mosaic."""
    for file in files:
        left = round((file.west - mosaic.west) / mosaic.dx)
        top = round((mosaic.north - file.north) / mosaic.dy)
        height = file.dataset.RasterYSize // file.step[1]
        width = file.dataset.RasterXSize // file.step[0]
        rows = slice(max(top, 0), min(top + height, mosaic.elevation.shape[0]))
        cols = slice(max(left, 0), min(left + width, mosaic.elevation.shape[1]))
        if rows.start >= rows.stop or cols.start >= cols.stop:
            continue
        shape = rows.stop - rows.start, cols.stop - cols.start
        block = _read(file, cols.start - left, rows.start - top, shape)
        np.copyto(mosaic.elevation[rows, cols], block, where=~np.isnan(block))
        mosaic.covered[rows, cols] = True


def _read(file: _OpenFile, col: int, row: int, shape: tuple[int, int]) -> Float32Array:
    from osgeo import gdal

    step_x, step_y = file.step
    band = file.dataset.GetRasterBand(1)
    block = np.empty(shape, np.float32)
    try:
        band.ReadRaster(
            col * step_x,
            row * step_y,
            shape[1] * step_x,
            shape[0] * step_y,
            shape[1],
            shape[0],
            gdal.GDT_Float32,
            resample_alg=gdal.GRIORA_Average,
            buf_obj=block,
        )
    except RuntimeError as error:
        raise AuxiliaryDataError(f"cannot read elevation model {file.path}: {error}") from error
    block[~(np.abs(block) < _MAX_ABS_ELEVATION)] = np.nan
    for value in (*_VOID_VALUES, band.GetNoDataValue()):
        if value is not None and abs(value) < _MAX_ABS_ELEVATION:
            block[block == np.float32(value)] = np.nan
    return block


def _fill_from_layer(mosaic: Mosaic, layer: Mosaic) -> None:
    """Interpolate a layer of another spacing into the unknown parts of a mosaic."""
    rows, cols = mosaic.elevation.shape
    north = mosaic.north - (np.arange(rows) + 0.5) * mosaic.dy
    east = mosaic.west + (np.arange(cols) + 0.5) * mosaic.dx
    row_at = ((layer.north - north) / layer.dy - 0.5).astype(np.float32)
    col_at = ((east - layer.west) / layer.dx - 0.5).astype(np.float32)
    known = ~np.isnan(layer.elevation)
    weight = bilinear(known.astype(np.float32), row_at, col_at)
    value = bilinear(np.where(known, layer.elevation, np.float32(0)), row_at, col_at)
    use = np.isnan(mosaic.elevation)
    use &= weight >= np.float32(0.5)
    np.divide(value, weight, out=mosaic.elevation, where=use)
    mosaic.covered |= bilinear(layer.covered.astype(np.float32), row_at, col_at) > np.float32(0.5)
