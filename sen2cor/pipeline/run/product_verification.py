"""Verifies a product as it stands, folder or archive: nothing is unpacked or written.

Every file of the manifest is compared with its checksum, the structure of every JPEG 2000 image is
followed to its end, and each tile of Level-1C must have its 13 bands.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from sen2cor import interruption
from sen2cor.bands import BAND_NAMES
from sen2cor.errors import InputError
from sen2cor.imagery.codestream import check_structure
from sen2cor.product.archive import ArchivedProduct, is_archive, open_archived
from sen2cor.product.checksums import MANIFEST_NAME, ListedFile, listed_files
from sen2cor.xml_document import parse_xml_bytes

_METADATA = re.compile(r"(?:.*_)?MTD_(?:MSI|SAF)L(1C|2A).*\.xml")
_BAND_IMAGE = re.compile(rf"(GRANULE/[^/]+)/IMG_DATA/[^/]*_({'|'.join(BAND_NAMES)})\.jp2")
_XML_ENDINGS = {".xml", ".gml"}
_SHOWN = 5
"""Problems of a product that its message names."""


@dataclass(frozen=True)
class Verification:
    """Result for a product.

    Attributes
    ----------
    path : Path
    level : str
        ``1C`` or ``2A``.
    files : int
        Files of the product.
    compared : int
        Files that were compared with a checksum.
    has_manifest : bool
    problems : tuple of str
        Each names a file and what is wrong with it; empty of an intact product.
    """

    path: Path
    level: str
    files: int
    compared: int
    has_manifest: bool
    problems: tuple[str, ...]

    def describe(self) -> str:
        """Return one line for people."""
        if self.problems:
            shown = "; ".join(self.problems[:_SHOWN])
            more = len(self.problems) - _SHOWN
            remedy = "download it again" if self.level == "1C" else "process it again"
            return (
                f"{self.path}: damaged: {shown}{f'; and {more} more' if more > 0 else ''}; {remedy}"
            )
        if not self.has_manifest:
            return (
                f"{self.path}: no damage found in {self.files} files, but there is no "
                f"{MANIFEST_NAME} with checksums"
            )
        return f"{self.path}: intact: {self.files} files, {self.compared} by their checksums"


@dataclass(frozen=True)
class ProductFiles:
    """Files of a product, in a folder or an archive.

    Attributes
    ----------
    sizes : mapping of str to int
        Bytes of each file, by its path relative to the product.
    open : callable
        Opens a file, given this path.
    """

    sizes: Mapping[str, int]
    open: Callable[[str], BinaryIO]


def _list_folder(root: Path) -> ProductFiles:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    sizes = {path.relative_to(root).as_posix(): path.stat().st_size for path in paths}
    return ProductFiles(sizes, lambda name: (root / name).open("rb"))


def _list_archive(archived: ArchivedProduct) -> ProductFiles:
    # an image is opened twice, and compressed archives are slow to rewind
    read = lru_cache(maxsize=1)(archived.read)
    return ProductFiles(archived.sizes, lambda name: io.BytesIO(read(name)))


def verify_product(path: Path) -> Verification:
    """Verify a product.

    Parameters
    ----------
    path : Path
        Folder of a Level-1C or Level-2A product, or the archive (zip, tar) of a Level-1C product.

    Returns
    -------
    Verification

    Raises
    ------
    InputError
        It is no product, or the manifest cannot be read.
    """
    with open_files(path) as source:
        return _verify(path, source)


@contextmanager
def open_files(path: Path) -> Iterator[ProductFiles]:
    """List the files of a product, folder or archive (zip, tar of Level-1C); none is unpacked.

    Raises
    ------
    InputError
        There is no such folder or archive.
    """
    if is_archive(path):
        with open_archived(path) as archived:
            yield _list_archive(archived)
        return
    if not path.is_dir():
        raise InputError(f"{path}: no such product (a folder .SAFE or its archive)")
    yield _list_folder(path)


def _verify(path: Path, source: ProductFiles) -> Verification:
    level = find_metadata(path, source)[1]
    listed = _read_manifest(path, source)
    problems = [f"{name} is missing" for name in (listed or {}) if name not in source.sizes]
    names = [name for name in source.sizes if _belongs(name, listed)]
    compared = 0
    for name in names:
        interruption.check()
        size = source.sizes[name]
        expected = (listed or {}).get(name, ListedFile(None, "", ""))
        compared += expected.can_be_checked
        problem = _find_problem(source, name, size, expected)
        if problem is not None:
            problems.append(f"{name} {problem}")
    if level == "1C":
        problems += _missing_bands(source.sizes)
    return Verification(path, level, len(names), compared, listed is not None, tuple(problems))


def find_metadata(path: Path, source: ProductFiles) -> tuple[str, str]:
    """Return the name of the product metadata, and the level: ``1C`` or ``2A``.

    Raises
    ------
    InputError
        There are none.
    """
    for name in source.sizes:
        match = _METADATA.fullmatch(name)
        if match is not None:
            return name, match[1]
    raise InputError(f"{path}: not a product, it has no MTD_MSIL1C.xml or MTD_MSIL2A.xml")


def find_incomplete(path: Path, source: ProductFiles, level: str) -> list[str] | None:
    """Compare the files with the manifest by names and sizes; no file is read.

    Returns
    -------
    list of str or None
        What is missing or has another size; None if there is no manifest to compare with.

    Raises
    ------
    InputError
        The manifest cannot be read.
    """
    listed = _read_manifest(path, source)
    problems = [] if level == "2A" else _missing_bands(source.sizes)
    for name, expected in (listed or {}).items():
        if name not in source.sizes:
            problems.append(f"{name} is missing")
        elif expected.size not in (None, source.sizes[name]):
            problems.append(f"{name} has {source.sizes[name]} of {expected.size} bytes")
    return problems if problems or listed is not None else None


def _belongs(name: str, listed: Mapping[str, ListedFile] | None) -> bool:
    """Tell files of the product from side files of other programs."""
    if listed is not None:
        return name in listed or _BAND_IMAGE.fullmatch(name) is not None
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return not hidden and not name.endswith(".aux.xml")


def _read_manifest(path: Path, source: ProductFiles) -> dict[str, ListedFile] | None:
    if MANIFEST_NAME not in source.sizes:
        return None
    place = path / MANIFEST_NAME
    try:
        with source.open(MANIFEST_NAME) as stream:
            content = stream.read()
    except OSError as error:
        raise InputError(
            f"{place}: cannot be read ({error.strerror}); download the product again"
        ) from error
    return listed_files(parse_xml_bytes(content, place), place)


def _find_problem(source: ProductFiles, name: str, size: int, expected: ListedFile) -> str | None:
    """Tell what is wrong with a file; None if nothing is."""
    try:
        problem = expected.find_problem(lambda: source.open(name), size)
        if problem is not None:
            return problem
        if name.endswith(".jp2"):
            with source.open(name) as stream:
                check_structure(stream, size)
        elif not expected.can_be_checked and PurePosixPath(name).suffix in _XML_ENDINGS:
            with source.open(name) as stream:
                parse_xml_bytes(stream.read(), Path(name))
    except ValueError as error:
        return f"is damaged: {error}"
    except InputError as error:
        return f"is damaged: {error}"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return None


def _missing_bands(names: Mapping[str, int]) -> list[str]:
    tiles: dict[str, set[str]] = defaultdict(set)
    for name in names:
        image = _BAND_IMAGE.fullmatch(name)
        if image is not None:
            tiles[image[1]].add(image[2])
    if not tiles:
        return ["GRANULE has no tile with images"]
    return [
        f"{tile} has no image of {', '.join(missing)}"
        for tile, bands in tiles.items()
        if (missing := [band for band in BAND_NAMES if band not in bands])
    ]
