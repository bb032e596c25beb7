"""ECMWF auxiliary data (AUX_ECMWFT): water vapour, pressure and ozone over a tile as GRIB."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import numpy as np
from osgeo import gdal

from sen2cor.raster.coordinates import WGS84, unwrap_longitudes, wkt
from sen2cor.simulation.level1c_writer.description import EcmwfValues, TileDescription

logger = logging.getLogger(__name__)

DOBSON = 2.1415e-5
"""kg m-2 of ozone in one Dobson unit."""

_STEP = 0.125
_NODES = 9


def write_ecmwf(path: Path, tile: TileDescription, ecmwf: EcmwfValues, time: datetime) -> bool:
    """Write the file if this GDAL supports it (2.3 and later).

    Parameters
    ----------
    path : Path
    tile : TileDescription
    ecmwf : EcmwfValues
        The same at all nodes.
    time : datetime

    Returns
    -------
    bool
        Whether the file was written.
    """
    driver = gdal.GetDriverByName("GRIB")
    if driver is None or driver.GetMetadataItem("DCAP_CREATECOPY") is None:
        logger.warning("this GDAL cannot write GRIB: the product has no AUX_ECMWFT")
        return False
    corners = np.array(tile.footprint())
    corners[:, 1] = unwrap_longitudes(corners[:, 1], corners[0, 1])
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    half = _STEP * _NODES / 2
    source = gdal.GetDriverByName("MEM").Create("", _NODES, _NODES, 3, gdal.GDT_Float64)
    source.SetGeoTransform((middle[1] - half, _STEP, 0.0, middle[0] + half, 0.0, -_STEP))
    source.SetProjection(wkt(WGS84))
    # discipline, category and number of GRIB2 code table 4.2: precipitable water 0-1-3,
    # pressure at mean sea level 0-3-1, total ozone 0-14-0
    fields = (
        (10.0 * ecmwf.water_vapour, 1, 3),
        (100.0 * ecmwf.pressure, 3, 1),
        (DOBSON * ecmwf.ozone, 14, 0),
    )
    identification = (
        f"CENTER=98 SUBCENTER=0 MASTER_TABLE=2 LOCAL_TABLE=0 SIGNF_REF_TIME=1 "
        f"REF_TIME={time:%Y-%m-%dT%H:00:00Z} PROD_STATUS=0 TYPE=1"
    )
    options = [
        "DATA_ENCODING=IEEE_FLOATING_POINT",
        "DISCIPLINE=0",
        f"IDS={identification}",
        "PDS_PDTN=0",
    ]
    for number, (value, category, parameter) in enumerate(fields, 1):
        values = np.full((_NODES, _NODES), value)
        source.GetRasterBand(number).WriteRaster(
            0, 0, _NODES, _NODES, values.tobytes(), buf_type=gdal.GDT_Float64
        )
        level = 101 if category == 3 else 1
        options.append(
            f"BAND_{number}_PDS_TEMPLATE_ASSEMBLED_VALUES={category} {parameter} 2 0 0 0 0 1 0 "
            f"{level} 0 0 255 -127 -2147483647"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    written = driver.CreateCopy(str(path), source, options=options)
    done = written is not None
    del written
    path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)
    return done
