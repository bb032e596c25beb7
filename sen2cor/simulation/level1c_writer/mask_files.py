"""Quality masks of a Level-1C tile: GML polygons, or images from baseline 04.00 on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lxml import etree
from skimage.measure import approximate_polygon, find_contours

from sen2cor.bands import TILE_SIZES
from sen2cor.imagery import images, jpeg2000
from sen2cor.raster.array_types import BoolArray, Float64Array, UInt8Array
from sen2cor.raster.grids import Grid
from sen2cor.simulation.level1c_writer.description import ProductDescription, TileDescription

EOP = "http://www.opengis.net/eop/2.0"
GML = "http://www.opengis.net/gml/3.2"

Polygon = Float64Array


def outlines(mask: BoolArray, grid: Grid) -> list[Polygon]:
    """Closed outlines of the true areas of a mask, in map coordinates and whole metres.

    Parameters
    ----------
    mask : ndarray of bool, shape of the grid
    grid : Grid
    """
    padded = np.pad(mask, 1).astype(np.float32)
    found = []
    for contour in find_contours(padded, 0.5):
        simple = approximate_polygon(contour, 1.0)
        # holes have the opposite orientation, and are omitted as in the products' cloud masks
        if len(simple) >= 4 and _area(simple) < 0:
            x = grid.ulx + (simple[:, 1] - 0.5) * grid.pixel_size
            y = grid.uly - (simple[:, 0] - 0.5) * grid.pixel_size
            found.append(np.round(np.stack([x, y], axis=1)))
    return found


def _area(contour: Polygon) -> float:
    rows, cols = contour[:, 0], contour[:, 1]
    return -0.5 * float(np.sum(cols[:-1] * rows[1:] - cols[1:] * rows[:-1]))


def gml_mask(
    identifier: str, kind: str, epsg: int, members: list[tuple[str, str, Polygon]]
) -> bytes:
    """Build a GML mask of polygons.

    Parameters
    ----------
    identifier : str
        Long name of the mask.
    kind : str
        As ``MSK_CLOUDS``.
    epsg : int
    members : list of (gml:id, mask type, outline in map coordinates)
    """
    root = etree.Element(
        f"{{{EOP}}}Mask",
        {f"{{{GML}}}id": identifier},
        nsmap={"eop": EOP, "gml": GML, "xsi": "http://www.w3.org/2001/XMLSchema-instance"},
    )
    name = etree.SubElement(root, f"{{{GML}}}name")
    name.text = f"{kind} pixels mask from data-strip {identifier}"
    if members:
        _envelope(root, epsg, np.concatenate([outline for _, _, outline in members]))
    collection = etree.SubElement(root, f"{{{EOP}}}maskMembers")
    for number, (member_id, mask_type, outline) in enumerate(members):
        feature = etree.SubElement(collection, f"{{{EOP}}}MaskFeature", {f"{{{GML}}}id": member_id})
        type_element = etree.SubElement(
            feature, f"{{{EOP}}}maskType", codeSpace="urn:gs2:S2PDGS:maskType"
        )
        type_element.text = mask_type
        extent = etree.SubElement(feature, f"{{{EOP}}}extentOf")
        polygon = etree.SubElement(
            extent, f"{{{GML}}}Polygon", {f"{{{GML}}}id": f"{mask_type}.{number}_Polygon"}
        )
        ring = etree.SubElement(
            etree.SubElement(polygon, f"{{{GML}}}exterior"), f"{{{GML}}}LinearRing"
        )
        positions = etree.SubElement(ring, f"{{{GML}}}posList", srsDimension="2")
        positions.text = " ".join(f"{x:.0f} {y:.0f}" for x, y in outline)
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _envelope(root: etree._Element, epsg: int, corners: Polygon) -> None:
    bounds = etree.SubElement(root, f"{{{GML}}}boundedBy")
    envelope = etree.SubElement(
        bounds, f"{{{GML}}}Envelope", srsName=f"urn:ogc:def:crs:EPSG:8.7:{epsg}"
    )
    for tag, corner in (("lowerCorner", corners.min(axis=0)), ("upperCorner", corners.max(axis=0))):
        etree.SubElement(envelope, f"{{{GML}}}{tag}").text = f"{corner[0]:.0f} {corner[1]:.0f}"


def detector_map(tile: TileDescription, resolution: int) -> UInt8Array:
    """Number of the detector that observes each pixel.

    Returns
    -------
    ndarray of uint8, shape of the tile's grid
    """
    grid = tile.grid(resolution)
    x = grid.ulx + (np.arange(grid.cols) + 0.5) * resolution
    seen = np.empty(grid.shape, np.uint8)
    for start in range(0, grid.rows, 512):
        y = grid.uly - (np.arange(start, min(start + 512, grid.rows)) + 0.5) * resolution
        seen[start : start + 512] = tile.overpass.detector(x[None, :], y[:, None])
    return seen


def write_masks(root: Path, product: ProductDescription, tile: TileDescription) -> None:
    """Write all masks of a tile below the product's root."""
    detectors = detector_map(tile, 60)
    for kind, band in product.masks():
        path = root / product.mask(tile, kind, band)
        path.parent.mkdir(parents=True, exist_ok=True)
        if product.raster_masks:
            _write_raster(path, tile, kind, detectors)
            continue
        members: list[tuple[str, str, Polygon]] = []
        if kind == "CLOUDS":
            members = [
                (f"OPAQUE.{i}", "OPAQUE", outline) for i, outline in enumerate(tile.cloud_polygons)
            ]
        elif kind == "DETFOO":
            members = [
                (f"detector_footprint-{band}-{number:02d}-{i}", "DETECTOR_FOOTPRINT", outline)
                for number in np.unique(detectors[detectors > 0])
                for i, outline in enumerate(outlines(detectors == number, tile.grid(60)))
            ]
        identifier = product.mask_id(tile, kind, band)
        path.write_bytes(gml_mask(identifier, f"MSK_{kind}", tile.overpass.grid.epsg, members))


def _write_raster(
    path: Path,
    tile: TileDescription,
    kind: str,
    detectors: UInt8Array,
) -> None:
    grid = tile.grid(60)
    if kind == "DETFOO":
        images.write(path, detectors, grid, TILE_SIZES[60])
    elif kind == "QUALIT":
        # eight flags: lost and degraded ancillary and image data, defective, no data, saturated
        with jpeg2000.Jpeg2000Writer(path, grid, np.uint8, TILE_SIZES[60], 8) as writer:
            writer.write_rows(np.zeros((*grid.shape, 8), np.uint8))
    else:
        flags = np.zeros((*grid.shape, 3), np.uint8)
        flags[..., 0] = _rasterize(tile.cloud_polygons, grid)
        with jpeg2000.Jpeg2000Writer(path, grid, np.uint8, TILE_SIZES[60], 3) as writer:
            writer.write_rows(flags)


def _rasterize(polygons: list[Polygon], grid: Grid) -> UInt8Array:
    from skimage.draw import polygon as fill

    inside = np.zeros(grid.shape, np.uint8)
    for outline in polygons:
        rows = (grid.uly - outline[:, 1]) / grid.pixel_size - 0.5
        cols = (outline[:, 0] - grid.ulx) / grid.pixel_size - 0.5
        inside[fill(rows, cols, grid.shape)] = 1
    return inside
