"""Schemas (XSD) of the three configuration files, made from the table.

They are for editors and other tools. What a run accepts is decided by `sen2cor.settings.reader`,
which can ignore elements of later versions and say what is allowed; a schema can do neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from lxml import etree

from sen2cor.bands import BANDS
from sen2cor.settings.cal_ac_gipp import COEFFICIENT, TOP, BandList
from sen2cor.settings.documents import CORRECTION, USER, Document
from sen2cor.settings.parameters import Parameter
from sen2cor.settings.psd_schemes import PSD_VERSION, SCHEME_NAMES
from sen2cor.settings.value_types import SCHEME


def render_schema(document: Document) -> bytes:
    """Return the schema of a configuration file: any order, every element optional."""
    parameters = (*document.parameters, *document.legacy, *document.ignored)
    top = _Group()
    for parameter in parameters:
        for group in _places(document, parameter.group):
            for name in (parameter.name, *parameter.aliases):
                element = f'<xs:element name="{name}" type="{parameter.name}" minOccurs="0"/>'
                top.at(group).elements[name] = element
    for bands in document.band_lists:
        parent, _, _ = bands.element.group.rpartition("/")
        for group in _places(document, parent):
            top.at(group).elements["Band_List"] = _band_list(bands)
            if bands.attributes:
                top.at(group).attributes = '<xs:attribute name="units" type="xs:string"/>'
    if document is USER:
        common = top.at("Common_Section")
        common.elements["PSD_Scheme"] = _psd_scheme()
        common.repeats = True
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
        self.attributes = ""
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
        return f"<xs:complexType>{opening}{content}{closing}{self.attributes}</xs:complexType>"

    def _group_elements(self) -> Iterator[str]:
        for name, group in self.groups.items():
            yield f'<xs:element name="{name}" minOccurs="0">{group.type()}</xs:element>'


def _places(document: Document, group: str) -> Iterator[str]:
    """Yield the groups in which the versions have the elements of one of our groups."""
    groups = (group, *document.groups) if group == TOP else (group,)
    for place in groups:
        yield place
        if document is CORRECTION:
            # 2.8 drops the wrapper element of this file.
            yield place.removeprefix(TOP).removeprefix("/")


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


def _band_list(bands: BandList) -> str:
    name = bands.element.name
    content = bands.element.kind.simple_type()
    if bands.attributes:
        attributes = "".join(
            f'<xs:attribute name="{attribute}">{COEFFICIENT.simple_type()}</xs:attribute>'
            for attribute, _ in bands.attributes
        )
        # Attributes can only extend a named type, so the range of the value is left to the reader.
        content = (
            '<xs:complexType><xs:simpleContent><xs:extension base="xs:double">'
            f"{attributes}</xs:extension></xs:simpleContent></xs:complexType>"
        )
    return (
        '<xs:element name="Band_List" minOccurs="0"><xs:complexType><xs:sequence>'
        f'<xs:element name="{name}" minOccurs="{len(BANDS)}" maxOccurs="{len(BANDS)}">{content}'
        "</xs:element></xs:sequence></xs:complexType></xs:element>"
    )


def _psd_scheme() -> str:
    elements = "".join(
        f'<xs:element name="{name}" type="{name}" minOccurs="0"/>' for name in SCHEME_NAMES
    )
    return (
        f'<xs:element name="PSD_Scheme"><xs:complexType><xs:all>{elements}</xs:all>'
        f'<xs:attribute name="PSD_Version" use="required">{PSD_VERSION.simple_type()}'
        '</xs:attribute><xs:attribute name="PSD_Reference">'
        f"{SCHEME.simple_type()}</xs:attribute></xs:complexType></xs:element>"
    )
