"""ECMWF and CAMS auxiliary data of a tile (GRIB), at its centre.

Source: Sentinel-2 Products Specification Document. ``AUX_ECMWFT``: band 1 total column water vapour
(kg m-2), band 2 mean sea-level pressure (Pa), band 3 total column ozone (kg m-2), on a small grid
of longitudes and latitudes around the tile. ``AUX_CAMSFO``, from baseline 04.00 on: aerosol optical
depths as parameters of table 210 of ECMWF; 207 is the total at 550 nm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sen2cor.geospatial_libraries import describe_missing_grib
from sen2cor.raster.coordinates import grid_centre
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)

KILOGRAM_PER_DOBSON = 2.1415e-5
"""kg m-2 of ozone in one Dobson unit: 2.6867e20 molecules m-2 of 47.998 g/mol (CODATA)."""

_WATER, _OZONE = 1, 3
_TOTAL_AEROSOL = "var207 of table 210"
_PLAUSIBLE = {  # Dobson units, cm, 1
    "ozone": (50.0, 700.0),
    "water_vapour": (0.0, 10.0),
    "AOT": (0.0, 8.0),
}


@dataclass(frozen=True)
class EcmwfData:
    """Columns of the atmosphere at the centre of a tile, forecast by ECMWF.

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
def read_ecmwf(path: Path, grid: Grid) -> EcmwfData | None:
    """Read the ECMWF data at the centre of a tile, interpolated bilinearly.

    Parameters
    ----------
    path : Path
        GRIB file.
    grid : Grid
        Any grid that covers the tile.

    Returns
    -------
    EcmwfData or None
        None, with one WARNING, if the file cannot be read or a value is implausible.
    """
    try:
        values = _sample(path, *grid_centre(grid))
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        logger.warning("%s: ECMWF data cannot be used (%s); using the settings", path, reason)
        return None
    found = EcmwfData(
        ozone=values[_OZONE] / KILOGRAM_PER_DOBSON,
        water_vapour=values[_WATER] / 10.0,
    )
    return found if _is_plausible(path, **vars(found)) else None


@lru_cache(maxsize=64)
def read_cams_aot(path: Path, grid: Grid) -> float | None:
    """Read the aerosol optical depth at 550 nm at the centre of a tile, interpolated bilinearly.

    Parameters
    ----------
    path : Path
        GRIB file of CAMS.
    grid : Grid
        Any grid that covers the tile.

    Returns
    -------
    float or None
        None, with one WARNING, if the file cannot be read or the value is implausible.
    """
    try:
        (value,) = _sample(path, *grid_centre(grid), _select_aot_band).values()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        logger.warning("%s: CAMS data cannot be used (%s); using the settings", path, reason)
        return None
    return value if _is_plausible(path, AOT=value) else None


def _is_plausible(path: Path, **values: float) -> bool:
    for name, value in values.items():
        lowest, highest = _PLAUSIBLE[name]
        if not lowest <= value <= highest:
            logger.warning(
                "%s: implausible %s of %g (%g to %g); using the settings",
                path,
                name,
                value,
                lowest,
                highest,
            )
            return False
    return True


def _select_ecmwf_bands(dataset: Any) -> tuple[int, ...]:
    if dataset.RasterCount < _OZONE:
        raise ValueError(f"{dataset.RasterCount} bands, expected {_OZONE} or more")
    return _WATER, _OZONE


def _select_aot_band(dataset: Any) -> tuple[int, ...]:
    for number in range(1, dataset.RasterCount + 1):
        if _TOTAL_AEROSOL in (dataset.GetRasterBand(number).GetMetadataItem("GRIB_ELEMENT") or ""):
            return (number,)
    raise ValueError("no aerosol optical depth at 550 nm")


def _sample(
    path: Path,
    longitude: float,
    latitude: float,
    select: Callable[[Any], tuple[int, ...]] = _select_ecmwf_bands,
) -> dict[int, float]:
    """Interpolate bands at a point; values by band number."""
    from osgeo import gdal

    from sen2cor.raster.resampling import bilinear

    missing = describe_missing_grib()
    if missing is not None:
        raise ValueError(missing)
    gdal.UseExceptions()
    # the driver warns of every parameter of a local table
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        dataset = gdal.OpenEx(str(path), gdal.OF_RASTER, allowed_drivers=["GRIB"])
        numbers = select(dataset)
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
        raise ValueError("the grid does not cover the tile")
    return {
        number: float(
            bilinear(
                np.frombuffer(values).reshape(rows, cols), np.array([row]), np.array([col])
            ).item()
        )
        for number, values in raw.items()
    }
