"""A small Level-1C product with plausible pixels, written within a second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

from sen2cor.bands import BANDS, Band
from sen2cor.imagery import images
from sen2cor.product.psd import PSD
from sen2cor.raster.grids import Grid
from sen2cor.simulation.create_product import wrap_images
from sen2cor.simulation.level1c_writer.description import (
    EcmwfValues,
    ProductDescription,
    TileDescription,
)
from sen2cor.simulation.level1c_writer.product_writer import ProductWriter
from sen2cor.simulation.mgrs_tiles import tile_grid
from sen2cor.simulation.overpass_geometry import Overpass

EXTENT = 2400
"""Side of the product in metres."""

_TIME = datetime(2016, 6, 16, 10, 21, 1, tzinfo=timezone.utc)

_VEGETATION = {
    "B01": 0.12, "B02": 0.10, "B03": 0.09, "B04": 0.06, "B05": 0.10, "B06": 0.22, "B07": 0.27,
    "B08": 0.28, "B8A": 0.30, "B09": 0.09, "B10": 0.0015, "B11": 0.15, "B12": 0.08,
}  # fmt: skip
SOIL = {
    "B01": 0.15, "B02": 0.14, "B03": 0.15, "B04": 0.17, "B05": 0.19, "B06": 0.21, "B07": 0.23,
    "B08": 0.24, "B8A": 0.26, "B09": 0.08, "B10": 0.0015, "B11": 0.32, "B12": 0.27,
}  # fmt: skip


def write_small_product(
    folder: Path,
    psd: str = "14.2",
    extent: int = EXTENT,
    *,
    ecmwf: EcmwfValues | None = None,
    mgrs: str = "33UUU",
    corner: tuple[int, float, float] = (32633, 300000.0, 5900040.0),
    time: str = "20170616T102101",
) -> Path:
    """Write a product with fields of vegetation and soil.

    Parameters
    ----------
    folder : Path
    psd : str
    extent : int
        Side in metres.
    ecmwf : EcmwfValues, optional
        For AUX_ECMWFT; none by default.
    mgrs : str
    corner : (int, float, float)
        EPSG code, easting and northing of the upper left corner.
    time : str
        UTC.
    """
    source = folder / "images"
    source.mkdir(parents=True)
    epsg, easting, northing = corner
    for band, numbers in _fields(11, extent):
        grid = Grid(epsg, easting, northing, float(band.resolution), *numbers.shape)
        path = source / f"T{mgrs}_{time}_{band.name}.jp2"
        images.write(path, numbers, grid, 1024)
    return wrap_images(source, folder, psd=psd, ecmwf=ecmwf)


def write_tiles(folder: Path, tiles: Sequence[str], extent: int = EXTENT) -> Path:
    """Write a product of PSD 13.1 with several tiles of different fields."""
    described = [
        TileDescription(mgrs, Overpass(tile_grid(mgrs, extent), _TIME, 0.0)) for mgrs in tiles
    ]
    product = ProductDescription(PSD["13.1"], "S2A", _TIME, 1, 1, described)
    root = folder / product.name()
    writer = ProductWriter(root, product)
    for seed, tile in enumerate(described):
        for band, numbers in _fields(seed, extent):
            with writer.open_image(tile, band.name) as image:
                image.write_rows(numbers)
        writer.finish_tile(tile)
    writer.finish()
    return root


def _fields(seed: int, extent: int) -> Iterator[tuple[Band, npt.NDArray[np.uint16]]]:
    rng = np.random.default_rng(seed)
    cover = gaussian_filter(rng.normal(size=(extent // 10,) * 2), 8) > 0
    for band in BANDS:
        size = extent // band.resolution
        fraction = zoom(
            cover.astype(float), size / len(cover), order=1, grid_mode=True, mode="nearest"
        )
        mean = SOIL[band.name] + (_VEGETATION[band.name] - SOIL[band.name]) * fraction
        numbers = 10000 * mean * rng.normal(1.0, 0.02, mean.shape)
        yield band, np.clip(numbers, 1, 60000).astype(np.uint16)
