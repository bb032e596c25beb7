"""Products in zip archives: safe unpacking into a temporary folder.

No entry can leave that folder, and the size is checked before the first byte is written.
"""

from __future__ import annotations

import logging
import lzma
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sen2cor import interruption
from sen2cor.errors import InputError, OutputError
from sen2cor.files import raise_output_error
from sen2cor.product.level2a.locked_workspace import Workspace

logger = logging.getLogger(__name__)

MAX_ENTRIES = 50_000
"""Entries of an archive; a product of 15 tiles has about 1000."""

MAX_BYTES = 64_000_000_000
"""Size of what is in an archive; a product of 15 tiles has about 10 GB."""

MAX_EXPANSION = 100
"""Unpacked size over size of the archive, for unpacked sizes above `_EXPANSION_CHECKED_FROM` bytes.
Images are not compressible; masks and metadata by a factor of 10 to 20."""

_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError,
    RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for damaged archives."""

_EXPANSION_CHECKED_FROM = 500_000_000

_CHUNK = 1 << 20

_PRODUCT_METADATA = "*MTD_[MS][SA][IF]L*.xml"
"""``MTD_MSIL1C.xml`` and ``*_MTD_SAFL1C_*.xml``, not those of tiles and datastrips."""


def is_archive(path: Path) -> bool:
    """Whether a path is a zip archive, by its content or by its name."""
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


@contextmanager
def unpack(archive: Path, place: Path, option: str = "--output_dir") -> Iterator[Path]:
    """Unpack the product in an archive; the context ends with the removal of the files.

    Parameters
    ----------
    archive : Path
    place : Path
        Parent of the temporary folder. Leftovers of terminated runs are removed first.
    option : str
        Option of the command that sets `place`.

    Yields
    ------
    Path
        Folder of the product.

    Raises
    ------
    InputError
        The file is not a zip archive of one product, or an entry is unsafe: a path outside the
        archive, a link, an encrypted or oversized entry.
    LockedError
        Another run is unpacking this archive there.
    OutputError
        The free space does not suffice.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except _UNREADABLE as error:
        raise InputError(f"{archive}: cannot be read as a zip archive ({error})") from error
    with opened:
        entries = _check_entries(opened, archive)
        workspace = Workspace.claim(place / archive.name, option)
        try:
            _check_free_space(sum(entry.file_size for entry in entries.values()), workspace.product)
            logger.info("%s: unpacking %d files", archive, len(entries))
            for path, entry in entries.items():
                _extract(opened, entry, workspace.product / path, archive)
            yield _find_product_folder(workspace.product, archive)
        finally:
            workspace.remove()


def _check_entries(opened: zipfile.ZipFile, archive: Path) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the files of an archive by the paths that they get.

    An archive with one invalid entry is refused as a whole.
    """
    entries = opened.infolist()
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"{archive}: {len(entries)} entries, more than any product has")
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in entries:
        # some tools for Windows separate folders by backslashes
        name = entry.filename.replace("\\", "/")
        path = PurePosixPath(name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not name:
            problem = "has no name"
        elif path.is_absolute() or ".." in path.parts or any(c in name for c in ":\0"):
            problem = "points outside the archive"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "is a link or a special file"
        elif entry.flag_bits & 1:
            problem = "is encrypted"
        elif path in found:
            problem = "appears twice"
        else:
            found[path] = entry
            continue
        raise InputError(f"{archive}: entry {entry.filename!r} {problem}; it is refused")
    size = sum(entry.file_size for entry in entries)
    if size > MAX_BYTES or size > max(
        _EXPANSION_CHECKED_FROM, MAX_EXPANSION * archive.stat().st_size
    ):
        raise InputError(
            f"{archive}: would unpack to {size / 1e9:.1f} GB, more than any product has"
        )
    return {
        path: entry for path, entry in found.items() if not entry.filename.endswith(("/", "\\"))
    }


def _check_free_space(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(
            f"{folder}: unpacking needs {size / 1e9:.1f} GB, only {free / 1e9:.1f} GB are free; "
            "choose another folder with --work_dir"
        )


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, archive: Path) -> None:
    try:
        with raise_output_error(target, "--work_dir"):
            target.parent.mkdir(parents=True, exist_ok=True)
            output = target.open("xb")
        with output, opened.open(entry) as source:
            while chunk := source.read(_CHUNK):
                interruption.check()
                with raise_output_error(target, "--work_dir"):
                    output.write(chunk)
    except _UNREADABLE as error:
        raise InputError(
            f"{archive}: entry {entry.filename!r} cannot be read ({error}); fetch it again"
        ) from error


def _find_product_folder(folder: Path, archive: Path) -> Path:
    """Return the folder of the product, which is that of its metadata file.

    It is the unpacked folder, or one or two levels below.
    """
    found: set[Path] = set()
    for depth in ("", "*/", "*/*/"):
        found = found or {path.parent for path in folder.glob(f"{depth}{_PRODUCT_METADATA}")}
    if len(found) != 1:
        nested = sorted(path.name for path in folder.rglob("*.zip"))
        if nested and not found:
            raise InputError(f"{archive}: contains another archive, {nested[0]}; unpack it first")
        what = "no product" if not found else f"{len(found)} products"
        raise InputError(f"{archive}: contains {what}; expected one folder (.SAFE)")
    return found.pop()
