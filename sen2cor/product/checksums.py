"""Checksums of the files of a product, as its ``manifest.safe`` lists them.

Source: Sentinel-SAFE, CCSDS 661.0-B-1 (XML Formatted Data Unit): ``byteStream@size``, ``checksum``
and its ``checksumName``. Sentinel-2 products have MD5 up to baseline 03, SHA3-256 from 04.00 on.

OpenJPEG often decodes images with flipped bits or holes without a warning. Checksums detect them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote

from sen2cor import interruption
from sen2cor.errors import InputError
from sen2cor.xml_document import Element, local_name, parse_xml

logger = logging.getLogger(__name__)

MANIFEST_NAME = "manifest.safe"

REMEDY = (
    "download the product again; if you changed the file on purpose, use --no-checksums "
    "(Python: checksums=False)"
)
REMEDY_LEVEL2A = (
    "make the product again with --refresh; if you changed the file on purpose, use "
    "--no-checksums (Python: checksums=False)"
)

_CHUNK = 1 << 20


@dataclass(frozen=True)
class ListedFile:
    """A file as the manifest lists it.

    Attributes
    ----------
    size : int or None
        Bytes; None where the manifest does not tell.
    algorithm : str
        As the manifest names it, for example ``SHA3-256``; empty where there is no checksum.
    digest : str
        Hexadecimal, lower case.
    """

    size: int | None
    algorithm: str
    digest: str

    @property
    def can_be_checked(self) -> bool:
        """Whether there is a checksum of an algorithm that is available."""
        return bool(self.digest) and new_digest(self.algorithm) is not None

    def find_problem(self, open_file: Callable[[], BinaryIO], size: int) -> str | None:
        """Compare a file with its size and checksum.

        Parameters
        ----------
        open_file : callable
            Opens the file for reading; it is read in chunks.
        size : int
            Bytes of the file.

        Returns
        -------
        str or None
            What is wrong; None of a file as it should be.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        if self.size is not None and size != self.size:
            return f"has {size} bytes, {MANIFEST_NAME} says {self.size}"
        digest = new_digest(self.algorithm) if self.digest else None
        if digest is None:
            return None
        with open_file() as stream:
            while chunk := stream.read(_CHUNK):
                interruption.check()
                digest.update(chunk)
        # some algorithms (SHAKE) have digests of any length
        length = () if digest.digest_size else (len(self.digest) // 2,)
        found = digest.hexdigest(*length)
        if found == self.digest:
            return None
        return f"has another {self.algorithm} than {MANIFEST_NAME} says"


@dataclass(frozen=True)
class Checksums:
    """The files of a product as its manifest lists them; each is checked once, when it is read.

    Attributes
    ----------
    root : Path
        Folder of the product.
    files : mapping of str to ListedFile
        By path relative to the root, with ``/``.
    active : bool
        False: nothing is checked.
    remedy : str
        What the user can do about a damaged file.
    """

    root: Path = Path()
    files: Mapping[str, ListedFile] = field(default_factory=dict)
    active: bool = False
    remedy: str = REMEDY
    _done: set[Path] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def read(cls, root: Path, remedy: str = REMEDY) -> Checksums:
        """Read the checksums of a product; without a manifest nothing is checked.

        Raises
        ------
        InputError
            The manifest cannot be read.
        """
        path = root / MANIFEST_NAME
        if not path.is_file():
            return cls(root)
        return cls(root, listed_files(parse_xml(path, InputError, remedy), path), True, remedy)

    def verify(self, path: Path, what: str = "file") -> None:
        """Check a file before it is read.

        A file without a checksum in the manifest is not checked; a WARNING says so, once.

        Parameters
        ----------
        path : Path
        what : str
            For messages, for example ``image of band B03``.

        Raises
        ------
        InputError
            Size or checksum differ, or the file cannot be read.
        """
        listed = self._listed(path)
        if listed is None or path in self._done:
            return
        self._compare(path, what, listed)
        if listed.can_be_checked:
            self._done.add(path)
        elif self.root not in self._done:
            self._done.add(self.root)
            how = f"of the kind {listed.algorithm!r}, which is unknown" if listed.digest else ""
            logger.warning(
                "%s: its checksum in %s is %s; such files are not checked for damage",
                path,
                MANIFEST_NAME,
                how or "missing",
            )

    def verify_folder(self, folder: Path, *, without: Container[str]) -> None:
        """Check the listed files of a folder and its subfolders.

        Parameters
        ----------
        folder : Path
        without : container of str
            Subfolders that are left out.

        Raises
        ------
        InputError
            As for `verify`.
        """
        for name in self.files:
            path = self.root / name
            inside = path.is_relative_to(folder) and path != folder
            if inside and path.relative_to(folder).parts[0] not in without and path.is_file():
                self.verify(path)

    def verify_size(self, path: Path, what: str = "file") -> None:
        """Check the size of a file, which costs nothing, long before it is read.

        Raises
        ------
        InputError
            The size differs.
        """
        listed = self._listed(path)
        if listed is not None:
            self._compare(path, what, ListedFile(listed.size, "", ""))

    def _listed(self, path: Path) -> ListedFile | None:
        if not self.active:
            return None
        try:
            name = path.relative_to(self.root).as_posix()
        except ValueError:
            return None
        return self.files.get(name, ListedFile(None, "", ""))

    def _compare(self, path: Path, what: str, listed: ListedFile) -> None:
        try:
            problem = listed.find_problem(lambda: path.open("rb"), path.stat().st_size)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
        if problem is not None:
            raise InputError(
                f"{path}: the {what} is damaged or changed: it {problem}; {self.remedy}"
            )


def listed_files(manifest: Element, path: Path) -> dict[str, ListedFile]:
    """Return the files that a manifest lists, by their paths relative to the product.

    Parameters
    ----------
    manifest : Element
        Root of the document.
    path : Path
        For messages.

    Raises
    ------
    InputError
        It is no manifest, or a file lies outside the product.
    """
    if local_name(manifest) != "XFDU":
        raise InputError(f"{path}: root element is {local_name(manifest)}, expected XFDU; {REMEDY}")
    files = {}
    for stream in manifest.iter("{*}byteStream"):
        location, checksum = stream.find("{*}fileLocation"), stream.find("{*}checksum")
        if location is None or not location.get("href"):
            continue
        name = PurePosixPath(unquote(location.get("href")).replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            raise InputError(
                f"{path}: fileLocation {str(name)!r} leads out of the product; {REMEDY}"
            )
        size = (stream.get("size") or "").strip()
        files[name.as_posix()] = ListedFile(
            size=int(size) if size.isascii() and size.isdigit() else None,
            algorithm="" if checksum is None else (checksum.get("checksumName") or ""),
            digest="" if checksum is None else (checksum.text or "").strip().lower(),
        )
    return files


def new_digest(algorithm: str) -> Any | None:
    """Return a hash object for the name of an algorithm, None if there is no such algorithm.

    ``MD5``, ``SHA-1``, ``SHA-256``, ``SHA3-256`` and whatever else `hashlib` has; case, hyphens and
    the ``2`` of ``SHA2-256`` do not matter.
    """
    name = algorithm.strip().lower().replace("-", "_")
    for candidate in (name, name.replace("_", ""), name.replace("sha2_", "sha")):
        if candidate in hashlib.algorithms_available:
            return hashlib.new(candidate, usedforsecurity=False)
    return None
