"""Legends below quick looks: colours and names of classes, or a colour scale with its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import BoolArray, UInt8Array
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES, SEQUENTIAL, parse_colour

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_MIN_WIDTH = 360
_LINE, _MARGIN, _SWATCH = 16, 6, 12
_COLUMN = 175
_TEXT, _PAPER = (30, 30, 30), (255, 255, 255)


def add_class_legend(image: UInt8Array, codes: npt.NDArray[np.uint8], palette: str) -> UInt8Array:
    """Return a picture with the names and colours of its classes below it.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, cols, 3)
    codes : ndarray of uint8
        Classes of its pixels.
    palette : str
    """
    counts = np.bincount(codes.ravel(), minlength=len(SCENE_CLASS_NAMES))
    entries = [
        (f"{name} {count / codes.size:.1%}", parse_colour(colour))
        for name, colour, count in zip(SCENE_CLASS_NAMES, PALETTES[palette], counts, strict=False)
        if count
    ]
    columns = max(1, max(image.shape[1], _MIN_WIDTH) // _COLUMN)

    def draw(canvas: ImageDraw, top: int, width: int) -> None:
        for number, (text, colour) in enumerate(entries):
            x = _MARGIN + number % columns * _COLUMN
            y = top + number // columns * _LINE
            canvas.rectangle((x, y + 2, x + _SWATCH, y + _SWATCH), fill=colour, outline=_TEXT)
            canvas.text((x + _SWATCH + 5, y + 1), text, fill=_TEXT)

    return _extend(image, -(-len(entries) // columns), draw)


def add_scale(image: UInt8Array, limits: tuple[float, float], title: str) -> UInt8Array:
    """Return a picture with its colour scale below it.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, cols, 3)
    limits : (low, high)
        Values at the ends of the scale; those beyond have the colours of the ends.
    title : str
        Quantity with its unit.
    """
    stops = np.array([parse_colour(colour) for colour in SEQUENTIAL])

    def draw(canvas: ImageDraw, top: int, width: int) -> None:
        left, right = _MARGIN, width - _MARGIN
        for x in range(left, right):
            at = (x - left) / max(1, right - left - 1) * (len(stops) - 1)
            colour = tuple(int(np.interp(at, range(len(stops)), part)) for part in stops.T)
            canvas.line((x, top, x, top + _SWATCH), fill=colour)
        y = top + _LINE
        canvas.text((left, y), f"{limits[0]:g}", fill=_TEXT)
        canvas.text((width / 2, y), title, fill=_TEXT, anchor="ma")
        canvas.text((right, y), f"{limits[1]:g}", fill=_TEXT, anchor="ra")

    return _extend(image, 2, draw)


def hatch(image: UInt8Array, where: BoolArray) -> UInt8Array:
    """Return a picture with diagonal lines over some of its pixels.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, cols, 3)
    where : ndarray of bool, shape (rows, cols)
    """
    rows, cols = np.indices(where.shape)
    spacing = max(4, min(where.shape) // 60)
    lines = where & ((rows + cols) % spacing == 0)
    hatched = image.copy()
    hatched[lines] = (255, 255, 255)
    return hatched


def _extend(
    image: UInt8Array, lines: int, draw: Callable[[ImageDraw, int, int], None]
) -> UInt8Array:
    """Draw lines of a legend on paper below a picture."""
    from PIL import Image, ImageDraw

    rows, cols = image.shape[:2]
    width = max(cols, _MIN_WIDTH)
    page = Image.new("RGB", (width, rows + 2 * _MARGIN + lines * _LINE), _PAPER)
    page.paste(Image.fromarray(image), (0, 0))
    draw(ImageDraw.Draw(page), rows + _MARGIN, width)
    return np.asarray(page, np.uint8)
