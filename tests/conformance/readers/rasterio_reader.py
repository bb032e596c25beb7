"""Open the images of a product with rasterio, and the product as a dataset of its driver."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from found import find_images, offset, tell


def look(product: Path) -> dict:
    images = find_images(product, "*_??m.*")
    grids = {}
    bands = set()
    for path in images:
        with rasterio.open(path) as image:
            grids.setdefault(path.stem[-3:], set()).add((image.crs, image.transform, image.shape))
            bands.add(path.stem.split("_")[-2])
    assert all(len(grid) == 1 for grid in grids.values()), "images of one resolution differ"
    with rasterio.open(next(path for path in images if path.stem.endswith("B04_20m"))) as image:
        red = image.read(1).mean(dtype=float)
    classes = next(path for path in images if "SCL" in path.name and path.stem.endswith("20m"))
    with rasterio.open(classes) as image:
        codes = np.unique(image.read(1)).tolist()
    return {
        "bands": sorted(band for band in bands if band.startswith("B")),
        "red": (red + offset(product)) / 10000,
        "classes": codes,
        "remark": "reads images, not the angles of metadata",
    }


if __name__ == "__main__":
    tell(look)
