"""Creation of Level-1C products: simulated from a scene, or from given band images."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, BAND_NAMES, NO_DATA, SATURATED
from sen2cor.errors import InputError, OutputError, UsageError
from sen2cor.imagery import jpeg2000
from sen2cor.product.psd import PSD
from sen2cor.raster.array_types import UInt16Array
from sen2cor.raster.grids import Grid
from sen2cor.simulation.level1c_writer.description import (
    EcmwfValues,
    ProductDescription,
    TileDescription,
)
from sen2cor.simulation.level1c_writer.product_writer import ProductWriter
from sen2cor.simulation.mgrs_tiles import TILE_SIZE, tile_grid
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.scenes import Scene
from sen2cor.simulation.tile_simulator import TileSimulator

_IMAGE_NAME = re.compile(r"T(\d{2}[A-Z]{3})_(\d{8}T\d{6})_(B\d\d|B8A)\.jp2")
_MIDDLE_OF_SWATH = 0.0
"""Kilometres from the ground track."""


def simulate(
    scene: Scene,
    output: Path,
    *,
    size: int,
    psd: str = "14.2",
    spacecraft: str = "S2A",
    seed: int = 7,
    mgrs: tuple[str, ...] = (),
) -> Path:
    """Simulate a scene as a complete Level-1C product, with its truth beside it.

    Parameters
    ----------
    scene : Scene
    output : Path
        Folder of the product.
    size : int
        Extent in metres, a multiple of 60; the product covers the upper left part of its tile.
    psd : str
        Product format: ``"13.1"``, ``"14.2"``, ``"14.5"`` or ``"15"``.
    spacecraft : str
    seed : int
    mgrs : tuple of str
        Tiles; more than one only in format 13.1. By default that of the scene.

    Returns
    -------
    Path
        The product. Its truth is in the folder with the same name and the suffix ``.truth``.

    Raises
    ------
    UsageError
        The scene is not that large.
    OutputError
        The product cannot be written, or exists already.
    """
    if size > 1000 * scene.extent:
        raise UsageError(f"scene {scene.name}: --size must be at most {scene.extent:g} km")
    tiles = [
        TileDescription(name, Overpass(tile_grid(name, size), scene.sensing_time, scene.track))
        for name in (mgrs or (scene.mgrs,))
    ]
    first = tiles[0].overpass
    for tile in tiles[1:]:
        offset = float(first.across(tile.overpass.grid.ulx, tile.overpass.grid.uly))
        tile.overpass = replace(tile.overpass, track=offset)
    product = ProductDescription(
        PSD[psd], spacecraft, scene.sensing_time, scene.relative_orbit, scene.absolute_orbit,
        tiles, EcmwfValues(scene.water_vapour, scene.pressure, scene.ozone),
        f"simulated scene {scene.name}, seed {seed}: {scene.description}",
    )  # fmt: skip
    final = output / product.name()
    truth = final.with_suffix(".truth")
    with _unfinished(final) as part, _unfinished(truth) as part_truth:
        writer = ProductWriter(part, product)
        for tile in tiles:
            folder = part_truth / tile.mgrs if len(tiles) > 1 else part_truth
            TileSimulator(scene, product, tile, writer, folder, seed).simulate()
        writer.finish()
    return final


def wrap_images(
    folder: Path,
    output: Path,
    *,
    psd: str = "14.2",
    spacecraft: str = "S2A",
    relative_orbit: int = 1,
    ecmwf: EcmwfValues | None = None,
) -> Path:
    """Create a product from the 13 band images of a folder.

    Pixels are kept; the codestream is written again, with the tiles of a product. The sun angles
    follow from date, time and position. The images do not tell the view angles: those of the
    middle of the swath are used.

    Parameters
    ----------
    folder : Path
        Images named ``T33UUU_20170216T102101_B02.jp2``, georeferenced.
    output : Path
        Folder of the product.
    psd : str
        Product format.
    spacecraft : str
    relative_orbit : int
    ecmwf : EcmwfValues, optional
        For AUX_ECMWFT; none by default.

    Raises
    ------
    InputError
        A band is missing, or the images do not match.
    OutputError
        The product cannot be written, or exists already.
    """
    images, mgrs, time = _find_images(folder)
    grid = _read_grid(images, mgrs)
    overpass = Overpass(grid, time, _MIDDLE_OF_SWATH)
    half = grid.rows * grid.pixel_size / 2, grid.cols * grid.pixel_size / 2
    middle = float(overpass.across(grid.ulx + half[1], grid.uly - half[0]))
    tile = TileDescription(mgrs, replace(overpass, track=_MIDDLE_OF_SWATH - middle))
    product = ProductDescription(
        PSD[psd], spacecraft, time, relative_orbit, 1, [tile], ecmwf,
        f"pixels of {folder.name}",
    )  # fmt: skip
    final = output / product.name()
    with _unfinished(final) as part:
        writer = ProductWriter(part, product)
        for band, path in images.items():
            pixels = _apply_offset(jpeg2000.read(path), product.offset)
            with writer.open_image(tile, band) as image:
                image.write_rows(pixels)
        writer.finish_tile(tile)
        writer.finish()
    return final


@contextmanager
def _unfinished(final: Path) -> Iterator[Path]:
    """Temporary folder that gets its final name at the end, and is removed after an error.

    Raises
    ------
    OutputError
        The folder cannot be written, or exists already.
    """
    if final.exists():
        raise OutputError(f"{final} exists already; remove it or choose another folder")
    part = final.with_name(f".{final.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        part.rename(final)
    except OSError as error:
        raise OutputError(f"{final.parent}: cannot write the product: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _find_images(folder: Path) -> tuple[dict[str, Path], str, datetime]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of band images")
    found: dict[str, Path] = {}
    stems: set[tuple[str, str]] = set()
    for path in sorted(folder.glob("*.jp2")):
        name = _IMAGE_NAME.fullmatch(path.name)
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
        raise InputError(f"{folder}: images of several tiles or times, expected one")
    mgrs, time = stems.pop()
    moment = datetime.strptime(time, "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
    return {band: found[band] for band in BAND_NAMES}, mgrs, moment


def _read_grid(images: dict[str, Path], mgrs: str) -> Grid:
    """Grid of the 10 m images; check that the others cover the same area."""
    tile_grid(mgrs, TILE_SIZE)
    fine = jpeg2000.read_info(images["B02"]).grid
    if fine is None:
        raise InputError(f"{images['B02']}: no georeference in the image")
    for band, path in images.items():
        info = jpeg2000.read_info(path)
        factor = BAND[band].resolution // 10
        if (info.rows, info.cols) != (fine.rows // factor, fine.cols // factor):
            raise InputError(
                f"{path}: {info.rows} x {info.cols} pixels do not cover the area of "
                f"{images['B02'].name}, {fine.rows} x {fine.cols} pixels of 10 m"
            )
    if not math.isclose(fine.pixel_size, 10.0):
        raise InputError(f"{images['B02']}: pixels of {fine.pixel_size} m, not 10 m")
    return fine


def _apply_offset(pixels: npt.NDArray[np.generic], offset: int) -> UInt16Array:
    """Subtract an offset from digital numbers, except no data and saturated."""
    numbers = pixels.astype(np.int32)
    special = (numbers == NO_DATA) | (numbers == SATURATED)
    shifted = np.clip(numbers - offset, 1, SATURATED - 1)
    return np.where(special, numbers, shifted).astype(np.uint16)
