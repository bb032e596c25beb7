"""Open B04 and SCL with rioxarray and compare their grid with that of Level-1C.

Run in an environment of its own, without this project:
``python tests/conformance/rioxarray_reader.py LEVEL1C LEVEL2A``
"""

from __future__ import annotations

import sys
from pathlib import Path

import rioxarray


def opened(product: Path, ending: str):
    """Open the only image with that ending."""
    return rioxarray.open_rasterio(next(product.rglob(f"*_{ending}.jp2")))


def main() -> None:
    """Compare; the assertion that fails says where."""
    level1c, level2a = (Path(argument) for argument in sys.argv[1:3])
    for ours, theirs in (("B04_10m", "B04"), ("SCL_20m", "B05")):
        image, reference = opened(level2a, ours), opened(level1c, theirs)
        assert image.shape == reference.shape, (ours, image.shape, reference.shape)
        assert image.rio.crs == reference.rio.crs, (ours, image.rio.crs)
        assert image.rio.transform() == reference.rio.transform(), (ours, image.rio.transform())
        print(f"{ours}: {image.rio.crs}, {image.shape}, {tuple(image.rio.transform())[:6]}")
    classes = opened(level2a, "SCL_20m")
    red = opened(level2a, "B04_20m")
    assert bool((classes.x == red.x).all()) and bool((classes.y == red.y).all())
    print(f"classes {sorted(set(classes.values.ravel().tolist()))}")


if __name__ == "__main__":
    main()
