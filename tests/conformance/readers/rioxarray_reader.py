"""Open the images of a product as arrays of xarray, through rioxarray.

Images of GeoTIFF are opened with ``mask_and_scale``, which must give reflectance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rioxarray
from found import find_images, offset, tell


def look(product: Path) -> dict:
    paths = [path for size in (10, 60, 20) for path in find_images(product, f"*_B??_{size}m.*")]
    images = {path.stem.split("_")[-2]: path for path in paths}
    red = rioxarray.open_rasterio(images["B04"])
    (classes,) = map(rioxarray.open_rasterio, find_images(product, "*SCL*_20m.*"))
    assert bool((classes.x == red.x).all()) and bool((classes.y == red.y).all())
    assert classes.rio.crs == red.rio.crs and classes.rio.crs.is_projected
    remark = "reads images, not the angles of metadata"
    if images["B04"].suffix == ".tif":
        scaled = rioxarray.open_rasterio(images["B04"], mask_and_scale=True)
        mean = float(scaled.mean())
        assert scaled.attrs["long_name"] == "B04" and scaled.attrs["WAVELENGTH"] == 665
        assert "vegetation" in classes.attrs["flag_meanings"]
        remark = "reflectance by mask_and_scale; names of classes in flag_meanings"
    else:
        mean = float((red.mean() + offset(product)) / 10000)
    return {
        "bands": sorted(images),
        "red": mean,
        "classes": np.unique(classes.values).tolist(),
        "remark": remark,
    }


if __name__ == "__main__":
    tell(look)
