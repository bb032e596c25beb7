"""Products in zip and tar archives: safe unpacking into a temporary folder.

No entry can leave that folder, and the size is checked before the first byte is written.
"""

from __future__ import annotations

import logging
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from sen2cor import interruption
from sen2cor.errors import InputError, OutputError
from sen2cor.files import raise_output_error
from sen2cor.product.level2a.locked_workspace import Workspace
from sen2cor.product.other_products import describe_other_product
from sen2cor.product.psd import PSD
from sen2cor.product.side_files import is_side_file, is_unfinished_download

logger = logging.getLogger(__name__)

MAX_ENTRIES = 50_000
"""Entries of an archive; a product of 15 tiles has about 1000."""

MAX_BYTES = 64_000_000_000
"""Size of what is in an archive; a product of 15 tiles has about 10 GB."""

MAX_EXPANSION = 100
"""Unpacked size over size of the archive, for unpacked sizes above `_EXPANSION_CHECKED_FROM` bytes.
Images are not compressible; masks and metadata by a factor of 10 to 20."""

_UNREADABLE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What zipfile and tarfile raise for damaged archives."""

_EXPANSION_CHECKED_FROM = 500_000_000

_CHUNK = 1 << 20

_ZIP = ".zip"
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")
_ZIP_MAGIC = b"PK"
_TAR_MAGIC = slice(257, 262), b"ustar"
_TAR_BLOCK = 512

_MAX_PADDING = 16
"""Chunks behind the mark of the end of a tar archive that are read."""


@dataclass(frozen=True)
class _Entry:
    """An entry of an archive; ``source`` is that of zipfile or tarfile."""

    name: str
    size: int
    kind: str
    source: zipfile.ZipInfo | tarfile.TarInfo
    encrypted: bool = False


def is_archive(path: Path) -> bool:
    """Whether a path is a zip or tar archive, by its content or by its name."""
    if not path.is_file() or is_unfinished_download(path.name):
        return False
    return path.name.lower().endswith((_ZIP, *_TAR)) or _is_zip(path) or _is_tar(path)


def archive_stem(path: Path) -> str:
    """Return the name of an archive without its ending."""
    endings = sorted((_ZIP, *_TAR), key=len, reverse=True)
    ending = next((end for end in endings if path.name.lower().endswith(end)), "")
    return path.name[: len(path.name) - len(ending)]


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
        The file is not a complete archive of one product, or an entry is unsafe: a path outside
        the archive, a link, an encrypted or oversized entry.
    LockedError
        Another run is unpacking this archive there.
    OutputError
        The free space does not suffice.
    """
    with _open(archive) as opened:
        entries = _check_entries(_list_entries(opened, archive), archive)
        product = _find_product(entries, archive)
        workspace = Workspace.claim(place / archive.name, option)
        try:
            _check_free_space(sum(entry.size for entry in entries.values()), workspace.product)
            # without a folder in the archive, its own name is that of the product
            top = workspace.product / (archive_stem(archive) if product == _TOP else "")
            logger.info("%s: unpacking %d files", archive, len(entries))
            for path, entry in entries.items():
                _extract(opened, entry, top / path, archive)
            yield top / product
        finally:
            workspace.remove()


