"""Stack the STAC item beside a product with stackstac, which scales by itself.

The item is read as JSON: pystac moves ``proj:epsg``, which stackstac needs, into ``proj:code``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import stackstac
from found import tell


def look(product: Path) -> dict:
    item = json.loads(product.with_suffix(".json").read_text())
    for asset in item["assets"].values():
        asset["href"] = str(product.parent / asset["href"])
    red = stackstac.stack([item], assets=["B04_20m"], resolution=20).compute()
    classes = stackstac.stack([item], assets=["SCL"], resolution=20).compute()
    codes = np.unique(classes.values[np.isfinite(classes.values)])
    return {
        "bands": [name for name in item["assets"] if name.startswith("B") and "_" not in name],
        "red": float(red.mean()),
        "classes": codes.astype(int).tolist(),
        "remark": "loads the STAC item, scaled by raster:bands",
    }


if __name__ == "__main__":
    tell(look)
