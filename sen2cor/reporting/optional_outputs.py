"""Files that are written beside a product when they are asked for."""

from __future__ import annotations

import logging
from pathlib import Path

from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.quicklook import write_quick_looks
from sen2cor.reporting.stac import write_items

logger = logging.getLogger(__name__)


def write_optional_outputs(path: Path, *, quick_looks: bool, stac: bool, palette: str) -> None:
    """Write quick looks and STAC items of a product where they are wanted.

    Parameters
    ----------
    path : Path
        The finished Level-2A product.
    quick_looks, stac : bool
    palette : str
        Name of the colours of the classes.

    Raises
    ------
    InputError
        The product cannot be read.
    OutputError
        A file cannot be written.
    AuxiliaryDataError
        A package is missing.
    """
    if not (quick_looks or stac):
        return
    product = open_level2a(path)
    written: list[Path] = []
    if quick_looks:
        written += write_quick_looks(product, palette)
    if stac:
        written += write_items(product)
    for file in written:
        logger.info("written: %s", file)