class ArchivedProduct:
    """Product in an archive, which is read without unpacking it; see `open_archived`.

    Attributes
    ----------
    sizes : mapping of str to int
        Bytes of the files, by their paths relative to the product.
    """

    def __init__(
        self,
        opened: zipfile.ZipFile | tarfile.TarFile,
        entries: Mapping[PurePosixPath, _Entry],
        product: PurePosixPath,
        archive: Path,
    ) -> None:
        self._opened = opened
        self._archive = archive
        self._entries = {
            path.relative_to(product).as_posix(): entry
            for path, entry in entries.items()
            if path.is_relative_to(product)
        }
        self.sizes = {name: entry.size for name, entry in self._entries.items()}

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises
        ------
        InputError
            The archive is damaged there.
        """
        entry = self._entries[name]
        try:
            with _open_entry(self._opened, entry) as source:
                content = source.read(entry.size)
                if len(content) != entry.size or source.read(1):
                    raise EOFError(f"not {entry.size} bytes")
        except _UNREADABLE as error:
            raise _incomplete(self._archive, f"entry {entry.name!r}: {error}") from error
        return content


@contextmanager
def open_archived(archive: Path) -> Iterator[ArchivedProduct]:
    """Open the product in an archive; nothing is written.

    Raises
    ------
    InputError
        As for `unpack`.
    """
    with _open(archive) as opened:
        entries = _check_entries(_list_entries(opened, archive), archive)
        yield ArchivedProduct(opened, entries, _find_product(entries, archive), archive)


_TOP = PurePosixPath()


def _is_zip(path: Path) -> bool:
    return zipfile.is_zipfile(path) or _read_start(path).startswith(b"PK\3\4")


def _is_tar(path: Path) -> bool:
    place, magic = _TAR_MAGIC
    return _read_start(path)[place] == magic


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_TAR_BLOCK)
    except OSError:
        return b""


@contextmanager
def _open(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    is_tar = archive.name.lower().endswith(_TAR) or _is_tar(archive)
    try:
        opened = tarfile.open(archive) if is_tar else zipfile.ZipFile(archive)  # noqa: SIM115
    except _UNREADABLE as error:
        if not is_tar and archive.is_file() and not _read_start(archive).startswith(_ZIP_MAGIC):
            raise InputError(
                f"{archive}: cannot be read as a zip archive ({error}); fetch it again"
            ) from error
        raise _incomplete(archive, error) from error
    with opened:
        yield opened


def _incomplete(archive: Path, error: BaseException | str) -> InputError:
    # tarfile lists one reason for each method of compression
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
    return InputError(f"{archive}: the archive is incomplete or damaged ({reason}); fetch it again")


def _list_entries(opened: zipfile.ZipFile | tarfile.TarFile, archive: Path) -> Iterator[_Entry]:
    if isinstance(opened, zipfile.ZipFile):
        for info in opened.infolist():
            mode = stat.S_IFMT(info.external_attr >> 16)
            kind = "file" if mode in (0, stat.S_IFREG) else "other"
            if mode == stat.S_IFDIR or info.filename.endswith(("/", "\\")):
                kind = "folder"
            encrypted = bool(info.flag_bits & 1)
            yield _Entry(info.filename, info.file_size, kind, info, encrypted)
        return
    try:
        for member in opened:
            kind = "file" if member.isreg() else "folder" if member.isdir() else "other"
            yield _Entry(member.name, member.size, kind, member)
        _check_end(opened)
    except _UNREADABLE as error:
        raise _incomplete(archive, error) from error


def _check_end(opened: tarfile.TarFile) -> None:
    """Check that the last entry is followed by the mark of the end."""
    stream = opened.fileobj
    if stream is None:
        return
    stream.seek(opened.offset)
    block = stream.read(_TAR_BLOCK)
    if len(block) < _TAR_BLOCK or any(block):
        raise tarfile.ReadError("no mark of the end")
    for _ in range(_MAX_PADDING):  # the checksum of a compressed archive stands behind
        if not stream.read(_CHUNK):
            break


def _check_entries(entries: Iterable[_Entry], archive: Path) -> dict[PurePosixPath, _Entry]:
    """Return the files of an archive by the paths that they get, without side files.

    An archive with one invalid entry is refused as a whole, before an oversized entry is read.
    """
    found: dict[PurePosixPath, _Entry] = {}
    largest = max(_EXPANSION_CHECKED_FROM, MAX_EXPANSION * archive.stat().st_size)
    size = 0
    for number, entry in enumerate(entries, start=1):
        if number > MAX_ENTRIES:
            raise InputError(f"{archive}: more than {MAX_ENTRIES} entries; no product has as many")
        # some tools for Windows separate folders by backslashes
        name = entry.name.replace("\\", "/")
        path = PurePosixPath(name)
        size += entry.size
        if not name:
            problem = "has no name"
        elif path.is_absolute() or ".." in path.parts or any(c in name for c in ":\0"):
            problem = "points outside the archive"
        elif entry.kind == "other":
            problem = "is a link or a special file"
        elif entry.encrypted:
            problem = "is encrypted"
        elif path in found and path != _TOP:
            problem = "appears twice"
        elif size > min(MAX_BYTES, largest):
            raise InputError(
                f"{archive}: would unpack to {size / 1e9:.1f} GB, more than any product has"
            )
        else:
            found[path] = entry
            continue
        raise InputError(f"{archive}: entry {entry.name!r} {problem}; it is refused")
    return {
        path: entry
        for path, entry in found.items()
        if entry.kind == "file" and not is_side_file(path)
    }


def _check_free_space(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(
            f"{folder}: unpacking needs {size / 1e9:.1f} GB, only {free / 1e9:.1f} GB are free; "
            "choose another folder with --work_dir"
        )


def _extract(
    opened: zipfile.ZipFile | tarfile.TarFile, entry: _Entry, target: Path, archive: Path
) -> None:
    try:
        with raise_output_error(target, "--work_dir"):
            target.parent.mkdir(parents=True, exist_ok=True)
            output = target.open("xb")
        with output, _open_entry(opened, entry) as source:
            while chunk := source.read(_CHUNK):
                interruption.check()
                with raise_output_error(target, "--work_dir"):
                    output.write(chunk)
            if output.tell() != entry.size:
                raise EOFError(f"{output.tell()} of {entry.size} bytes")
    except _UNREADABLE as error:
        raise _incomplete(archive, f"entry {entry.name!r}: {error}") from error


def _open_entry(opened: zipfile.ZipFile | tarfile.TarFile, entry: _Entry) -> IO[bytes]:
    if isinstance(opened, zipfile.ZipFile):
        assert isinstance(entry.source, zipfile.ZipInfo)
        return opened.open(entry.source)
    assert isinstance(entry.source, tarfile.TarInfo)
    source = opened.extractfile(entry.source)
    if source is None:
        raise ValueError("is no file")
    return source


def _find_product(paths: Iterable[PurePosixPath], archive: Path) -> PurePosixPath:
    """Return the folder of the product: that of its metadata, at most two levels below the top."""
    templates = {psd.level1c.product_metadata for psd in PSD.values()}
    metadata = [
        path
        for path in paths
        if any(template.match(path.name) is not None for template in templates)
    ]
    nearest = min((len(path.parts) for path in metadata), default=_NESTING)
    found = {path.parent for path in metadata if len(path.parts) == nearest}
    if len(found) == 1 and nearest <= _NESTING:
        return found.pop()
    if found:
        raise InputError(f"{archive}: contains {len(found)} products; expected one folder (.SAFE)")
    nested = sorted(path.name for path in paths if path.name.lower().endswith((_ZIP, *_TAR)))
    if nested:
        raise InputError(f"{archive}: contains another archive, {nested[0]}; unpack it first")
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    name = tops.pop() if len(tops) == 1 else archive_stem(archive)
    what = describe_other_product(
        name, (path.name for path in paths if len(path.parts) <= _NESTING)
    )
    raise InputError(
        f"{archive}: contains {what or 'no product'}; expected one folder (.SAFE) of a Level-1C "
        "product"
    )


_NESTING = 3
"""Parts of the path of the product metadata, at most."""
