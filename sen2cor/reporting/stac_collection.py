"""A STAC collection of the Level-2A products of a folder.

``python -m sen2cor.reporting.stac_collection FOLDER`` writes the item of each product,
``collection.json``, and ``items.json``, the list of all items.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sen2cor.errors import InputError, Sen2CorError
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.stac import build_address, write_document, write_items

logger = logging.getLogger(__name__)

COLLECTION = "sentinel-2-l2a-sen2cor"
"""Identifier of the collection."""

_SUMMARIES = ("platform", "constellation", "instruments", "gsd", "grid:code", "proj:code")


def write_collection(
    folder: Path, base: str | None = None, identifier: str = COLLECTION
) -> tuple[Path, Path]:
    """Write the items of all products in a folder, their collection, and the list of items.

    Parameters
    ----------
    folder : Path
    base : str, optional
        Address of the folder; without, all paths are relative.
    identifier : str
        Of the collection.

    Returns
    -------
    (Path, Path)
        ``collection.json`` and ``items.json``.

    Raises
    ------
    InputError
        The folder holds no Level-2A product of this processor.
    AuxiliaryDataError
        pystac is not installed.
    OutputError
        A file cannot be written.
    """
    paths = []
    for product in sorted(folder.glob("*.SAFE")):
        if find_product_metadata(product):
            try:
                paths += write_items(open_level2a(product), base, identifier)
            except InputError as error:
                logger.warning("left out: %s", error)
    if not paths:
        raise InputError(f"{folder}: holds no Level-2A product")
    items = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    collection, listed = folder / "collection.json", folder / "items.json"
    write_document(collection, _build_collection(items, [path.name for path in paths], base,
                                                 identifier))  # fmt: skip
    write_document(listed, {"type": "FeatureCollection", "features": items})
    return collection, listed


def _build_collection(
    items: Sequence[dict[str, Any]], names: Sequence[str], base: str | None, identifier: str
) -> dict[str, Any]:
    properties = [item["properties"] for item in items]
    boxes = [item["bbox"] for item in items]
    starts = sorted(found["start_datetime"] for found in properties)
    ends = sorted(found["end_datetime"] for found in properties)
    links = [{"rel": "root", "href": build_address(base, "collection.json")}]
    if base is not None:
        links.append({"rel": "self", "href": build_address(base, "collection.json")})
    links += [{"rel": "item", "href": build_address(base, name)} for name in names]
    return {
        "type": "Collection",
        "stac_version": items[0]["stac_version"],
        "stac_extensions": items[0]["stac_extensions"],
        "id": identifier,
        "title": "Sentinel-2 Level-2A, processed by sen2cor",
        "description": "Surface reflectance, aerosol optical thickness, water vapour and scene "
        "classification from Level-1C products of Sentinel-2.",
        "license": "other",
        "keywords": ["Sentinel-2", "Level-2A", "surface reflectance"],
        "providers": [
            {"name": "European Union, Copernicus programme", "roles": ["licensor"]},
            {"name": "European Space Agency", "roles": ["producer"]},
        ],
        "extent": {
            "spatial": {"bbox": [_unite(boxes)]},
            "temporal": {"interval": [[starts[0], ends[-1]]]},
        },
        "summaries": {
            key: _list_values([found[key] for found in properties if key in found])
            for key in _SUMMARIES
        },
        "item_assets": _define_assets(items),
        "links": [{**link, "type": "application/json"} for link in links],
    }


def _unite(boxes: Sequence[Sequence[float]]) -> list[float]:
    """Return the box around boxes; all longitudes if one of them crosses the date line."""
    west, south, east, north = (list(side) for side in zip(*boxes, strict=True))
    if any(left > right for left, right in zip(west, east, strict=True)):
        return [-180.0, min(south), 180.0, max(north)]
    return [min(west), min(south), max(east), max(north)]


def _list_values(values: Sequence[Any]) -> list[Any]:
    """Return the different values, those of lists one by one."""
    single = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return sorted(set(single))


def _define_assets(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Describe the assets that all items have, without what belongs to one item."""
    own = ("href", "proj:shape", "proj:transform")
    common = set(items[0]["assets"]).intersection(*(item["assets"] for item in items))
    return {
        key: {name: value for name, value in asset.items() if name not in own}
        for key, asset in items[0]["assets"].items()
        if key in common
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the collection of a folder; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.reporting.stac_collection", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="folder of Level-2A products")
    parser.add_argument("--stac-base", metavar="URL", help="address of the folder")
    parser.add_argument("--id", default=COLLECTION, help="identifier (default: %(default)s)")
    values = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        for path in write_collection(values.folder, values.stac_base, values.id):
            print(path)
    except Sen2CorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
