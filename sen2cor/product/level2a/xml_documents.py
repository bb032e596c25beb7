"""Write the documents of a Level-2A product: metadata, schemas, INSPIRE metadata, manifest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sen2cor.product.checksums import MANIFEST_NAME
from sen2cor.product.level2a import metadata_schemas
from sen2cor.product.level2a.content import Provenance, TileContent
from sen2cor.product.level2a.datastrip_document import build_datastrip_metadata
from sen2cor.product.level2a.manifest import build_manifest
from sen2cor.product.level2a.product_document import build_product_metadata
from sen2cor.product.level2a.region_documents import (
    crop_inspire_text,
    crop_product_document,
    crop_tile_document,
)
from sen2cor.product.level2a.tile_document import build_tile_metadata
from sen2cor.product.level2a.xml_editing import write_document
from sen2cor.product.name_templates import to_level2a
from sen2cor.product.psd import Psd
from sen2cor.raster.grids import Grid
from sen2cor.xml_document import Element, parse_xml

if TYPE_CHECKING:
    from sen2cor.product.level1c.reader import Level1CDatastrip, Level1CProduct, Level1CTile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DocumentWriter:
    """Writes the documents of one product.

    Each is validated first; what is invalid is logged as a warning.

    Attributes
    ----------
    root : Path
        Folder of the product.
    level1c : Level1CProduct
    psd : Psd
        Format to write.
    provenance : Provenance
    schema_folder : Path or None
        Folder of official schemas, which are used instead of those in ``rep_info``.
    """

    root: Path
    level1c: Level1CProduct
    psd: Psd
    provenance: Provenance
    schema_folder: Path | None

    def write_tile_metadata(self, level1c_tile: Level1CTile, content: TileContent) -> None:
        """Write the metadata of a tile."""
        level1c = parse_xml(level1c_tile.metadata_path, editable=True)
        if level1c_tile.window is not None:
            crop_tile_document(level1c, level1c_tile)
        document = build_tile_metadata(
            level1c,
            self.psd,
            content=content,
            accuracy=self.provenance.accuracy,
        )
        self._validate(document, "S2_PDI_Level-2A_Tile_Metadata.xsd")
        write_document(
            document, tile_metadata_path(self.root / content.folder, level1c_tile, self.psd)
        )

    def write_datastrip_metadata(
        self, datastrip: Level1CDatastrip, tiles: Sequence[TileContent]
    ) -> None:
        """Write the metadata of a datastrip that contains tiles of the product."""
        identifier = to_level2a(datastrip.datastrip_id, self.psd.file_class)
        tile_ids = [tile.tile_id for tile in tiles if tile.datastrip_id == identifier]
        if datastrip.metadata_path is None or not tile_ids:
            return
        document = build_datastrip_metadata(
            parse_xml(datastrip.metadata_path, editable=True),
            self.psd,
            tile_ids=tile_ids,
            quantification=self.level1c.quantification_value,
            provenance=self.provenance,
        )
        self._validate(document, "S2_PDI_Level-2A_Datastrip_Metadata.xsd")
        name = to_level2a(datastrip.metadata_path.name, self.psd.file_class)
        write_document(document, datastrip_folder(self.root, datastrip, self.psd) / name)

    def write_product_metadata(self, name: str, tiles: Sequence[TileContent]) -> None:
        """Write the metadata of the product.

        Parameters
        ----------
        name : str
            Final name of the product.
        tiles : sequence of TileContent
        """
        level1c = parse_xml(self.level1c.metadata_path, editable=True)
        if self._cropped_grids:
            crop_product_document(level1c, self._cropped_grids)
        document = build_product_metadata(
            level1c,
            self.psd,
            level1c_name=self.level1c.name,
            name=name,
            quantification=self.level1c.quantification_value,
            tiles=tiles,
            provenance=self.provenance,
        )
        self._validate(document, "S2_User_Product_Level-2A_Metadata.xsd")
        write_document(document, self._product_metadata_path)

    def write_inspire_metadata(self) -> None:
        """Write the INSPIRE metadata, which are those of Level-1C with other names."""
        source = self.level1c.root / "INSPIRE.xml"
        if source.is_file():
            text = source.read_text(encoding="utf-8", errors="surrogateescape")
            if self._cropped_grids:
                text = crop_inspire_text(text, self._cropped_grids)
            target = self.root / source.name
            target.unlink(missing_ok=True)
            target.write_text(
                to_level2a(text, self.psd.file_class), encoding="utf-8", errors="surrogateescape"
            )

    def write_schemas(self) -> None:
        """Write the schemas of the metadata into ``rep_info``."""
        for name, schema in metadata_schemas.build_structure_schemas(self.psd).items():
            write_document(schema, self.root / "rep_info" / name)

    def write_manifest(self) -> None:
        """Write the manifest; all other files must exist."""
        document = build_manifest(
            self.root, self.psd, self._product_metadata_path, self.level1c.root / MANIFEST_NAME
        )
        self._validate(document, "manifest")
        write_document(document, self.root / MANIFEST_NAME)

    @property
    def _cropped_grids(self) -> list[Grid]:
        """Grids of the tiles of which only a part is written."""
        return [tile.grids[10] for tile in self.level1c.tiles if tile.window is not None]

    @property
    def _product_metadata_path(self) -> Path:
        return self.root / to_level2a(self.level1c.metadata_path.name, self.psd.file_class)

    def _validate(self, document: Element, file_name: str) -> None:
        schema = metadata_schemas.select_schema(self.psd, file_name, self.schema_folder)
        if schema is not None:
            for problem in metadata_schemas.find_problems(document, schema):
                logger.warning("%s: invalid metadata: %s", file_name, problem)


def tile_metadata_path(folder: Path, level1c_tile: Level1CTile, psd: Psd) -> Path:
    """Return the path of the metadata inside a Level-2A tile folder."""
    return folder / to_level2a(level1c_tile.metadata_path.name, psd.file_class)


def datastrip_folder(root: Path, datastrip: Level1CDatastrip, psd: Psd) -> Path:
    """Return the folder of a datastrip inside a Level-2A product."""
    name = datastrip.folder.name if datastrip.folder else datastrip.datastrip_id
    return root / "DATASTRIP" / to_level2a(name, psd.file_class)
