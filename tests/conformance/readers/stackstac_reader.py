"""Stack the STAC item beside a product with stackstac, which scales by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pystac
import stackstac
from found import tell


def look(product: Path) -> dict:
    item = pystac.Item.from_file(str(product.with_suffix(".json")))
    names = [name for name in item.assets if name.startswith("B") and "_" not in name]
    red = stackstac.stack([item.to_dict()], assets=["B04_20m"], resolution=20).compute()
    classes = stackstac.stack([item.to_dict()], assets=["SCL"], resolution=20).compute()
    codes = np.unique(classes.values[np.isfinite(classes.values)])
    return {
        "bands": names,
        "red": float(red.mean()),
        "classes": codes.astype(int).tolist(),
        "remark": "loads the STAC item, scaled by raster:bands",
    }


if __name__ == "__main__":
    tell(look)
