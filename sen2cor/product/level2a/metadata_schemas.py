"""Schemas of the Level-2A metadata: those in ``rep_info`` of a product, and official ones.

The official XSDs of the product specification are not distributed with this project. The schemas in
``rep_info`` are generated here; they describe the root element and its sections.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lxml import etree

from sen2cor.errors import ConfigurationError
from sen2cor.product.level2a.xml_editing import SCHEMA_FILES, add, namespace
from sen2cor.product.psd import Psd
from sen2cor.xml_document import Element, parse_xml

_XS = "http://www.w3.org/2001/XMLSchema"

_MANIFEST_SCHEMA = (
    "resources/xsd/int/esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a_user_product/xfdu.xsd"
)


def build_structure_schemas(psd: Psd) -> dict[str, Element]:
    """Build the schemas for ``rep_info``.

    Returns
    -------
    dict of file name to Element
        Roots of schema documents.
    """
    own = ["L2A_Auxiliary_Data_Info"] if psd.prefix else []
    own_quality = ["L2A_Quality_Indicators_Info"] if psd.prefix else []
    documents = {
        "User_Product_Level-2A.xsd": (
            psd.namespace,
            "Level-2A_User_Product",
            [
                "General_Info",
                "Geometric_Info",
                "Auxiliary_Data_Info",
                *own,
                "Quality_Indicators_Info",
                *own_quality,
            ],
        ),
        "S2_PDI_Level-2A_Tile_Metadata.xsd": (
            psd.tile_namespace,
            "Level-2A_Tile_ID",
            ["General_Info", "Geometric_Info", "Quality_Indicators_Info"],
        ),
        "S2_PDI_Level-2A_Datastrip_Metadata.xsd": (
            psd.datastrip_namespace,
            "Level-2A_DataStrip_ID",
            [
                "General_Info",
                "Image_Data_Info",
                "Satellite_Ancillary_Data_Info",
                "Quality_Indicators_Info",
                "Auxiliary_Data_Info",
            ],
        ),
    }
    return {
        SCHEMA_FILES[document]: _build_structure_schema(namespace(name, document), root, sections)
        for document, (name, root, sections) in documents.items()
    }


def load_official_schema(folder: Path, psd: Psd, file_name: str) -> etree.XMLSchema | None:
    """Load an official schema from a folder of PSD schemas; None if it does not exist.

    Parameters
    ----------
    folder : Path
        Contains ``S2-PDGS-TAS-DI-PSD-V<version>_Schema`` etc., as ESA distributes them.
    psd : Psd
    file_name : str
        Name of a metadata schema, or ``manifest``.

    Raises
    ------
    ConfigurationError
        The schema is invalid.
    """
    stem = f"S2-PDGS-TAS-DI-PSD-V{psd.version}"
    if file_name == "manifest":
        candidates = [folder / f"{stem}_SAFE" / _MANIFEST_SCHEMA]
    else:
        candidates = [folder / f"{stem}_{kind}" / file_name for kind in ("L2A_Schema", "Schema")]
    for path in candidates:
        if path.is_file():
            return _load_schema(path)
    return None


def find_problems(root: Element, schema: etree.XMLSchema) -> list[str]:
    """Return the errors in a document, each with its path; empty if it is valid."""
    schema.validate(root)
    return [f"{error.path}: {error.message}" for error in schema.error_log]


def select_schema(psd: Psd, file_name: str, folder: Path | None) -> etree.XMLSchema | None:
    """Return the official schema of a document if the folder contains it, else the built one.

    Parameters
    ----------
    psd : Psd
    file_name : str
        Name of a metadata schema, or ``manifest`` (which has only an official schema).
    folder : Path or None
        As for `load_official_schema`.
    """
    official = load_official_schema(folder, psd, file_name) if folder is not None else None
    if official is not None or file_name == "manifest":
        return official
    return etree.XMLSchema(build_structure_schemas(psd)[file_name])


@cache
def _load_schema(path: Path) -> etree.XMLSchema:
    try:
        return etree.XMLSchema(parse_xml(path, ConfigurationError, "replace it"))
    except etree.XMLSchemaParseError as error:
        raise ConfigurationError(f"{path}: schema cannot be used ({error})") from error


def _build_structure_schema(uri: str, root: str, sections: list[str]) -> Element:
    schema = etree.Element(
        f"{{{_XS}}}schema",
        nsmap={"xs": _XS, None: uri},
        targetNamespace=uri,
        elementFormDefault="qualified",
    )
    element = add(schema, f"{{{_XS}}}element", name=root)
    sequence = add(add(element, f"{{{_XS}}}complexType"), f"{{{_XS}}}sequence")
    for name in sections:
        section = add(sequence, f"{{{_XS}}}element", name=name)
        content = add(section, f"{{{_XS}}}complexType")
        anything = add(content, f"{{{_XS}}}sequence")
        add(
            anything,
            f"{{{_XS}}}any",
            processContents="skip",
            minOccurs="0",
            maxOccurs="unbounded",
        )
        add(content, f"{{{_XS}}}anyAttribute", processContents="skip")
    return schema
