"""Reading of Level-1C products: open and check a product or one of its tiles.

Only the product metadata, the tile metadata and the images of the 13 bands are required. For any
other missing part there is one WARNING. No file is ever opened for writing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sen2cor.errors import InputError
from sen2cor.product import radiometry
from sen2cor.product.checksums import MANIFEST_NAME, Checksums
from sen2cor.product.level1c.angles import read_geometry
from sen2cor.product.level1c.auxiliary_data import EcmwfData
from sen2cor.product.level1c.product_files import (
    find_band_images,
    find_file,
    find_product_name,
    list_files,
    list_folders,
    locate_product,
    read_image_grids,
)
from sen2cor.product.level1c.product_metadata import ProductMetadata, read_product_metadata
from sen2cor.product.level1c.tile import Level1CTile
from sen2cor.product.level1c.tile_folders import select_tile_folders
from sen2cor.product.level1c.tile_metadata import open_tile_document, read_tile_metadata
from sen2cor.product.psd import PSD, Layout
from sen2cor.raster.array_types import Float32Array, UInt16Array
from sen2cor.xml_document import XmlDocument

__all__ = [
    "EcmwfData",
    "Level1CDatastrip",
    "Level1CProduct",
    "Level1CTile",
    "open_level1c",
]

logger = logging.getLogger(__name__)

_OPTIONAL = ("INSPIRE.xml", "HTML", "rep_info")


@dataclass(frozen=True)
class Level1CDatastrip:
    """A datastrip of a product.

    Attributes
    ----------
    datastrip_id : str
        Long identifier.
    folder, metadata_path : Path or None
        None where the product does not carry them.
    """

    datastrip_id: str
    folder: Path | None
    metadata_path: Path | None

    def is_refined(self) -> bool:
        """Whether its geometry is refined with reference images; False where it does not say so."""
        if self.metadata_path is None:
            return False
        found = XmlDocument(self.metadata_path).find(".//Image_Refining")
        return found is not None and found.get("flag") == "REFINED"


@dataclass(frozen=True)
class Level1CProduct:
    """A product with its usable tiles.

    Attributes
    ----------
    root, metadata_path : Path
        Folder and product metadata.
    name : str
        Name with ``.SAFE``: of the folder, or the official one if the folder was renamed.
    psd : str
        Format: ``"13.1"``, ``"14.2"``, ``"14.5"`` or ``"15"``.
    spacecraft : str
        ``S2A``, ``S2B``, ``S2C``.
    processing_baseline : str
        ``02.05``.
    datatake_start, product_start : datetime
        UTC.
    quantification_value : float
    radiometric_offsets : mapping of band name to int
    solar_irradiance : mapping of band name to float
        W m-2 um-1.
    reflectance_conversion : float
        U, the correction of the distance to the sun.
    datastrips : tuple of Level1CDatastrip
    tiles : tuple of Level1CTile
        Never empty.
    unusable : mapping of folder name to InputError
        Tiles that cannot be processed, with the reason; each is logged as an ERROR.
    checksums : Checksums
        Of all files, from the manifest.
    """

    root: Path
    metadata_path: Path
    name: str
    psd: str
    spacecraft: str
    processing_baseline: str
    datatake_start: datetime
    product_start: datetime
    quantification_value: float
    radiometric_offsets: Mapping[str, int]
    solar_irradiance: Mapping[str, float]
    reflectance_conversion: float
    datastrips: tuple[Level1CDatastrip, ...]
    tiles: tuple[Level1CTile, ...]
    unusable: Mapping[str, InputError]
    checksums: Checksums = field(default_factory=Checksums)

    def reflectance(self, band: str, numbers: UInt16Array) -> Float32Array:
        """Turn digital numbers into top-of-atmosphere reflectance.

        Parameters
        ----------
        band : str
        numbers : ndarray of uint16, any shape
            0 is no data; the result is undefined there.

        Returns
        -------
        ndarray of float32, same shape
            (number + offset) / quantification.
        """
        offset, scale = self.radiometric_offsets[band], 1.0 / self.quantification_value
        return radiometry.to_reflectance(numbers, offset, scale)


def open_level1c(path: Path, *, checksums: bool = True) -> Level1CProduct:
    """Open a Level-1C product, or one tile of it.

    Parameters
    ----------
    path : Path
        Product folder, or a folder below its ``GRANULE``: then only that tile is opened.
    checksums : bool
        Whether files are compared with the checksums of the manifest: metadata, masks and auxiliary
        data now, which are small, the image of a band when it is read.

    Returns
    -------
    Level1CProduct
        With one usable tile at least; a tile of several that cannot be used is in ``unusable``.

    Raises
    ------
    InputError
        The path is no Level-1C product or tile, or nothing in it can be used.
    """
    root, metadata_path, tile_folder = locate_product(path)
    listed = Checksums.read(root) if checksums else Checksums(root)
    listed.verify(metadata_path, "product metadata")
    metadata = read_product_metadata(metadata_path)
    layout = PSD[metadata.psd].level1c
    folders = [tile_folder] if tile_folder else select_tile_folders(root, metadata, layout)
    tiles: list[Level1CTile] = []
    unusable: dict[str, InputError] = {}
    for folder in folders:
        try:
            tiles.append(_open_tile(folder, layout, listed))
        except InputError as error:
            unusable[folder.name] = error
    if not tiles:
        raise _report_no_usable_tile(root, unusable)
    for name, reason in unusable.items():
        logger.error("tile %s cannot be used: %s", name, reason)
    if tile_folder is None:
        tiles = _sort_as_listed(tiles, metadata, root)
    product = Level1CProduct(
        root=root,
        metadata_path=metadata_path,
        name=find_product_name(root, metadata_path, metadata.uri),
        psd=metadata.psd,
        spacecraft=metadata.spacecraft,
        processing_baseline=metadata.processing_baseline,
        datatake_start=metadata.datatake_start,
        product_start=metadata.product_start,
        quantification_value=metadata.quantification_value,
        radiometric_offsets=metadata.radiometric_offsets,
        solar_irradiance=metadata.solar_irradiance,
        reflectance_conversion=metadata.reflectance_conversion,
        datastrips=tuple(_find_datastrips(root, layout, metadata, tiles)),
        tiles=tuple(tiles),
        unusable=unusable,
        checksums=listed,
    )
    listed.verify_folder(root, without=("GRANULE", "HTML", "rep_info"))
    _warn_of_missing_parts(product)
    return product


def _open_tile(folder: Path, layout: Layout, checksums: Checksums) -> Level1CTile:
    metadata_path = find_file(folder, layout.tile_metadata)
    if metadata_path is None:
        raise InputError(f"{folder}: no tile metadata; expected {layout.tile_metadata.template}")
    checksums.verify(metadata_path, "tile metadata")
    checksums.verify_folder(folder, without=("IMG_DATA",))
    document = open_tile_document(metadata_path)
    metadata = read_tile_metadata(document)
    bands = find_band_images(folder, layout.images[""])
    for name, image in bands.items():
        checksums.verify_size(image, f"image of band {name}")
    return Level1CTile(
        tile_id=metadata.tile_id,
        datastrip_id=metadata.datastrip_id,
        folder=folder,
        metadata_path=metadata_path,
        mgrs=metadata.mgrs,
        sensing_time=metadata.sensing_time,
        grids=read_image_grids(bands, metadata.grids),
        geometry=read_geometry(document),
        bands=bands,
        ecmwf=_find_auxiliary(folder / "AUX_DATA", "AUX_ECMWFT"),
        cams=_find_auxiliary(folder / "AUX_DATA", "AUX_CAMSFO"),
        checksums=checksums,
    )


def _find_auxiliary(folder: Path, kind: str) -> Path | None:
    for path in list_files(folder):
        if re.fullmatch(rf"(\w+_)?{kind}(_\w+)?", path.name):
            return path
    return None


def _find_datastrips(
    root: Path, layout: Layout, metadata: ProductMetadata, tiles: list[Level1CTile]
) -> Iterator[Level1CDatastrip]:
    folders = list_folders(root / "DATASTRIP")
    listed = [identifier for identifier in metadata.granules.values() if identifier]
    for identifier in dict.fromkeys([*listed, *(tile.datastrip_id for tile in tiles)]):
        # compact folder names are the part of the identifier from DS_ to the baseline
        core = identifier[identifier.find("DS_") :].rsplit("_N", 1)[0]
        matching = [path for path in folders if core in path.name]
        found = min(matching, key=lambda path: len(path.name), default=None)
        file = None if found is None else find_file(found, layout.datastrip_metadata)
        yield Level1CDatastrip(identifier, found, file)


def _sort_as_listed(
    tiles: list[Level1CTile], metadata: ProductMetadata, root: Path
) -> list[Level1CTile]:
    """Sort the tiles as in the product metadata, unlisted ones last."""
    listed = list(metadata.granules)
    if not listed:
        logger.warning("%s: the product metadata list no tiles; using all tile folders", root.name)
        return tiles
    unlisted = [tile.folder.name for tile in tiles if tile.tile_id not in metadata.granules]
    if unlisted:
        logger.warning(
            "%s: tiles not listed in the product metadata, processed nevertheless: %s",
            root.name,
            ", ".join(unlisted),
        )
    present = len(tiles) - len(unlisted)
    if present < len(listed):
        logger.warning("%s: %d of %d listed tiles are usable", root.name, present, len(listed))
    place = {identifier: position for position, identifier in enumerate(listed)}
    return sorted(tiles, key=lambda tile: place.get(tile.tile_id, len(listed)))


def _report_no_usable_tile(root: Path, unusable: Mapping[str, InputError]) -> InputError:
    first, *others = unusable.values()
    if not others:
        return first
    return InputError(f"{root.name}: none of {len(unusable)} tiles can be used: {first}")


def _warn_of_missing_parts(product: Level1CProduct) -> None:
    name = product.name
    if not (product.root / MANIFEST_NAME).exists():
        logger.warning(
            "%s: no %s in the product: its files cannot be checked for damage", name, MANIFEST_NAME
        )
    for part in _OPTIONAL:
        if not (product.root / part).exists():
            logger.warning("%s: the product has no %s; the output will have none", name, part)
    if any(datastrip.metadata_path is None for datastrip in product.datastrips):
        logger.warning("%s: the product has no datastrip metadata", name)
    if any(not (tile.folder / "QI_DATA").is_dir() for tile in product.tiles):
        logger.warning("%s: the product has no quality masks (QI_DATA)", name)
    if any(tile.ecmwf is None for tile in product.tiles):
        logger.warning(
            "%s: the product has no ECMWF auxiliary data (AUX_DATA/AUX_ECMWFT); using ozone and "
            "water vapour of the settings",
            name,
        )
