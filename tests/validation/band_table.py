"""Mean reflectance of a product by band and class, before and after correction, at 20 m.

``python -m tests.validation.band_table LEVEL1C LEVEL2A``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sen2cor.bands import REFLECTANCE_BANDS
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.reporting.palette import SCENE_CLASS_COLOURS

RESOLUTION = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level1c", type=Path)
    parser.add_argument("level2a", type=Path)
    parser.add_argument("--offset", type=int, default=0, help="BOA_ADD_OFFSET of the product")
    options = parser.parse_args()
    product = open_level1c(options.level1c)
    bands = REFLECTANCE_BANDS[RESOLUTION]
    folder = next(options.level2a.glob("GRANULE/*/IMG_DATA"))

    def image(kind: str) -> np.ndarray:
        return jpeg2000.read(next(folder.glob(f"**/*_{kind}_{RESOLUTION}m.jp2")))

    classes = image("SCL")
    with start_workers() as pool:
        pixels = TilePixels.decode(product, product.tiles[0], bands, pool)
        pixels.compute_block_means(RESOLUTION, bands, pool)
    toa = {band: pixels.toa_reflectance(band, RESOLUTION) for band in bands}
    boa = {band: (image(band) + np.float32(options.offset)) * 1e-4 for band in bands}
    print(f"{'class':26s} {'pixels':>9s}      " + "".join(f"{band:>8s}" for band in bands))
    for code, (name, _) in enumerate(SCENE_CLASS_COLOURS):
        inside = classes == code
        if code == 0 or not inside.any():
            continue
        for label, reflectance in (("TOA", toa), ("BOA", boa)):
            means = "".join(f"{reflectance[band][inside].mean():8.4f}" for band in bands)
            print(f"{name:26s} {inside.sum():9d}  {label} {means}")
    print(
        f"AOT {image('AOT')[classes > 0].mean() / 1000:.3f}  "
        f"WVP {image('WVP')[classes > 0].mean() / 1000:.2f} cm"
    )


if __name__ == "__main__":
    main()
