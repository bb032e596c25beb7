"""What a reader script prints of a product; for scripts that run without this project.

A script is called with the folder of a Level-2A product, by the Python of the reader.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path


def tell(look: Callable[[Path], dict]) -> None:
    """Print what `look` finds in the product: bands, red, sun_zenith, classes and remarks.

    What the reader does not offer is left out. `red` is the mean of B04 at 20 m as reflectance.
    """
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    try:
        found = look(Path(sys.argv[1]))
    except Exception as error:  # whatever a reader raises is its answer
        found = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(found))


def find_images(product: Path, pattern: str) -> list[Path]:
    """Return the images of bands and maps whose names match, JPEG 2000 or GeoTIFF."""
    return [
        path
        for path in sorted(product.glob(f"GRANULE/*/IMG_DATA/**/{pattern}"))
        if path.suffix in (".jp2", ".tif")
    ]


def offset(product: Path) -> float:
    """Return the offset of B04 that the metadata hold, for readers that give plain numbers."""
    text = next(product.glob("*MTD*L2A*.xml")).read_text()
    _, found, rest = text.partition('<BOA_ADD_OFFSET band_id="3">')
    return float(rest.partition("<")[0]) if found else 0.0
