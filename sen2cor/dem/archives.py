"""Archives that hold one elevation tile, and other files: which of these is the elevation.

The archives of the Copernicus DEM (``.tar``) have the elevation in the folder ``DEM``, beside masks
and a preview in the same format.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_ENDINGS = (".tif", ".hgt", ".dt0", ".dt1", ".dt2")
"""Of elevation rasters, in lower case."""

_ELEVATION = ("_dem.tif", "_dem.dt1", "_dem.dt2")
"""Of the elevation raster of the Copernicus DEM, in lower case."""

ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""Raised by broken archives; RuntimeError for unsupported methods and for passwords."""

_CHUNK = 1 << 20


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.suffix.lower() in (".zip", ".tar")


def list_archive(path: Path) -> list[str]:
    """List the files of an archive, known by its content.

    Raises
    ------
    One of `ARCHIVE_ERRORS`
        The archive is broken.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")]
    with tarfile.open(path) as archive:
        return [member.name for member in archive.getmembers() if member.isfile()]


def choose_member(names: Sequence[str]) -> str:
    """Choose the elevation raster among the files of an archive.

    Raises
    ------
    ValueError
        There is none, or more than one.
    """
    rasters = [name for name in names if name.lower().endswith(_ENDINGS)]
    found = [name for name in rasters if name.lower().endswith(_ELEVATION)] or rasters
    if len(found) != 1:
        raise ValueError(f"the archive holds {len(found)} elevation rasters, expected 1")
    return found[0]


def unpack(path: Path) -> None:
    """Replace an archive by the elevation raster in it; other files stay as they are.

    Raises
    ------
    One of `ARCHIVE_ERRORS`
        The archive is broken, or does not hold exactly one elevation raster.
    """
    zipped = zipfile.is_zipfile(path)
    # other formats could be taken for an empty tar archive
    if not zipped and not (_has_tar_magic(path) and tarfile.is_tarfile(path)):
        return
    content = path.with_name("content")
    name = choose_member(list_archive(path))
    if zipped:
        with zipfile.ZipFile(path) as zip_archive, zip_archive.open(name) as source:
            _copy(source, content)
    else:
        with tarfile.open(path) as tar_archive:
            member = tar_archive.extractfile(name)
            assert member is not None  # a regular file
            with member:
                _copy(member, content)
    os.replace(content, path)


def _has_tar_magic(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(262)[257:] == b"ustar"


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as stream:
        shutil.copyfileobj(source, stream, _CHUNK)
