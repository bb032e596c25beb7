"""A small Level-1C product with plausible pixels, made in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from sen2cor.bands import BANDS
from sen2cor.grids import Grid
from sen2cor.imagery import jpeg2000
from sen2cor.simulation.wrap import wrap

EXTENT = 2400
"""Side of the product in metres."""

_VEGETATION = {
    "B01": 0.12, "B02": 0.10, "B03": 0.09, "B04": 0.06, "B05": 0.10, "B06": 0.22, "B07": 0.27,
    "B08": 0.28, "B8A": 0.30, "B09": 0.09, "B10": 0.0015, "B11": 0.15, "B12": 0.08,
}  # fmt: skip
_SOIL = {
    "B01": 0.15, "B02": 0.14, "B03": 0.15, "B04": 0.17, "B05": 0.19, "B06": 0.21, "B07": 0.23,
    "B08": 0.24, "B8A": 0.26, "B09": 0.08, "B10": 0.0015, "B11": 0.32, "B12": 0.27,
}  # fmt: skip


def write_small_product(folder: Path, psd: str = "14.2") -> Path:
    """Write fields of vegetation and soil, top-of-atmosphere numbers, as a product."""
    rng = np.random.default_rng(11)
    cover = gaussian_filter(rng.normal(size=(EXTENT // 10,) * 2), 8) > 0
    images = folder / "images"
    images.mkdir(parents=True)
    for band in BANDS:
        size = EXTENT // band.resolution
        share = zoom(
            cover.astype(float), size / len(cover), order=1, grid_mode=True, mode="nearest"
        )
        mean = _SOIL[band.name] + (_VEGETATION[band.name] - _SOIL[band.name]) * share
        numbers = 10000 * mean * rng.normal(1.0, 0.02, mean.shape)
        grid = Grid(32633, 300000.0, 5900040.0, float(band.resolution), size, size)
        path = images / f"T33UUU_20170616T102101_{band.name}.jp2"
        jpeg2000.write(path, np.clip(numbers, 1, 60000).astype(np.uint16), grid, 1024)
    return wrap(images, folder, psd=psd)
