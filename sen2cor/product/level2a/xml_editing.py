"""Editing of metadata documents: a Level-2A document starts from its Level-1C document.

`product_document`, `tile_document` and `datastrip_document` define which elements are renamed,
added and removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lxml import etree

from sen2cor.files import raise_output_error, write_atomically
from sen2cor.xml_document import Element, local_name

_XSI = "http://www.w3.org/2001/XMLSchema-instance"

SCHEMA_FILES = {
    "User_Product_Level-2A.xsd": "S2_User_Product_Level-2A_Metadata.xsd",
    "S2_PDI_Level-2A_Tile_Metadata.xsd": "S2_PDI_Level-2A_Tile_Metadata.xsd",
    "S2_PDI_Level-2A_Datastrip_Metadata.xsd": "S2_PDI_Level-2A_Datastrip_Metadata.xsd",
}
"""Schema file in ``rep_info`` for the last part of a document's namespace."""


def namespace(name: str, document: str) -> str:
    """Return a namespace, for example of name ``psd-14`` and document ``User_Product_...xsd``."""
    return f"https://{name}.sentinel2.eo.esa.int/PSD/{document}"


def write_document(root: Element, path: Path) -> None:
    """Write a document; it is never seen half-written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    etree.indent(root, space="  ")
    with raise_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # lxml has errors of its own for a full disk
        write_atomically(path, etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def rebuild(
    level1c: Element, tag: str, uri: str, sections: Iterable[str], depth: int, prefix: str = "n1"
) -> Element:
    """Start a Level-2A document with the sections of a Level-1C one.

    Parameters
    ----------
    level1c : Element
        Root; its children are moved away from it.
    tag, uri : str
        Name of the new root and its namespace.
    sections : iterable of str
        Names of the sections in their order; those that the Level-1C document lacks stay empty.
    depth : int
        Folders between the document and the product root, to find ``rep_info``.
    prefix : str
        Prefix of the namespace.
    """
    schema = "../" * depth + "rep_info/" + SCHEMA_FILES[uri.rsplit("/", 1)[1]]
    root = etree.Element(f"{{{uri}}}{tag}", nsmap={prefix: uri, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{uri} {schema}")
    inherited = {local_name(child): child for child in level1c if isinstance(child.tag, str)}
    for name in sections:
        section = etree.SubElement(root, f"{{{uri}}}{name}")
        if name in inherited:
            section.attrib.update(inherited[name].attrib)
            section.extend(list(inherited[name]))
    etree.cleanup_namespaces(root, keep_ns_prefixes=[prefix, "xsi"])
    return root


def section(root: Element, name: str) -> Element:
    """Return a section (a child with namespace) of a document of `rebuild`."""
    found = root.find(f"{{*}}{name}")
    if found is None:
        raise KeyError(name)
    return found


def add(parent: Element, tag: str, text: str | float | None = None, **attributes: str) -> Element:
    """Append an element."""
    child = etree.SubElement(parent, tag, **attributes)
    if text is not None:
        child.text = text if isinstance(text, str) else f"{text:.6f}"
    return child


def find_text(parent: Element, path: str, default: str = "") -> str:
    """Return the text of the first element of a path (names without namespace)."""
    for found in parent.iterfind(path):
        if found.text and found.text.strip():
            return str(found.text.strip())
    return default


def arrange(parent: Element, order: Sequence[str]) -> None:
    """Bring children into an order and remove those that it does not name."""
    rank = {name: index for index, name in enumerate(order)}
    kept = [child for child in parent if isinstance(child.tag, str) and local_name(child) in rank]
    parent[:] = sorted(kept, key=lambda child: rank[local_name(child)])
