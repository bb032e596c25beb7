"""manifest.safe and INSPIRE.xml of a simulated product."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lxml import etree

from sen2cor.simulation.level1c_writer.description import ProductDescription
from sen2cor.simulation.level1c_writer.document_elements import footprint_positions, utc

XFDU = "urn:ccsds:schema:xfdu:1"
SAFE = "http://www.esa.int/safe/sentinel/1.1"
GML = "http://www.opengis.net/gml"
_NSSDC = {"S2A": "2015-028A", "S2B": "2017-013A", "S2C": "2024-157A"}
_MIME = {".xml": "text/xml", ".gml": "application/xml", ".jp2": "application/octet-stream"}


def manifest(root: Path, product: ProductDescription) -> bytes:
    """Build the manifest: every file of a product with its size and checksum.

    Parameters
    ----------
    root : Path
        Folder of the product, complete except for the manifest.
    product : ProductDescription
    """
    top = etree.Element(
        f"{{{XFDU}}}XFDU",
        version="esa/safe/sentinel/1.1/sentinel-2/msi/archive_l1c_user_product",
        nsmap={"xfdu": XFDU, "safe": SAFE, "gml": GML},
    )
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    files = [path for path in files if path.name != "manifest.safe"]
    identifiers = {path: f"file_{number:04d}" for number, path in enumerate(files, 1)}
    _package_map(top, identifiers)
    _general(etree.SubElement(top, "metadataSection"), product)
    objects = etree.SubElement(top, "dataObjectSection")
    for path, identifier in identifiers.items():
        content = (root / path).read_bytes()
        entry = etree.SubElement(objects, "dataObject", ID=identifier)
        stream = etree.SubElement(
            entry,
            "byteStream",
            mimeType=_MIME.get(path.suffix, "application/octet-stream"),
            size=str(len(content)),
        )
        etree.SubElement(stream, "fileLocation", locatorType="URL", href=f"./{path.as_posix()}")
        name, digest = _checksum(product, content)
        etree.SubElement(stream, "checksum", checksumName=name).text = digest
    etree.indent(top)
    return bytes(etree.tostring(top, xml_declaration=True, encoding="UTF-8"))


def _checksum(product: ProductDescription, content: bytes) -> tuple[str, str]:
    if product.psd.checksum == "MD5":
        return "MD5", hashlib.md5(content, usedforsecurity=False).hexdigest()
    return product.psd.checksum, hashlib.sha3_256(content).hexdigest()


def _unit(parent: etree._Element, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{XFDU}}}contentUnit", attributes)


def _package_map(top: etree._Element, identifiers: dict[Path, str]) -> None:
    package = _unit(
        etree.SubElement(top, "informationPackageMap"),
        unitType="Product_Level-1C",
        textInfo="SENTINEL-2 MSI Level-1C User Product",
        pdiID="processing",
        dmdID="acquisitionPeriod platform",
    )
    units: dict[tuple[str, ...], etree._Element] = {}
    for path, identifier in identifiers.items():
        parent = package
        for depth in range(1, len(path.parts)):
            folder = path.parts[:depth]
            if folder not in units:
                units[folder] = _unit(
                    parent, ID=f"folder_{len(units) + 1:03d}", textInfo=folder[-1]
                )
            parent = units[folder]
        kind = "Measurement Data Unit" if path.suffix == ".jp2" else "Metadata Unit"
        entry = _unit(parent, ID=f"{identifier}_Unit", unitType=kind)
        etree.SubElement(entry, "dataObjectPointer", dataObjectID=identifier)


def _general(section: etree._Element, product: ProductDescription) -> None:
    period = _add_metadata_object(section, "acquisitionPeriod", "Acquisition Period")
    period = etree.SubElement(period, f"{{{SAFE}}}acquisitionPeriod")
    etree.SubElement(period, f"{{{SAFE}}}startTime").text = utc(product.sensing_time)

    orbit = _add_metadata_object(section, "measurementOrbitReference", "Orbit Reference")
    orbit = etree.SubElement(orbit, f"{{{SAFE}}}orbitReference")
    number = etree.SubElement(
        orbit, f"{{{SAFE}}}orbitNumber", type="start", groundTrackDirection="descending"
    )
    number.text = f"{product.absolute_orbit:06d}"
    number = etree.SubElement(orbit, f"{{{SAFE}}}relativeOrbitNumber", type="start")
    number.text = f"{product.relative_orbit:03d}"

    platform = _add_metadata_object(section, "platform", "Platform Description")
    platform = etree.SubElement(platform, f"{{{SAFE}}}platform")
    etree.SubElement(platform, f"{{{SAFE}}}nssdcIdentifier").text = _NSSDC[product.spacecraft]
    etree.SubElement(platform, f"{{{SAFE}}}familyName").text = "SENTINEL"
    etree.SubElement(platform, f"{{{SAFE}}}number").text = product.spacecraft[1:]
    instrument = etree.SubElement(platform, f"{{{SAFE}}}instrument")
    family = etree.SubElement(instrument, f"{{{SAFE}}}familyName", abbreviation="MSI")
    family.text = "Multi-Spectral Instrument"

    processing = _add_metadata_object(section, "processing", "Processing", "PROVENANCE", "PDI")
    etree.SubElement(
        processing,
        f"{{{SAFE}}}processing",
        name="Generation of Level-1C User Product",
        start=product.created.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
    )

    frame = _add_metadata_object(section, "measurementFrameSet", "Frame Set")
    frame = etree.SubElement(frame, f"{{{SAFE}}}frameSet")
    outline = etree.SubElement(
        frame,
        f"{{{SAFE}}}footPrint",
        srsName="http://www.opengis.net/gml/srs/epsg.xml#4326",
    )
    etree.SubElement(outline, f"{{{GML}}}coordinates").text = footprint_positions(product)


def _add_metadata_object(
    section: etree._Element,
    identifier: str,
    text: str,
    classification: str = "DESCRIPTION",
    category: str = "DMD",
) -> etree._Element:
    entry = etree.SubElement(
        section,
        "metadataObject",
        ID=identifier,
        classification=classification,
        category=category,
    )
    wrap = etree.SubElement(
        entry,
        "metadataWrap",
        mimeType="text/xml",
        vocabularyName="Sentinel-SAFE",
        textInfo=text,
    )
    return etree.SubElement(wrap, "xmlData")


GMD = "http://www.isotc211.org/2005/gmd"
GCO = "http://www.isotc211.org/2005/gco"


def inspire(product: ProductDescription) -> bytes:
    """Build the INSPIRE description (ISO 19139, the first elements that INSPIRE requires)."""
    top = etree.Element(f"{{{GMD}}}MD_Metadata", nsmap={"gmd": GMD, "gco": GCO})
    _text(etree.SubElement(top, f"{{{GMD}}}fileIdentifier"), product.name())
    date = etree.SubElement(top, f"{{{GMD}}}dateStamp")
    etree.SubElement(date, f"{{{GCO}}}Date").text = product.created.strftime("%Y-%m-%d")
    information = etree.SubElement(
        etree.SubElement(top, f"{{{GMD}}}identificationInfo"), f"{{{GMD}}}MD_DataIdentification"
    )
    citation = etree.SubElement(
        etree.SubElement(information, f"{{{GMD}}}citation"), f"{{{GMD}}}CI_Citation"
    )
    _text(etree.SubElement(citation, f"{{{GMD}}}title"), product.name())
    _text(
        etree.SubElement(information, f"{{{GMD}}}abstract"),
        f"{product.title}; outline: {footprint_positions(product)}",
    )
    etree.indent(top)
    return bytes(etree.tostring(top, xml_declaration=True, encoding="UTF-8"))


def _text(parent: etree._Element, text: str) -> None:
    etree.SubElement(parent, f"{{{GCO}}}CharacterString").text = text
