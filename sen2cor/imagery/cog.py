"""Cloud-optimized GeoTIFF: lossless writing with overviews, bounded memory.

The layout is that of the OGC standard 21-026: tiles, smaller overviews before larger ones and the
image last, all directories first. GDAL's COG driver makes it from a plain file that takes the rows;
it lies beside the result meanwhile and needs room for the pixels as they are.
"""

from __future__ import annotations

import glob
import math
import os
import threading
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor import interruption
from sen2cor.errors import InputError, OutputError
from sen2cor.raster.array_types import Pixels
from sen2cor.raster.coordinates import wkt
from sen2cor.raster.grids import Grid

TILE_SIZE = 512
"""Pixels along one side of a tile, as readers expect them."""

_COMPRESSIONS = (("ZSTD", 6), ("DEFLATE", 6))
"""By preference, with levels beyond which files hardly shrink."""

_CACHE = 128 * 2**20
"""Bytes; GDAL's own limit, a share of the machine, is neither needed nor faster."""

_LOCK = threading.Lock()

_DTYPES = {1: np.uint8, 2: np.uint16}
"""By GDAL's numbers of data types."""


class Writer:
    """Writes one lossless image, fed with rows from top to bottom; a context manager.

    The file appears under its name when all is written; until then, and after an error, there are
    only ``.part`` files, which are removed on error. Several may write at once in threads.

    An image of one component of uint8 holds classes: overviews take the nearest pixel. Else 0 is no
    data, and overviews are means of the other pixels.

    Parameters
    ----------
    path : Path
    grid : Grid
        Size and georeference.
    dtype : uint8 or uint16
    components : int
        1, or 3 for a colour image.

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
    ) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part.tif")
        self._plain = path.with_name(path.name + ".part.plain")
        self._grid = grid
        self._dtype = np.dtype(dtype)
        self._components = components
        self._classes = components == 1 and self._dtype == np.uint8
        self._written = 0
        try:
            self._image = self._create()
        except RuntimeError as error:
            self._clear()
            raise self._failed(error) from error

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._image = None
            self._clear()

    def write_rows(self, rows: Pixels) -> None:
        """Append rows.

        Parameters
        ----------
        rows : ndarray of the image's dtype, shape (any, cols) or (any, cols, components)
        """
        interruption.check()
        if self._written + len(rows) > self._grid.rows:
            raise ValueError(f"more than {self._grid.rows} rows for {self.path.name}")
        pixels = np.ascontiguousarray(rows, self._dtype)
        shape = (len(rows), self._grid.cols, self._components)
        try:
            self._image.WriteRaster(
                0, self._written, shape[1], shape[0], pixels, **_interleaved(self._dtype, shape)
            )
        except RuntimeError as error:
            raise self._failed(error) from error
        self._written += len(rows)

    def _failed(self, error: Exception) -> OutputError:
        reason = " ".join(str(error).split())
        return OutputError(
            f"{self.path}: cannot be written ({reason}); check free space and permissions"
        )

    def _create(self) -> Any:
        """Make the plain file."""
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
        if not self._classes:
            for number in range(self._components):
                image.GetRasterBand(number + 1).SetNoDataValue(0)
        return image

    def _finish(self) -> None:
        if self._written != self._grid.rows:
            raise ValueError(
                f"{self._written} of {self._grid.rows} rows were given for {self.path.name}"
            )
        try:
            self._add_overviews()
            self._optimize()
            os.replace(self._part, self.path)
        except (RuntimeError, OSError) as error:
            raise self._failed(error) from error

    def _add_overviews(self) -> None:
        """Halve the plain image until one tile holds it."""
        largest = max(self._grid.shape)
        halvings = max(0, math.ceil(math.log2(largest / TILE_SIZE)))
        if halvings:
            self._image.BuildOverviews(
                "NEAREST" if self._classes else "AVERAGE",
                [2**number for number in range(1, halvings + 1)],
            )
        self._image.FlushCache()

    def _optimize(self) -> None:
        """Make the file that is wanted from the plain one."""
        interruption.check()
        driver = _gdal().GetDriverByName("COG")
        compression, level = _compression(driver)
        options = {
            "BLOCKSIZE": TILE_SIZE,
            "COMPRESS": compression,
            "LEVEL": level,
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

    def _clear(self) -> None:
        for path in self.path.parent.glob(f"{glob.escape(self.path.name)}.part*"):
            path.unlink(missing_ok=True)


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
        The file is missing, no such image, or truncated.
    """
    gdal = _gdal()
    try:
        image = gdal.OpenEx(str(path), gdal.OF_RASTER, allowed_drivers=["GTiff"])
        start, stop, _ = (rows or slice(None)).indices(image.RasterYSize)
        kind = np.dtype(_DTYPES[image.GetRasterBand(1).DataType])
        shape = (stop - start, image.RasterXSize, image.RasterCount)
        raw = image.ReadRaster(0, start, shape[1], shape[0], **_interleaved(kind, shape))
    except (RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable image ({reason})") from error
    pixels = np.frombuffer(raw, kind).reshape(shape)
    return pixels[..., 0] if shape[2] == 1 else pixels


@cache
def _gdal() -> Any:
    """GDAL that raises, with a block cache that a few images share."""
    from osgeo import gdal

    gdal.UseExceptions()
    if gdal.GetConfigOption("GDAL_CACHEMAX") is None:
        gdal.SetCacheMax(_CACHE)
    return gdal


def _interleaved(kind: np.dtype[Any], shape: tuple[int, ...]) -> dict[str, int]:
    """How GDAL is told that the components of a pixel follow each other."""
    pixel = kind.itemsize * shape[2]
    return {
        "buf_pixel_space": pixel,
        "buf_line_space": pixel * shape[1],
        "buf_band_space": kind.itemsize,
    }


def _compression(driver: Any) -> tuple[str, int]:
    """Return the best of the compressions that this GDAL has, and its level."""
    # the driver lists its options when it is first asked, and not for two threads at once
    with _LOCK:
        known = driver.GetMetadataItem("DMD_CREATIONOPTIONLIST")
    return next(choice for choice in _COMPRESSIONS if choice[0] in known)
