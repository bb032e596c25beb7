"""The images of a Level-1C tile: which file is which band, and how large they are."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from sen2cor.bands import BAND_NAMES, BANDS, RESOLUTIONS
from sen2cor.errors import InputError
from sen2cor.imagery import jpeg2000
from sen2cor.product.level1c.locate import files_in
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)


def find_bands(folder: Path) -> dict[str, Path]:
    """Find the images of all bands by the ending of their names, ``_Bnn.jp2``.

    Raises
    ------
    InputError
        A band is missing or there twice.
    """
    images = files_in(folder)
    bands = {}
    for name in BAND_NAMES:
        found = [path for path in images if path.name.endswith(f"_{name}.jp2")]
        if len(found) > 1:
            both = " and ".join(path.name for path in found[:2])
            raise InputError(f"{folder}: several images of band {name}: {both}; keep one of them")
        if found:
            bands[name] = found[0]
    missing = [name for name in BAND_NAMES if name not in bands]
    if missing:
        word = "bands" if len(missing) > 1 else "band"
        raise InputError(
            f"{folder}: no image of {word} {', '.join(missing)} (files ending in _Bnn.jp2); "
            "fetch the product again"
        )
    return bands


def image_grids(bands: Mapping[str, Path], nominal: Mapping[int, Grid]) -> dict[int, Grid]:
    """Return the grids of the images by resolution.

    The images decide the size, and the pixel size where it is not the one of the metadata (with a
    WARNING); the metadata decide where the tile lies.

    Parameters
    ----------
    bands : mapping of band name to Path
        All 13 bands.
    nominal : mapping of resolution to Grid
        As the tile metadata give them.

    Raises
    ------
    InputError
        An image cannot be read, or images of one resolution have different sizes.
    """
    grids = {}
    disagreeing = []
    for resolution in RESOLUTIONS:
        names = [band.name for band in BANDS if band.resolution == resolution]
        found = {name: jpeg2000.read_info(bands[name]) for name in names}
        grid = nominal[resolution]
        sizes = {name: (image.rows, image.cols) for name, image in found.items()}
        # the innocent ones have the size of the metadata, or, if none has, that of the first
        right = next((name for name in names if sizes[name] == grid.shape), names[0])
        for name in names:
            if sizes[name] != sizes[right]:
                raise InputError(
                    f"{bands[name]}: has {sizes[name][0]} x {sizes[name][1]} pixels, {right} of "
                    f"the same resolution {sizes[right][0]} x {sizes[right][1]}; "
                    "fetch the product again"
                )
        first = found[right]
        if (first.rows, first.cols) != grid.shape:
            extent = grid.rows * grid.pixel_size
            pixel_size = first.grid.pixel_size if first.grid else extent / first.rows
            disagreeing.append(
                f"{first.rows} x {first.cols} instead of {grid.rows} x {grid.cols} "
                f"at {resolution} m"
            )
            grid = Grid(grid.epsg, grid.ulx, grid.uly, pixel_size, first.rows, first.cols)
        grids[resolution] = grid
    if disagreeing:
        logger.warning(
            "%s: the images have another size than the tile metadata say (%s); "
            "the images are believed",
            bands[BAND_NAMES[0]].parent,
            ", ".join(disagreeing),
        )
    return grids
