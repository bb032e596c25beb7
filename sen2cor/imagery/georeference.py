"""Boxes of JPEG 2000 images: georeference as GeoJP2 and GML, as Sentinel-2 and GDAL use them, and
the description of the pixels as metadata of GDAL.

GeoJP2 is a degenerate GeoTIFF in a UUID box; GML in JPEG 2000 is OGC 05-047r3.
"""

from __future__ import annotations

import re
import shutil
import struct
import uuid
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

from sen2cor.files import replace_on_success
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.imagery.openjpeg import load_glymur
from sen2cor.raster.coordinates import epsg_code, wkt
from sen2cor.raster.grids import Grid

_GEOJP2 = uuid.UUID("b14bf8bd-083d-4b43-a5ae-8cd7d5a6ce03")
_GML = "{http://www.opengis.net/gml}"


def check_tags(box: bytes) -> None:
    """Refuse damaged GeoJP2 tags that announce more values than their box has bytes.

    glymur would try to read that many values, up to 4e9.

    Parameters
    ----------
    box : bytes
        Content of any box.

    Raises
    ------
    ValueError
        A tag is damaged.
    """
    _, found, tiff = box.partition(_GEOJP2.bytes)
    if found and _has_oversized_count(tiff):
        raise ValueError("the tags of its georeference are damaged")


def _has_oversized_count(tiff: bytes) -> bool:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return False
    start = struct.unpack(order + "I", tiff[4:8])[0] + 2
    if start > len(tiff):
        return True
    entries = tiff[start : start + 12 * struct.unpack(order + "H", tiff[start - 2 : start])[0]]
    whole = len(entries) // 12 * 12
    counts = [count for _, count, _ in struct.iter_unpack(order + "III", entries[:whole])]
    return any(count > len(tiff) for count in counts)


def read_georeference(image: Any, rows: int, cols: int) -> Grid | None:
    """Read the GML box, or the GeoJP2 box if there is no GML.

    Parameters
    ----------
    image : glymur.Jp2k
    rows, cols : int
        Size of the image.

    Returns
    -------
    Grid or None
        None if there is neither.
    """
    for box in image.box:
        if box.box_id == "asoc":
            for xml in _find_xml_boxes(box):
                grid = _parse_gml(xml, rows, cols)
                if grid is not None:
                    return grid
    if any(box.box_id == "uuid" and box.uuid == _GEOJP2 for box in image.box):
        return _read_geojp2(Path(image.filename), rows, cols)
    return None


def _find_xml_boxes(box: Any) -> Iterator[Any]:
    for inner in box.box:
        if inner.box_id == "asoc":
            yield from _find_xml_boxes(inner)
        elif inner.box_id == "xml ":
            yield inner.xml


def _parse_gml(document: Any, rows: int, cols: int) -> Grid | None:
    if document is None:
        return None
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


def _read_geojp2(path: Path, rows: int, cols: int) -> Grid | None:
    from osgeo import gdal

    gdal.UseExceptions()
    dataset = gdal.Open(str(path))
    transform = dataset.GetGeoTransform(can_return_null=True)
    code = epsg_code(dataset.GetProjection() or "")
    if transform is None or code is None:
        return None
    return Grid(code, transform[0], transform[3], transform[1], rows, cols)


def insert_boxes(path: Path, grid: Grid, description: ImageDescription | None = None) -> None:
    """Insert georeference and description before the codestream of a file.

    Raises
    ------
    OSError
        The file cannot be rewritten.
    """
    with open(path, "r+b") as image:
        position = 0
        while True:
            image.seek(position)
            length, kind = struct.unpack(">I4s", image.read(8))
            if kind == b"jp2c":
                break
            position += length
        with replace_on_success(path) as part, part.open("w+b") as result:
            image.seek(0)
            result.write(image.read(position))
            for box in _build_boxes(grid, description):
                box.write(result)
            shutil.copyfileobj(image, result, 1 << 24)


def _build_boxes(grid: Grid, description: ImageDescription | None) -> list[Any]:
    load_glymur()
    from glymur.jp2box import AssociationBox, LabelBox, UUIDBox, XMLBox

    gml = XMLBox(xml=etree.ElementTree(etree.fromstring(_build_gml(grid))))
    instance = AssociationBox([LabelBox("gml.root-instance"), gml])
    boxes = [
        UUIDBox(_GEOJP2, _build_geojp2(grid)),
        AssociationBox([LabelBox("gml.data"), instance]),
    ]
    if description is not None:
        document = etree.fromstring(description.build_xml())
        boxes.append(XMLBox(xml=etree.ElementTree(document)))
    return boxes


@lru_cache(maxsize=16)
def _build_geojp2(grid: Grid) -> bytes:
    """Build a GeoTIFF of one pixel with the projection and the geotransform."""
    from osgeo import gdal

    gdal.UseExceptions()
    name = f"/vsimem/{uuid.uuid4().hex}.tif"
    dataset = gdal.GetDriverByName("GTiff").Create(name, 1, 1)
    dataset.SetProjection(wkt(grid.epsg))
    dataset.SetGeoTransform(grid.geotransform)
    del dataset
    size = gdal.VSIStatL(name).size
    file = gdal.VSIFOpenL(name, "rb")
    content = bytes(gdal.VSIFReadL(1, size, file))
    gdal.VSIFCloseL(file)
    gdal.Unlink(name)
    return content


def _build_gml(grid: Grid) -> str:
    """Build GML in JPEG 2000 (OGC 05-047r3); the origin is the centre of the upper left pixel."""
    system = f'srsName="urn:ogc:def:crs:EPSG::{grid.epsg}"'
    size = grid.pixel_size
    right, bottom = grid.ulx + grid.cols * size, grid.uly - grid.rows * size
    return f"""<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">
<gml:boundedBy><gml:Envelope {system}>
<gml:lowerCorner>{grid.ulx:.15g} {bottom:.15g}</gml:lowerCorner>
<gml:upperCorner>{right:.15g} {grid.uly:.15g}</gml:upperCorner></gml:Envelope></gml:boundedBy>
<gml:featureMember><gml:RectifiedGridCoverage dimension="2" gml:id="RGC0001">
<gml:rectifiedGridDomain><gml:RectifiedGrid dimension="2">
<gml:limits><gml:GridEnvelope><gml:low>0 0</gml:low>
<gml:high>{grid.cols - 1} {grid.rows - 1}</gml:high></gml:GridEnvelope></gml:limits>
<gml:axisName>x</gml:axisName><gml:axisName>y</gml:axisName>
<gml:origin><gml:Point gml:id="P0001" {system}>
<gml:pos>{grid.ulx + size / 2:.15g} {grid.uly - size / 2:.15g}</gml:pos></gml:Point></gml:origin>
<gml:offsetVector {system}>{size:.15g} 0</gml:offsetVector>
<gml:offsetVector {system}>0 {-size:.15g}</gml:offsetVector>
</gml:RectifiedGrid></gml:rectifiedGridDomain>
<gml:rangeSet><gml:File><gml:rangeParameters/>
<gml:fileName>gmljp2://codestream/0</gml:fileName>
<gml:fileStructure>Record Interleaved</gml:fileStructure></gml:File></gml:rangeSet>
</gml:RectifiedGridCoverage></gml:featureMember></gml:FeatureCollection>"""
