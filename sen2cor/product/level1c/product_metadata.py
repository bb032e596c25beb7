"""Reading of the metadata of a Level-1C product."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sen2cor.bands import BANDS
from sen2cor.errors import InputError
from sen2cor.product.level1c.tile_metadata import read_moment
from sen2cor.spectral_responses import SPACECRAFT
from sen2cor.xml_document import Element, XmlDocument

logger = logging.getLogger(__name__)

_INFO = "General_Info/Product_Info"
_IMAGE = "General_Info/Product_Image_Characteristics"
_CONVERSION = f"{_IMAGE}/Reflectance_Conversion"
_OLDEST, _NEWEST = 13, 15
_BASELINE_14_5 = (2, 7)
_BASELINE_15 = (4, 0)


@dataclass(frozen=True)
class ProductMetadata:
    """Identity, calibration and listed tiles of a product.

    Attributes
    ----------
    psd : str
        Format: ``"13.1"``, ``"14.2"``, ``"14.5"`` or ``"15"``.
    uri : str
        PRODUCT_URI; empty where it is missing.
    spacecraft : str
        ``S2A``, ``S2B``, ``S2C``.
    processing_baseline : str
        ``02.05``.
    datatake_start, product_start : datetime
        UTC.
    quantification_value : float
    radiometric_offsets : mapping of band name to int
        Added to the digital numbers; 0 where the product has none.
    solar_irradiance : mapping of band name to float
        W m-2 um-1 at one astronomical unit.
    reflectance_conversion : float
        U, the correction of the distance to the sun.
    granules : mapping of tile identifier to datastrip identifier
        As listed; empty where the list is missing.
    tile_folders : mapping of tile identifier to folder name
        Folders in GRANULE, from the listed images; without those of long names.
    """

    psd: str
    uri: str
    spacecraft: str
    processing_baseline: str
    datatake_start: datetime
    product_start: datetime
    quantification_value: float
    radiometric_offsets: Mapping[str, int]
    solar_irradiance: Mapping[str, float]
    reflectance_conversion: float
    granules: Mapping[str, str]
    tile_folders: Mapping[str, str]


def read_product_metadata(path: Path) -> ProductMetadata:
    """Read the metadata of a Level-1C user product.

    Raises
    ------
    InputError
        The file cannot be read, is another document or of format 12 or older, or an element is
        missing or invalid.
    """
    document = XmlDocument(path)
    if document.root_name != "Level-1C_User_Product":
        raise InputError(
            f"{path}: root element is {document.root_name}, expected Level-1C_User_Product"
        )
    version = _format_number(document)
    baseline = document.text(f"{_INFO}/PROCESSING_BASELINE")
    quantification = document.number(f"{_IMAGE}/QUANTIFICATION_VALUE")
    if quantification <= 0.0:
        raise document.error(f"{_IMAGE}/QUANTIFICATION_VALUE", "is not positive")
    offsets = _read_offsets(document)
    uri = document.find(f"{_INFO}/PRODUCT_URI")
    return ProductMetadata(
        psd=_determine_format(document, version, baseline, has_offsets=offsets is not None),
        uri=(uri.text or "").strip() if uri is not None else "",
        spacecraft=_read_spacecraft(document),
        processing_baseline=baseline,
        datatake_start=read_moment(document, f"{_INFO}/Datatake/DATATAKE_SENSING_START"),
        product_start=read_moment(document, f"{_INFO}/PRODUCT_START_TIME"),
        quantification_value=quantification,
        radiometric_offsets=offsets or {band.name: 0 for band in BANDS},
        solar_irradiance=_read_irradiance(document),
        reflectance_conversion=document.number(f"{_CONVERSION}/U"),
        granules={
            name: element.get("datastripIdentifier", "")
            for name, element in _list_granules(document)
        },
        tile_folders={
            name: folder
            for name, element in _list_granules(document)
            if (folder := _read_tile_folder(element)) is not None
        },
    )


def _format_number(document: XmlDocument) -> int:
    """Return the number of the product format from the namespace, ``https://psd-14...``."""
    found = re.search(r"psd-(\d+)", document.namespace)
    if found is None:
        compact = document.path.name.startswith("MTD_")
        number = _OLDEST + compact
        logger.warning(
            "%s: the namespace %r names no product format; assuming %d from the file name",
            document.path,
            document.namespace,
            number,
        )
        return number
    number = int(found[1])
    if number < _OLDEST:
        raise InputError(
            f"{document.path}: is of product format {number}; formats {_OLDEST} to {_NEWEST} are "
            "supported. ESA has reprocessed the products of that time: fetch the new product"
        )
    if number > _NEWEST:
        logger.warning(
            "%s: product format %d is newer than the latest supported one (%d); trying to read it",
            document.path,
            number,
            _NEWEST,
        )
    return number


