"""Metadata of a part of a tile: size and position of the images, angles, outline."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from sen2cor.bands import BANDS
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.product.level2a.xml_editing import add
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.coordinates import bounding_box, footprint, split_at_date_line
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.xml_document import Element

_NAMES = {str(band.index): band.name for band in BANDS}
_EDGES = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")


def crop_tile_document(root: Element, tile: Level1CTile) -> None:
    """Change the metadata of a whole tile to those of a part of it, see `Level1CTile.crop`."""
    for resolution, grid in tile.grids.items():
        for element in root.iter("Size", "Geoposition"):
            if element.get("resolution") == str(resolution):
                _set_texts(
                    element, NROWS=grid.rows, NCOLS=grid.cols, ULX=int(grid.ulx), ULY=int(grid.uly)
                )
    for element in root.iter("Sun_Angles_Grid"):
        _set_angles(element, tile.geometry.sun)
    for element in list(root.iter("Viewing_Incidence_Angles_Grids")):
        view = tile.geometry.detector_view.get(_NAMES.get(element.get("bandId", ""), ""), {})
        number = element.get("detectorId", "")
        if number.isdecimal() and int(number) in view:
            _set_angles(element, view[int(number)])


def crop_product_document(root: Element, grids: Iterable[Grid]) -> None:
    """Change the outline of a product to that of parts of its tiles."""
    corners = [split_at_date_line(footprint(grid)) for grid in grids]
    if len(corners) == 1:
        ring = [position for part in corners[0] for position in part]
    else:
        west, south, east, north = bounding_box([ring for rings in corners for ring in rings])
        ring = [(west, north), (west, south), (east, south), (east, north), (west, north)]
    text = " ".join(f"{latitude:.7f} {longitude:.7f}" for longitude, latitude in ring)
    for element in root.iter("EXT_POS_LIST"):
        element.text = text


def crop_inspire_text(text: str, grids: Iterable[Grid]) -> str:
    """Change the bounding box of INSPIRE metadata."""
    box = bounding_box([ring for grid in grids for ring in split_at_date_line(footprint(grid))])
    for name, degrees in zip(_EDGES, box, strict=True):
        pattern = rf"(<(?:\w+:)?{name}>\s*<(?:\w+:)?Decimal>)[^<]*"
        text = re.sub(pattern, rf"\g<1>{degrees:.6f}", text)
    return text


def _set_texts(parent: Element, **texts: int) -> None:
    """Set the texts of those children that exist."""
    for name, number in texts.items():
        for child in parent.iter(name):
            child.text = str(number)


def _set_angles(element: Element, angles: AngleGrid) -> None:
    for name, values in (("Zenith", angles.zenith), ("Azimuth", angles.azimuth)):
        for grid in element.iter(name):
            for step in grid.iter("COL_STEP", "ROW_STEP"):
                step.text = f"{angles.step:.0f}"
            for rows in grid.iter("Values_List"):
                _set_rows(rows, values)


def _set_rows(rows: Element, values: Float32Array) -> None:
    rows[:] = []
    for row in values:
        texts = ("NaN" if np.isnan(value) else f"{value:.7g}" for value in row)
        add(rows, "VALUES", " ".join(texts))
