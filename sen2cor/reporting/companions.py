"""Files that are written beside a product when they are asked for."""

from __future__ import annotations

import logging
from pathlib import Path

from sen2cor.pipeline.options import Options
from sen2cor.product.level2a_reader import open_level2a
from sen2cor.reporting.quicklook import write_quick_looks
from sen2cor.reporting.stac import write_items

logger = logging.getLogger(__name__)


def write_companions(path: Path, options: Options) -> None:
    """Write quick looks and STAC items of a product, as the options say.

    Parameters
    ----------
    path : Path
        The finished Level-2A product.
    options : Options

    Raises
    ------
    InputError
        The product cannot be read.
    OutputError
        A file cannot be written.
    AuxiliaryDataError
        A package is missing.
    """
    if not (options.quick_looks or options.stac):
        return
    product = open_level2a(path)
    written: list[Path] = []
    if options.quick_looks:
        written += write_quick_looks(product, options.palette)
    if options.stac:
        written += write_items(product)
    for file in written:
        logger.info("written: %s", file)
