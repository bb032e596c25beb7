"""Quick looks of a Level-2A product: small PNG images of what people look at first.

Taken from the coarsest images of the product, so that they cost little; class codes are thinned,
never averaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sen2cor.imagery import images
from sen2cor.product.level2a_reader import FinishedProduct, FinishedTile
from sen2cor.product.metadata_content import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.reporting.palette import PALETTES, SEQUENTIAL

UInt8Array = npt.NDArray[np.uint8]

LARGEST_SIDE = 1000
"""Pixels along the longer side of a quick look, at most."""

RANGES = {"AOT": (0.0, 0.6), "WVP": (0.0, 5.0), "CLD": (0.0, 100.0), "SNW": (0.0, 100.0)}
"""Ends of the colour scales: optical thickness, cm, percent."""

_SCALES = {"AOT": AOT_QUANTIFICATION, "WVP": WATER_VAPOUR_QUANTIFICATION}


def quick_looks(
    tile: FinishedTile, palette: str = "standard", largest_side: int = LARGEST_SIDE
) -> Iterator[tuple[str, UInt8Array]]:
    """Draw what a tile holds of true colour, classes, aerosol, water vapour and clouds.

    Parameters
    ----------
    tile : FinishedTile
    palette : str
        Name of the colours of the classes (`sen2cor.reporting.palette.PALETTES`).
    largest_side : int
        Pixels along the longer side of an image, at most.

    Yields
    ------
    (kind, image)
        Image of kind ``TCI SCL AOT WVP CLD`` as ndarray of uint8, shape (rows, cols, 3).
    """
    for kind in ("TCI", "SCL", "AOT", "WVP", "CLD"):
        path = _coarsest(tile, kind)
        if path is None:
            continue
        numbers = thinned(path, largest_side)
        if kind == "TCI":
            yield kind, numbers
        elif kind == "SCL":
            colours = np.array([rgb(colour) for _, colour in PALETTES[palette]], np.uint8)
            yield kind, colours[np.minimum(numbers, len(colours) - 1)]
        else:
            missing = numbers == 0 if kind in _SCALES else np.zeros(numbers.shape, bool)
            yield kind, _coloured(numbers / _SCALES.get(kind, 1.0), RANGES[kind], missing)


def write_quick_looks(product: FinishedProduct, palette: str = "standard") -> list[Path]:
    """Write the quick looks of a product beside it, as PNG.

    Returns
    -------
    list of Path
        The files: the name of the product, of its tile where it has several, and the kind.
    """
    stem = product.path.name.removesuffix(".SAFE")
    paths = []
    for tile in product.tiles:
        name = stem if len(product.tiles) == 1 else f"{stem}_T{tile.mgrs}"
        for kind, image in quick_looks(tile, palette):
            path = product.path.parent / f"{name}_{kind}.png"
            Image.fromarray(image).save(path, optimize=True)
            paths.append(path)
    return paths


def thinned(path: Path, largest_side: int) -> npt.NDArray[Any]:
    """Read an image, thinned to the size of a picture."""
    pixels = images.read(path)
    step = max(1, -(-max(pixels.shape[:2]) // largest_side))
    return np.ascontiguousarray(pixels[::step, ::step])


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour such as ``#ff9600``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _coarsest(tile: FinishedTile, kind: str) -> Path | None:
    found = [resolution for name, resolution in tile.images if name == kind and resolution]
    return tile.images[kind, max(found)] if found else None


def _coloured(
    values: npt.NDArray[np.floating[Any]],
    ends: tuple[float, float],
    missing: npt.NDArray[np.bool_],
) -> UInt8Array:
    """Colours of a scale that grows lighter."""
    stops = np.array([rgb(colour) for colour in SEQUENTIAL], np.float64)
    at = np.clip((values - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0) * (len(stops) - 1)
    positions = np.arange(len(stops))
    image = np.stack([np.interp(at, positions, stops[:, i]) for i in range(3)], axis=-1)
    image[missing] = 0.0
    return np.rint(image).astype(np.uint8)
