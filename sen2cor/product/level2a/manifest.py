"""Manifest of a product: lists each file once, with its size and checksum.

Source: Sentinel-SAFE, CCSDS 661.0-B-1 (XML Formatted Data Unit).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from lxml import etree

from sen2cor.errors import InputError
from sen2cor.product.checksums import MANIFEST_NAME
from sen2cor.product.level2a.xml_editing import add, find_text
from sen2cor.product.psd import Psd
from sen2cor.product.side_files import is_side_file
from sen2cor.xml_document import Element, parse_xml

_XFDU = "urn:ccsds:schema:xfdu:1"
_SAFE = "http://www.esa.int/safe/sentinel/1.1"
_GML = "http://www.opengis.net/gml"
_VERSION = "esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a_user_product"
_INHERITED = ("acquisitionPeriod", "measurementOrbitReference", "platform", "measurementFrameSet")

_MIME_TYPES = {
    ".xml": "text/xml",
    ".xsd": "text/xml",
    ".xsl": "text/xml",
    ".gml": "text/xml",
    ".html": "text/html",
    ".jp2": "application/octet-stream",
    ".tif": "image/tiff",
    ".vrt": "text/xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
_UNKNOWN_TYPE = "application/octet-stream"

_CONTAINERS = {
    "IMG_DATA": "Image Data Container",
    "QI_DATA": "Quality Control Container",
    "AUX_DATA": "Auxiliary Data Container",
}
# NSSDC identifiers of the satellites (NASA Space Science Data Coordinated Archive).
_NSSDC = {"2A": "2015-028A", "2B": "2017-013A", "2C": "2024-157A"}


@dataclass(frozen=True)
class _File:
    path: PurePosixPath
    identifier: str
    size: int
    digest: str

    @property
    def href(self) -> str:
        return f"./{self.path}"

    @property
    def mime_type(self) -> str:
        return _MIME_TYPES.get(self.path.suffix.lower(), _UNKNOWN_TYPE)


def build_manifest(root: Path, psd: Psd, metadata: Path, level1c_manifest: Path | None) -> Element:
    """Build the manifest of a product; all other files must exist.

    Parameters
    ----------
    root : Path
        Folder of the product.
    psd : Psd
    metadata : Path
        Level-2A product metadata.
    level1c_manifest : Path or None
        Source of acquisition, orbit, platform and frame; None: the metadata.
    """
    identifiers = _Identifiers(root, metadata)
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.is_file()
        and path.relative_to(root) != Path(MANIFEST_NAME)
        and not is_side_file(path.relative_to(root))
    )
    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(lambda path: _compute_digest(path, psd.checksum), paths))
    files = []
    for path, digest in zip(paths, digests, strict=True):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        files.append(_File(relative, identifiers.create(relative), path.stat().st_size, digest))
    document = etree.Element(
        f"{{{_XFDU}}}XFDU", nsmap={"xfdu": _XFDU, "safe": _SAFE, "gml": _GML}, version=_VERSION
    )
    _add_package_map(add(document, "informationPackageMap"), files)
    _add_metadata_section(
        add(document, "metadataSection"),
        parse_xml(metadata, editable=True),
        level1c_manifest,
        files,
    )
    _add_data_objects(add(document, "dataObjectSection"), files, psd)
    return document


class _Identifiers:
    """Creates identifiers of files: readable, unique, valid as XML names."""

    def __init__(self, root: Path, metadata: Path) -> None:
        self._metadata = metadata.name
        self._tiles = _number_folders(root / "GRANULE")
        self._datastrips = _number_folders(root / "DATASTRIP")
        self._taken: set[str] = set()

    def create(self, path: PurePosixPath) -> str:
        chosen = self._choose(path)
        name, count = chosen, 1
        while name in self._taken:
            count += 1
            name = f"{chosen}_{count}"
        self._taken.add(name)
        return name

    def _choose(self, path: PurePosixPath) -> str:
        parts = path.parts
        if str(path) == self._metadata:
            return "S2_Level-2A_Product_Metadata"
        if str(path) == "INSPIRE.xml":
            return "INSPIRE_Metadata"
        if parts[0] == "HTML" and path.suffix == ".html":
            return "HTML_Presentation"
        if parts[0] == "HTML" and path.suffix == ".xsl":
            return "HTML_Presentation_Stylesheet"
        for folder, numbers, kind in (
            ("GRANULE", self._tiles, "Tile"),
            ("DATASTRIP", self._datastrips, "Datastrip"),
        ):
            if parts[0] == folder and len(parts) > 2:
                unit = f"{kind}{numbers[parts[1]]}"
                if len(parts) == 3 and path.suffix == ".xml":
                    return f"S2_Level-2A_{unit}_Metadata"
                return _make_xml_name(f"{parts[2]}_{path.stem}_{unit}_Data")
        return _make_xml_name("_".join((*parts[:-1], path.stem, "Data")))


def _number_folders(folder: Path) -> dict[str, int]:
    if not folder.is_dir():
        return {}
    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not is_side_file(Path(path.name))
    )
    return {name: number for number, name in enumerate(names, start=1)}


def _make_xml_name(text: str) -> str:
    cleaned = re.sub(r"[^A-Za-z0-9_.-]", "_", text)
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"_{cleaned}"


def _compute_digest(path: Path, algorithm: str) -> str:
    digest = hashlib.md5(usedforsecurity=False) if algorithm == "MD5" else hashlib.sha3_256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    text = digest.hexdigest()
    return text if algorithm == "MD5" else text.upper()


def _add_package_map(package: Element, files: list[_File]) -> None:
    top = add(
        package,
        f"{{{_XFDU}}}contentUnit",
        unitType="Product_Level-2A",
        textInfo="SENTINEL-2 MSI Level-2A User Product",
        pdiID="processing",
        dmdID="acquisitionPeriod platform",
    )
    for file in files:
        if len(file.path.parts) == 1:
            _add_leaf(top, file, "Metadata Unit")
    _add_container(top, "HTML", "HTML container", _select_below(files, "HTML"))
    _add_container(top, "AuxData", "Auxiliary Data container", _select_below(files, "AUX_DATA"))
    _add_container(
        top, "RepInfo", "Representation Information container", _select_below(files, "rep_info")
    )
    for folder, plural, kind in (
        ("DATASTRIP", "Datastrips", "Datastrip"),
        ("GRANULE", "Tiles", "Tile"),
    ):
        members = _select_below(files, folder)
        if members:
            units = add(
                top,
                f"{{{_XFDU}}}contentUnit",
                ID=plural,
                textInfo=f"{plural} Container",
            )
            names = sorted({file.path.parts[1] for file in members})
            for number, name in enumerate(names, start=1):
                own = [file for file in members if file.path.parts[1] == name]
                _add_unit(units, f"{kind}{number}", kind, own)
    known = {"HTML", "AUX_DATA", "rep_info", "DATASTRIP", "GRANULE"}
    others = [
        file for file in files if len(file.path.parts) > 1 and file.path.parts[0] not in known
    ]
    _add_container(top, "Others", "Other files container", others)


def _add_unit(parent: Element, identifier: str, kind: str, files: list[_File]) -> None:
    unit = add(parent, f"{{{_XFDU}}}contentUnit", ID=identifier, textInfo=f"{kind} Container")
    for file in files:
        if len(file.path.parts) <= 3:
            _add_leaf(unit, file, "Metadata Unit")
    inner = sorted({file.path.parts[2] for file in files if len(file.path.parts) > 3})
    for folder in inner:
        members = [
            file for file in files if len(file.path.parts) > 3 and file.path.parts[2] == folder
        ]
        title = _CONTAINERS.get(folder, "Container")
        _add_container(unit, _make_xml_name(f"{folder}_{identifier}"), title, members)


def _add_container(parent: Element, identifier: str, title: str, files: list[_File]) -> None:
    if files:
        unit = add(parent, f"{{{_XFDU}}}contentUnit", ID=identifier, textInfo=title)
        for file in files:
            _add_leaf(unit, file, "Measurement Data Unit")


def _add_leaf(parent: Element, file: _File, unit_type: str) -> None:
    unit = add(parent, f"{{{_XFDU}}}contentUnit", ID=f"{file.identifier}_Unit", unitType=unit_type)
    add(unit, "dataObjectPointer", dataObjectID=file.identifier)


def _select_below(files: list[_File], folder: str) -> list[_File]:
    return [file for file in files if len(file.path.parts) > 1 and file.path.parts[0] == folder]


def _add_metadata_section(
    parent: Element, metadata: Element, level1c_manifest: Path | None, files: list[_File]
) -> None:
    inherited = _read_inherited_objects(level1c_manifest)
    built = {
        "acquisitionPeriod": _add_acquisition_period,
        "measurementOrbitReference": _add_orbit_reference,
        "platform": _add_platform,
        "measurementFrameSet": _add_frame_set,
    }
    for name in (*_INHERITED[:3], "processing", _INHERITED[3]):
        if name in inherited:
            parent.append(inherited[name])
        elif name == "processing":
            _add_processing(_add_wrapped(parent, name, "Processing", "PROVENANCE", "PDI"), metadata)
        else:
            title = name[0].upper() + name[1:]
            built[name](_add_wrapped(parent, name, title, "DESCRIPTION", "DMD"), metadata)
    for file in files:
        if file.identifier.startswith("S2_Level-2A") or file.identifier == "INSPIRE_Metadata":
            described = add(
                parent,
                "metadataObject",
                ID=f"{file.identifier}_Information",
                classification="DESCRIPTION",
                category="DMD",
            )
            add(described, "dataObjectPointer", dataObjectID=file.identifier)


def _read_inherited_objects(level1c_manifest: Path | None) -> dict[str, Element]:
    if level1c_manifest is None or not level1c_manifest.is_file():
        return {}
    try:
        root = parse_xml(level1c_manifest, editable=True)
    except InputError:
        return {}
    return {
        str(found.get("ID")): deepcopy(found)
        for found in root.iter("metadataObject")
        if found.get("ID") in _INHERITED
    }


def _add_wrapped(
    parent: Element, identifier: str, title: str, classification: str, category: str
) -> Element:
    described = add(
        parent,
        "metadataObject",
        ID=identifier,
        classification=classification,
        category=category,
    )
    wrap = add(
        described,
        "metadataWrap",
        mimeType="text/xml",
        vocabularyName="Sentinel-SAFE",
        textInfo=title,
    )
    return add(wrap, "xmlData")


def _add_acquisition_period(parent: Element, metadata: Element) -> None:
    period = add(parent, f"{{{_SAFE}}}acquisitionPeriod")
    add(period, f"{{{_SAFE}}}startTime", find_text(metadata, ".//PRODUCT_START_TIME"))


def _add_orbit_reference(parent: Element, metadata: Element) -> None:
    orbit = add(parent, f"{{{_SAFE}}}orbitReference")
    take = next((found.get("datatakeIdentifier") for found in metadata.iter("Datatake")), "")
    absolute = re.search(r"_(\d{6})_", take or "")
    direction = find_text(metadata, ".//SENSING_ORBIT_DIRECTION", "DESCENDING").lower()
    add(
        orbit,
        f"{{{_SAFE}}}orbitNumber",
        absolute.group(1) if absolute else "000000",
        type="start",
        groundTrackDirection=direction,
    )
    add(
        orbit,
        f"{{{_SAFE}}}relativeOrbitNumber",
        find_text(metadata, ".//SENSING_ORBIT_NUMBER", "0"),
        type="start",
    )


def _add_platform(parent: Element, metadata: Element) -> None:
    number = find_text(metadata, ".//SPACECRAFT_NAME", "Sentinel-2A").rsplit("-", 1)[-1]
    platform = add(parent, f"{{{_SAFE}}}platform")
    add(platform, f"{{{_SAFE}}}nssdcIdentifier", _NSSDC.get(number, "0000-000A"))
    add(platform, f"{{{_SAFE}}}familyName", "SENTINEL")
    add(platform, f"{{{_SAFE}}}number", number)
    instrument = add(platform, f"{{{_SAFE}}}instrument")
    add(instrument, f"{{{_SAFE}}}familyName", "Multi-Spectral Instrument", abbreviation="MSI")


def _add_processing(parent: Element, metadata: Element) -> None:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    add(
        parent,
        f"{{{_SAFE}}}processing",
        name="Generation of Level-2A User Product",
        start=find_text(metadata, ".//GENERATION_TIME", now),
    )


def _add_frame_set(parent: Element, metadata: Element) -> None:
    frame_set = add(parent, f"{{{_SAFE}}}frameSet")
    footprint = add(
        frame_set,
        f"{{{_SAFE}}}footPrint",
        srsName="http://www.opengis.net/gml/srs/epsg.xml#4326",
    )
    add(footprint, f"{{{_GML}}}coordinates", " ".join(_list_positions(metadata)))


def _list_positions(metadata: Element) -> Iterator[str]:
    for positions in metadata.iter("EXT_POS_LIST"):
        yield from (positions.text or "").split()


def _add_data_objects(parent: Element, files: list[_File], psd: Psd) -> None:
    for file in files:
        described = add(parent, "dataObject", ID=file.identifier)
        stream = add(described, "byteStream", mimeType=file.mime_type, size=str(file.size))
        add(stream, "fileLocation", locatorType="URL", href=file.href)
        add(stream, "checksum", file.digest, checksumName=psd.checksum)
