"""Open a product with eoreader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from eoreader.bands import RED, SCL
from eoreader.reader import Reader
from found import tell


def look(product: Path) -> dict:
    opened = Reader().open(product)
    codes = {
        "CA": "B01", "BLUE": "B02", "GREEN": "B03", "RED": "B04", "VRE_1": "B05", "VRE_2": "B06",
        "VRE_3": "B07", "NIR": "B08", "NARROW_NIR": "B8A", "WV": "B09", "SWIR_1": "B11",
        "SWIR_2": "B12",
    }  # fmt: skip
    arrays = opened.load([RED], pixel_size=20)
    red = next(iter(arrays.values()))
    classes = np.asarray(opened.load([SCL], pixel_size=20)[SCL])
    azimuth_zenith = opened.get_mean_sun_angles()
    return {
        "bands": [codes[band.name] for band in opened.get_existing_bands()],
        "red": float(red.mean()),
        "sun_zenith": float(azimuth_zenith[1]),
        "classes": np.unique(classes[np.isfinite(classes)]).astype(int).tolist(),
    }


if __name__ == "__main__":
    tell(look)
