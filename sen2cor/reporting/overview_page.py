"""A page that lists the Level-2A products of a folder, with links to their reports.

``python -m sen2cor.reporting.overview_page FOLDER`` writes ``FOLDER/index.html``. The page needs no
network; its links are relative.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sen2cor.errors import InputError, Sen2CorError
from sen2cor.files import raise_output_error, write_atomically
from sen2cor.optional_packages import require
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.reader import Level2AReader, open_level2a

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProductRow:
    """A line of the page.

    Attributes
    ----------
    name : str
        Folder of the product.
    sensed : str
        Date and time in UTC.
    tiles : str
    cloud_cover : float
        Percent.
    aot, water_vapour : float or None
        Means of the tiles, as the record of the last run states them.
    seconds : float or None
    warnings : int
    report, quick_look : str or None
        Relative addresses.
    """

    name: str
    sensed: str
    tiles: str
    cloud_cover: float
    aot: float | None
    water_vapour: float | None
    seconds: float | None
    warnings: int
    report: str | None
    quick_look: str | None


def list_products(folder: Path) -> list[ProductRow]:
    """Describe the products of a folder, the latest acquisition first.

    Products that cannot be read are left out with a warning.
    """
    rows = []
    for path in sorted(folder.glob("*.SAFE")):
        if find_product_metadata(path):
            try:
                rows.append(_describe(open_level2a(path)))
            except InputError as error:
                logger.warning("left out: %s", error)
    return sorted(rows, key=lambda row: (row.sensed, row.name), reverse=True)


def write_overview(folder: Path) -> Path:
    """Write ``index.html`` of a folder.

    Raises
    ------
    InputError
        The folder holds no Level-2A product.
    AuxiliaryDataError
        The packages of the extra ``report`` are not installed.
    OutputError
        The page cannot be written.
    """
    require("report", "the overview")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rows = list_products(folder)
    if not rows:
        raise InputError(f"{folder}: holds no Level-2A product")
    environment = Environment(
        loader=PackageLoader("sen2cor.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("overview.html").render(rows=rows, folder=folder.resolve().name)
    path = folder / "index.html"
    with raise_output_error(path):
        write_atomically(path, page.encode(errors="backslashreplace"))
    return path


def _describe(product: Level2AReader) -> ProductRow:
    record = _read_record(product.path)
    retrievals = [
        tile["retrieval"] for tile in record.get("tiles", {}).values() if tile.get("retrieval")
    ]
    report = max(product.path.glob("*_report.html"), default=None)
    look = product.path.with_name(f"{product.path.name.removesuffix('.SAFE')}_TCI.png")
    return ProductRow(
        name=product.path.name,
        sensed=f"{product.start:%Y-%m-%d %H:%M}",
        tiles=", ".join(tile.mgrs for tile in product.tiles),
        cloud_cover=product.cloud_cover,
        aot=_average([retrieval.get("mean_aot") for retrieval in retrievals]),
        water_vapour=_average([retrieval.get("mean_water_vapour") for retrieval in retrievals]),
        seconds=record.get("seconds"),
        warnings=len(record.get("warnings", ())),
        report=None if report is None else quote(f"{product.path.name}/{report.name}"),
        quick_look=quote(look.name) if look.is_file() else None,
    )


def _read_record(product: Path) -> dict[str, Any]:
    """Read the last run.json of a product; empty if there is none that can be read."""
    for path in sorted(product.glob("*_run.json"), reverse=True):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            return content
    return {}


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page of a folder; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.reporting.overview_page", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="folder of Level-2A products")
    values = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        print(write_overview(values.folder))
    except Sen2CorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