def _determine_format(
    document: XmlDocument, version: int, baseline: str, *, has_offsets: bool
) -> str:
    """Return the format that the output follows.

    ================================================  ======
    namespace, baseline, offsets                      format
    ================================================  ======
    psd-13                                            13.1
    psd-14, baseline before 02.07                     14.2
    psd-14, baseline before 04.00                     14.5
    psd-14 with offsets or baseline 04.00; psd-15     15
    ================================================  ======
    """
    if version == _OLDEST:
        return "13.1"
    found = re.fullmatch(r"(\d+)\.(\d+)", baseline)
    if found is None:
        raise document.error(f"{_INFO}/PROCESSING_BASELINE", f"holds {baseline!r}, not a version")
    number = int(found[1]), int(found[2])
    if number >= _BASELINE_15 and not has_offsets:
        logger.warning(
            "%s: baseline %s without Radiometric_Offset_List; assuming offsets of 0",
            document.path,
            baseline,
        )
    if has_offsets or version >= _NEWEST or number >= _BASELINE_15:
        return "15"
    return "14.5" if number >= _BASELINE_14_5 else "14.2"


def _read_spacecraft(document: XmlDocument) -> str:
    where = f"{_INFO}/Datatake/SPACECRAFT_NAME"
    name = document.text(where)
    found = re.fullmatch(r"Sentinel-2([A-Z])", name)
    if found is None:
        raise document.error(where, f"holds {name!r}, not a Sentinel-2 spacecraft")
    spacecraft = f"S2{found[1]}"
    if spacecraft not in SPACECRAFT:
        raise document.error(
            where, f"holds {name!r}, which is not supported; {', '.join(SPACECRAFT)} are"
        )
    return spacecraft


def _read_offsets(document: XmlDocument) -> dict[str, int] | None:
    where = f"{_IMAGE}/Radiometric_Offset_List/RADIO_ADD_OFFSET"
    elements = document.find_all(where)
    if not elements:
        return None
    offsets = _by_band(document, where, elements, "band_id")
    return {name: round(offset) for name, offset in offsets.items()}


def _read_irradiance(document: XmlDocument) -> dict[str, float]:
    where = f"{_CONVERSION}/Solar_Irradiance_List/SOLAR_IRRADIANCE"
    return _by_band(document, where, document.find_all(where), "bandId")


def _by_band(
    document: XmlDocument, where: str, elements: list[Element], attribute: str
) -> dict[str, float]:
    texts = {element.get(attribute): (element.text or "").strip() for element in elements}
    numbers = {}
    for band in BANDS:
        text = texts.get(str(band.index), "")
        if not text:
            raise document.error(where, f'with {attribute}="{band.index}" ({band.name}) is missing')
        numbers[band.name] = document.parse_number(text, where)
    return numbers


def _list_granules(document: XmlDocument) -> Iterator[tuple[str, Element]]:
    for name in ("Granule", "Granules"):
        for element in document.find_all(f"{_INFO}/Product_Organisation/Granule_List/{name}"):
            identifier = element.get("granuleIdentifier")
            if identifier:
                yield identifier, element


def _read_tile_folder(granule: Element) -> str | None:
    """Return the folder of ``GRANULE/<folder>/IMG_DATA/...``, the path of an image."""
    for image in granule:
        parts = (image.text or "").strip().replace("\\", "/").split("/")
        if "GRANULE" in parts[:-2]:
            return str(parts[parts.index("GRANULE") + 1])
    return None
