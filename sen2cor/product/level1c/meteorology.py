"""Weather and aerosol of the models whose forecasts come with a tile (ECMWF and CAMS, GRIB).

Source: Sentinel-2 Products Specification Document, ``AUX_ECMWFT``: band 1 total column water
vapour (kg m-2), band 2 mean sea-level pressure (Pa), band 3 total column ozone (kg m-2), on a small
grid of longitudes and latitudes around the tile. ``AUX_CAMSFO``, from baseline 04.00 on, holds
optical thicknesses of aerosol as parameters of ECMWF's table 210; 207 is the total at 550 nm.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sen2cor.raster.array_types import Float64Array
from sen2cor.raster.coordinates import grid_centre
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)

KILOGRAM_PER_DOBSON = 2.1415e-5
"""kg m-2 of ozone in one Dobson unit: 2.6867e20 molecules m-2 of 47.998 g/mol (CODATA)."""

_WATER, _OZONE = 1, 3
_TOTAL_AEROSOL = "var207 of table 210"
_PLAUSIBLE = {
    "ozone": (50.0, 700.0),
    "water_vapour": (0.0, 10.0),
    "AOT": (0.0, 8.0),
}


@dataclass(frozen=True)
class Meteorology:
    """State of the atmosphere at the centre of a tile.

    Attributes
    ----------
    ozone : float
        Total column in Dobson units.
    water_vapour : float
        Total column in cm of precipitable water.
    """

    ozone: float
    water_vapour: float


@lru_cache(maxsize=64)
def read_meteorology(path: Path, grid: Grid) -> Meteorology | None:
    """Read the weather at the centre of a tile, interpolated bilinearly.

    Parameters
    ----------
    path : Path
        GRIB file.
    grid : Grid
        Any grid that covers the tile.

    Returns
    -------
    Meteorology or None
        None, with one WARNING, if the file cannot be read or its values cannot be true.
    """
    try:
        values = _sample(path, *grid_centre(grid))
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        logger.warning("%s: no usable weather data (%s); the settings are used", path, reason)
        return None
    found = Meteorology(
        ozone=values[_OZONE] / KILOGRAM_PER_DOBSON,
        water_vapour=values[_WATER] / 10.0,
    )
    return found if _plausible(path, **vars(found)) else None


@lru_cache(maxsize=64)
def read_aerosol(path: Path, grid: Grid) -> float | None:
    """Read the total optical thickness of aerosol at 550 nm at the centre of a tile.

    Parameters
    ----------
    path : Path
        GRIB file of CAMS.
    grid : Grid
        Any grid that covers the tile.

    Returns
    -------
    float or None
        None, with one WARNING, if the file cannot be read or its value cannot be true.
    """
    try:
        (value,) = _sample(path, *grid_centre(grid), _aerosol_band).values()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        logger.warning("%s: no usable aerosol data (%s); the settings are used", path, reason)
        return None
    return value if _plausible(path, AOT=value) else None


def _plausible(path: Path, **values: float) -> bool:
    for name, value in values.items():
        least, most = _PLAUSIBLE[name]
        if not least <= value <= most:
            logger.warning(
                "%s: %s of %g is not possible (%g to %g); the settings are used",
                path,
                name,
                value,
                least,
                most,
            )
            return False
    return True


def _weather_bands(dataset: Any) -> tuple[int, ...]:
    if dataset.RasterCount < _OZONE:
        raise ValueError(f"{dataset.RasterCount} bands, expected {_OZONE} or more")
    return _WATER, _OZONE


def _aerosol_band(dataset: Any) -> tuple[int, ...]:
    for number in range(1, dataset.RasterCount + 1):
        if _TOTAL_AEROSOL in (dataset.GetRasterBand(number).GetMetadataItem("GRIB_ELEMENT") or ""):
            return (number,)
    raise ValueError("no total optical thickness at 550 nm in it")


def _sample(
    path: Path,
    longitude: float,
    latitude: float,
    choose: Callable[[Any], tuple[int, ...]] = _weather_bands,
) -> dict[int, float]:
    """Values of some bands at a point."""
    from osgeo import gdal

    gdal.UseExceptions()
    # the reader does not know local tables, and says so at length
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        dataset = gdal.OpenEx(str(path), gdal.OF_RASTER, allowed_drivers=["GRIB"])
        numbers = choose(dataset)
        cols, rows = dataset.RasterXSize, dataset.RasterYSize
        west, step_x, _, north, _, step_y = dataset.GetGeoTransform()
        raw = {
            number: dataset.GetRasterBand(number).ReadRaster(buf_type=gdal.GDT_Float64)
            for number in numbers
        }
    finally:
        gdal.PopErrorHandler()
    middle = west + step_x * cols / 2
    longitude += 360.0 * round((middle - longitude) / 360.0)
    col, row = (longitude - west) / step_x - 0.5, (latitude - north) / step_y - 0.5
    # half a step beyond the outer nodes is still inside their pixels
    if not (-1.0 <= col <= cols and -1.0 <= row <= rows):
        raise ValueError("its grid does not cover the tile")
    return {
        number: _bilinear(np.frombuffer(values).reshape(rows, cols), row, col)
        for number, values in raw.items()
    }


def _bilinear(nodes: Float64Array, row: float, col: float) -> float:
    """Interpolate between nodes; the outer nodes hold beyond the edge."""
    row = min(max(row, 0.0), nodes.shape[0] - 1.0)
    col = min(max(col, 0.0), nodes.shape[1] - 1.0)
    top, left = math.floor(row), math.floor(col)
    bottom, right = min(top + 1, nodes.shape[0] - 1), min(left + 1, nodes.shape[1] - 1)
    down, across = row - top, col - left
    upper = nodes[top, left] * (1 - across) + nodes[top, right] * across
    lower = nodes[bottom, left] * (1 - across) + nodes[bottom, right] * across
    return float(upper * (1 - down) + lower * down)
