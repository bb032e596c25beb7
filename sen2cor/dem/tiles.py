"""Elevation models that come as tiles of whole degrees: how their files are named.

A tile is known by its south-west corner in whole degrees, ``(west, south)``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Corner = tuple[int, int]
Bounds = tuple[float, float, float, float]
"""West, south, east, north."""


@dataclass(frozen=True)
class TileScheme:
    """One family of tiles.

    Attributes
    ----------
    kind : str
        What the metadata of a product call it.
    title : str
        Name and vertical datum.
    size : int
        Width and height of a tile in degrees.
    south, north : int
        Latitudes between which a tile that does not exist is sea.
    pattern : re.Pattern
        Matches the end of a path in lower case, with ``/`` between folders.
    corner_of : callable
        Makes the corner of such a match.
    stored : callable
        Name under which a fetched tile of a corner is kept.
    remote : callable
        Names, relative to a base address, that a tile of a corner may have there.
    address : re.Pattern
        Matches base addresses where tiles of this family are kept.
    corner_origin : bool
        Origins on whole degrees are centres of pixels, not corners (SIIMPC-577).
    """

    kind: str
    title: str
    size: int
    south: int
    north: int
    pattern: re.Pattern[str]
    corner_of: Callable[[re.Match[str]], Corner]
    stored: Callable[[Corner], str]
    remote: Callable[[Corner], tuple[str, ...]]
    address: re.Pattern[str]
    corner_origin: bool = False

    def corner(self, longitude: float, latitude: float) -> Corner:
        """Return the tile of a place; a northern edge belongs to the tile south of it."""
        west = math.floor(longitude / self.size) * self.size
        return _wrap(west), (math.ceil(latitude / self.size) - 1) * self.size

    def covers(self, corner: Corner) -> bool:
        """Whether a tile lies within the latitudes of the model."""
        return self.south < corner[1] + self.size and corner[1] < self.north

    def cells(self, bounds: Bounds) -> Iterator[tuple[Corner, float]]:
        """Yield the tiles of an area.

        Parameters
        ----------
        bounds : (float, float, float, float)
            West, south, east, north in degrees; longitudes may lie beyond 180.

        Yields
        ------
        (int, int), float
            The corner, its longitude within -180..179, and what is to be added to longitudes of
            the tile to get those of the area.
        """
        west, south, east, north = (value / self.size for value in bounds)
        for row in range(math.floor(south), math.ceil(north)):
            for col in range(math.floor(west), math.ceil(east)):
                longitude = col * self.size
                corner = _wrap(longitude), row * self.size
                yield corner, float(longitude - corner[0])

    def find(self, path: str) -> Corner | None:
        """Return the corner of the tile that a path names, None where it names none."""
        match = self.pattern.search(path.lower())
        return None if match is None else self.corner_of(match)


def _wrap(longitude: int) -> int:
    return (longitude + 180) % 360 - 180


def _signed(text: str) -> int:
    """The number of a text such as ``w012`` or ``n47``."""
    return int(text[1:]) * (-1 if text[0] in "ws" else 1)


def _latitude(corner: Corner) -> str:
    return f"{'NS'[corner[1] < 0]}{abs(corner[1]):02d}"


def _longitude(corner: Corner) -> str:
    return f"{'EW'[corner[0] < 0]}{abs(corner[0]):03d}"


def _named_corner(match: re.Match[str]) -> Corner:
    return _signed(match["lon"]), _signed(match["lat"])


def _cgiar(corner: Corner) -> str:
    return f"srtm_{(corner[0] + 180) // 5 + 1:02d}_{(60 - corner[1]) // 5:02d}"


def _hgt(corner: Corner) -> str:
    return f"{_latitude(corner)}{_longitude(corner)}"


def _dted(corner: Corner) -> str:
    return f"{_longitude(corner)}_{_latitude(corner)}.dt1".lower()


def _copernicus(spacing: int) -> TileScheme:
    def name(corner: Corner) -> str:
        place = f"{_latitude(corner)}_00_{_longitude(corner)}_00"
        return f"Copernicus_DSM_COG_{spacing}_{place}_DEM"

    return TileScheme(
        kind="COPERNICUS",
        title=f"Copernicus GLO-{3 * spacing}, EGM2008",
        size=1,
        south=-90,
        north=90,
        pattern=re.compile(
            rf"copernicus_dsm_(cog_)?{spacing}_(?P<lat>[ns]\d\d)_00_(?P<lon>[ew]\d{{3}})_00_dem\.tif$"
        ),
        corner_of=_named_corner,
        stored=lambda corner: f"{name(corner)}.tif",
        remote=lambda corner: (f"{name(corner)}/{name(corner)}.tif", f"{name(corner)}.tif"),
        address=re.compile(rf"dem-{3 * spacing}m|glo-?{3 * spacing}"),
    )


CGIAR = TileScheme(
    kind="SRTM",
    title="SRTM 3 arc seconds of CGIAR, EGM96",
    size=5,
    south=-60,
    north=60,
    pattern=re.compile(r"srtm_(?P<col>\d\d)_(?P<row>\d\d)\.(tif|zip)$"),
    corner_of=lambda match: (5 * int(match["col"]) - 185, 60 - 5 * int(match["row"])),
    stored=lambda corner: f"{_cgiar(corner)}.tif",
    remote=lambda corner: (f"{_cgiar(corner)}.zip",),
    address=re.compile("cgiar|srtm_v41"),
    corner_origin=True,
)

HGT = TileScheme(
    kind="SRTM",
    title="SRTM 1 or 3 arc seconds (hgt), EGM96",
    size=1,
    south=-56,
    north=60,
    pattern=re.compile(r"(?P<lat>[ns]\d\d)(?P<lon>[ew]\d{3})(\.\w+)?\.hgt(\.zip)?$"),
    corner_of=_named_corner,
    stored=lambda corner: f"{_hgt(corner)}.hgt",
    remote=lambda corner: tuple(
        _hgt(corner) + ending for ending in (".hgt.zip", ".SRTMGL1.hgt.zip", ".hgt")
    ),
    address=re.compile("srtmgl|nasadem|hgt"),
)

DTED = TileScheme(
    kind="DTED",
    title="DTED (PlanetDEM), EGM96",
    size=1,
    south=-90,
    north=90,
    pattern=re.compile(
        r"(^|/)((?P<lon>[ew]\d{3})[_/](?P<lat>[ns]\d\d)|(?P<lat2>[ns]\d\d)_(?P<lon2>[ew]\d{3})\w*)"
        r"\.dt[012]$"
    ),
    corner_of=lambda match: (
        _signed(match["lon"] or match["lon2"]),
        _signed(match["lat"] or match["lat2"]),
    ),
    stored=_dted,
    remote=lambda corner: (_dted(corner),),
    address=re.compile("dted|planetdem"),
)

GLO30 = _copernicus(10)
GLO90 = _copernicus(30)

SCHEMES = (DTED, CGIAR, GLO30, GLO90, HGT)
"""In the order in which a folder is asked for them."""


def scheme_of_address(address: str) -> TileScheme:
    """Return the family of the tiles at a base address: that of CGIAR where it tells nothing."""
    known = (scheme for scheme in SCHEMES if scheme.address.search(address.lower()))
    return next(known, CGIAR)
