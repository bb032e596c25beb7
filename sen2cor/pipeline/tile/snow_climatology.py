"""Snow climatology: a global map of where snow is possible.

The layout is that of Sen2Cor's map (``GlobalSnowMap.tiff``): one band of 8 bits for the whole Earth
in geographic coordinates, north up; snow is possible where it is above 0.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
from osgeo import gdal

from sen2cor.raster.coordinates import bounding_box, footprint, split_at_date_line
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)


def snow_possible(path: Path, grid: Grid) -> bool:
    """Look up a tile in a snow climatology.

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
        Whether the map is above 0 anywhere in the tile. True, with a warning, if it cannot be
        read.
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
        logger.warning(
            "cannot read the snow climatology %s (%s); assuming that snow is possible", path, error
        )
        return True
    logger.info("snow detection skipped: no snow in this tile according to %s", path.name)
    return False


def _extent(grid: Grid) -> tuple[float, float, list[tuple[float, float]]]:
    """Latitude range and longitude ranges of a tile; two of these across the date line."""
    rings = split_at_date_line(footprint(grid))
    _, south, _, north = bounding_box(rings)
    parts = [
        (min(longitude for longitude, _ in ring), max(longitude for longitude, _ in ring))
        for ring in rings
    ]
    return south, north, parts


def _window(start: float, stop: float, scale: float, size: int) -> tuple[int, int]:
    """First pixel and number of pixels between two coordinates in degrees; at least one."""
    first = min(max(math.floor(start * scale), 0), size - 1)
    last = min(max(math.ceil(stop * scale), first + 1), size)
    return first, last - first
