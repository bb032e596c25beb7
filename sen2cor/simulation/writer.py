"""Lays out a Level-1C product on disk: images, previews, masks, metadata, manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sen2cor.bands import BAND, TILE_SIZES
from sen2cor.imagery import images, jpeg2000, preview
from sen2cor.imagery.image_writer import ImageWriter
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.simulation.datastrip import datastrip_metadata
from sen2cor.simulation.description import ProductDescription, TileDescription
from sen2cor.simulation.manifest import inspire, manifest
from sen2cor.simulation.metadata import user_product
from sen2cor.simulation.page_and_schema import write_optional_outputs
from sen2cor.simulation.quality_masks import write_masks
from sen2cor.simulation.sensor import QUANTIFICATION
from sen2cor.simulation.tile_metadata import tile_metadata
from sen2cor.simulation.weather import write_weather

_COLOUR_ROWS = 1024


class ProductWriter:
    """Writes a product part by part into a folder.

    Parameters
    ----------
    root : Path
        The product's folder (or a temporary one that becomes it).
    product : ProductDescription
    """

    def __init__(self, root: Path, product: ProductDescription) -> None:
        self.root = root
        self.product = product

    def image(self, tile: TileDescription, band: str) -> ImageWriter:
        """Open the image of a band for writing."""
        resolution = BAND[band].resolution
        path = self._place(self.product.image(tile, band))
        return jpeg2000.Jpeg2000Writer(
            path, tile.grid(resolution), np.uint16, TILE_SIZES[resolution]
        )

    def finish_tile(self, tile: TileDescription) -> None:
        """Write all of a tile but its bands, which are there already."""
        product = self.product
        if product.psd.compact:
            self._true_colour(tile)
        self._preview(tile)
        write_masks(self.root, product, tile)
        folder = product.tile_folder(tile)
        values = product.fields(tile)
        name = product.psd.level1c.tile_metadata.build(values)
        self._place(folder / name).write_bytes(tile_metadata(product, tile))
        if product.meteorology is not None:
            weather = (
                "AUX_ECMWFT"
                if product.psd.compact
                else (
                    f"{product.spacecraft}_OPER_AUX_ECMWFT_SGS__{values['created']}"
                    f"_V{values['start']}_{values['start']}"
                )
            )
            path = self._place(folder / "AUX_DATA" / weather)
            write_weather(path, tile, product.meteorology, product.sensing_time)

    def finish(self) -> None:
        """Write what belongs to the whole product, the manifest last."""
        product = self.product
        values = product.fields()
        layout = product.psd.level1c
        strip = product.datastrip_folder()
        name = layout.datastrip_metadata.build(values)
        self._place(strip / name).write_bytes(datastrip_metadata(product))
        name = layout.product_metadata.build(values)
        self._place(Path(name)).write_bytes(user_product(product))
        self._place(Path("INSPIRE.xml")).write_bytes(inspire(product))
        write_optional_outputs(self.root, product)
        (self.root / "manifest.safe").write_bytes(manifest(self.root, product))

    def _place(self, path: Path) -> Path:
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
        path = self._place(self.product.image(tile, "TCI"))
        with jpeg2000.Jpeg2000Writer(path, grid, np.uint8, TILE_SIZES[10], 3) as image:
            for start in range(0, grid.rows, _COLOUR_ROWS):
                rows = slice(start, min(start + _COLOUR_ROWS, grid.rows))
                image.write_rows(self._colour(tile, rows))

    def _preview(self, tile: TileDescription) -> None:
        grid = tile.grid(10)
        path = self._place(self.product.image(tile, "PVI"))
        step = max(1, grid.rows // 686)
        small = np.concatenate(
            [
                self._colour(tile, rows)[::step, ::step]
                for rows in _strips(grid.rows, step * max(1, _COLOUR_ROWS // step))
            ]
        )
        images.write(path, preview.make_preview(small), preview.preview_grid(grid), TILE_SIZES[10])


def _strips(rows: int, height: int) -> list[slice]:
    return [slice(start, min(start + height, rows)) for start in range(0, rows, height)]
