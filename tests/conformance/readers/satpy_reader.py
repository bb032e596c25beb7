"""Open a product as a scene of satpy, reader ``msi_safe_l2a``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from found import tell
from satpy import DataQuery, Scene


def look(product: Path) -> dict:
    files = [str(path) for path in product.rglob("*") if path.is_file()]
    scene = Scene(filenames=files, reader="msi_safe_l2a")
    names = scene.available_dataset_names()
    red = DataQuery(name="B04", resolution=20, calibration="reflectance")
    classes = DataQuery(name="SCL", resolution=20)
    angle = DataQuery(name="solar_zenith_angle", resolution=20)
    scene.load([red, classes, angle])
    codes = scene[classes].values
    return {
        "bands": [name for name in names if name.startswith("B")],
        "red": float(scene[red].mean()) / 100,
        "sun_zenith": float(scene[angle].mean()),
        "classes": np.unique(codes[np.isfinite(codes)]).astype(int).tolist(),
    }


if __name__ == "__main__":
    tell(look)
