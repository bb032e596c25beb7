"""Writing of a Level-1C product to disk: images, previews, masks, metadata, manifest."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND, TILE_SIZES
from sen2cor.imagery import images, jpeg2000, preview
from sen2cor.imagery.image_writer import ImageWriter
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.grids import row_blocks
from sen2cor.simulation.level1c_writer.datastrip_document import datastrip_metadata
from sen2cor.simulation.level1c_writer.description import ProductDescription, TileDescription
from sen2cor.simulation.level1c_writer.ecmwf_grib import write_ecmwf
from sen2cor.simulation.level1c_writer.mask_files import write_masks
from sen2cor.simulation.level1c_writer.product_document import product_metadata
from sen2cor.simulation.level1c_writer.safe_manifest import inspire, manifest
from sen2cor.simulation.level1c_writer.tile_document import tile_metadata
from sen2cor.simulation.sensor import QUANTIFICATION

_COLOUR_ROWS = 1024


class ProductWriter:
    """Writes the parts of a product into a folder.

    Parameters
    ----------
    root : Path
        Folder of the product, or a temporary one that becomes it.
    product : ProductDescription
    """

    def __init__(self, root: Path, product: ProductDescription) -> None:
        self.root = root
        self.product = product

    def open_image(self, tile: TileDescription, band: str) -> ImageWriter:
        """Open the image of a band for writing."""
        resolution = BAND[band].resolution
        path = self._prepare_path(self.product.image(tile, band))
        return jpeg2000.Jpeg2000Writer(
            path, tile.grid(resolution), np.uint16, TILE_SIZES[resolution]
        )

    def finish_tile(self, tile: TileDescription) -> None:
        """Write everything of a tile except its bands, which exist already."""
        product = self.product
        if product.psd.compact:
            self._true_colour(tile)
        self._preview(tile)
        write_masks(self.root, product, tile)
        folder = product.tile_folder(tile)
        values = product.fields(tile)
        name = product.psd.level1c.tile_metadata.build(values)
        self._prepare_path(folder / name).write_bytes(tile_metadata(product, tile))
        if product.ecmwf is not None:
            auxiliary = (
                "AUX_ECMWFT"
                if product.psd.compact
                else (
                    f"{product.spacecraft}_OPER_AUX_ECMWFT_SGS__{values['created']}"
                    f"_V{values['start']}_{values['start']}"
                )
            )
            path = self._prepare_path(folder / "AUX_DATA" / auxiliary)
            write_ecmwf(path, tile, product.ecmwf, product.sensing_time)

    def finish(self) -> None:
        """Write the files of the whole product, the manifest last."""
        product = self.product
        values = product.fields()
        layout = product.psd.level1c
        strip = product.datastrip_folder()
        name = layout.datastrip_metadata.build(values)
        self._prepare_path(strip / name).write_bytes(datastrip_metadata(product))
        name = layout.product_metadata.build(values)
        self._prepare_path(Path(name)).write_bytes(product_metadata(product))
        self._prepare_path(Path("INSPIRE.xml")).write_bytes(inspire(product))
        _write_page_and_schema(self.root, product)
        (self.root / "manifest.safe").write_bytes(manifest(self.root, product))

    def _prepare_path(self, path: Path) -> Path:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        return full

    def _reflectance(
        self, tile: TileDescription, band: str, rows: slice | None = None, reduce: int = 0
    ) -> tuple[Float32Array, BoolArray]:
        numbers = jpeg2000.read(self.root / self.product.image(tile, band), rows, reduce)
        reflectance = numbers.astype(np.float32) + np.float32(self.product.offset)
        return reflectance / np.float32(QUANTIFICATION), np.asarray(numbers == 0)

    def _colour(self, tile: TileDescription, rows: slice | None = None) -> UInt8Array:
        bands, empty = [], None
        for band in ("B04", "B03", "B02"):
            reflectance, missing = self._reflectance(tile, band, rows)
            bands.append(reflectance)
            empty = missing if empty is None else empty | missing
        assert empty is not None
        return preview.true_colour(bands, empty)

    def _true_colour(self, tile: TileDescription) -> None:
        grid = tile.grid(10)
        path = self._prepare_path(self.product.image(tile, "TCI"))
        with jpeg2000.Jpeg2000Writer(path, grid, np.uint8, TILE_SIZES[10], 3) as image:
            for rows in row_blocks(grid.rows, _COLOUR_ROWS):
                image.write_rows(self._colour(tile, rows))

    def _preview(self, tile: TileDescription) -> None:
        grid = tile.grid(10)
        path = self._prepare_path(self.product.image(tile, "PVI"))
        step = max(1, grid.rows // 686)
        small = np.concatenate(
            [
                self._colour(tile, rows)[::step, ::step]
                for rows in row_blocks(grid.rows, step * max(1, _COLOUR_ROWS // step))
            ]
        )
        images.write(path, preview.make_preview(small), preview.preview_grid(grid), TILE_SIZES[10])


_SCHEMA = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Names the document only; the whole schema is part of the Products Specification Document. -->
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
  <xs:element name="Level-1C_User_Product" type="xs:anyType"/>
</xs:schema>
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{name}</title></head>
<body>
<h1>{name}</h1>
<p>{title}</p>
<p>{spacecraft}, {time}, tiles {tiles}</p>
</body>
</html>
"""


def _write_page_and_schema(root: Path, product: ProductDescription) -> None:
    """Write HTML/UserProduct_index.html and the schema in rep_info."""
    (root / "HTML").mkdir(exist_ok=True)
    (root / "HTML" / "UserProduct_index.html").write_text(
        _PAGE.format(
            name=escape(product.name()),
            title=escape(product.title),
            spacecraft=product.spacecraft,
            time=f"{product.sensing_time:%Y-%m-%d %H:%M:%S} UTC",
            tiles=", ".join(tile.mgrs for tile in product.tiles),
        ),
        encoding="utf-8",
    )
    (root / "rep_info").mkdir(exist_ok=True)
    namespace = product.psd.namespace.replace("psd-15", "psd-14")
    (root / "rep_info" / "S2_User_Product_Level-1C_Metadata.xsd").write_text(
        _SCHEMA.format(
            namespace=f"https://{namespace}.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd"
        ),
        encoding="utf-8",
    )
