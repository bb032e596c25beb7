"""File names and coverage of elevation models that come as tiles of whole degrees.

A tile is identified by its south-west corner in whole degrees, ``(west, south)``.
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
    """Naming and coverage of the tiles of one elevation model.

    Attributes
    ----------
    kind : str
        Name in the metadata of a product.
    title : str
        Name and vertical datum.
    size : int
        Width and height of a tile in degrees.
    south, north : int
        Latitudes that the model covers; between them a tile that does not exist is sea.
    pattern : re.Pattern
        Matches the end of a path in lower case, with ``/`` between folders.
    parse_corner : callable
        Converts such a match to the corner.
    local_name : callable
        File name under which a fetched tile is kept.
    remote_names : callable
        Names, relative to the base URL, that a tile may have at a base URL.
    url : re.Pattern
        Matches base URLs of servers that have tiles of this model.
    origin_at_centre : bool
        Whether an origin on whole degrees is a pixel centre, not a corner (SIIMPC-577).
    """

    kind: str
    title: str
    size: int
    south: int
    north: int
    pattern: re.Pattern[str]
    parse_corner: Callable[[re.Match[str]], Corner]
    local_name: Callable[[Corner], str]
    remote_names: Callable[[Corner, str], tuple[str, ...]]
    url: re.Pattern[str]
    origin_at_centre: bool = False

    def corner(self, longitude: float, latitude: float) -> Corner:
        """Tile of a point; a northern edge belongs to the tile south of it."""
        west = math.floor(longitude / self.size) * self.size
        return _wrap_longitude(west), (math.ceil(latitude / self.size) - 1) * self.size

    def covers(self, corner: Corner) -> bool:
        """Whether a tile lies within the latitudes that the model covers."""
        return self.south < corner[1] + self.size and corner[1] < self.north

    def tiles_in(self, bounds: Bounds) -> Iterator[tuple[Corner, float]]:
        """Yield the tiles that meet an area.

        Parameters
        ----------
        bounds : (float, float, float, float)
            West, south, east, north in degrees; longitudes may lie beyond 180.

        Yields
        ------
        (int, int), float
            The corner, with its longitude in -180..179, and the degrees to add to the longitudes
            of the tile to get those of the area.
        """
        west, south, east, north = (value / self.size for value in bounds)
        for row in range(math.floor(south), math.ceil(north)):
            for col in range(math.floor(west), math.ceil(east)):
                longitude = col * self.size
                corner = _wrap_longitude(longitude), row * self.size
                yield corner, float(longitude - corner[0])

    def parse(self, path: str) -> Corner | None:
        """Corner of the tile that a path names, None if it names none."""
        match = self.pattern.search(path.lower())
        return None if match is None else self.parse_corner(match)


def _wrap_longitude(longitude: int) -> int:
    return (longitude + 180) % 360 - 180


def _signed(text: str) -> int:
    """Degrees of a text such as ``w012`` or ``n47``."""
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
    def position(corner: Corner) -> str:
        return f"{spacing}_{_latitude(corner)}_00_{_longitude(corner)}_00"

    def name(corner: Corner) -> str:
        return f"Copernicus_DSM_COG_{position(corner)}_DEM"

    def remote_names(corner: Corner, url: str) -> tuple[str, ...]:
        if _ARCHIVE_URL.search(url.lower()):
            return (f"Copernicus_DSM_{position(corner)}.tar",)
        return f"{name(corner)}/{name(corner)}.tif", f"{name(corner)}.tif"

    return TileScheme(
        kind="COPERNICUS",
        title=f"Copernicus GLO-{3 * spacing}, EGM2008",
        size=1,
        south=-90,
        north=90,
        pattern=re.compile(
            rf"copernicus_dsm_(cog_)?{spacing}_(?P<lat>[ns]\d\d)_00_(?P<lon>[ew]\d{{3}})_00"
            r"(_dem\.(tif|dt[12])|\.tar|\.zip)$"
        ),
        parse_corner=_named_corner,
        local_name=lambda corner: f"{name(corner)}.tif",
        remote_names=remote_names,
        url=re.compile(rf"dem-{3 * spacing}m|glo-?{3 * spacing}"),
    )


_ARCHIVE_URL = re.compile(r"glo-?\d+-d[gt]ed")
"""Matches base URLs of Copernicus DEM in archives, such as those of
``https://prism-dem-open.copernicus.eu/pd-desk-open-access/prismDownload/COP-DEM_GLO-30-DGED__2021_1``.
"""

CGIAR = TileScheme(
    kind="SRTM",
    title="SRTM 3 arc seconds of CGIAR, EGM96",
    size=5,
    south=-60,
    north=60,
    pattern=re.compile(r"srtm_(?P<col>\d\d)_(?P<row>\d\d)\.(tif|zip)$"),
    parse_corner=lambda match: (5 * int(match["col"]) - 185, 60 - 5 * int(match["row"])),
    local_name=lambda corner: f"{_cgiar(corner)}.tif",
    remote_names=lambda corner, url: (f"{_cgiar(corner)}.zip",),
    url=re.compile("cgiar|srtm_v41"),
    origin_at_centre=True,
)

HGT = TileScheme(
    kind="SRTM",
    title="SRTM 1 or 3 arc seconds (hgt), EGM96",
    size=1,
    south=-56,
    north=60,
    pattern=re.compile(r"(?P<lat>[ns]\d\d)(?P<lon>[ew]\d{3})(\.\w+)?\.hgt(\.zip)?$"),
    parse_corner=_named_corner,
    local_name=lambda corner: f"{_hgt(corner)}.hgt",
    remote_names=lambda corner, url: tuple(
        _hgt(corner) + ending for ending in (".hgt.zip", ".SRTMGL1.hgt.zip", ".hgt")
    ),
    url=re.compile("srtmgl|nasadem|hgt"),
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
    parse_corner=lambda match: (
        _signed(match["lon"] or match["lon2"]),
        _signed(match["lat"] or match["lat2"]),
    ),
    local_name=_dted,
    remote_names=lambda corner, url: (_dted(corner),),
    url=re.compile("(?<!-)dted|planetdem"),
)

GLO30 = _copernicus(10)
GLO90 = _copernicus(30)

SCHEMES = (DTED, CGIAR, GLO30, GLO90, HGT)
"""In the order in which a folder is searched for them."""


def scheme_by_url(url: str) -> TileScheme | None:
    """Model of the tiles at a base URL; None if the URL names none."""
    known = (scheme for scheme in SCHEMES if scheme.url.search(url.lower()))
    return next(known, None)
