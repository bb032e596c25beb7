"""Where heights come from: a folder of tiles, fetched where they are missing, or a raster.

The user's files are opened for reading only.  A tile that is missing is fetched where an address
is configured, and kept beside the others, or, where that folder cannot be written to, in the
folder of the run.
"""

from __future__ import annotations

import logging
import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sen2cor.dem.download import Limits, fetch
from sen2cor.dem.mosaic import Piece
from sen2cor.dem.tiles import SCHEMES, Bounds, Corner, TileScheme, scheme_of_address
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.coordinates import WGS84, is_geographic, wkt

logger = logging.getLogger(__name__)

_DEPTH = 3
"""How many folders deep tiles are looked for."""


@dataclass(frozen=True)
class Absent:
    """A tile without a file, within the latitudes where that means sea."""

    name: str
    bounds: Bounds


@dataclass(frozen=True)
class Selection:
    """What a source has for an area."""

    pieces: tuple[Piece, ...]
    absent: tuple[Absent, ...] = ()


@dataclass(frozen=True)
class DemSource(ABC):
    """A source of heights.

    Attributes
    ----------
    location : Path
        Folder or file of the user.
    kind : str
        ``SRTM``, ``DTED``, ``COPERNICUS`` or ``RASTER``, for the metadata.
    description : str
        What it is, for log and report.
    unit : float
        Metres per unit of the files.
    projection : str
        Coordinate system of the files as WKT.
    """

    location: Path
    kind: str
    description: str
    unit: float
    projection: str

    @property
    def geographic(self) -> bool:
        """Whether the files are in longitude and latitude."""
        return is_geographic(self.projection)

    @abstractmethod
    def select(self, bounds: Bounds) -> Selection:
        """Return the files of an area, fetched where they are missing.

        Parameters
        ----------
        bounds : (float, float, float, float)
            West, south, east and north; longitudes may lie beyond 180.

        Raises
        ------
        AuxiliaryDataError
            If a tile cannot be fetched.
        """


@dataclass(frozen=True)
class TileSource(DemSource):
    """A folder of tiles of one family.

    Attributes
    ----------
    scheme : TileScheme
        The family.
    tiles : mapping of corner to Path
        Files of the folder when it was opened.
    reference : str or None
        Base address of missing tiles.
    cache : Path or None
        Folder for fetched tiles where ``location`` cannot be written to.
    limits : Limits
        Attempts and times.
    """

    scheme: TileScheme
    tiles: Mapping[Corner, Path]
    reference: str | None
    cache: Path | None
    limits: Limits = field(default_factory=Limits)

    def select(self, bounds: Bounds) -> Selection:
        """Return the tiles of an area, fetched where they are missing."""
        size, pieces, absent = self.scheme.size, [], []
        for corner, shift in self.scheme.cells(bounds):
            path = self._tile(corner)
            if path is not None:
                pieces.append(Piece(_opened_as(path), shift, self.scheme.corner_origin))
            elif self.scheme.covers(corner):
                west, south = corner[0] + shift, corner[1]
                absent.append(
                    Absent(self.scheme.stored(corner), (west, south, west + size, south + size))
                )
        return Selection(tuple(pieces), tuple(absent))

    def _tile(self, corner: Corner) -> Path | None:
        if corner in self.tiles:
            return self.tiles[corner]
        if self.reference is None or not self.scheme.covers(corner):
            return None
        name = self.scheme.stored(corner)
        for folder in (self.location, self.cache):
            if folder is not None and (folder / name).exists():
                return folder / name
        path = self._folder() / name
        found = fetch(self.reference, self.scheme.remote(corner), path, _check, self.limits)
        return path if found else None

    def _folder(self) -> Path:
        """Return the folder for fetched tiles."""
        for folder in (self.location, self.cache):
            if folder is not None and _is_writable(folder):
                return folder
        raise AuxiliaryDataError(
            f"elevation tiles cannot be fetched: {self.location} cannot be written to"
        )


@dataclass(frozen=True)
class RasterSource(DemSource):
    """One raster that GDAL reads."""

    extent: Bounds

    def select(self, bounds: Bounds) -> Selection:
        """Return the raster as often as it meets the area: around the date line more than once."""
        shifts = (-360.0, 0.0, 360.0) if self.geographic else (0.0,)
        west, south, east, north = self.extent
        return Selection(
            tuple(
                Piece(str(self.location), shift)
                for shift in shifts
                if west + shift < bounds[2]
                and east + shift > bounds[0]
                and south < bounds[3]
                and north > bounds[1]
            )
        )


