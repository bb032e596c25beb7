"""Sources of elevation: a folder of tiles, with missing ones fetched, or a single raster.

The user's files are opened for reading only.  If a base URL is configured, a missing tile is
fetched from it and kept beside the others, or in a folder of the run if the user's folder is not
writable.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sen2cor.dem.archives import ARCHIVE_ERRORS, choose_member, is_archive, list_archive
from sen2cor.dem.download import DownloadLimits, fetch, hide_password
from sen2cor.dem.mosaic import DemFile
from sen2cor.dem.tile_schemes import CGIAR, SCHEMES, Bounds, Corner, TileScheme, scheme_by_url
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.coordinates import WGS84, is_geographic, wkt

logger = logging.getLogger(__name__)

_MAX_DEPTH = 3
"""Depth of folders that are searched for tiles."""


@dataclass(frozen=True)
class AbsentTile:
    """A tile without a file, at a latitude that the model covers: sea, or missing."""

    name: str
    bounds: Bounds


@dataclass(frozen=True)
class Selection:
    """The files of a source for an area, and the tiles without one."""

    files: tuple[DemFile, ...]
    absent: tuple[AbsentTile, ...] = ()


@dataclass(frozen=True)
class DemSource(ABC):
    """A source of elevation.

    Attributes
    ----------
    location : Path
        The user's folder or file.
    kind : str
        ``SRTM``, ``DTED``, ``COPERNICUS`` or ``RASTER``, for the metadata.
    description : str
        For log and report.
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
        """Whether the files are in geographic coordinates."""
        return is_geographic(self.projection)

    def describe_reference(self) -> str:
        """Address of missing tiles for a message, with a space before it; empty without one."""
        return ""

    @abstractmethod
    def select(self, bounds: Bounds) -> Selection:
        """Select the files of an area; missing ones are fetched.

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
    """A folder of tiles of one elevation model.

    Attributes
    ----------
    scheme : TileScheme
        How the tiles of the model are named.
    tiles : mapping of corner to Path
        Files that the folder had when it was opened.
    reference : str or None
        Base URL of missing tiles.
    cache : Path or None
        Folder for fetched tiles if ``location`` is not writable.
    limits : DownloadLimits
        Attempts and times.
    """

    scheme: TileScheme
    tiles: Mapping[Corner, Path]
    reference: str | None
    cache: Path | None
    limits: DownloadLimits = field(default_factory=DownloadLimits)

    def describe_reference(self) -> str:
        """Address of missing tiles for a message, with a space before it; empty without one."""
        return f" {hide_password(self.reference)}" if self.reference else ""

    def select(self, bounds: Bounds) -> Selection:
        """Select the tiles of an area; missing ones are fetched."""
        size, files, absent = self.scheme.size, [], []
        for corner, shift in self.scheme.tiles_in(bounds):
            path = self._find_or_fetch(corner)
            if path is not None:
                files.append(DemFile(_gdal_path(path), shift, self.scheme.origin_at_centre))
            elif self.scheme.covers(corner):
                west, south = corner[0] + shift, corner[1]
                absent.append(
                    AbsentTile(
                        self.scheme.local_name(corner), (west, south, west + size, south + size)
                    )
                )
        return Selection(tuple(files), tuple(absent))

    def _find_or_fetch(self, corner: Corner) -> Path | None:
        if corner in self.tiles:
            return self.tiles[corner]
        if self.reference is None or not self.scheme.covers(corner):
            return None
        name = self.scheme.local_name(corner)
        for folder in (self.location, self.cache):
            if folder is not None and (folder / name).exists():
                return folder / name
        offered = scheme_by_url(self.reference)
        if offered is not None and offered is not self.scheme:
            raise AuxiliaryDataError(
                f"cannot fetch {name}: DEM_Reference {hide_password(self.reference)} offers "
                f"{offered.title}, but {self.location} contains {self.scheme.title}; set "
                "DEM_Directory to another folder, or DEM_Reference to another address"
            )
        path = self._writable_folder() / name
        names = self.scheme.remote_names(corner, self.reference)
        found = fetch(self.reference, names, path, _check_raster, self.limits)
        return path if found else None

    def _writable_folder(self) -> Path:
        """Find a folder for fetched tiles."""
        for folder in (self.location, self.cache):
            if folder is not None and _is_writable(folder):
                return folder
        raise AuxiliaryDataError(
            f"cannot fetch elevation tiles: {self.location} is not writable; change its "
            "permissions or add the tiles yourself"
        )


@dataclass(frozen=True)
class RasterSource(DemSource):
    """A single raster in a format that GDAL reads."""

    extent: Bounds

    def select(self, bounds: Bounds) -> Selection:
        """Select the raster, shifted by whole turns where it meets the area (date line)."""
        shifts = (-360.0, 0.0, 360.0) if self.geographic else (0.0,)
        west, south, east, north = self.extent
        return Selection(
            tuple(
                DemFile(str(self.location), shift)
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
    limits: DownloadLimits | None = None,
) -> DemSource:
    """Open a folder of tiles or a raster.

    A folder is searched for tiles of DTED, CGIAR SRTM, Copernicus GLO-30 and GLO-90, and hgt, in
    this order, then for a raster.  If it has none of these, the base URL tells the model of the
    tiles to fetch: CGIAR SRTM if it names no other.

    Parameters
    ----------
    location : Path
        ``DEM_Directory``: a folder with tiles or with one raster or VRT, or such a file.
    reference : str, optional
        ``DEM_Reference``: base URL from which missing tiles are fetched.
    cache : Path, optional
        Folder for fetched tiles if ``location`` is not writable.
    unit : float
        Metres per unit of the files.
    limits : DownloadLimits, optional
        Attempts and timeouts of a download.

    Returns
    -------
    DemSource

    Raises
    ------
    AuxiliaryDataError
        If there is nothing to read and no base URL to fetch from.
    """
    if location.is_file():
        return _open_raster(location, unit)
    names = dict(_list_files(location))
    scheme, tiles = _find_tiles(names)
    if scheme is None:
        raster = _find_single_raster(location)
        if raster is not None:
            return _open_raster(raster, unit)
        if reference is None:
            raise AuxiliaryDataError(
                f"no elevation model in {location}: add tiles or a raster, set DEM_Reference to a "
                "base URL, or set DEM_Directory to NONE for flat terrain"
            )
        scheme = scheme_by_url(reference) or CGIAR
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
        limits or DownloadLimits(),
    )


def _list_files(location: Path) -> Iterator[tuple[str, Path]]:
    """Yield relative names (with ``/``) and paths, without unfinished downloads."""
    for folder, inner, names in os.walk(location):
        relative = Path(folder).relative_to(location)
        deep = len(relative.parts) >= _MAX_DEPTH
        inner[:] = [] if deep else sorted(name for name in inner if ".part." not in name)
        for name in names:
            yield (relative / name).as_posix(), Path(folder, name)


def _find_tiles(names: Mapping[str, Path]) -> tuple[TileScheme | None, dict[Corner, Path]]:
    """Find the first model that has tiles, and these; unpacked files before archives."""
    for scheme in SCHEMES:
        tiles: dict[Corner, Path] = {}
        for name, path in sorted(names.items()):
            corner = scheme.parse(name)
            if corner is not None and (corner not in tiles or is_archive(tiles[corner])):
                tiles[corner] = path
        if tiles:
            return scheme, tiles
    return None, {}


def _find_single_raster(folder: Path) -> Path | None:
    """Find the raster of a folder: the only VRT, or the only raster if there is no VRT."""
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
            f"{len(rasters)} rasters in {folder}: set DEM_Directory to one of them, or join them "
            "with gdalbuildvrt"
        )
    return rasters[0] if rasters else None


def _open_raster(path: Path, unit: float) -> RasterSource:
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


def _gdal_path(path: Path) -> str:
    """Name by which GDAL opens a file, in an archive or not."""
    if not is_archive(path):
        return str(path)
    try:
        names = list_archive(path)
        name = choose_member(names)
    except ARCHIVE_ERRORS as error:
        raise AuxiliaryDataError(f"cannot read elevation model {path}: {error}") from error
    kind = "vsitar" if path.suffix.lower() == ".tar" else "vsizip"
    # the braces end the name of the archive, whatever characters it has
    return f"/{kind}/{{{path}}}/{name}"


def _check_raster(path: Path) -> None:
    """Read a fetched file completely, to refuse web pages and truncated files."""
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        dataset = gdal.Open(str(path))
        dataset.GetRasterBand(1).Checksum()
    except RuntimeError as error:
        with path.open("rb") as stream:
            start = stream.read(256).lstrip().lower()
        page = " (a web page)" if start.startswith((b"<!doctype", b"<html", b"<?xml")) else ""
        raise ValueError(f"the server sent no valid elevation tile{page}: {error}") from error


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
