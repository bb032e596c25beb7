"""Images of a product in any format, by the suffix of the file name.

``.jp2`` is lossless JPEG 2000, ``.tif`` a Cloud-Optimized GeoTIFF.
"""

from __future__ import annotations

from pathlib import Path

import numpy.typing as npt

from sen2cor.imagery import cog, jpeg2000
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.imagery.image_writer import Coding, ImageWriter
from sen2cor.raster.array_types import Pixels
from sen2cor.raster.grids import Grid

_PLAIN = Coding()


def open_writer(
    path: Path,
    grid: Grid,
    dtype: npt.DTypeLike,
    tile_size: int,
    components: int = 1,
    description: ImageDescription | None = None,
    coding: Coding = _PLAIN,
) -> ImageWriter:
    """Open an image for writing.

    Parameters
    ----------
    path : Path
    grid : Grid
        Size and georeference.
    dtype : uint8 or uint16
    tile_size : int
        Of the JPEG 2000 codestream; GeoTIFF has its own.
    components : int
        1, or 3 for a colour image.
    description : ImageDescription, optional
        Stored in the image.
    coding : Coding
        The part that concerns the format.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    if path.suffix == ".tif":
        return cog.CogWriter(path, grid, dtype, components, description, coding.compression_level)
    return jpeg2000.Jpeg2000Writer(
        path, grid, dtype, tile_size, components, description, coding.arithmetic_bypass
    )


def write(
    path: Path,
    image: Pixels,
    grid: Grid,
    tile_size: int,
    description: ImageDescription | None = None,
    coding: Coding = _PLAIN,
) -> None:
    """Write a whole image.

    Parameters
    ----------
    path, grid, tile_size, description, coding
        As of `open_writer`.
    image : ndarray of uint8 or uint16, shape (rows, cols) or (rows, cols, components)

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    components = image.shape[2] if image.ndim == 3 else 1
    with open_writer(path, grid, image.dtype, tile_size, components, description, coding) as file:
        file.write_rows(image)


def read(path: Path) -> Pixels:
    """Read a whole image, of shape (rows, cols) or (rows, cols, components).

    Raises
    ------
    InputError
        The file is missing or cannot be read.
    """
    return cog.read(path) if path.suffix == ".tif" else jpeg2000.read(path)
