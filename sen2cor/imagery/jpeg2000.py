"""JPEG 2000 images with georeference: lossless writing, tile-wise reading, bounded memory.

The codec is OpenJPEG through glymur. Georeference stands in the two boxes that Sentinel-2 uses and
GDAL reads: GeoJP2 (a degenerate GeoTIFF in a UUID box) and GML (OGC 05-047r3). The pixel values are
those of the file: offsets and quantification are the product's business.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import struct
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from lxml import etree

from sen2cor.errors import InputError, OutputError
from sen2cor.grids import Grid
from sen2cor.imagery.openjpeg import load_glymur

Pixels = npt.NDArray[np.generic]

_GEOJP2 = uuid.UUID("b14bf8bd-083d-4b43-a5ae-8cd7d5a6ce03")
_GML = "{http://www.opengis.net/gml}"
_CODE_BLOCK = (64, 64)
_MOST_RESOLUTIONS = 6
_DECODED_ROWS = 1024


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image says.

    Attributes
    ----------
    rows, cols, components : int
    dtype : numpy dtype
        uint8 or uint16.
    tile_size : int
        Height of the codestream's tiles.
    grid : Grid or None
        From the georeference boxes; None where there are none.
    """

    rows: int
    cols: int
    components: int
    dtype: np.dtype[Any]
    tile_size: int
    grid: Grid | None


def set_threads(number: int) -> None:
    """Set how many threads the codec takes for one image (the whole process, read at each start)."""
    load_glymur().set_option("lib.num_threads", number)


def describe(path: Path) -> ImageInfo:
    """Read the header of an image.

    Raises
    ------
    InputError
        The file is no readable JPEG 2000 image.
    """
    image = _open(path)
    shape = image.shape
    size = image.codestream.segment[1]
    dtype = np.dtype(np.uint8 if size.bitdepth[0] <= 8 else np.uint16)
    components = shape[2] if len(shape) == 3 else 1
    grid = _georeference(image, shape[0], shape[1])
    return ImageInfo(shape[0], shape[1], components, dtype, size.ytsiz, grid)


