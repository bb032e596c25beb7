"""JPEG 2000 images: lossless writing and tile-wise reading in bounded memory.

The codec is OpenJPEG through glymur. It decodes damaged images as far as it can and only warns:
each of its warnings is an error here (it gives none for intact Sentinel-2 images). Pixels are
digital numbers as stored; offsets and quantification belong to the product.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor import interruption
from sen2cor.errors import InputError
from sen2cor.imagery.codestream import check_file
from sen2cor.imagery.georeference import insert_boxes, read_georeference
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.imagery.image_writer import ImageWriter, unreadable
from sen2cor.imagery.openjpeg import codec_reports, load_glymur
from sen2cor.raster.array_types import Pixels
from sen2cor.raster.grids import Grid

_CODE_BLOCK = (64, 64)
_MAX_RESOLUTIONS = 6
"""Resolution levels of the codestream, as in the Level-1C images."""

_BYPASS = 1
"""Bit of the code-block style (ISO/IEC 15444-1, table A.19)."""

_DECODED_ROWS = 1024
"""Rows decoded at a time, at least one row of tiles."""


@dataclass(frozen=True)
class ImageInfo:
    """Header of an image.

    Attributes
    ----------
    rows, cols, components : int
    dtype : numpy dtype
        uint8 or uint16.
    bit_depth : int
        Bits of a pixel.
    paletted : bool
        The pixels are indices into a table of colours.
    tile_size : int
        Height of the codestream's tiles.
    arithmetic_bypass : bool
        See `sen2cor.imagery.image_writer.Coding`.
    grid : Grid or None
        From the georeference boxes; None if there are none.
    """

    rows: int
    cols: int
    components: int
    dtype: np.dtype[Any]
    bit_depth: int
    paletted: bool
    tile_size: int
    arithmetic_bypass: bool
    grid: Grid | None


def set_threads(number: int) -> None:
    """Set the number of codec threads per image, for the whole process."""
    load_glymur().set_option("lib.num_threads", number)


def read_info(path: Path) -> ImageInfo:
    """Read the header of an image.

    Raises
    ------
    InputError
        The file is not a readable JPEG 2000 image.
    """
    image = _open(path)
    try:
        shape = image.shape
        segments = image.codestream.segment
        size = segments[1]
        bypass = any(segment.cstyle & _BYPASS for segment in segments if segment.marker_id == "COD")
        bit_depth = int(max(size.bitdepth))
        dtype = np.dtype(np.uint8 if bit_depth <= 8 else np.uint16)
        paletted = any(
            inner.box_id == "pclr" for box in image.box for inner in getattr(box, "box", [])
        )
        components = shape[2] if len(shape) == 3 else 1
        grid = read_georeference(image, shape[0], shape[1])
    except MemoryError:
        raise
    except Exception as error:  # of any class, see _open
        raise unreadable(path, error) from error
    return ImageInfo(
        shape[0], shape[1], components, dtype, bit_depth, paletted, size.ytsiz, bypass, grid
    )


def read(
    path: Path, rows: slice | None = None, reduce: int = 0, cols: slice | None = None
) -> Pixels:
    """Decode an image or a part of it; tiles of the codestream outside are not decoded.

    The image is decoded by rows of tiles, which needs little memory beyond the result.

    Parameters
    ----------
    path : Path
    rows : slice, optional
        Rows at full resolution (step 1); all by default.
    reduce : int
        Resolution levels to skip: 1 gives half the size. Parts then start and stop at multiples
        of ``2**reduce``.
    cols : slice, optional
        Columns, as `rows`.

    Returns
    -------
    ndarray of uint8 or uint16, shape (rows, cols) or (rows, cols, components)
        Signed images without negative values are converted.

    Raises
    ------
    InputError
        The file is missing, damaged, or not a JPEG 2000 image, or it holds negative values.
    """
    image = _open(path)
    try:
        if reduce:
            step = 2**reduce
            part = [slice(*_limits(chosen), step) for chosen in (rows, cols)]
            return _to_unsigned(path, _decode(image, (part[0], part[1])))
        start, stop, _ = (rows or slice(None)).indices(image.shape[0])
        tile_rows = image.codestream.segment[1].ytsiz
        pixels: Pixels | None = None
        for block in _row_blocks(
            start, stop, max(tile_rows, tile_rows * (_DECODED_ROWS // tile_rows))
        ):
            interruption.check()
            decoded = _to_unsigned(path, _decode(image, (block, slice(*_limits(cols)))))
            if pixels is None:
                if (block.start, block.stop) == (start, stop):
                    return decoded
                pixels = np.empty((stop - start, *decoded.shape[1:]), decoded.dtype)
            pixels[block.start - start : block.stop - start] = decoded
    except (MemoryError, InputError):
        raise
    except Exception as error:  # of any class, see _open
        raise unreadable(path, error) from error
    if pixels is None:
        raise InputError(f"{path}: no rows {start} to {stop} in an image of {image.shape[0]} rows")
    return pixels


def _limits(part: slice | None) -> tuple[int | None, int | None]:
    return (None, None) if part is None else (part.start, part.stop)


class Jpeg2000Writer(ImageWriter):
    """Writes a JPEG 2000 image.

    Parameters
    ----------
    path : Path
    grid : Grid
        Size and georeference.
    dtype : uint8 or uint16
    tile_size : int
        Of the codestream; an image that is no larger is one tile.
    components : int
        1, or 3 for a colour image, which is coded with the multiple component transform.
    description : ImageDescription, optional
        Stored in a box that GDAL reads as metadata.
    arithmetic_bypass : bool
        See `sen2cor.imagery.image_writer.Coding`.

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
        tile_size: int,
        components: int = 1,
        description: ImageDescription | None = None,
        arithmetic_bypass: bool = False,
    ) -> None:
        super().__init__(path, grid)
        self._description = description
        self._part = path.with_name(path.name + ".part.jp2")
        self._one_tile = tile_size >= min(grid.rows, grid.cols)
        self._tile = min(tile_size, max(grid.rows, grid.cols))
        shape = grid.shape if components == 1 else (*grid.shape, components)
        buffer_rows = grid.rows if self._one_tile else min(self._tile, grid.rows)
        self._buffer = np.zeros((buffer_rows, *shape[1:]), dtype)
        self._filled = 0
        self._encoded = 0
        smallest = min(grid.rows, grid.cols, self._tile)
        self._options = {
            "prog": "LRCP",
            "cbsize": _CODE_BLOCK,
            "numres": min(_MAX_RESOLUTIONS, max(1, int(math.log2(smallest)) + 1)),
            "irreversible": False,
            "modesw": _BYPASS if arithmetic_bypass else 0,
        }
        self._tile_writers: Iterator[Any] | None = None
        self._shape = shape

    def __enter__(self) -> ImageWriter:
        self._discard()  # left by a process that was killed; the codec would read it
        return self

    def _append(self, rows: Pixels) -> None:
        taken = 0
        while taken < len(rows):
            room = min(len(self._buffer), self._grid.rows - self._encoded) - self._filled
            part = rows[taken : taken + room]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            taken += len(part)
            if len(part) == room:
                self._encode()

    def _encode(self) -> None:
        rows = self._buffer[: self._filled]
        if self._one_tile:
            load_glymur().Jp2k(self._part, data=rows, **self._options)
        else:
            self._encode_tiles(rows)
        self._encoded += self._filled
        self._filled = 0

    def _encode_tiles(self, rows: Pixels) -> None:
        if self._tile_writers is None:
            image = load_glymur().Jp2k(
                self._part,
                shape=self._shape,
                tilesize=(self._tile, self._tile),
                **self._options,
            )
            self._tile_writers = iter(image.get_tilewriters())
        for left in range(0, self._grid.cols, self._tile):
            interruption.check()
            next(self._tile_writers)[:] = np.ascontiguousarray(rows[:, left : left + self._tile])

    def _finish(self) -> None:
        if self._tile_writers is not None:
            # the codec closes the stream only when asked for one more tile
            next(self._tile_writers, None)
        insert_boxes(self._part, self._grid, self._description)
        os.replace(self._part, self.path)

    def _discard(self) -> None:
        self._part.unlink(missing_ok=True)


