"""Whether snow is possible at a place, by a map of where there ever was any.

The layout is that of the map of Sen2Cor (``GlobalSnowMap.tiff``): one band of 8 bits over the whole
earth, in geographic coordinates, north up; above 0 there may be snow.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
from osgeo import gdal

from sen2cor.raster.coordinates import footprint
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)


def snow_possible(path: Path, grid: Grid) -> bool:
    """Look a tile up in a snow climatology.

    Parameters
    ----------
    path : Path
        An image that GDAL reads, from 90 degrees north to 90 south and 180 degrees west to 180
        east; usually 7200 by 3600 pixels.
    grid : Grid
        The tile.

    Returns
    -------
    bool
        Whether the map is above 0 anywhere in the tile. True where it cannot be read, with a
        warning.
    """
    gdal.UseExceptions()
    try:
        dataset = gdal.Open(str(path))
        width, height = dataset.RasterXSize, dataset.RasterYSize
        south, north, parts = _extent(grid)
        row, rows = _window(90.0 - north, 90.0 - south, height / 180.0, height)
        for west, east in parts:
            col, cols = _window(west + 180.0, east + 180.0, width / 360.0, width)
            pixels = dataset.GetRasterBand(1).ReadRaster(
                col, row, cols, rows, buf_type=gdal.GDT_Byte
            )
            if np.frombuffer(pixels, np.uint8).any():
                return True
    except RuntimeError as error:
        logger.warning("%s: cannot be read (%s); snow may be anywhere", path, error)
        return True
    logger.info("no snow here by %s: it is not looked for", path.name)
    return False


def _extent(grid: Grid) -> tuple[float, float, list[tuple[float, float]]]:
    """Southern and northern latitude of a tile, and its longitudes: two ranges at the date line."""
    corners = footprint(grid)
    east = [corner[0] for corner in corners]
    north = [corner[1] for corner in corners]
    if max(east) - min(east) <= 180.0:
        return min(north), max(north), [(min(east), max(east))]
    parts = [
        (min(lon for lon in east if lon > 0), 180.0),
        (-180.0, max(lon for lon in east if lon <= 0)),
    ]
    return min(north), max(north), parts


def _window(start: float, stop: float, scale: float, size: int) -> tuple[int, int]:
    """First pixel and number of pixels between two positions in degrees; at least one."""
    first = min(max(math.floor(start * scale), 0), size - 1)
    last = min(max(math.ceil(stop * scale), first + 1), size)
    return first, last - first
