"""Quality masks of a Level-1C tile on a given grid, from polygons (GML) or rasters (JPEG 2000).

Source: Sentinel-2 Products Specification Document. Up to format 14 each mask is a GML file of
polygons in the tile's projection; from baseline 04.00 on ``MSK_QUALIT`` of a band holds eight
layers and ``MSK_CLASSI`` of the tile three, each 0 or 1.
"""

from __future__ import annotations

import logging
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sen2cor.errors import InputError
from sen2cor.imagery import jpeg2000
from sen2cor.product.side_files import is_copy, is_side_file
from sen2cor.raster.array_types import BoolArray, Float64Array, UInt8Array
from sen2cor.raster.coordinates import spatial_reference
from sen2cor.raster.grids import Grid
from sen2cor.xml_document import Element, XmlDocument

_Pixel = TypeVar("_Pixel", np.bool_, np.uint8)

logger = logging.getLogger(__name__)


KINDS = ("NODATA", "LOST", "DEGRADED", "SATURA", "DEFECT", "CLOUDS")
"""Supported masks; LOST and DEGRADED are packets of image data."""

TILE_BAND = "B00"
"""Band of the masks of all bands, in file names."""

_RASTER_LAYERS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "LOST": ("QUALIT", (2,)),
    "DEGRADED": ("QUALIT", (3,)),
    "DEFECT": ("QUALIT", (4,)),
    "NODATA": ("QUALIT", (5,)),
    "SATURA": ("QUALIT", (7,)),
    "CLOUDS": ("CLASSI", (0, 1)),
}
"""Raster and its layers (from 0) that together are a mask; clouds: opaque and cirrus. Not used:
lost and degraded ancillary data (0, 1), which concern the position and not the pixel values, and
partial correction of crosstalk (6)."""


def _is_image_data(kind: str) -> bool:
    return not kind.startswith("ANC")


_POLYGONS: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "LOST": ("TECQUA", lambda kind: _is_image_data(kind) and "LOST" in kind),
    "DEGRADED": ("TECQUA", lambda kind: _is_image_data(kind) and "LOST" not in kind),
    "NODATA": ("NODATA", lambda kind: kind == "QT_NODATA_PIXELS"),
    "SATURA": ("SATURA", lambda kind: True),
    "DEFECT": ("DEFECT", lambda kind: True),
    "CLOUDS": ("CLOUDS", lambda kind: True),
}
"""File of polygons, and which of their types (maskType) are a mask. MSK_TECQUA has ANC_LOST,
ANC_DEG, MSI_LOST and MSI_DEG; MSK_NODATA also has partly corrected pixels."""

_WKB_POLYGON = 3

_EDGE_SHIFT = 1e-6
"""Shift of the pixel centres to the south-east, in pixels: decides centres on an edge of a polygon,
for which GDAL has no rule. The coordinates of masks are multiples of 1e-2 pixels or more."""

_READ_ROWS = 1024


def read_mask(folder: Path, kind: str, band: str, grid: Grid) -> BoolArray | None:
    """Read a mask of a tile onto a grid: a pixel has the value at its centre.

    Parameters
    ----------
    folder : Path
        ``QI_DATA`` of the tile.
    kind : str
        One of `KINDS`, or several of them with ``+`` between: their union, which is read at once.
    band : str
        Band name; `TILE_BAND` for clouds.
    grid : Grid
        Any grid in the tile's projection.

    Returns
    -------
    ndarray of bool, shape ``grid.shape``, or None
        None where the product has no such mask and, with a WARNING, where the mask is broken.
    """
    union: BoolArray | None = None
    layers: dict[Path, list[int]] = defaultdict(list)
    for name in kind.split("+"):
        file, is_member = _POLYGONS[name]
        raster, own_layers = _RASTER_LAYERS[name]
        polygons = _find_mask(folder, file, band, ".gml")
        image = _find_mask(folder, raster, band, ".jp2")
        if polygons is not None:
            union = _unite(
                union, _read_usable(name, band, _read_polygon_mask, polygons, is_member, grid)
            )
        elif image is not None:
            layers[image] += own_layers
    for image, chosen in layers.items():
        union = _unite(union, _read_usable(kind, band, _read_layers, image, tuple(chosen), grid))
    return union


