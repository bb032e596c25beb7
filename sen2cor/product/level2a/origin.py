"""Whether an existing Level-2A product can be completed: same processor, same format."""

from __future__ import annotations

import json
from pathlib import Path

from sen2cor.errors import ConfigurationError, InputError, OutputError
from sen2cor.product.level2a.files import (
    find_image_of_other_ending,
    find_product_metadata,
    list_tile_folders,
    read_earlier_metadata,
)
from sen2cor.product.level2a.xml_editing import namespace
from sen2cor.product.psd import PSD, Psd
from sen2cor.product.side_files import is_side_file
from sen2cor.xml_document import Element, parse_xml

RUN_JSON_FORMAT = "sen2cor run 1"
"""Value of ``format`` in run.json."""

GIPP_TYPES = ("GIP_Level-2Ap", "GIP_L2AUSR")
"""Types of the processing parameters in the product metadata, up to format 14.2 and later."""

_FIRST_VERSION_OF_ESA = 2
"""Versions of this processor are below; those of Sen2Cor that write these types are not."""

_OWN_ELEMENT = "PSD_Output"
"""Element of the processing parameters that Sen2Cor does not have."""


def is_foreign(root: Path) -> bool:
    """Tell whether a folder holds files, and nothing in it says that this processor wrote it.

    A product of this processor has its run.json, or processing parameters that only this processor
    knows, or names them in its metadata.
    """
    if not any(
        path.is_file() and not is_side_file(path.relative_to(root)) for path in root.rglob("*")
    ):
        return False
    return not (
        any(_is_own_record(path) for path in sorted(root.glob("*run.json")))
        or any(_are_own_parameters(path) for path in _list_parameters(root))
        or any(_are_own_metadata(path) for path in find_product_metadata(root))
    )


def report_foreign(path: Path) -> OutputError:
    """Return the error of a folder that another program wrote."""
    what = "a Level-2A product of another processor" if find_product_metadata(path) else "a folder"
    return OutputError(
        f"{path}: exists, and is {what}: nothing in it says that this processor wrote it, so it is "
        "not written into; choose another folder with --output_dir"
    )


def check_format(path: Path, psd: Psd, ending: str) -> None:
    """Refuse to mix two formats in one product.

    Only the names of images that the format knows decide; an image that exists in both formats
    was exported beside the one of the product.

    Parameters
    ----------
    path : Path
        Product, existing or not.
    psd : Psd
        Format that is to be written.
    ending : {"jp2", "tif"}
        Of the images that are to be written.

    Raises
    ------
    ConfigurationError
        The product exists in another format, or with the other images.
    """
    for folder in list_tile_folders(path, psd):
        other = find_image_of_other_ending(folder, psd, ending)
        if other is not None:
            raise ConfigurationError(
                f"{path}: exists with {other.suffix} images such as {other.name}; "
                "remove it or choose another folder with --output_dir"
            )
    for file in find_product_metadata(path):
        root = read_earlier_metadata(file)
        wanted = namespace(psd.namespace, "User_Product_Level-2A.xsd")
        if root is not None and not (
            root.tag.startswith(f"{{{wanted}}}")
            and root.find(f".//{psd.prefix}Product_Info") is not None
        ):
            raise ConfigurationError(
                f"{path}: exists in another format than PSD {psd.version}; "
                "remove it or choose another folder with --output_dir"
            )


def _is_own_record(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    form = content.get("format") if isinstance(content, dict) else None
    return isinstance(form, str) and form.startswith(RUN_JSON_FORMAT.rpartition(" ")[0])


def _list_parameters(root: Path) -> list[Path]:
    return [
        path
        for psd in PSD.values()
        for folder in list_tile_folders(root, psd)
        for path in sorted((folder / "AUX_DATA").glob("*.xml"))
        if psd.level2a.gipp is not None
        and psd.level2a.gipp.match(path.relative_to(folder).as_posix()) is not None
    ]


def _are_own_parameters(path: Path) -> bool:
    root = _read(path)
    return root is not None and root.find(f".//{_OWN_ELEMENT}") is not None


def _are_own_metadata(path: Path) -> bool:
    root = _read(path)
    if root is None:
        return False
    return any(
        element.get("type") in GIPP_TYPES and _is_own_version(element.get("version", ""))
        for element in root.iter("{*}GIPP_FILENAME")
    )


def _is_own_version(version: str) -> bool:
    major = version.partition(".")[0]
    return "." in version and major.isdecimal() and int(major) < _FIRST_VERSION_OF_ESA


def _read(path: Path) -> Element | None:
    try:
        return parse_xml(path)
    except InputError:
        return None
