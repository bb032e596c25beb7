"""Read a finished Level-2A product: its metadata and the paths of its images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sen2cor.bands import BANDS
from sen2cor.errors import InputError
from sen2cor.product import name_templates
from sen2cor.product.level1c.tile_metadata import read_grids, read_moment
from sen2cor.product.level2a.files import (
    find_product_metadata,
    find_tile_metadata,
    list_tile_folders,
)
from sen2cor.product.level2a.tile import Level2ATile, read_tile
from sen2cor.product.psd import PSD, Psd
from sen2cor.raster.grids import Grid
from sen2cor.xml_document import XmlDocument


@dataclass(frozen=True)
class Level2ATileReader:
    """A tile of a finished product, as its metadata describe it.

    Attributes
    ----------
    tile_id : str
        Long identifier.
    mgrs : str
        MGRS tile, for example ``32UQD``.
    folder : Path
    sensing_time : datetime
        UTC.
    images : mapping of (kind, resolution) to Path
        Kinds as in `Level2ATile.image_path`; the resolution of the preview is None.
    grids : mapping of resolution in metres to Grid
    solar_zenith, solar_azimuth : float
        Mean angles in degrees.
    view_zenith, view_azimuth : mapping of band name to float
        Mean angles in degrees, for the bands that the metadata list.
    """

    tile_id: str
    mgrs: str
    folder: Path
    sensing_time: datetime
    images: Mapping[tuple[str, int | None], Path]
    grids: Mapping[int, Grid]
    solar_zenith: float
    solar_azimuth: float
    view_zenith: Mapping[str, float]
    view_azimuth: Mapping[str, float]


@dataclass(frozen=True)
class Level2AReader:
    """A finished product, as its metadata describe it.

    Attributes
    ----------
    path, metadata_path : Path
    psd : Psd
    spacecraft : str
        Name in the metadata, for example ``Sentinel-2A``.
    baseline : str
        Processing baseline, for example ``02.05``.
    start, stop, generated : datetime
        UTC.
    relative_orbit : int
    orbit_direction : str
        ``ASCENDING`` or ``DESCENDING``.
    quantification : float
    offset : int
        Surface reflectance is (number + offset) / quantification.
    percentages : mapping of str to float
        Percentages of the classes by the names of their elements, without ``_PERCENTAGE``.
    tiles : tuple of Level2ATileReader
    """

    path: Path
    metadata_path: Path
    psd: Psd
    spacecraft: str
    baseline: str
    start: datetime
    stop: datetime
    generated: datetime
    relative_orbit: int
    orbit_direction: str
    quantification: float
    offset: int
    percentages: Mapping[str, float]
    tiles: tuple[Level2ATileReader, ...]

    @property
    def cloud_cover(self) -> float:
        """Clouds of medium and high probability and thin cirrus, percent of the valid pixels."""
        kinds = ("MEDIUM_PROBA_CLOUDS", "HIGH_PROBA_CLOUDS", "THIN_CIRRUS")
        return min(100.0, sum(self.percentages.get(kind, 0.0) for kind in kinds))


def open_level2a(path: Path) -> Level2AReader:
    """Open a finished Level-2A product of this processor.

    Parameters
    ----------
    path : Path
        Folder of the product.

    Raises
    ------
    InputError
        It is not a Level-2A product, or its metadata are broken.
    """
    document = _open_metadata(path)
    psd = _find_format(document)
    info = f"General_Info/{psd.prefix}Product_Info"
    datatake = f"{info}/Datatake"
    offset = document.find(".//BOA_ADD_OFFSET")
    prefix = "L2A_" if psd.prefix else ""
    return Level2AReader(
        path=path,
        metadata_path=document.path,
        psd=psd,
        spacecraft=document.text(f"{datatake}/SPACECRAFT_NAME"),
        baseline=document.text(f"{info}/PROCESSING_BASELINE"),
        start=read_moment(document, f"{info}/PRODUCT_START_TIME"),
        stop=read_moment(document, f"{info}/PRODUCT_STOP_TIME"),
        generated=read_moment(document, f"{info}/GENERATION_TIME"),
        relative_orbit=int(document.number(f"{datatake}/SENSING_ORBIT_NUMBER")),
        orbit_direction=document.text(f"{datatake}/SENSING_ORBIT_DIRECTION"),
        quantification=document.number(f".//{prefix}BOA_QUANTIFICATION_VALUE"),
        offset=int(offset.text) if offset is not None else 0,
        percentages=_read_percentages(document),
        tiles=tuple(_read_tiles(path, document, psd)),
    )


def _open_metadata(path: Path) -> XmlDocument:
    found = find_product_metadata(path)
    if not found:
        raise InputError(f"{path}: no Level-2A product metadata (*MTD*L2A*.xml) in this folder")
    return XmlDocument(found[0])


def read_tiles(path: Path) -> list[Level2ATile]:
    """Describe the tiles of a finished Level-2A product, without their angles and images.

    Raises
    ------
    InputError
        It is not a Level-2A product, or its metadata are broken.
    """
    document = _open_metadata(path)
    psd = _find_format(document)
    datatake = f"General_Info/{psd.prefix}Product_Info/Datatake"
    start = name_templates.fields(
        datatake_start=read_moment(document, f"{datatake}/DATATAKE_SENSING_START")
    )
    return [
        replace(tile, fields={**start, **tile.fields})
        for tile, _ in _list_tiles(path, document, psd)
    ]


def _list_tiles(
    path: Path, document: XmlDocument, psd: Psd
) -> Iterator[tuple[Level2ATile, XmlDocument]]:
    """Yield the tiles of a product and their metadata; copies of a tile are left out."""
    found: set[str] = set()
    fields = {"ending": _read_ending(document, psd)}
    for folder in sorted(list_tile_folders(path, psd)):
        metadata = next(iter(find_tile_metadata(folder)), None)
        if metadata is None:
            continue
        tile_document = XmlDocument(metadata)
        tile = read_tile(tile_document.root, folder, psd, fields)
        if tile.tile_id not in found:
            found.add(tile.tile_id)
            yield tile, tile_document


def _find_format(document: XmlDocument) -> Psd:
    for psd in PSD.values():
        info = document.find(f"General_Info/{psd.prefix}Product_Info")
        if psd.namespace in document.namespace and info is not None:
            return psd
    raise InputError(
        f"{document.path}: unknown format (namespace {document.namespace}); "
        f"known are PSD {', '.join(PSD)}"
    )


def _read_percentages(document: XmlDocument) -> dict[str, float]:
    ending = "_PERCENTAGE"
    for name in ("Image_Content_QI", "L2A_Image_Content_QI"):
        content = document.find(f".//{name}")
        if content is not None:
            return {
                element.tag.rpartition("}")[2].removesuffix(ending): float(element.text)
                for element in content
                if element.tag.endswith(ending)
            }
    return {}


def _read_ending(document: XmlDocument, psd: Psd) -> str:
    """Return the ending of the image files of a product."""
    granule = document.find(f".//{psd.granule_element}")
    is_jpeg2000 = granule is None or granule.get("imageFormat", "JPEG2000") == "JPEG2000"
    return "jp2" if is_jpeg2000 else "tif"


def _read_tiles(path: Path, document: XmlDocument, psd: Psd) -> list[Level2ATileReader]:
    tiles = []
    for tile, tile_document in _list_tiles(path, document, psd):
        folder = tile.folder
        angles = "Geometric_Info/Tile_Angles"
        views = {
            BANDS[int(element.get("bandId"))].name: element
            for element in tile_document.find_all(f"{angles}//Mean_Viewing_Incidence_Angle")
        }
        tiles.append(
            Level2ATileReader(
                tile_id=tile.tile_id,
                mgrs=tile.fields["mgrs"],
                folder=folder,
                sensing_time=read_moment(tile_document, "General_Info/SENSING_TIME"),
                images={key: folder / name for key, name in tile.list_images().items()},
                grids=read_grids(tile_document),
                solar_zenith=tile_document.number(f"{angles}/Mean_Sun_Angle/ZENITH_ANGLE"),
                solar_azimuth=tile_document.number(f"{angles}/Mean_Sun_Angle/AZIMUTH_ANGLE"),
                view_zenith={
                    band: tile_document.number("ZENITH_ANGLE", element)
                    for band, element in views.items()
                },
                view_azimuth={
                    band: tile_document.number("AZIMUTH_ANGLE", element)
                    for band, element in views.items()
                },
            )
        )
    if not tiles:
        raise InputError(f"{document.path}: the product contains no tile")
    return tiles
