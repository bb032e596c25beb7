"""Tells the tile folders of a Level-1C product from other folders in ``GRANULE``."""

from __future__ import annotations

import logging
from pathlib import Path

from sen2cor.errors import InputError
from sen2cor.product.level1c.product_files import find_file, list_folders
from sen2cor.product.level1c.product_metadata import ProductMetadata
from sen2cor.product.level1c.tile_metadata import open_tile_document, read_tile_metadata
from sen2cor.product.name_templates import TILE_ID
from sen2cor.product.psd import Layout
from sen2cor.product.side_files import is_side_file

logger = logging.getLogger(__name__)


def select_tile_folders(root: Path, metadata: ProductMetadata, layout: Layout) -> list[Path]:
    """Return the tile folders that the product metadata name; others are ignored with a WARNING.

    A folder is named by the paths of the listed images, by an identifier that its name agrees
    with, or, if the user renamed it, by the identifier in its tile metadata. If the metadata name
    none of the folders, all are returned.

    Parameters
    ----------
    root : Path
        Of the product.
    metadata : ProductMetadata
    layout : Layout
        Names of Level-1C files in the format of the product.

    Raises
    ------
    InputError
        There is no tile folder, or ``GRANULE`` cannot be read.
    """
    folders = [path for path in list_folders(root / "GRANULE") if not is_side_file(Path(path.name))]
    if not folders:
        raise InputError(f"{root / 'GRANULE'}: no tile folder; fetch the product again")
    named: dict[str, Path] = {}
    for agrees in (
        lambda folder, name: folder.name == metadata.tile_folders.get(name),
        lambda folder, name: _fits_identifier(folder, name, layout),
        lambda folder, name: _read_tile_id(folder, layout) == name,
    ):
        for name in metadata.granules:
            free = [folder for folder in folders if folder not in named.values()]
            found = next(
                (folder for folder in free if name not in named and agrees(folder, name)), None
            )
            if found is not None:
                named[name] = found
    if not named:
        return folders
    ignored = [folder.name for folder in folders if folder not in named.values()]
    if ignored:
        logger.warning(
            "%s: folders in GRANULE that the product metadata do not name are ignored: %s",
            root.name,
            ", ".join(ignored),
        )
    return [folder for folder in folders if folder in named.values()]


def _fits_identifier(folder: Path, tile_id: str, layout: Layout) -> bool:
    """Tell whether all that the name of a folder says is in the identifier too."""
    parts, identifier = layout.tile_folder.match(folder.name), TILE_ID.match(tile_id)
    if parts is None or identifier is None:
        return False
    return all(identifier.get(name, text) == text for name, text in parts.items())


def _read_tile_id(folder: Path, layout: Layout) -> str | None:
    path = find_file(folder, layout.tile_metadata)
    try:
        return None if path is None else read_tile_metadata(open_tile_document(path)).tile_id
    except InputError:
        return None
