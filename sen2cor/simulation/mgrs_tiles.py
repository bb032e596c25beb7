"""Grids of the tiles of the Military Grid Reference System in Sentinel-2 products."""

from __future__ import annotations

import math
import re

from sen2cor.errors import UsageError
from sen2cor.raster.grids import Grid

TILE_SIZE = 109800
"""Extent of a tile, metres."""

_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_BANDS = "CDEFGHJKLMNPQRSTUVWX"


def tile_grid(mgrs: str, size: int = TILE_SIZE, pixel_size: int = 10) -> Grid:
    """Grid of a tile, or of its upper left part.

    Parameters
    ----------
    mgrs : str
        Such as ``"33UUU"``.
    size : int
        Extent in metres, a multiple of 60.
    pixel_size : int
        Metres.

    Raises
    ------
    UsageError
        There is no such tile, or the size is invalid.

    Notes
    -----
    The 100 km squares of the MGRS; the corners of Sentinel-2 tiles are moved outwards to the
    next multiple of 60 m, and tiles overlap by 9.8 km.
    """
    found = re.fullmatch(r"(\d{2})([A-Z])([A-Z])([A-Z])", mgrs)
    zone = int(found[1]) if found else 0
    if (
        found is None
        or not 1 <= zone <= 60
        or found[2] not in _BANDS
        or found[3] not in _COLUMNS[(zone - 1) % 3]
        or found[4] not in _ROWS
    ):
        raise UsageError(f"{mgrs!r} is not an MGRS tile; an example is 33UUU")
    if size % 60 or not 60 <= size <= TILE_SIZE:
        raise UsageError(
            f"tile size of {size} m: must be a multiple of 60 m from 60 to {TILE_SIZE}"
        )
    easting = 100_000 * (_COLUMNS[(zone - 1) % 3].index(found[3]) + 1)
    row = (_ROWS.index(found[4]) - (5 if zone % 2 == 0 else 0)) % 20
    latitude = -80 + 8 * _BANDS.index(found[2])
    south = latitude < 0
    # the letters of rows repeat every 2000 km: take the square nearest to the middle of the band
    middle = (latitude + 4) * 110_900
    cycles = round((middle - 100_000 * row - 50_000) / 2_000_000)
    top = 100_000 * (row + 1) + 2_000_000 * cycles
    upper = math.ceil(top / 60) * 60 + (10_000_000 if south else 0)
    pixels = size // pixel_size
    return Grid(
        (32700 if south else 32600) + zone,
        float(math.floor(easting / 60) * 60),
        float(upper),
        float(pixel_size),
        pixels,
        pixels,
    )