def read_detectors(folder: Path, band: str, grid: Grid) -> UInt8Array | None:
    """Read which detector sees each pixel of a band: ``MSK_DETFOO``.

    Parameters
    ----------
    folder : Path
        ``QI_DATA`` of the tile.
    band : str
    grid : Grid
        Any grid in the tile's projection.

    Returns
    -------
    ndarray of uint8, shape ``grid.shape``, or None
        Numbers from 1 on, 0 where no detector sees the pixel. None where the product has no such
        mask and, with a WARNING, where the mask is broken.
    """
    # products of GeoTIFF have the mask under another ending
    polygons, image = (_find_mask(folder, "DETFOO", band, suffix) for suffix in (".gml", ".jp[2x]"))
    if polygons is not None:
        return _read_usable("DETFOO", band, _read_footprints, polygons, grid)
    if image is not None:
        return _read_usable(
            "DETFOO", band, _sample, image, 1, grid, lambda block: block.reshape(block.shape[:2])
        )
    return None


def _read_footprints(path: Path, grid: Grid) -> UInt8Array:
    """Rasterise footprints; their identifiers are as ``detector_footprint-B02-12-0``."""
    document = XmlDocument(path)
    detectors = np.zeros(grid.shape, np.uint8)
    for feature in document.find_all("maskMembers/MaskFeature"):
        identifier = next((value for name, value in feature.items() if name.endswith("}id")), "")
        parts = str(identifier).split("-")
        if len(parts) > 2 and parts[2].isdecimal() and 0 < int(parts[2]) < 256:
            detectors[rasterise(_feature_polygons(document, feature), grid)] = int(parts[2])
    return detectors


def _unite(union: BoolArray | None, mask: BoolArray | None) -> BoolArray | None:
    if union is None or mask is None:
        return mask if union is None else union
    return union | mask


def _read_usable(
    kind: str, band: str, read: Callable[..., npt.NDArray[_Pixel]], *arguments: Any
) -> npt.NDArray[_Pixel] | None:
    """Read a mask; None, with a WARNING, if it is broken."""
    try:
        return read(*arguments)
    except (InputError, ValueError) as error:
        logger.warning("mask %s of %s cannot be used and is ignored: %s", kind, band, error)
        return None


def _read_polygon_mask(path: Path, is_member: Callable[[str], bool], grid: Grid) -> BoolArray:
    return rasterise(_read_polygons(path, is_member), grid)


def rasterise(polygons: Iterable[list[Float64Array]], grid: Grid) -> BoolArray:
    """Mark the pixels whose centre lies in any of the polygons, by GDAL.

    A centre on the western or northern edge of a polygon lies in it, one on the eastern or southern
    edge does not, so that polygons that share an edge never share a pixel.

    Parameters
    ----------
    polygons : iterable of lists of ndarray, shape (points, 2)
        Rings of a polygon, outer and inner ones, as eastings and northings; closed or not.
    grid : Grid

    Returns
    -------
    ndarray of bool, shape ``grid.shape``
    """
    from osgeo import gdal, ogr

    gdal.UseExceptions()
    ogr.UseExceptions()
    system = spatial_reference(grid.epsg)
    # from GDAL 3.11 on one driver holds rasters and layers in memory
    driver = ogr.GetDriverByName("MEM") or ogr.GetDriverByName("Memory")
    source = driver.CreateDataSource("")
    layer = source.CreateLayer("", system, ogr.wkbPolygon)
    for rings in polygons:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometryDirectly(ogr.CreateGeometryFromWkb(_to_wkb(rings)))
        layer.CreateFeature(feature)
    if not layer.GetFeatureCount():  # as in most masks of saturated and defective pixels
        return np.zeros(grid.shape, np.bool_)
    image = gdal.GetDriverByName("MEM").Create("", grid.cols, grid.rows, 1, gdal.GDT_Byte)
    size = grid.pixel_size
    image.SetProjection(system.ExportToWkt())
    shift = _EDGE_SHIFT * size
    image.SetGeoTransform((grid.ulx + shift, size, 0.0, grid.uly - shift, 0.0, -size))
    gdal.RasterizeLayer(image, [1], layer, burn_values=[1])
    return np.frombuffer(image.ReadRaster(), np.bool_).reshape(grid.shape)