def _to_unsigned(path: Path, decoded: npt.NDArray[Any]) -> Pixels:
    """Convert the pixels of a signed image.

    Raises
    ------
    InputError
        One of them is negative.
    """
    if decoded.dtype.kind != "i":
        return decoded
    if decoded.size and decoded.min() < 0:
        raise InputError(
            f"{path}: signed image with negative values (minimum {decoded.min()}); digital numbers "
            "are unsigned; fetch the product again"
        )
    return decoded.astype(f"u{decoded.dtype.itemsize}")


def _row_blocks(start: int, stop: int, height: int) -> Iterator[slice]:
    """Cut rows at multiples of a height, so that no tile is decoded twice."""
    top = start
    while top < stop:
        bottom = min(stop, (top // height + 1) * height)
        yield slice(top, bottom)
        top = bottom


def _decode(image: Any, part: tuple[slice, slice]) -> Pixels:
    """Decode a part of an image.

    Raises
    ------
    ValueError
        The codec reports anything.
    """
    with codec_reports() as reports:
        try:
            decoded = np.asarray(image[part])
        except OSError as error:
            raise ValueError("; ".join(reports) or str(error)) from error
    if reports:
        raise ValueError(f"the codec reports damage: {'; '.join(dict.fromkeys(reports))}")
    return decoded


def _open(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: no such image file")
    glymur = load_glymur()
    try:
        check_file(path)
        image = glymur.Jp2k(path)
        if len(image.shape) < 2:
            raise ValueError("it holds no image")
        return image
    except MemoryError:
        raise
    except Exception as error:  # glymur raises errors of any class for broken files
        raise unreadable(path, error) from error
