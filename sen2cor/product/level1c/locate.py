"""What the path that a user gives is, and what the product there is called."""

from __future__ import annotations

import logging
import os
import zipfile
from pathlib import Path

from sen2cor.errors import InputError
from sen2cor.product.psd import PSD

logger = logging.getLogger(__name__)

_IMAGES = (".jp2", ".tif", ".tiff", ".png", ".jpg", ".img")
_EXPECTED = "expected the folder (.SAFE) of a Level-1C product, or a tile folder in its GRANULE"


def locate(path: Path) -> tuple[Path, Path, Path | None]:
    """Find the product that a path belongs to.

    Parameters
    ----------
    path : Path
        Absolute or relative.

    Returns
    -------
    root, metadata : Path
        Folder of the product and its metadata file.
    tile : Path or None
        The folder of the tile, if the path is one.

    Raises
    ------
    InputError
        It is something else; the message says what.
    """
    # unlike Path.resolve this keeps symbolic links, whose names and places the user chose
    path = Path(os.path.abspath(path))  # noqa: PTH100
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; {_EXPECTED}")
    if not path.is_dir():
        raise InputError(f"{path}: is {_kind_of_file(path)}; {_EXPECTED}")
    metadata = _product_metadata(path)
    if metadata is not None:
        return path, metadata, None
    product = path.parent.parent
    if path.parent.name == "GRANULE":
        metadata = _product_metadata(product)
        if metadata is not None:
            return product, metadata, path
    raise InputError(f"{path}: {_kind_of_folder(path)}; {_EXPECTED}")


def official_name(root: Path, metadata_path: Path, uri: str) -> str:
    """Return the name of a product, with ``.SAFE``.

    It is the name of the folder, or, if the user renamed that, the one of the metadata.

    Parameters
    ----------
    root, metadata_path : Path
    uri : str
        PRODUCT_URI of the metadata.
    """
    # long names have their PRODUCT_URI from an archive; there the file's name tells the product's
    by_file = metadata_path.stem.replace("_MTD_SAFL1C_", "_PRD_MSIL1C_")
    templates = {psd.level1c.product for psd in PSD.values()}
    for name in (root.name, uri, by_file):
        with_ending = name if name.endswith(".SAFE") else f"{name}.SAFE"
        if any(template.match(with_ending) is not None for template in templates):
            if with_ending != root.name:
                logger.warning("%s: is the product %s under another name", root, with_ending)
            return with_ending
    logger.warning("%s: neither folder nor metadata bear the name of a product", root)
    return root.name if root.name.endswith(".SAFE") else f"{root.name}.SAFE"


def _product_metadata(folder: Path) -> Path | None:
    templates = {psd.level1c.product_metadata for psd in PSD.values()}
    for path in files_in(folder):
        if any(template.match(path.name) is not None for template in templates):
            return path
    return None


def files_in(folder: Path) -> list[Path]:
    """Return the visible files of a folder, sorted; none if there is no such folder.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    return [path for path in _entries(folder) if path.is_file()]


def folders_in(folder: Path) -> list[Path]:
    """Return the visible folders in a folder, sorted; none if there is no such folder.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    return [path for path in _entries(folder) if path.is_dir()]


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error


def _kind_of_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _IMAGES:
        return "an image"
    if suffix == ".xml":
        return "a metadata file"
    if zipfile.is_zipfile(path):
        return "a zip archive (unpack it first)"
    return "a file"


def _kind_of_folder(path: Path) -> str:
    for folder, what in ((path, "a"), (path.parent.parent, "part of a")):
        names = [file.name for file in files_in(folder)] if os.access(folder, os.R_OK) else []
        for level in ("2A", "1B", "1A"):
            if any(f"MTD_MSIL{level}" in name or f"_MTD_SAFL{level}_" in name for name in names):
                return f"is {what} Level-{level} product"
    nested = [child.name for child in folders_in(path) if child.suffix == ".SAFE"]
    if nested:
        return f"is a folder around the product {nested[0]}"
    return "is a folder without the metadata of a product (MTD_MSIL1C.xml or *_MTD_SAFL1C_*.xml)"
