"""Shipped files, made from the table of parameters: XML, schemas (XSD), table of the manual.

``python -m sen2cor.settings.shipped_files cfg`` updates the files of the source tree after a
change of the table; a test compares them.

The schemas are for editors and other tools. A run uses `sen2cor.settings.reader` instead, which
can ignore elements of later versions and name the allowed values.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from sen2cor.settings import l2a_cal_ac_gipp
from sen2cor.settings.documents import CORRECTION, DOCUMENTS, Document
from sen2cor.settings.elements import Parameter
from sen2cor.settings.writer import render_document


def shipped_files() -> dict[str, bytes]:
    """Return the contents of the shipped configuration folder by file name."""
    files = {}
    for document in DOCUMENTS:
        files[f"{document.name}.xml"] = render_document(document, {})
        files[f"{document.name}.xsd"] = render_schema(document)
    return files


def parameter_tables() -> str:
    """Return all elements as Markdown tables, one for each file."""
    return "\n".join(line for document in DOCUMENTS for line in _table(document))


def _table(document: Document) -> Iterator[str]:
    yield from (f"## {document.name}.xml", "", f"{document.title}.", "")
    for group, parameters in groupby(document.parameters, lambda entry: entry.group):
        yield from (f"### {group}", "")
        yield from ("| element | allowed | default | meaning | from |", "|---|---|---|---|---|")
        for parameter in parameters:
            cells = (
                f"**{parameter.name}**",
                parameter.kind.allowed,
                parameter.default,
                parameter.meaning,
                {"ours": "own"}.get(parameter.since, parameter.since),
            )
            yield f"| {' | '.join(cells)} |"
        yield ""


def render_schema(document: Document) -> bytes:
    """Return the schema of a configuration file: any order, every element optional."""
    parameters = (*document.parameters, *document.legacy)
    top = _Group()
    for parameter in parameters:
        for group in _places(document, parameter.group):
            for name in (parameter.name, *parameter.aliases):
                element = f'<xs:element name="{name}" type="{parameter.name}" minOccurs="0"/>'
                top.at(group).elements[name] = element
    for unused in document.unused:
        for group in _places(document, unused.group):
            # without a type an element may contain anything
            place = top.at(group)
            place.elements[unused.name] = f'<xs:element name="{unused.name}" minOccurs="0"/>'
            place.repeats |= unused.repeats
    text = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f"{_documentation(document.title)}"
        f'<xs:element name="{document.root}">{top.type()}</xs:element>'
        f"{''.join(_named_type(parameter) for parameter in parameters)}</xs:schema>"
    )
    root = etree.fromstring(text)
    etree.indent(root, "  ")
    rendered: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return rendered + b"\n"


class _Group:
    """The elements and groups that a group may hold."""

    def __init__(self) -> None:
        self.elements: dict[str, str] = {}
        self.groups: dict[str, _Group] = {}
        self.repeats = False

    def at(self, path: str) -> _Group:
        if not path:
            return self
        name, _, rest = path.partition("/")
        return self.groups.setdefault(name, _Group()).at(rest)

    def type(self) -> str:
        # xs:all takes any order but no repetition; a repeated choice takes both.
        opening, closing = (
            ('<xs:choice minOccurs="0" maxOccurs="unbounded">', "</xs:choice>")
            if self.repeats
            else ("<xs:all>", "</xs:all>")
        )
        content = "".join((*self.elements.values(), *self._group_elements()))
        return f"<xs:complexType>{opening}{content}{closing}</xs:complexType>"

    def _group_elements(self) -> Iterator[str]:
        for name, group in self.groups.items():
            yield f'<xs:element name="{name}" minOccurs="0">{group.type()}</xs:element>'


def _places(document: Document, group: str) -> Iterator[str]:
    """Yield the groups in which any version has the elements of a group."""
    groups = (group, *document.groups) if group == l2a_cal_ac_gipp.TOP else (group,)
    for place in groups:
        yield place
        if document is CORRECTION:
            # 2.8 drops the wrapper element of this file.
            yield place.removeprefix(l2a_cal_ac_gipp.TOP).removeprefix("/")


def _documentation(text: str) -> str:
    return (
        f"<xs:annotation><xs:documentation>{escape(text)}</xs:documentation></xs:annotation>"
        if text
        else ""
    )


def _named_type(parameter: Parameter) -> str:
    opening = "<xs:simpleType>"
    return parameter.kind.simple_type().replace(
        opening,
        f'<xs:simpleType name="{parameter.name}">{_documentation(parameter.meaning)}',
        1,
    )


if __name__ == "__main__":
    for file_name, content in shipped_files().items():
        Path(sys.argv[1], file_name).write_bytes(content)
