"""Find the products that a path refers to: Level-1C to read, Level-2A to write."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sen2cor.errors import InputError, OutputError, UsageError
from sen2cor.pipeline.run.options import Options
from sen2cor.product.archive import archive_stem, is_archive, unpack
from sen2cor.product.level1c.product_files import (
    find_level1c_metadata,
    find_nested_products,
    list_folders,
    locate_product,
)
from sen2cor.product.level1c.reader import Level1CProduct, open_level1c
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.origin import is_foreign
from sen2cor.product.name_templates import (
    compact_product,
    split_product_name,
    to_level1c_product,
    to_level2a_product,
)
from sen2cor.product.psd import PSD
from sen2cor.settings import Settings
from sen2cor.xml_document import XmlDocument

logger = logging.getLogger(__name__)

_NOT_UTF8 = "the path is not valid UTF-8, which the image and XML libraries require"

_ACQUISITION_FIELDS = ("spacecraft", "datatake_start", "relative_orbit", "mgrs")


def enter_folder(path: Path) -> Path:
    """Return the product in a folder around it, as in an archive; return other paths unchanged.

    Raises
    ------
    InputError
        A folder cannot be read.
    """
    if not path.is_dir() or find_level1c_metadata(path) or find_product_metadata(path):
        return path
    for find_metadata in (find_level1c_metadata, find_product_metadata):
        nested = find_nested_products(path, find_metadata)
        if len(nested) == 1:
            logger.warning("%s: is a folder around the product %s", path, nested[0].name)
            return nested[0]
        if nested:
            break
    return path


@contextmanager
def open_input(path: Path, options: Options, settings: Settings) -> Iterator[Level1CProduct]:
    """Open the Level-1C product; unpack it first if it is an archive.

    Raises
    ------
    InputError
        There is no Level-1C product, or it cannot be used.
    LockedError, OutputError
        The archive cannot be unpacked.
    """
    if not is_archive(path):
        yield open_level1c(_require_utf8(_find_level1c(path)), checksums=options.checksums)
        return
    if options.work_directory is None:
        place, option = find_output_folder(path, options, settings)[0], "--output_dir"
    else:
        place, option = _absolute(options.work_directory), "--work_dir"
    with unpack(path, place, option) as folder:
        yield open_level1c(_require_utf8(folder), checksums=options.checksums)


def find_output_folder(path: Path, options: Options, settings: Settings) -> tuple[Path, str | None]:
    """Return the folder of the Level-2A product, and its name if a Level-2A product is given.

    A Level-2A product of this processor is completed in its own folder, whatever folder the
    settings name. Products of other processors are never modified; they need another output folder.

    Raises
    ------
    InputError
        The path is not a product.
    OutputError
        The path of the folder is not valid UTF-8.
    UsageError
        A Level-2A product is given, and an output folder that is not its own.
    """
    level2a = _as_level2a(path)
    folder = options.output_directory or settings.target_directory
    if level2a is not None and not (folder is not None and is_foreign(level2a)):
        asked = options.output_directory
        if asked is not None and asked.resolve() != level2a.parent:
            raise UsageError(
                f"{path}: a Level-2A product is completed in its own folder, but --output_dir is "
                f"{asked}: omit --output_dir, or give the Level-1C product"
            )
        return level2a.parent, level2a.name
    if folder is None:
        folder = path.parent if is_archive(path) else _find_folder_around(locate_product(path)[0])
    folder = _absolute(folder)
    if not _is_utf8(folder):
        raise OutputError(f"{folder}: {_NOT_UTF8}; choose another folder with --output_dir")
    return folder, None


def derive_level2a_name(path: Path) -> str:
    """Derive the name of the Level-2A product from the path alone."""
    level2a = _as_level2a(path)
    if level2a is not None:
        return level2a.name
    try:
        name = locate_product(path)[0].name
    except InputError:
        name = archive_stem(path)
    return to_level2a_product(name, "USER")


def _find_folder_around(root: Path) -> Path:
    """Return the folder that a product lies in, outside of any other folder ``.SAFE``."""
    while root.parent.suffix == ".SAFE":
        root = root.parent
    return root.parent


def _as_level2a(path: Path) -> Path | None:
    """Return the folder if the path is a Level-2A product, judged by its metadata.

    Only where there are no metadata at all does the name decide.
    """
    given = path.resolve()
    if not given.is_dir() or find_level1c_metadata(given) is not None:
        return None
    if find_product_metadata(given):
        return given
    templates = {psd.level2a.product for psd in PSD.values()}
    by_name = any(template.match(given.name) is not None for template in templates)
    return given if by_name else None


def _find_level1c(path: Path) -> Path:
    """Return the Level-1C product beside a Level-2A product; return other paths unchanged."""
    level2a = _as_level2a(path)
    if level2a is None:
        return path
    names = _read_level1c_names(level2a)
    for name in names:
        for beside in list_folders(level2a.parent):
            parts = split_product_name(beside.name, "1C")
            if beside.name == name or (parts is not None and f"{''.join(parts)}.SAFE" == name):
                return beside
    siblings = _find_same_acquisition(level2a, names)
    if len(siblings) == 1:
        return siblings[0]
    listed = ", ".join(folder.name for folder in siblings)
    problem = (
        f"several Level-1C products beside it are from the same acquisition ({listed})"
        if siblings
        else f"its Level-1C product {names[0]} is not beside it"
    )
    raise InputError(
        f"{path}: is a Level-2A product, and {problem}; give the Level-1C product and --output_dir"
    )


def _read_level1c_names(level2a: Path) -> list[str]:
    """Return the names that the Level-1C product of a Level-2A product may have, by likelihood.

    An addition by the user to one name must also be in the other, since it distinguishes products.
    """
    names = [to_level1c_product(level2a.name)]
    parts = split_product_name(level2a.name, "2A")
    if parts is not None and (parts[0] or parts[2]):
        return names
    for metadata in find_product_metadata(level2a):
        try:
            document = XmlDocument(metadata)
        except InputError:
            continue
        for element in ("PRODUCT_URI_1C", "PRODUCT_URI_2A", "PRODUCT_URI"):
            found = document.find(f".//{element}")
            if found is not None and found.text and "/" not in found.text:
                names.append(to_level1c_product(found.text.strip()))
    official = [name for name in names if split_product_name(name, "1C") is not None]
    return list(dict.fromkeys(official or names))


def _find_same_acquisition(level2a: Path, names: list[str]) -> list[Path]:
    """Find the Level-1C products beside a Level-2A product that are from its acquisition.

    Names that the ground segment gives to the two levels differ in the discriminator (the time of
    processing) and sometimes in the baseline. Products of the same baseline are preferred. Renamed
    folders are identified by their metadata.
    """
    fields = next((found for name in names if (found := _parse_official(name)) is not None), None)
    if fields is None:
        return []
    baselines = {}
    for folder in list_folders(level2a.parent):
        found = _parse_official(folder.name)
        if split_product_name(folder.name, "1C") is None:
            found = _parse_official(_read_uri(folder))
        if found is not None and all(found[name] == fields[name] for name in _ACQUISITION_FIELDS):
            baselines[folder] = found["baseline_digits"]
    same = [folder for folder, digits in baselines.items() if digits == fields["baseline_digits"]]
    return same or list(baselines)


def _parse_official(name: str) -> dict[str, str] | None:
    """Return the fields of a name of a Level-1C product to which nothing was added."""
    return compact_product("1C").match(f"{name.removesuffix('.SAFE')}.SAFE")


def _read_uri(folder: Path) -> str:
    """Return the name of a Level-1C product in its metadata, or an empty text."""
    try:
        metadata = find_level1c_metadata(folder)
        uri = None if metadata is None else XmlDocument(metadata).find(".//PRODUCT_URI")
    except InputError:
        return ""
    return "" if uri is None else uri.text or ""


def _require_utf8(path: Path) -> Path:
    if not _is_utf8(_absolute(path)):
        raise InputError(f"{path}: {_NOT_UTF8}; rename it")
    return path


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (symbolic links stay)
