"""Given band images become a complete Level-1C product."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.errors import InputError, OutputError
from sen2cor.imagery import jpeg2000
from sen2cor.product.psd import PSD
from sen2cor.raster.array_types import UInt16Array
from sen2cor.raster.grids import Grid
from sen2cor.simulation.description import Meteorology, ProductDescription, TileDescription
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.tiling import TILE_SIZE, tile_grid
from sen2cor.simulation.writer import ProductWriter

_NAME = re.compile(r"T(\d{2}[A-Z]{3})_(\d{8}T\d{6})_(B\d\d|B8A)\.jp2")
SATURATED = 65535

_MIDDLE_OF_SWATH = 0.0


def wrap(
    folder: Path,
    output: Path,
    *,
    psd: str = "14.2",
    spacecraft: str = "S2A",
    relative_orbit: int = 1,
    meteorology: Meteorology | None = None,
) -> Path:
    """Write a product around the 13 band images of a folder.

    The pixels are taken over as they are; the codestream is written anew, with the tiles of a
    product. The sun stands where date, time and place put it. The view is that of a place in
    the middle of the swath: images alone do not tell.

    Parameters
    ----------
    folder : Path
        Images named ``T33UUU_20170216T102101_B02.jp2``, georeferenced.
    output : Path
        Folder in which the product appears.
    psd : str
        Format of the product.
    spacecraft : str
    relative_orbit : int
    meteorology : Meteorology, optional
        For AUX_ECMWFT; none by default.

    Raises
    ------
    InputError
        A band is missing, or the images do not fit together.
    OutputError
        The product cannot be written, or is there already.
    """
    images, mgrs, time = _images(folder)
    grid = _grid(images, mgrs)
    overpass = Overpass(grid, time, _MIDDLE_OF_SWATH)
    half = grid.rows * grid.pixel_size / 2, grid.cols * grid.pixel_size / 2
    middle = float(overpass.across(grid.ulx + half[1], grid.uly - half[0]))
    tile = TileDescription(mgrs, replace(overpass, track=_MIDDLE_OF_SWATH - middle))
    product = ProductDescription(
        PSD[psd], spacecraft, time, relative_orbit, 1, [tile], meteorology,
        f"pixels of {folder.name}",
    )  # fmt: skip
    final = output / product.name()
    if final.exists():
        raise OutputError(f"{final} is there already; remove it or choose another folder")
    part = output / f".{product.name()}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        writer = ProductWriter(part, product)
        for band, path in images.items():
            pixels = _shifted(jpeg2000.read(path), product.offset)
            with writer.image(tile, band) as image:
                image.write_rows(pixels)
        writer.finish_tile(tile)
        writer.finish()
        part.rename(final)
    except OSError as error:
        raise OutputError(f"{output}: cannot write the product: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return final


def _images(folder: Path) -> tuple[dict[str, Path], str, datetime]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of band images")
    found: dict[str, Path] = {}
    stems: set[tuple[str, str]] = set()
    for path in sorted(folder.glob("*.jp2")):
        name = _NAME.fullmatch(path.name)
        if name:
            found[name[3]] = path
            stems.add((name[1], name[2]))
    missing = [band for band in BAND_NAMES if band not in found]
    if missing:
        raise InputError(
            f"{folder}: no image of {', '.join(missing)}; "
            "all 13 bands are needed, named like T33UUU_20170216T102101_B02.jp2"
        )
    if len(stems) > 1:
        raise InputError(f"{folder}: images of several tiles or times; one of each is needed")
    mgrs, time = stems.pop()
    moment = datetime.strptime(time, "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
    return {band: found[band] for band in BAND_NAMES}, mgrs, moment


def _grid(images: dict[str, Path], mgrs: str) -> Grid:
    """Grid of the 10 m images; the others must cover the same ground."""
    tile_grid(mgrs, TILE_SIZE)
    fine = jpeg2000.read_info(images["B02"]).grid
    if fine is None:
        raise InputError(f"{images['B02']}: no georeference in the image")
    for band, path in images.items():
        info = jpeg2000.read_info(path)
        factor = BAND[band].resolution // 10
        if (info.rows, info.cols) != (fine.rows // factor, fine.cols // factor):
            raise InputError(
                f"{path}: {info.rows} x {info.cols} pixels do not cover the ground of "
                f"{images['B02'].name}, {fine.rows} x {fine.cols} pixels of 10 m"
            )
    if not math.isclose(fine.pixel_size, 10.0):
        raise InputError(f"{images['B02']}: pixels of {fine.pixel_size} m, not 10 m")
    return fine


def _shifted(pixels: npt.NDArray[np.generic], offset: int) -> UInt16Array:
    """Numbers as a product with that offset has them; no data and saturated stay what they are."""
    numbers = pixels.astype(np.int32)
    special = (numbers == 0) | (numbers == SATURATED)
    shifted = np.clip(numbers - offset, 1, SATURATED - 1)
    return np.where(special, numbers, shifted).astype(np.uint16)