def _to_wkb(rings: list[Float64Array]) -> bytes:
    """Encode a polygon as well-known binary (OGC 06-103r4, section 8), little endian."""
    parts = [struct.pack("<BII", 1, _WKB_POLYGON, len(rings))]
    for ring in rings:
        closed = np.concatenate([ring, ring[:1]]).astype("<f8")
        parts += [struct.pack("<I", len(closed)), closed.tobytes()]
    return b"".join(parts)


def _read_polygons(path: Path, is_member: Callable[[str], bool]) -> Iterator[list[Float64Array]]:
    document = XmlDocument(path)
    if document.root_name != "Mask":
        raise InputError(f"{path}: root element is {document.root_name}, expected a Mask")
    for feature in document.find_all("maskMembers/MaskFeature"):
        kind = document.find("maskType", feature)
        if is_member("" if kind is None else (kind.text or "").strip()):
            yield from _feature_polygons(document, feature)


def _feature_polygons(document: XmlDocument, feature: Element) -> Iterator[list[Float64Array]]:
    for polygon in document.find_all(".//Polygon", feature):
        points = document.find_all(".//posList", polygon)
        if points:
            yield [_parse_ring(document, ring) for ring in points]


def _parse_ring(document: XmlDocument, points: Element) -> Float64Array:
    dimension = int(points.get("srsDimension", "2"))
    numbers = np.array((points.text or "").split(), np.float64)
    if dimension < 2 or numbers.size % dimension or not np.isfinite(numbers).all():
        raise document.error("posList", f"contains no points of {dimension} dimensions")
    return numbers.reshape(-1, dimension)[:, :2]


def _read_layers(path: Path, layers: tuple[int, ...], grid: Grid) -> BoolArray:
    """Sample the union of layers."""

    def unite(block: UInt8Array) -> BoolArray:
        union: BoolArray = np.any(block[:, :, layers], axis=2)
        return union

    return _sample(path, max(layers) + 1, grid, unite)


def _sample(
    path: Path, layers: int, grid: Grid, combine: Callable[[UInt8Array], npt.NDArray[_Pixel]]
) -> npt.NDArray[_Pixel]:
    """Sample a raster at the nearest pixels, decoding some rows at a time.

    ``combine`` makes the pixels from an array of shape (rows, cols, layers).
    """
    info = jpeg2000.read_info(path)
    if info.components < layers:
        raise InputError(f"{path}: has {info.components} layers, expected {layers}")
    source = info.grid or _stretch_grid(grid, info.rows, info.cols)
    offset = grid.pixel_size * 0.5
    rows = source.uly - grid.uly + offset + np.arange(grid.rows) * grid.pixel_size
    cols = grid.ulx - source.ulx + offset + np.arange(grid.cols) * grid.pixel_size
    row = np.floor(rows / source.pixel_size).astype(np.intp)
    col = np.floor(cols / source.pixel_size).astype(np.intp)
    col_inside = np.flatnonzero((col >= 0) & (col < info.cols))
    result: npt.NDArray[_Pixel] | None = None
    inside = row[(row >= 0) & (row < info.rows)]
    first, last = (int(inside.min()), int(inside.max())) if inside.size else (0, 0)
    for top in range(first, last + 1, _READ_ROWS):
        block = combine(jpeg2000.read(path, slice(top, min(top + _READ_ROWS, last + 1))))
        if result is None:
            result = np.zeros(grid.shape, block.dtype)
        if block.any():
            here = np.flatnonzero((row >= top) & (row < top + len(block)))
            result[np.ix_(here, col_inside)] = block[np.ix_(row[here] - top, col[col_inside])]
    assert result is not None
    return result


def _stretch_grid(grid: Grid, rows: int, cols: int) -> Grid:
    """The grid of an image without georeference that covers the same ground."""
    return Grid(grid.epsg, grid.ulx, grid.uly, grid.rows * grid.pixel_size / rows, rows, cols)


def _find_mask(folder: Path, kind: str, band: str, suffix: str) -> Path | None:
    """Find ``MSK_<kind>_<band>`` (compact) or ``..._MSK_<kind>_..._<band>_MSIL1C`` (long names)."""
    if not folder.is_dir():
        return None
    for path in sorted(folder.glob(f"*MSK_{kind}_*{suffix}")):
        parts = path.stem.split("_")
        if band in parts and not (is_side_file(Path(path.name)) or is_copy(path.name)):
            return path
    return None
