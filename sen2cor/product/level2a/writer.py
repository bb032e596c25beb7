"""A Level-2A product: begun in a temporary folder, filled with images, finished by one rename."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sen2cor.errors import ConfigurationError, InputError
from sen2cor.product import naming
from sen2cor.product.level2a import metadata_schemas
from sen2cor.product.level2a.content import Provenance
from sen2cor.product.level2a.datastrip_document import build_datastrip_metadata
from sen2cor.product.level2a.document_editing import namespace, write_document
from sen2cor.product.level2a.manifest import MANIFEST_NAME, build_manifest
from sen2cor.product.level2a.product_document import build_product_metadata
from sen2cor.product.level2a.tile import Level2ATile, tile_from_metadata
from sen2cor.product.level2a.tile_document import build_tile_metadata
from sen2cor.product.level2a.workspace import Workspace, writing
from sen2cor.product.level2a.xml_report import claim_report
from sen2cor.product.naming import to_level2a
from sen2cor.product.psd import Psd, output_psd
from sen2cor.xml_document import Element, parse_xml

if TYPE_CHECKING:
    from sen2cor.product.level1c.reader import Level1CDatastrip, Level1CProduct, Level1CTile

__all__ = ["Level2ATile", "Level2AWriter", "locate_level2a"]

logger = logging.getLogger(__name__)

# Side files of other programs, which are no part of a product.
_FOREIGN_ENDINGS = {".gfs", ".aux", ".ovr"}


def locate_level2a(
    level1c: Level1CProduct, target_directory: Path, *, psd: str | None = None
) -> Path:
    """Return where the Level-2A product of a Level-1C product stands, or will stand."""
    form = output_psd(level1c.psd, psd)
    name = to_level2a(level1c.name, form.file_class)
    if name == level1c.name:
        # A product whose folder was renamed keeps its new name.
        name = f"{name.removesuffix('.SAFE')}_L2A.SAFE"
    return target_directory / name


class Level2AWriter:
    """A Level-2A product in the making; use `begin`.

    As a context manager it is abandoned when the block is left before `finish`.

    Attributes
    ----------
    path : Path
        Where the product will stand.
    exists_before : bool
        Whether there was a product already; its files were taken over.
    psd : Psd
        The format that is written.
    """

    def __init__(
        self,
        level1c: Level1CProduct,
        psd: Psd,
        workspace: Workspace,
        exists_before: bool,
        ending: str,
    ) -> None:
        self.psd = psd
        self.path = workspace.final
        self.exists_before = exists_before
        self._level1c = level1c
        self._workspace = workspace
        self._ending = ending
        self._tiles: dict[str, tuple[Level1CTile, Level2ATile]] = {}
        self._open = True

    @classmethod
    def begin(
        cls,
        level1c: Level1CProduct,
        target_directory: Path,
        *,
        name: str | None = None,
        psd: str | None = None,
        true_colour: bool = True,
        ending: str = "jp2",
    ) -> Level2AWriter:
        """Start a product, or open one that exists to add to it.

        Parameters
        ----------
        level1c : Level1CProduct
        target_directory : Path
            Made if it is not there.
        name : str or None
            Of the product; None: the one that belongs to the name of the Level-1C product.
        psd : str or None
            Format to write; None: the one that belongs to the input.
        true_colour : bool
            Whether true colour images are written, in the formats that have them.
        ending : {"jp2", "tif"}
            Of the images.

        Raises
        ------
        ConfigurationError
            If the input cannot be written in that format, or the product exists in another one.
        LockedError
            If another run is working on the product.
        OutputError
            If the folder cannot be written.
        """
        form = output_psd(level1c.psd, psd)
        form = replace(form, true_colour=form.true_colour and true_colour)
        path = (
            target_directory / name if name else locate_level2a(level1c, target_directory, psd=psd)
        )
        _check_format(path, form, ending)
        workspace = Workspace.claim(path)
        try:
            exists_before = workspace.carry_over()
        except BaseException:
            workspace.remove()
            raise
        return cls(level1c, form, workspace, exists_before, ending)

    def __enter__(self) -> Level2AWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abandon()

    def tile(self, level1c_tile: Level1CTile) -> Level2ATile:
        """Return the Level-2A tile of a Level-1C tile; it becomes part of the product.

        Raises
        ------
        InputError
            If the names of its files cannot be made from its identifiers.
        """
        if level1c_tile.tile_id not in self._tiles:
            tile = self._new_tile(level1c_tile)
            self._tiles[level1c_tile.tile_id] = (level1c_tile, tile)
        return self._tiles[level1c_tile.tile_id][1]

    def drop(self, level1c_tile: Level1CTile) -> None:
        """Take a tile that failed out of the product; what it had in earlier runs stays."""
        folder = self.tile(level1c_tile).folder
        del self._tiles[level1c_tile.tile_id]
        self._workspace.restore(folder)

    def finish(self, run: Provenance, *, schema_folder: Path | None = None) -> Path:
        """Write the metadata from what is on disk and put the product in its place.

        Parameters
        ----------
        run : Provenance
        schema_folder : Path or None
            Folder of official schemas; the metadata are checked by them instead of by those in
            ``rep_info``. What is invalid is logged as a warning.

        Returns
        -------
        Path
            The final path.

        Raises
        ------
        InputError
            If metadata of Level-1C cannot be read.
        OutputError
            If something cannot be written; a product that was there before stays as it was.
        """
        root = self._workspace.product
        with writing(root):
            self._copy_inherited(root)
            for level1c_tile, tile in self._tiles.values():
                self._write_tile(level1c_tile, tile, run, schema_folder)
            tiles = self._all_tiles(root)
            for datastrip in self._level1c.datastrips:
                self._write_datastrip(datastrip, root, tiles, run, schema_folder)
            product_file = self._write_product(root, tiles, run, schema_folder)
            self._write_inspire(root)
            for name, schema in metadata_schemas.build_structure_schemas(self.psd).items():
                write_document(schema, root / "rep_info" / name)
            self._write_reports(root, run)
            document = build_manifest(
                root, self.psd, product_file, self._level1c.root / MANIFEST_NAME
            )
            self._check(document, "manifest", schema_folder)
            write_document(document, root / MANIFEST_NAME)
            self._workspace.publish()
        self._open = False
        return self.path

    def abandon(self) -> None:
        """Remove the temporary folder; a product that was there before stays as it was."""
        # Once it is closed the temporary folder, if there is one, belongs to another run.
        if self._open:
            self._open = False
            self._workspace.remove()

    def _new_tile(self, level1c_tile: Level1CTile) -> Level2ATile:
        tile_id = to_level2a(level1c_tile.tile_id, self.psd.file_class)
        fields = {**self._common_fields(), "mgrs": level1c_tile.mgrs}
        fields.update(naming.TILE_ID.match(tile_id) or {})
        name = to_level2a(level1c_tile.folder.name, self.psd.file_class)
        if name == level1c_tile.folder.name:
            name = f"L2A_{name}"
        tile = Level2ATile(
            tile_id=tile_id,
            datastrip_id=to_level2a(level1c_tile.datastrip_id, self.psd.file_class),
            folder=self._workspace.product / "GRANULE" / name,
            psd=self.psd,
            fields=fields,
        )
        try:
            self.psd.level2a.image("SCL", {**fields, "resolution": "20"})
        except ValueError as error:
            raise InputError(f"{level1c_tile.metadata_path}: {error}") from error
        with writing(tile.folder):
            tile.folder.mkdir(parents=True, exist_ok=True)
        return tile

    def _common_fields(self) -> dict[str, str]:
        start = naming.fields(datatake_start=self._level1c.datatake_start)
        return {**start, "ending": self._ending}

    def _copy_inherited(self, root: Path) -> None:
        source = self._level1c.root
        for name in ("AUX_DATA", "HTML"):
            _copy_folder(source / name, root / name)
        for datastrip in self._level1c.datastrips:
            if datastrip.folder is not None:
                target = self._datastrip_folder(datastrip, root)
                _copy_folder(datastrip.folder / "QI_DATA", target / "QI_DATA")
        for level1c_tile, tile in self._tiles.values():
            _copy_folder(level1c_tile.folder / "AUX_DATA", tile.folder / "AUX_DATA")
            _copy_folder(level1c_tile.folder / "QI_DATA", tile.folder / "QI_DATA", without="PVI")

    def _write_tile(
        self,
        level1c_tile: Level1CTile,
        tile: Level2ATile,
        run: Provenance,
        schema_folder: Path | None,
    ) -> None:
        if run.gipp:
            tile.gipp_path.parent.mkdir(parents=True, exist_ok=True)
            tile.gipp_path.unlink(missing_ok=True)
            tile.gipp_path.write_bytes(run.gipp)
        path = self._tile_metadata_path(tile, level1c_tile)
        tile.complete_from_disk(_read_earlier(path))
        summary = tile.summary()
        document = build_tile_metadata(
            parse_xml(level1c_tile.metadata_path, editable=True),
            self.psd,
            state=tile.state(),
            quality=summary.quality,
            accuracy=run.accuracy,
            retrieval=summary.retrieval,
        )
        self._check(document, "S2_PDI_Level-2A_Tile_Metadata.xsd", schema_folder)
        write_document(document, path)

    def _tile_metadata_path(self, tile: Level2ATile, level1c_tile: Level1CTile) -> Path:
        return tile.folder / to_level2a(level1c_tile.metadata_path.name, self.psd.file_class)

    def _all_tiles(self, root: Path) -> list[Level2ATile]:
        """Return the tiles of this run and those that the product had before."""
        own = {tile.folder: tile for _, tile in self._tiles.values()}
        tiles = []
        folder = root / "GRANULE"
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path in own:
                tiles.append(own[path])
                continue
            documents = map(_read_earlier, sorted(path.glob("*MTD*.xml")))
            document = next((found for found in documents if found is not None), None)
            if document is None:
                logger.warning("%s has no metadata, it is not listed", path.name)
                continue
            tile = tile_from_metadata(document, path, self.psd, self._common_fields())
            tile.complete_from_disk(document)
            tiles.append(tile)
        return tiles

    def _write_datastrip(
        self,
        datastrip: Level1CDatastrip,
        root: Path,
        tiles: list[Level2ATile],
        run: Provenance,
        schema_folder: Path | None,
    ) -> None:
        identifier = to_level2a(datastrip.datastrip_id, self.psd.file_class)
        tile_ids = [tile.tile_id for tile in tiles if tile.datastrip_id == identifier]
        if datastrip.metadata_path is None or not tile_ids:
            return
        document = build_datastrip_metadata(
            parse_xml(datastrip.metadata_path, editable=True),
            self.psd,
            tile_ids=tile_ids,
            quantification=self._level1c.quantification_value,
            run=run,
        )
        self._check(document, "S2_PDI_Level-2A_Datastrip_Metadata.xsd", schema_folder)
        name = to_level2a(datastrip.metadata_path.name, self.psd.file_class)
        write_document(document, self._datastrip_folder(datastrip, root) / name)

    def _datastrip_folder(self, datastrip: Level1CDatastrip, root: Path) -> Path:
        name = datastrip.folder.name if datastrip.folder else datastrip.datastrip_id
        return root / "DATASTRIP" / to_level2a(name, self.psd.file_class)

    def _write_product(
        self,
        root: Path,
        tiles: list[Level2ATile],
        run: Provenance,
        schema_folder: Path | None,
    ) -> Path:
        document = build_product_metadata(
            parse_xml(self._level1c.metadata_path, editable=True),
            self.psd,
            level1c_name=self._level1c.name,
            name=self.path.name,
            quantification=self._level1c.quantification_value,
            tiles=[tile.summary() for tile in tiles],
            run=run,
        )
        self._check(document, "S2_User_Product_Level-2A_Metadata.xsd", schema_folder)
        path = root / to_level2a(self._level1c.metadata_path.name, self.psd.file_class)
        write_document(document, path)
        return path

    def _write_reports(self, root: Path, run: Provenance) -> None:
        if run.reports:
            stem = claim_report(root, self.path.name, run.started).name.removesuffix("report.xml")
            for ending, content in run.reports.items():
                (root / f"{stem}{ending}").write_bytes(content)

    def _write_inspire(self, root: Path) -> None:
        source = self._level1c.root / "INSPIRE.xml"
        if source.is_file():
            text = source.read_text(encoding="utf-8", errors="surrogateescape")
            target = root / source.name
            target.unlink(missing_ok=True)
            target.write_text(
                to_level2a(text, self.psd.file_class), encoding="utf-8", errors="surrogateescape"
            )

    def _check(self, document: Element, file_name: str, schema_folder: Path | None) -> None:
        """Log what is invalid; nothing is said of a valid document."""
        schema = metadata_schemas.select_schema(self.psd, file_name, schema_folder)
        if schema is not None:
            for problem in metadata_schemas.problems(document, schema):
                logger.warning("%s: metadata is invalid: %s", file_name, problem)


def _read_earlier(path: Path) -> Element | None:
    """Read metadata of an earlier run, which may be absent or broken."""
    if not path.is_file():
        return None
    try:
        return parse_xml(path, editable=True)
    except InputError as error:
        logger.warning("Metadata of an earlier run are not used: %s", error)
        return None


def _check_format(path: Path, psd: Psd, ending: str) -> None:
    """Refuse to mix two formats in one product."""
    for image in path.glob("GRANULE/*/IMG_DATA/**/*.*"):
        if image.suffix != f".{ending}":
            raise ConfigurationError(
                f"{path} exists with images of the kind {image.suffix}: "
                "remove it or choose another folder with --output_dir"
            )
    for file in sorted(path.glob("*MTD*L2A*.xml")):
        root = _read_earlier(file)
        wanted = namespace(psd.namespace, "User_Product_Level-2A.xsd")
        if root is not None and not (
            root.tag.startswith(f"{{{wanted}}}")
            and root.find(f".//{psd.prefix}Product_Info") is not None
        ):
            raise ConfigurationError(
                f"{path} exists in another format than {psd.version}: "
                "remove it or choose another folder with --output_dir"
            )


def _copy_folder(source: Path, target: Path, without: str | None = None) -> None:
    """Copy files of a folder that are not there yet; the copies are writable.

    Parameters
    ----------
    source, target : Path
        A source that does not exist is nothing to copy.
    without : str or None
        Files whose name contains this part are left out.
    """
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        elif (
            path.suffix.lower() in _FOREIGN_ENDINGS
            or (without is not None and without in path.name)
            or copy.exists()
        ):
            continue
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
