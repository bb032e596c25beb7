"""Cloud-Optimized GeoTIFF: lossless, with overviews, in bounded memory.

The layout is that of OGC 21-026: tiled, directories first, smaller overviews before larger ones,
the image last. GDAL's COG driver makes it from an uncompressed GeoTIFF that receives the rows and
stands beside the result until then.
"""

from __future__ import annotations

import glob
import math
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor import interruption
from sen2cor.imagery.image_description import ImageDescription, describe_by_type
from sen2cor.imagery.image_writer import ImageWriter, unreadable, unwritable
from sen2cor.raster.array_types import Pixels
from sen2cor.raster.coordinates import wkt
from sen2cor.raster.grids import Grid

TILE_SIZE = 512
"""Side of a tile in pixels, as readers expect."""

_COMPRESSIONS = ("ZSTD", "DEFLATE")
"""In order of preference."""

_CACHE = 128 * 2**20
"""Bytes; GDAL's default, a fraction of the machine's memory, is no faster."""

_LOCK = threading.Lock()

_DTYPES = {1: np.uint8, 2: np.uint16}
"""By GDAL data type."""


class CogWriter(ImageWriter):
    """Writes a Cloud-Optimized GeoTIFF.

    The description becomes tags and metadata of the file. Overviews are means of the pixels with
    data, or nearest pixels of codes and bits.

    Parameters
    ----------
    path : Path
    grid : Grid
        Size and georeference.
    dtype : uint8 or uint16
    components : int
        1, or 3 for a colour image.
    description : ImageDescription, optional
        By default what the type tells, see `describe_by_type`.
    level : int
        Of the compression, 1 (fast) to 9 (small).

    Raises
    ------
    OutputError
        The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        grid: Grid,
        dtype: npt.DTypeLike,
        components: int = 1,
        description: ImageDescription | None = None,
        level: int = 1,
    ) -> None:
        super().__init__(path, grid)
        self._part = path.with_name(path.name + ".part.tif")
        self._plain = path.with_name(path.name + ".part.plain")
        self._dtype = np.dtype(dtype)
        self._components = components
        self._level = level
        self._description = description or describe_by_type(components, self._dtype.itemsize)
        try:
            self._image = self._create()
        except RuntimeError as error:
            self._discard()
            raise unwritable(path, error) from error

    def _append(self, rows: Pixels) -> None:
        pixels = np.ascontiguousarray(rows, self._dtype)
        shape = (len(rows), self._grid.cols, self._components)
        self._image.WriteRaster(
            0, self._received, shape[1], shape[0], pixels, **_interleaved(self._dtype, shape)
        )

    def _create(self) -> Any:
        """Create the uncompressed file."""
        gdal = _gdal()
        options = ["INTERLEAVE=PIXEL", "BIGTIFF=IF_SAFER"]
        if self._components == 3:
            options.append("PHOTOMETRIC=RGB")
        image = gdal.GetDriverByName("GTiff").Create(
            str(self._plain),
            self._grid.cols,
            self._grid.rows,
            self._components,
            next(number for number, dtype in _DTYPES.items() if dtype == self._dtype),
            options,
        )
        image.SetProjection(wkt(self._grid.epsg))
        image.SetGeoTransform(self._grid.geotransform)
        for number in range(self._components):
            _describe_band(image.GetRasterBand(number + 1), self._description)
        return image

    def _finish(self) -> None:
        self._add_overviews()
        self._optimize()
        os.replace(self._part, self.path)

    def _add_overviews(self) -> None:
        """Halve the image until it fits in one tile."""
        largest = max(self._grid.shape)
        halvings = max(0, math.ceil(math.log2(largest / TILE_SIZE)))
        if halvings:
            self._image.BuildOverviews(
                "AVERAGE" if self._description.averaged else "NEAREST",
                [2**number for number in range(1, halvings + 1)],
            )
        self._image.FlushCache()

    def _optimize(self) -> None:
        """Make the cloud-optimized file from the uncompressed one."""
        interruption.check()
        driver = _gdal().GetDriverByName("COG")
        options = {
            "BLOCKSIZE": TILE_SIZE,
            "COMPRESS": _find_compression(driver),
            "LEVEL": self._level,
            "PREDICTOR": "STANDARD",
            "NUM_THREADS": 1,
            "BIGTIFF": "IF_SAFER",
        }
        optimized = driver.CreateCopy(
            str(self._part),
            self._image,
            options=[f"{name}={value}" for name, value in options.items()],
        )
        optimized.FlushCache()

    def _discard(self) -> None:
        self._image = None
        for path in self.path.parent.glob(f"{glob.escape(self.path.name)}.part*"):
            path.unlink(missing_ok=True)


def _describe_band(band: Any, description: ImageDescription) -> None:
    """Write the description of a component into its band."""
    if description.no_data is not None:
        band.SetNoDataValue(description.no_data)
    if description.name:
        band.SetDescription(description.name)
    for key, text in description.list_items().items():
        band.SetMetadataItem(key, text)
    if description.unit:
        band.SetUnitType(description.unit)
    if description.is_scaled:
        band.SetScale(description.scale)
        band.SetOffset(description.offset)
    if description.classes:
        from osgeo import gdal

        table = gdal.ColorTable()
        for code, (_, colour) in enumerate(description.classes):
            table.SetColorEntry(code, (*colour, 255))
        band.SetColorTable(table)


def read(path: Path, rows: slice | None = None) -> Pixels:
    """Read an image or some of its rows.

    Parameters
    ----------
    path : Path
    rows : slice, optional
        Step 1; all by default.

    Returns
    -------
    ndarray of uint8 or uint16, shape (rows, cols) or (rows, cols, components)

    Raises
    ------
    InputError
        The file is missing, truncated, or no such image.
    """
    gdal = _gdal()
    try:
        image = gdal.OpenEx(str(path), gdal.OF_RASTER, allowed_drivers=["GTiff"])
        start, stop, _ = (rows or slice(None)).indices(image.RasterYSize)
        kind = np.dtype(_DTYPES[image.GetRasterBand(1).DataType])
        shape = (stop - start, image.RasterXSize, image.RasterCount)
        raw = image.ReadRaster(0, start, shape[1], shape[0], **_interleaved(kind, shape))
    except (RuntimeError, KeyError) as error:
        raise unreadable(path, error) from error
    pixels = np.frombuffer(raw, kind).reshape(shape)
    return pixels[..., 0] if shape[2] == 1 else pixels


@cache
def _gdal() -> Any:
    """GDAL with exceptions, and with a block cache for a few images."""
    from osgeo import gdal

    gdal.UseExceptions()
    if gdal.GetConfigOption("GDAL_CACHEMAX") is None:
        gdal.SetCacheMax(_CACHE)
    return gdal


def _interleaved(kind: np.dtype[Any], shape: tuple[int, ...]) -> dict[str, int]:
    """GDAL arguments for pixel-interleaved components."""
    pixel = kind.itemsize * shape[2]
    return {
        "buf_pixel_space": pixel,
        "buf_line_space": pixel * shape[1],
        "buf_band_space": kind.itemsize,
    }


def _find_compression(driver: Any) -> str:
    """Return the best compression that this GDAL supports."""
    # the driver builds its list of options at the first call, which is not thread-safe
    with _LOCK:
        known = driver.GetMetadataItem("DMD_CREATIONOPTIONLIST")
    return next(choice for choice in _COMPRESSIONS if choice in known)
