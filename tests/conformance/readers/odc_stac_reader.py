"""Load the STAC item beside a product with odc-stac."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import odc.stac
import pystac
from found import tell


def look(product: Path) -> dict:
    item = pystac.Item.from_file(str(product.with_suffix(".json")))
    names = [name for name in item.assets if name.startswith("B") and "_" not in name]
    data = odc.stac.load([item], bands=["B04_20m", "SCL"], resolution=20)
    numbers = data["B04_20m"].isel(time=0)
    (scaling,) = item.assets["B04_20m"].extra_fields["raster:bands"]
    red = float(numbers.where(numbers != 0).mean()) * scaling["scale"] + scaling["offset"]
    return {
        "bands": names,
        "red": red,
        "classes": np.unique(data["SCL"].values).tolist(),
        "remark": "loads the STAC item",
    }


if __name__ == "__main__":
    tell(look)
