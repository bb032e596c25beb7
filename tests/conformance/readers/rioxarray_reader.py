"""Open the images of a product as arrays of xarray, through rioxarray."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rioxarray
from found import offset, tell


def look(product: Path) -> dict:
    images = {
        path.stem.split("_")[-2]: rioxarray.open_rasterio(path)
        for resolution in (60, 20)
        for path in product.glob(f"GRANULE/*/IMG_DATA/**/*_B??_{resolution}m.jp2")
    }
    ten = {
        path.stem.split("_")[-2]: rioxarray.open_rasterio(path)
        for path in product.glob("GRANULE/*/IMG_DATA/**/*_B??_10m.jp2")
    }
    red = images["B04"]
    classes = rioxarray.open_rasterio(next(product.glob("GRANULE/*/IMG_DATA/**/*SCL*_20m.jp2")))
    assert bool((classes.x == red.x).all()) and bool((classes.y == red.y).all())
    assert classes.rio.crs == red.rio.crs and classes.rio.crs.is_projected
    return {
        "bands": sorted({*images, *ten}),
        "red": float((red.mean() + offset(product)) / 10000),
        "classes": np.unique(classes.values).tolist(),
        "remark": "reads images, not the angles of metadata",
    }


if __name__ == "__main__":
    tell(look)
