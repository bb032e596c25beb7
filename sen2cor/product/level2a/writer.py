"""Write a Level-2A product: begin it in a temporary folder, fill it, finish it by one rename."""

from __future__ import annotations

import filecmp
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sen2cor.bands import BANDS, RESOLUTIONS
from sen2cor.errors import ConfigurationError, InputError, OutputError
from sen2cor.files import raise_output_error
from sen2cor.imagery.virtual_raster import write_virtual_raster
from sen2cor.product import name_templates
from sen2cor.product.checksums import REMEDY_LEVEL2A, Checksums
from sen2cor.product.level2a.content import ImageKey, Provenance, TileContent, TileOutcome
from sen2cor.product.level2a.files import (
    copy_folder,
    copy_masks,
    find_product_metadata,
    find_tile_metadata,
    list_tile_folders,
    read_earlier_metadata,
    warn_of_outdated_side_files,
)
from sen2cor.product.level2a.index_page import INDEX_PAGE, write_index_page
from sen2cor.product.level2a.locked_workspace import Workspace
from sen2cor.product.level2a.origin import check_format, is_foreign, report_foreign
from sen2cor.product.level2a.tile import Level2ATile, read_tile
from sen2cor.product.level2a.xml_documents import (
    DocumentWriter,
    datastrip_folder,
    tile_metadata_path,
)
from sen2cor.product.level2a.xml_report import claim_report
from sen2cor.product.name_templates import to_level2a, to_level2a_product
from sen2cor.product.psd import Psd, output_psd

if TYPE_CHECKING:
    from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile

_COLOUR_IMAGES = ("TCI", "PVI")
"""Kinds of images with three bands."""

logger = logging.getLogger(__name__)


def locate_level2a(
    level1c: Level1CProduct, target_directory: Path, *, psd: str | None = None
) -> Path:
    """Return the path of the Level-2A product of a Level-1C product, existing or not."""
    output = output_psd(level1c.psd, psd)
    name = to_level2a_product(level1c.name, output.file_class)
    if name == level1c.name:
        # the folder was renamed by its user: keep that name
        name = f"{name.removesuffix('.SAFE')}_L2A.SAFE"
    return target_directory / name


