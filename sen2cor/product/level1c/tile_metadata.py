"""Reading of the metadata of a Level-1C tile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from sen2cor.bands import RESOLUTIONS
from sen2cor.errors import InputError
from sen2cor.product.name_templates import TILE_ID
from sen2cor.raster.grids import Grid
from sen2cor.xml_document import XmlDocument

_GEOCODING = "Geometric_Info/Tile_Geocoding"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z?")


@dataclass(frozen=True)
class TileMetadata:
    """Identifiers, time and grids of a tile.

    Attributes
    ----------
    tile_id, datastrip_id : str
        Long identifiers.
    mgrs : str
        Tile of the grid, for example ``56JKT``.
    sensing_time : datetime
        UTC.
    grids : mapping of resolution in metres to Grid
        As in the metadata; the images may have another size.
    """

    tile_id: str
    datastrip_id: str
    mgrs: str
    sensing_time: datetime
    grids: Mapping[int, Grid]


def open_tile_document(path: Path) -> XmlDocument:
    """Parse tile metadata.

    Raises
    ------
    InputError
        The file cannot be read or is another document.
    """
    document = XmlDocument(path)
    if document.root_name != "Level-1C_Tile_ID":
        raise InputError(
            f"{path}: root element is {document.root_name}, expected the Level-1C_Tile_ID of a tile"
        )
    return document


def read_tile_metadata(document: XmlDocument) -> TileMetadata:
    """Read identifiers, time and grids of a tile.

    Raises
    ------
    InputError
        An element is missing or invalid.
    """
    tile_id = document.text("General_Info/TILE_ID")
    names = TILE_ID.match(tile_id)
    if names is None:
        raise document.error("General_Info/TILE_ID", f"holds {tile_id!r}, not a tile identifier")
    return TileMetadata(
        tile_id=tile_id,
        datastrip_id=document.text("General_Info/DATASTRIP_ID"),
        mgrs=names["mgrs"],
        sensing_time=read_moment(document, "General_Info/SENSING_TIME"),
        grids=read_grids(document),
    )


def read_grids(document: XmlDocument) -> dict[int, Grid]:
    """Read the grids of a tile by resolution in metres.

    Raises
    ------
    InputError
        An element is missing or invalid.
    """
    return {resolution: _read_grid(document, resolution) for resolution in RESOLUTIONS}


def read_moment(document: XmlDocument, where: str) -> datetime:
    """Read a moment in UTC, such as ``2017-07-19T00:02:18.457Z``.

    Raises
    ------
    InputError
        The element is missing or holds something else.
    """
    text = document.text(where)
    found = _MOMENT.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        whole = datetime.fromisoformat(found[1])
    except ValueError as error:
        raise document.error(where, f"holds {text!r}, not a date and time") from error
    microseconds = int((found[2] or "").ljust(6, "0")[:6])
    return whole.replace(microsecond=microseconds, tzinfo=timezone.utc)


def _read_grid(document: XmlDocument, resolution: int) -> Grid:
    code_at = f"{_GEOCODING}/HORIZONTAL_CS_CODE"
    code = re.fullmatch(r"(?:.*:)?(\d{4,5})", document.text(code_at))
    if code is None:
        raise document.error(code_at, "contains no EPSG code")
    by_resolution = {}
    for name in ("Size", "Geoposition"):
        where = f"{_GEOCODING}/{name}"
        for element in document.find_all(where):
            if element.get("resolution") == str(resolution):
                by_resolution[name] = element
        if name not in by_resolution:
            raise document.error(where, f'with resolution="{resolution}" is missing')
    size, position = by_resolution["Size"], by_resolution["Geoposition"]
    rows, cols = (int(document.number(name, size)) for name in ("NROWS", "NCOLS"))
    pixel_size = document.number("XDIM", position)
    if rows <= 0 or cols <= 0 or pixel_size <= 0:
        raise document.error(f"{_GEOCODING}/Size", "is not positive")
    return Grid(
        int(code[1]),
        document.number("ULX", position),
        document.number("ULY", position),
        pixel_size,
        rows,
        cols,
    )
