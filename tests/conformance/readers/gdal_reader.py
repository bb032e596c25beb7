"""Open a product with the SENTINEL2 driver of GDAL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from found import offset, tell
from osgeo import gdal


def look(product: Path) -> dict:
    gdal.UseExceptions()
    main = gdal.Open(str(next(product.glob("*MTD*L2A*.xml"))))
    bands: dict[str, gdal.Band] = {}
    keep = []
    for name, _ in main.GetSubDatasets():
        if ":TCI:" in name:
            continue
        part = gdal.Open(name)
        keep.append(part)
        for number in range(1, part.RasterCount + 1):
            band = part.GetRasterBand(number)
            bands.setdefault(band.GetMetadataItem("BANDNAME"), band)
    red = next(product.glob("GRANULE/*/IMG_DATA/R20m/*B04_20m.jp2"))
    image = gdal.Open(str(red))
    numbers = _numbers(image.GetRasterBand(1))
    classes = sorted(set(_numbers(bands["SCL"]).ravel().tolist())) if "SCL" in bands else None
    return {
        "bands": [name for name in bands if name.startswith("B")],
        "red": float((numbers.mean(dtype=float) + offset(product)) / 10000),
        "classes": classes,
        "remark": "the driver offers no angles of Level-2A",
    }


def _numbers(band: gdal.Band) -> np.ndarray:
    kind = gdal.GetDataTypeName(band.DataType)
    data = band.ReadRaster()
    return np.frombuffer(data, {"Byte": "u1", "UInt16": "u2"}[kind])


if __name__ == "__main__":
    tell(look)