def open_source(
    location: Path,
    *,
    reference: str | None = None,
    cache: Path | None = None,
    unit: float = 1.0,
    limits: Limits | None = None,
) -> DemSource:
    """Find out what a folder or file holds.

    A folder is asked for tiles of DTED, SRTM of CGIAR, Copernicus GLO-30 and GLO-90, and hgt, in
    this order, then for a raster.  One without any of these gets the tiles of the family that the
    address tells, SRTM of CGIAR where it tells none.

    Parameters
    ----------
    location : Path
        ``DEM_Directory``: a folder with tiles or with one raster or VRT, or such a file.
    reference : str, optional
        ``DEM_Reference``: base address from which missing tiles are fetched.
    cache : Path, optional
        Folder for fetched tiles where ``location`` cannot be written to.
    unit : float
        Metres per unit of the files.
    limits : Limits, optional
        Attempts and times of a download.

    Returns
    -------
    DemSource

    Raises
    ------
    AuxiliaryDataError
        If there is nothing to read and no address to fetch from.
    """
    if location.is_file():
        return _raster(location, unit)
    names = dict(_files(location))
    scheme, tiles = _tiles(names)
    if scheme is None:
        raster = _only_raster(location)
        if raster is not None:
            return _raster(raster, unit)
        if reference is None:
            raise AuxiliaryDataError(
                f"no elevation model in {location}: put tiles or a raster there, set "
                "DEM_Reference to an address, or DEM_Directory to NONE for flat terrain"
            )
        scheme = scheme_of_address(reference)
    return TileSource(
        location,
        scheme.kind,
        scheme.title,
        unit,
        wkt(WGS84),
        scheme,
        tiles,
        reference,
        cache,
        limits or Limits(),
    )


def _files(location: Path) -> Iterator[tuple[str, Path]]:
    """Yield relative names (with ``/``) and paths; what is being fetched is left out."""
    for folder, inner, names in os.walk(location):
        relative = Path(folder).relative_to(location)
        deep = len(relative.parts) >= _DEPTH
        inner[:] = [] if deep else sorted(name for name in inner if ".part." not in name)
        for name in names:
            yield (relative / name).as_posix(), Path(folder, name)


def _tiles(names: Mapping[str, Path]) -> tuple[TileScheme | None, dict[Corner, Path]]:
    """Return the first family that has tiles, and these; an archive only if not unpacked."""
    for scheme in SCHEMES:
        tiles: dict[Corner, Path] = {}
        for name, path in sorted(names.items()):
            corner = scheme.find(name)
            if corner is not None and (corner not in tiles or tiles[corner].suffix == ".zip"):
                tiles[corner] = path
        if tiles:
            return scheme, tiles
    return None, {}


def _only_raster(folder: Path) -> Path | None:
    """Return the raster of a folder: the only VRT, or where there is none the only raster."""
    from osgeo import gdal

    gdal.UseExceptions()
    if not folder.is_dir():
        return None
    rasters = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and gdal.IdentifyDriverEx(str(path), gdal.OF_RASTER) is not None
    ]
    rasters = [path for path in rasters if path.suffix.lower() == ".vrt"] or rasters
    if len(rasters) > 1:
        raise AuxiliaryDataError(
            f"{len(rasters)} rasters in {folder}: name one of them in DEM_Directory, or join them "
            "with gdalbuildvrt"
        )
    return rasters[0] if rasters else None


def _raster(path: Path, unit: float) -> RasterSource:
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        dataset = gdal.Open(str(path))
    except RuntimeError as error:
        raise AuxiliaryDataError(f"cannot read elevation model {path}: {error}") from error
    projection = dataset.GetProjection()
    transform = dataset.GetGeoTransform(can_return_null=True)
    if not projection or transform is None:
        raise AuxiliaryDataError(f"elevation model {path} has no georeference")
    west, dx, _, north, _, dy = transform
    extent = west, north + dataset.RasterYSize * dy, west + dataset.RasterXSize * dx, north
    return RasterSource(path, "RASTER", f"raster {path.name}", unit, projection, extent)


def _opened_as(path: Path) -> str:
    """Return the name by which GDAL opens a file, in an archive or not."""
    if path.suffix.lower() != ".zip":
        return str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith((".tif", ".hgt"))]
    except (OSError, zipfile.BadZipFile) as error:
        raise AuxiliaryDataError(f"cannot read elevation model {path}: {error}") from error
    if len(names) != 1:
        raise AuxiliaryDataError(f"elevation model {path} does not hold one .tif or .hgt file")
    return f"/vsizip/{path}/{names[0]}"


def _check(path: Path) -> None:
    """Read a fetched file as a whole: a page of text or half a file does not pass."""
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        dataset = gdal.Open(str(path))
        dataset.GetRasterBand(1).Checksum()
    except RuntimeError as error:
        with path.open("rb") as stream:
            start = stream.read(256).lstrip().lower()
        page = " (a web page)" if start.startswith((b"<!doctype", b"<html", b"<?xml")) else ""
        raise ValueError(f"what was received is not an elevation tile{page}: {error}") from error


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