def read(path: Path, rows: slice | None = None, reduce: int = 0) -> Pixels:
    """Decode an image or some of its rows.

    The image is decoded by rows of tiles, so that the memory beyond the result stays small.

    Parameters
    ----------
    path : Path
    rows : slice, optional
        Rows at full resolution (step 1); all by default.
    reduce : int
        Number of resolution levels to leave out: 1 gives half the size. Whole image only.

    Returns
    -------
    ndarray of uint8 or uint16, shape (rows, cols) or (rows, cols, components)

    Raises
    ------
    InputError
        The file is missing, no JPEG 2000 image, or truncated.
    """
    image = _open(path)
    try:
        if reduce:
            step = 2**reduce
            return np.asarray(image[::step, ::step])
        start, stop, _ = (rows or slice(None)).indices(image.shape[0])
        tile_rows = image.codestream.segment[1].ytsiz
        pixels: Pixels | None = None
        for block in _row_blocks(start, stop, max(tile_rows, tile_rows * (_DECODED_ROWS // tile_rows))):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                decoded = image[block.start : block.stop, :]
            if pixels is None:
                if (block.start, block.stop) == (start, stop):
                    return np.asarray(decoded)
                pixels = np.empty((stop - start, *decoded.shape[1:]), decoded.dtype)
            pixels[block.start - start : block.stop - start] = decoded
    except (OSError, RuntimeError, ValueError, IndexError, struct.error) as error:
        raise _unreadable(path, error) from error
    if pixels is None:
        raise InputError(f"{path}: no rows {start} to {stop} in an image of {image.shape[0]} rows")
    return pixels


class Writer:
    """Writes one lossless image, fed with rows from top to bottom.

    The file appears under its name when the last row is encoded; until then, and after an error,
    there is only a ``.part`` file, which is removed on error.

    Parameters
    ----------
    path : Path
    grid : Grid
        Size and georeference.
    dtype : uint8 or uint16
    tile_size : int
        Tiles of the codestream; the whole image is one tile where it is no larger.
    components : int
        1, or 3 for a colour image.

    Raises
    ------
    OutputError
        The file cannot be written.
    """

    def __init__(
        self, path: Path, grid: Grid, dtype: npt.DTypeLike, tile_size: int, components: int = 1
    ) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part.jp2")
        self._grid = grid
        self._one_tile = tile_size >= min(grid.rows, grid.cols)
        self._tile = min(tile_size, max(grid.rows, grid.cols))
        shape = grid.shape if components == 1 else (*grid.shape, components)
        buffer_rows = grid.rows if self._one_tile else min(self._tile, grid.rows)
        self._buffer = np.zeros((buffer_rows, *shape[1:]), dtype)
        self._filled = 0
        self._written = 0
        smallest = min(grid.rows, grid.cols, self._tile)
        self._options = {
            "prog": "LRCP",
            "cbsize": _CODE_BLOCK,
            "numres": min(_MOST_RESOLUTIONS, max(1, int(math.log2(smallest)) + 1)),
            "irreversible": False,
        }
        self._tile_writers: Iterator[Any] | None = None
        self._shape = shape

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish()
        else:
            self._part.unlink(missing_ok=True)

    def write_rows(self, rows: Pixels) -> None:
        """Append rows.

        Parameters
        ----------
        rows : ndarray of the image's dtype, shape (any, cols) or (any, cols, components)
        """
        taken = 0
        while taken < len(rows):
            room = min(len(self._buffer), self._grid.rows - self._written) - self._filled
            if room == 0:
                raise ValueError(f"more than {self._grid.rows} rows for {self.path.name}")
            part = rows[taken : taken + room]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            taken += len(part)
            if len(part) == room:
                self._encode()

    def _encode(self) -> None:
        rows = self._buffer[: self._filled]
        try:
            if self._one_tile:
                load_glymur().Jp2k(self._part, data=rows, **self._options)
            else:
                self._encode_tiles(rows)
        except (OSError, RuntimeError) as error:
            raise _unwritable(self.path, error) from error
        self._written += self._filled
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
            next(self._tile_writers)[:] = np.ascontiguousarray(rows[:, left : left + self._tile])

    def _finish(self) -> None:
        if self._written != self._grid.rows:
            self._part.unlink(missing_ok=True)
            raise ValueError(
                f"{self._written} of {self._grid.rows} rows were given for {self.path.name}"
            )
        if self._tile_writers is not None:
            # the codec closes the stream only when its tiles are asked for once more
            next(self._tile_writers, None)
        try:
            _insert_georeference(self._part, self._grid)
            os.replace(self._part, self.path)
        except OSError as error:
            self._part.unlink(missing_ok=True)
            raise _unwritable(self.path, error) from error


def write(path: Path, image: Pixels, grid: Grid, tile_size: int) -> None:
    """Write a whole image, lossless, with georeference.

    Parameters
    ----------
    path : Path
    image : ndarray of uint8 or uint16, shape (rows, cols) or (rows, cols, 3)
    grid : Grid
    tile_size : int

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    components = image.shape[2] if image.ndim == 3 else 1
    with Writer(path, grid, image.dtype, tile_size, components) as writer:
        writer.write_rows(image)


def _row_blocks(start: int, stop: int, height: int) -> Iterator[slice]:
    """Cut rows at multiples of the height, so that no tile is decoded twice."""
    top = start
    while top < stop:
        bottom = min(stop, (top // height + 1) * height)
        yield slice(top, bottom)
        top = bottom


def _open(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: no such image file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = load_glymur().Jp2k(path)
            if len(image.shape) < 2:
                raise ValueError("no image in it")
            return image
    except Exception as error:  # glymur answers broken files with errors of every kind
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path}: not a readable JPEG 2000 image ({reason}); fetch the product again")


def _unwritable(path: Path, error: Exception) -> OutputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return OutputError(f"{path}: cannot be written ({reason}); check free space and permissions")


def _georeference(image: Any, rows: int, cols: int) -> Grid | None:
    """Read the GML box, or the GeoJP2 box where there is no GML."""
    for box in image.box:
        if box.box_id == "asoc":
            for xml in _xml_boxes(box):
                grid = _grid_of_gml(xml, rows, cols)
                if grid is not None:
                    return grid
    if any(box.box_id == "uuid" and box.uuid == _GEOJP2 for box in image.box):
        return _grid_by_gdal(Path(image.filename), rows, cols)
    return None


def _xml_boxes(box: Any) -> Iterator[Any]:
    for inner in box.box:
        if inner.box_id == "asoc":
            yield from _xml_boxes(inner)
        elif inner.box_id == "xml ":
            yield inner.xml


def _grid_of_gml(document: Any, rows: int, cols: int) -> Grid | None:
    root = document.getroot() if hasattr(document, "getroot") else document
    point = root.find(f".//{_GML}origin/{_GML}Point")
    offsets = [
        [float(number) for number in vector.text.split()]
        for vector in root.iter(f"{_GML}offsetVector")
    ]
    if point is None or len(offsets) != 2:
        return None
    code = re.search(r"EPSG:+(\d+)", point.get("srsName", ""))
    position = point.findtext(f"{_GML}pos") or point.findtext(f"{_GML}coordinates") or ""
    centre = [float(number) for number in position.replace(",", " ").split()]
    if code is None or len(centre) != 2:
        return None
    size = max(abs(number) for number in offsets[0])
    return Grid(int(code[1]), centre[0] - size / 2, centre[1] + size / 2, size, rows, cols)


def _grid_by_gdal(path: Path, rows: int, cols: int) -> Grid | None:
    from osgeo import gdal, osr

    gdal.UseExceptions()
    dataset = gdal.Open(str(path))
    transform = dataset.GetGeoTransform(can_return_null=True)
    code = osr.SpatialReference(dataset.GetProjection() or "").GetAuthorityCode(None)
    if transform is None or code is None:
        return None
    return Grid(int(code), transform[0], transform[3], transform[1], rows, cols)


def _insert_georeference(path: Path, grid: Grid) -> None:
    """Put the two boxes before the codestream box."""
    with open(path, "r+b") as image:
        position = 0
        while True:
            image.seek(position)
            length, kind = struct.unpack(">I4s", image.read(8))
            if kind == b"jp2c":
                break
            position += length
        with open(path.with_suffix(".geo"), "w+b") as result:
            try:
                image.seek(0)
                result.write(image.read(position))
                for box in _georeference_boxes(grid):
                    box.write(result)
                shutil.copyfileobj(image, result, 1 << 24)
                os.replace(result.name, path)
            except BaseException:
                Path(result.name).unlink(missing_ok=True)
                raise


def _georeference_boxes(grid: Grid) -> tuple[Any, Any]:
    load_glymur()
    from glymur.jp2box import AssociationBox, LabelBox, UUIDBox, XMLBox

    gml = XMLBox(xml=etree.ElementTree(etree.fromstring(_gml(grid))))
    instance = AssociationBox([LabelBox("gml.root-instance"), gml])
    return UUIDBox(_GEOJP2, _geotiff(grid)), AssociationBox([LabelBox("gml.data"), instance])


@lru_cache(maxsize=16)
def _geotiff(grid: Grid) -> bytes:
    """A GeoTIFF of one pixel that carries the projection and the transform."""
    from osgeo import gdal, osr

    gdal.UseExceptions()
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(grid.epsg)
    name = f"/vsimem/{uuid.uuid4().hex}.tif"
    dataset = gdal.GetDriverByName("GTiff").Create(name, 1, 1)
    dataset.SetProjection(reference.ExportToWkt())
    dataset.SetGeoTransform(grid.geotransform)
    del dataset
    size = gdal.VSIStatL(name).size
    file = gdal.VSIFOpenL(name, "rb")
    content = bytes(gdal.VSIFReadL(1, size, file))
    gdal.VSIFCloseL(file)
    gdal.Unlink(name)
    return content


def _gml(grid: Grid) -> str:
    """GML in JPEG 2000 (OGC 05-047r3); the origin is the centre of the upper left pixel."""
    system = f'srsName="urn:ogc:def:crs:EPSG::{grid.epsg}"'
    size = grid.pixel_size
    right, bottom = grid.ulx + grid.cols * size, grid.uly - grid.rows * size
    return f"""<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">
<gml:boundedBy><gml:Envelope {system}><gml:lowerCorner>{grid.ulx:.15g} {bottom:.15g}</gml:lowerCorner>
<gml:upperCorner>{right:.15g} {grid.uly:.15g}</gml:upperCorner></gml:Envelope></gml:boundedBy>
<gml:featureMember><gml:RectifiedGridCoverage dimension="2" gml:id="RGC0001"><gml:rectifiedGridDomain>
<gml:RectifiedGrid dimension="2"><gml:limits><gml:GridEnvelope><gml:low>0 0</gml:low>
<gml:high>{grid.cols - 1} {grid.rows - 1}</gml:high></gml:GridEnvelope></gml:limits>
<gml:axisName>x</gml:axisName><gml:axisName>y</gml:axisName>
<gml:origin><gml:Point gml:id="P0001" {system}>
<gml:pos>{grid.ulx + size / 2:.15g} {grid.uly - size / 2:.15g}</gml:pos></gml:Point></gml:origin>
<gml:offsetVector {system}>{size:.15g} 0</gml:offsetVector>
<gml:offsetVector {system}>0 {-size:.15g}</gml:offsetVector>
</gml:RectifiedGrid></gml:rectifiedGridDomain><gml:rangeSet><gml:File><gml:rangeParameters/>
<gml:fileName>gmljp2://codestream/0</gml:fileName><gml:fileStructure>Record Interleaved</gml:fileStructure>
</gml:File></gml:rangeSet></gml:RectifiedGridCoverage></gml:featureMember></gml:FeatureCollection>"""