class Level2AWriter:
    """A Level-2A product that is being written; create it with `begin`.

    As a context manager, it abandons the product if the block ends before `finish`.

    Attributes
    ----------
    path : Path
        Final path of the product.
    existed : bool
        Whether the product existed already; its files were carried over.
    foreign : bool
        Whether it existed, and nothing in it says that this processor wrote it.
    psd : Psd
        Format that is written.
    """

    def __init__(
        self,
        level1c: Level1CProduct,
        psd: Psd,
        workspace: Workspace,
        existed: bool,
        ending: str,
        foreign: bool = False,
    ) -> None:
        self.psd = psd
        self.path = workspace.final
        self.existed = existed
        self.foreign = foreign
        self._level1c = level1c
        self._workspace = workspace
        self._ending = ending
        self._tiles: dict[str, tuple[Level1CTile, Level2ATile]] = {}
        self._outcomes: dict[str, TileOutcome] = {}
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
        """Start a product, or add to an existing one.

        Parameters
        ----------
        level1c : Level1CProduct
        target_directory : Path
            Created if it does not exist.
        name : str or None
            Name of the product; None: derived from the name of the Level-1C product.
        psd : str or None
            Version of the format to write; None: the one that corresponds to the input.
        true_colour : bool
            Whether true colour images are written, in the formats that contain them.
        ending : {"jp2", "tif"}
            Ending of the image files.

        Raises
        ------
        ConfigurationError
            The input cannot be written in that format, or the product exists in another one.
        LockedError
            Another run is writing the product.
        OutputError
            The folder cannot be written, or the product is of another processor in another format.
        """
        output = output_psd(level1c.psd, psd)
        output = replace(output, true_colour=output.true_colour and true_colour)
        path = (
            target_directory / name if name else locate_level2a(level1c, target_directory, psd=psd)
        )
        if path.is_symlink() and path.is_dir():
            path = path.resolve()
        if path.exists() and not path.is_dir():
            raise OutputError(
                f"{path}: is a file where the product is to be written; move it away, or choose "
                "another folder with --output_dir"
            )
        foreign = is_foreign(path)
        try:
            check_format(path, output, ending)
        except ConfigurationError as error:
            if foreign:
                raise report_foreign(path) from error
            raise
        workspace = Workspace.claim(path)
        try:
            existed = workspace.carry_over()
        except BaseException:
            workspace.remove()
            raise
        return cls(level1c, output, workspace, existed, ending, foreign)

    def __enter__(self) -> Level2AWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abandon()

    def add_tile(self, level1c_tile: Level1CTile) -> Level2ATile:
        """Make a tile part of the product, once, and return its description.

        Raises
        ------
        InputError
            The names of its files cannot be derived from its identifiers.
        """
        if level1c_tile.tile_id not in self._tiles:
            tile = self._create_tile(level1c_tile)
            self._tiles[level1c_tile.tile_id] = (level1c_tile, tile)
        return self._tiles[level1c_tile.tile_id][1]

    def set_outcome(self, level1c_tile: Level1CTile, outcome: TileOutcome) -> None:
        """Set the result of processing a tile, for the metadata."""
        self._outcomes[level1c_tile.tile_id] = outcome

    def drop_tile(self, level1c_tile: Level1CTile) -> None:
        """Take a failed tile out of the product; its images of earlier runs stay."""
        folder = self.add_tile(level1c_tile).folder
        del self._tiles[level1c_tile.tile_id]
        self._workspace.restore(folder)

    def finish(
        self,
        provenance: Provenance,
        *,
        schema_folder: Path | None = None,
        report: Callable[[str], None] = lambda text: None,
    ) -> Path:
        """Write the documents for the files on disk, then rename the product to its final path.

        Parameters
        ----------
        provenance : Provenance
        schema_folder : Path or None
            Folder of official schemas, by which the metadata are validated instead of by those in
            ``rep_info``. What is invalid is logged as a warning.
        report : callable
            Receives each of the four parts of the work when it is done.

        Returns
        -------
        Path
            The final path.

        Raises
        ------
        InputError
            Level-1C metadata cannot be read.
        OutputError
            Something cannot be written; an older product stays as it was.
        """
        root = self._workspace.product
        documents = DocumentWriter(root, self._level1c, self.psd, provenance, schema_folder)
        with raise_output_error(root):
            self._copy_inherited(root)
            if provenance.gipp:
                self._write_gipp(provenance.gipp)
            tiles = self._describe_tiles(root)
            report("Level-1C files copied")
            for level1c_tile, tile in self._tiles.values():
                documents.write_tile_metadata(level1c_tile, tiles[tile.folder])
            contents = [tiles[folder] for folder in sorted(tiles)]
            for datastrip in self._level1c.datastrips:
                documents.write_datastrip_metadata(datastrip, contents)
            documents.write_product_metadata(self.path.name, contents)
            page = root / "HTML" / INDEX_PAGE
            if page.is_file():
                write_index_page(page, self.path.name, find_product_metadata(root)[0])
            documents.write_inspire_metadata()
            documents.write_schemas()
            report("metadata written")
            if self._ending == "tif":
                self._write_virtual_rasters(tiles)
            self._write_reports(root, provenance)
            self._verify_carried_over(root)
            documents.write_manifest()
            report("manifest and checksums written")
            warn_of_outdated_side_files(root)
            self._workspace.publish()
            report("product moved to its folder")
        self._open = False
        return self.path

    def abandon(self) -> None:
        """Remove the temporary folder; an older product stays as it was."""
        # once closed, a temporary folder of that name belongs to another run
        if self._open:
            self._open = False
            self._workspace.remove()

    def _verify_carried_over(self, root: Path) -> None:
        """Compare the files that stay from an older product with its checksums.

        The new manifest would give a damaged file a right checksum.
        """
        if not (self.existed and self._level1c.checksums.active):
            return
        older = Checksums.read(root, REMEDY_LEVEL2A)
        for name in older.files:
            kept, original = root / name, self.path / name
            if kept.is_file() and original.is_file() and _is_same(kept, original):
                older.verify(kept)

    def _create_tile(self, level1c_tile: Level1CTile) -> Level2ATile:
        tile_id = to_level2a(level1c_tile.tile_id, self.psd.file_class)
        fields = {**self._common_fields(), "mgrs": level1c_tile.mgrs}
        fields.update(name_templates.TILE_ID.match(tile_id) or {})
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
        with raise_output_error(tile.folder):
            tile.folder.mkdir(parents=True, exist_ok=True)
        return tile

    def _common_fields(self) -> dict[str, str]:
        start = name_templates.fields(datatake_start=self._level1c.datatake_start)
        return {**start, "ending": self._ending}

    def _copy_inherited(self, root: Path) -> None:
        """Copy what Level-2A inherits unchanged from Level-1C."""
        source = self._level1c.root
        for name in ("AUX_DATA", "HTML"):
            copy_folder(source / name, root / name)
        for datastrip in self._level1c.datastrips:
            if datastrip.folder is not None:
                target = datastrip_folder(root, datastrip, self.psd)
                copy_folder(datastrip.folder / "QI_DATA", target / "QI_DATA")
        for level1c_tile, tile in self._tiles.values():
            copy_folder(level1c_tile.folder / "AUX_DATA", tile.folder / "AUX_DATA")
            copy_masks(level1c_tile.folder / "QI_DATA", tile.folder / "QI_DATA", self._ending)

    def _write_gipp(self, gipp: bytes) -> None:
        """Write the processing parameters into each tile of this run."""
        for _, tile in self._tiles.values():
            path = tile.gipp_path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(gipp)

    def _write_virtual_rasters(self, tiles: Mapping[Path, TileContent]) -> None:
        """Write a virtual raster for each resolution of each tile: all its single-band images."""
        for folder, content in tiles.items():
            for resolution in RESOLUTIONS:
                images = {
                    kind: folder / content.images[kind, size]
                    for kind, size in sorted(content.images, key=_sort_image)
                    if size == resolution and kind not in _COLOUR_IMAGES
                }
                if images:
                    write_virtual_raster(folder / f"R{resolution}m.vrt", images)
        logger.info(
            "GDAL, QGIS, rasterio and rioxarray open the images, and all bands of a resolution by "
            "R10m.vrt, R20m.vrt and R60m.vrt in the tile folder; readers of SAFE products (driver "
            "SENTINEL2 of GDAL, eoreader, satpy) refuse the product: they expect JPEG 2000"
        )

    def _describe_tiles(self, root: Path) -> dict[Path, TileContent]:
        """Describe the tiles of this run and of earlier ones, by their folders."""
        tiles = {
            tile.folder: tile.describe(
                self._outcomes.get(level1c_tile.tile_id, TileOutcome()),
                read_earlier_metadata(tile_metadata_path(tile.folder, level1c_tile, self.psd)),
            )
            for level1c_tile, tile in self._tiles.values()
        }
        described = {tile.tile_id for tile in tiles.values()}
        for folder in list_tile_folders(root, self.psd):
            if folder in tiles:
                continue
            documents = map(read_earlier_metadata, find_tile_metadata(folder))
            document = next((found for found in documents if found is not None), None)
            if document is None:
                logger.warning("%s: tile without metadata left out of the product's", folder.name)
                continue
            tile = read_tile(document, folder, self.psd, self._common_fields())
            if tile.tile_id in described:
                logger.warning("%s: copy of another tile, left out of the metadata", folder.name)
                continue
            described.add(tile.tile_id)
            tiles[folder] = tile.describe(TileOutcome(), document)
        return tiles

    def _write_reports(self, root: Path, provenance: Provenance) -> None:
        if provenance.reports:
            report = claim_report(root, self.path.name, provenance.started)
            stem = report.name.removesuffix("report.xml")
            for ending, content in provenance.reports.items():
                (root / f"{stem}{ending}").write_bytes(content)


def _sort_image(key: ImageKey) -> tuple[int, str]:
    """Sort bands by wavelength, other kinds after them."""
    names = [band.name for band in BANDS]
    return (names.index(key[0]) if key[0] in names else len(names)), key[0]


def _is_same(first: Path, second: Path) -> bool:
    """Tell whether two files are linked, or copies where links are not possible."""
    return first.samefile(second) or filecmp.cmp(first, second, shallow=False)
