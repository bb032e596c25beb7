"""The quality masks of a Level-1C tile: polygons (GML) or rasters (JPEG 2000) on a given grid.

Source: Sentinel-2 Products Specification Document. Up to format 14 each mask is a GML file of
polygons in the tile's projection; from baseline 04.00 on ``MSK_QUALIT`` of a band holds eight
layers and ``MSK_CLASSI`` of the tile three, each 0 or 1.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from sen2cor.errors import InputError
from sen2cor.imagery import jpeg2000
from sen2cor.raster.array_types import BoolArray, Float64Array
from sen2cor.raster.grids import Grid
from sen2cor.xml_document import Element, XmlDocument

logger = logging.getLogger(__name__)


KINDS = ("NODATA", "SATURA", "DEFECT", "CLOUDS")
"""The masks that are read."""

TILE_BAND = "B00"
"""Stands for all bands in the names of masks."""

_RASTER_LAYERS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "DEFECT": ("QUALIT", (4,)),
    "NODATA": ("QUALIT", (5,)),
    "SATURA": ("QUALIT", (7,)),
    "CLOUDS": ("CLASSI", (0, 1)),
}
"""Raster and its layers (from 0) that together are a mask; clouds: opaque and cirrus."""

_POLYGON_TYPES: Mapping[str, str] = {"NODATA": "QT_NODATA_PIXELS"}
"""Where only polygons of one type count: MSK_NODATA also lists pixels with partial correction."""

_READ_ROWS = 1024


def read_mask(folder: Path, kind: str, band: str, grid: Grid) -> BoolArray | None:
    """Read a mask of a tile onto a grid: a pixel has the value at its centre.

    Parameters
    ----------
    folder : Path
        ``QI_DATA`` of the tile.
    kind : str
        One of `KINDS`.
    band : str
        Band name; `TILE_BAND` for clouds.
    grid : Grid
        Any grid in the tile's projection.

    Returns
    -------
    ndarray of bool, shape ``grid.shape``, or None
        None where the product carries no such mask, and, with a WARNING, where it is broken.
    """
    raster, layers = _RASTER_LAYERS[kind]
    polygons = _find(folder, kind, band, ".gml")
    image = _find(folder, raster, band, ".jp2")
    try:
        if polygons is not None:
            return rasterise(_read_polygons(polygons, _POLYGON_TYPES.get(kind)), grid)
        if image is not None:
            return _read_layers(image, layers, grid)
    except (InputError, ValueError) as error:
        logger.warning("mask %s of %s is not usable and is ignored: %s", kind, band, error)
    return None


def rasterise(polygons: Iterator[list[Float64Array]], grid: Grid) -> BoolArray:
    """Mark the pixels whose centre lies in any of the polygons.

    Parameters
    ----------
    polygons : iterator of lists of ndarray, shape (points, 2)
        Rings of a polygon, outer and inner ones, as eastings and northings; closed or not.
    grid : Grid

    Returns
    -------
    ndarray of bool, shape ``grid.shape``
    """
    mask = np.zeros(grid.shape, np.bool_)
    origin, scale = np.array([grid.ulx, grid.uly]), np.array([1.0, -1.0]) / grid.pixel_size
    for rings in polygons:
        _fill(mask, [(ring - origin) * scale for ring in rings])
    return mask


def _fill(mask: BoolArray, rings: list[Float64Array]) -> None:
    """Add a polygon by the even-odd rule, which leaves its holes open.

    Each edge flips, in the rows whose centres it crosses, all pixels to its right.
    """
    starts = np.concatenate(rings)
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    lower = np.minimum(starts[:, 1], ends[:, 1])
    upper = np.maximum(starts[:, 1], ends[:, 1])
    first = np.clip(np.ceil(lower - 0.5), 0, mask.shape[0]).astype(np.intp)
    last = np.clip(np.ceil(upper - 0.5), 0, mask.shape[0]).astype(np.intp)
    count = last - first
    if not count.any():
        return
    edge = np.repeat(np.arange(len(starts)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (x0, y0), (x1, y1) = starts[edge].T, ends[edge].T
    x = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    col = np.clip(np.ceil(x - 0.5), 0, mask.shape[1]).astype(np.intp)
    top, left, right = row.min(), col.min(), col.max()
    flips = np.zeros((row.max() - top + 1, right - left + 1), np.bool_)
    np.logical_xor.at(flips, (row - top, col - left), True)
    inside = np.logical_xor.accumulate(flips, axis=1)[:, :-1]
    mask[top : top + len(inside), left:right] |= inside


def _read_polygons(path: Path, wanted: str | None) -> Iterator[list[Float64Array]]:
    document = XmlDocument(path)
    if document.root_name != "Mask":
        raise InputError(f"{path}: root element is {document.root_name}, expected a Mask")
    for feature in document.find_all("maskMembers/MaskFeature"):
        if wanted is None or document.text("maskType", feature) == wanted:
            for polygon in document.find_all(".//Polygon", feature):
                points = document.find_all(".//posList", polygon)
                if points:
                    yield [_ring(document, ring) for ring in points]


def _ring(document: XmlDocument, points: Element) -> Float64Array:
    dimension = int(points.get("srsDimension", "2"))
    numbers = np.array((points.text or "").split(), np.float64)
    if dimension < 2 or numbers.size % dimension or not np.isfinite(numbers).all():
        raise document.error("posList", f"holds no points of {dimension} dimensions")
    return numbers.reshape(-1, dimension)[:, :2]


def _read_layers(path: Path, layers: tuple[int, ...], grid: Grid) -> BoolArray:
    """Take the nearest pixel of any of the layers, decoding some rows at a time."""
    info = jpeg2000.read_info(path)
    if info.components <= max(layers):
        raise InputError(f"{path}: has {info.components} layers, expected {max(layers) + 1}")
    source = info.grid or _stretched(grid, info.rows, info.cols)
    offset = grid.pixel_size * 0.5
    rows = source.uly - grid.uly + offset + np.arange(grid.rows) * grid.pixel_size
    cols = grid.ulx - source.ulx + offset + np.arange(grid.cols) * grid.pixel_size
    row = np.floor(rows / source.pixel_size).astype(np.intp)
    col = np.floor(cols / source.pixel_size).astype(np.intp)
    col_inside = np.flatnonzero((col >= 0) & (col < info.cols))
    mask = np.zeros(grid.shape, np.bool_)
    for top in range(0, info.rows, _READ_ROWS):
        block = jpeg2000.read(path, slice(top, min(top + _READ_ROWS, info.rows)))
        marked = np.any(block[:, :, layers], axis=2)
        here = np.flatnonzero((row >= top) & (row < top + len(block)))
        mask[np.ix_(here, col_inside)] = marked[np.ix_(row[here] - top, col[col_inside])]
    return mask


def _stretched(grid: Grid, rows: int, cols: int) -> Grid:
    """The grid of an image without georeference that covers the same ground."""
    return Grid(grid.epsg, grid.ulx, grid.uly, grid.rows * grid.pixel_size / rows, rows, cols)


def _find(folder: Path, kind: str, band: str, suffix: str) -> Path | None:
    """Find ``MSK_<kind>_<band>`` (compact) or ``..._MSK_<kind>_..._<band>_MSIL1C`` (long names)."""
    if not folder.is_dir():
        return None
    for path in sorted(folder.glob(f"*MSK_{kind}_*{suffix}")):
        parts = path.stem.split("_")
        if not path.name.startswith(".") and band in parts:
            return path
    return None
