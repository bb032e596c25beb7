"""Level-2A metadata written from real Level-1C metadata, without images."""

from __future__ import annotations

import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sen2cor.product.level2a.content import (
    Provenance,
    QualityPercentages,
    TileOutcome,
    TileRetrieval,
)
from sen2cor.product.level2a.writer import Level2AWriter
from tests.product.level1c_samples import stand_in

RUN = Provenance(
    "1.0.0",
    datetime(2020, 1, 1, tzinfo=timezone.utc),
    b"<Level-2A_GIPP/>",
    look_up_tables=("S2A_rural_summer",),
)

DOCUMENTS = {
    "S2_User_Product_Level-2A_Metadata.xsd": ["*MTD*L2A*.xml"],
    "S2_PDI_Level-2A_Tile_Metadata.xsd": ["GRANULE/*/*MTD*.xml"],
    "S2_PDI_Level-2A_Datastrip_Metadata.xsd": ["DATASTRIP/*/*MTD*.xml"],
    "manifest": ["manifest.safe"],
}
"""The documents of a product by their schema."""

SOURCES = {
    "55JEJ": ("l1c_products/S2A_MSIL1C_20171207T002051_*_T55JEJ_*.SAFE", "14.2"),
    "56JKT": ("l1c_products/S2B_MSIL1C_20170719T000219_*_T56JKT_*.SAFE", "14.2"),
    "six tiles": ("metadata/l1c_psd13_six_tiles/*.SAFE", "13.1"),
    "13 with datastrip": ("metadata/l1c_psd13_one_tile.zip", "13.1"),
    "14 of early 2017": ("metadata/l1c_psd14_one_tile.zip", "14.2"),
    "34UCF": ("metadata/psd15_baseline_05.09/*L1C*.SAFE", "15"),
}
"""Level-1C products: folder and PSD version."""


def source(reference_data: Path, folder: Path, name: str) -> Any:
    """Return a stand-in of a Level-1C product; archives are unpacked into the folder."""
    pattern, version = SOURCES[name]
    (path,) = reference_data.glob(pattern)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / "source")
        (path,) = (folder / "source").iterdir()
    return stand_in(path, version)


def write(
    level1c: Any,
    target: Path,
    forced: str | None = None,
    ending: str = "jp2",
    schema_folder: Path | None = None,
) -> Path:
    """Write the Level-2A product of a stand-in; its images are a few bytes."""
    with Level2AWriter.begin(level1c, target, psd=forced, ending=ending) as product:
        for level1c_tile in level1c.tiles:
            tile = product.add_tile(level1c_tile)
            for resolution in (60, 20, 10):
                for kind in (*tile.list_kinds(resolution), "DEM"):
                    tile.image_path(kind, resolution).write_bytes(b"image")
            tile.image_path("PVI").write_bytes(b"image")
            quality = QualityPercentages((5, 1, 2, 3, 40, 20, 10, 4, 5, 6, 7, 2))
            retrieval = TileRetrieval(0.1, 1.5, "SEN2COR_DDV", 300.0, "AUX_ECMWFT")
            product.set_outcome(level1c_tile, TileOutcome(quality, retrieval))
        return product.finish(RUN, schema_folder=schema_folder)
