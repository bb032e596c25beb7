"""Reading of one configuration file: safe XML, every element checked against the table."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sen2cor.bands import BANDS
from sen2cor.errors import ConfigurationError
from sen2cor.settings.cal_ac_gipp import COEFFICIENT
from sen2cor.settings.documents import DOCUMENTS, USER, Document
from sen2cor.settings.legacy import scheme_of_single_elements, translate
from sen2cor.settings.psd_schemes import PSD_VERSION, SCHEME_NAMES, PsdScheme, merge_schemes
from sen2cor.settings.value_types import SCHEME, Kind
from sen2cor.xml_document import Element, parse_xml


@dataclass
class Content:
    """What a file says.

    Attributes
    ----------
    values : dict
        Values by element name; elements that are not given are absent.
    schemes : tuple of PsdScheme
        ``PSD_Scheme`` blocks, given and default ones.
    warnings : list of str
        One for each element that is ignored, and for contradictions.
    """

    values: dict[str, Any] = field(default_factory=dict)
    schemes: tuple[PsdScheme, ...] = ()
    warnings: list[str] = field(default_factory=list)


def read_document(path: Path, document: Document) -> Content:
    """Read a configuration file. The file is never written to.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, is not well-formed, holds a document type declaration or
        entities, is not the document expected, or an element has a value that is not allowed;
        the message names file, line, element, value and the allowed values.
    """
    root = parse_xml(path, ConfigurationError, "correct it, or start from --setup")
    if root.tag != document.root:
        raise ConfigurationError(
            f"{path}, line {root.sourceline}: root element is {root.tag}, "
            f"expected {document.root}{_hint(root.tag)}"
        )
    return _Reader(path, document).read(root)


def _hint(root: str) -> str:
    for document in DOCUMENTS:
        if document.root == root:
            return f" (this is a {document.name} file: {document.option} takes it)"
    return ""


class _Reader:
    """One pass over the elements of a file."""

    def __init__(self, path: Path, document: Document) -> None:
        self._path = path
        self._document = document
        self._content = Content()
        self._blocks: dict[str, PsdScheme] = {}

    def read(self, root: Element) -> Content:
        self._group(root)
        content = self._content
        if self._document is USER:
            single = scheme_of_single_elements(content.values)
            blocks = self._blocks if single is None else {single.version: single, **self._blocks}
            content.schemes = merge_schemes(tuple(blocks.values()))
            content.values, warnings = translate(content.values)
            content.warnings += [f"{self._path}: {warning}" for warning in warnings]
        return content

    def _group(self, group: Element) -> None:
        for element in group:
            if element.tag in self._document.by_element:
                self._value(element)
            elif element.tag == "Band_List" and self._document.band_lists:
                self._band_list(element)
            elif element.tag == "PSD_Scheme" and self._document is USER:
                self._psd_scheme(element)
            elif element.tag in self._document.group_names or self._holds_known(element):
                self._group(element)
            else:
                self._ignore(element)

    def _ignore(self, element: Element) -> None:
        self._content.warnings.append(
            f"{self._path}, line {element.sourceline}: element {element.tag} "
            "is not known here and is ignored"
        )

    def _holds_known(self, element: Element) -> bool:
        # Later versions regroup elements: a known one counts wherever it stands.
        return any(inner.tag in self._document.by_element for inner in element.iterdescendants())

    def _value(self, element: Element) -> None:
        parameter = self._document.by_element[element.tag]
        self._once(element, parameter.name, self._content.values)
        self._content.values[parameter.name] = self._checked(
            element, element.tag, self._text(element), parameter.kind
        )

    def _once(self, element: Element, key: str, known: Container[str]) -> None:
        if key in known:
            raise ConfigurationError(
                f"{self._path}, line {element.sourceline}: element {element.tag} ({key}) "
                "stands twice; remove one"
            )

    def _text(self, element: Element) -> str:
        if len(element):
            raise ConfigurationError(
                f"{self._path}, line {element[0].sourceline}: {element.tag} holds the element "
                f"{element[0].tag}; it must hold a value only"
            )
        return (element.text or "").strip()

    def _checked(self, element: Element, name: str, text: str, kind: Kind) -> Any:
        try:
            return kind.parse(text)
        except ValueError as error:
            reason = f" ({error})" if str(error) else ""
            raise ConfigurationError(
                f"{self._path}, line {element.sourceline}: {name} = '{text}' is not allowed"
                f"{reason}; allowed: {kind.allowed}"
            ) from None

    def _attribute(self, element: Element, name: str, kind: Kind) -> Any:
        text = element.get(name, "").strip()
        return self._checked(element, f"{element.tag}/@{name}", text, kind)

    def _band_list(self, band_list: Element) -> None:
        known = {entry.element.name: entry for entry in self._document.band_lists}
        counts = dict.fromkeys(known, 0)
        for element in band_list:
            if element.tag not in known:
                self._ignore(element)
                continue
            counts[element.tag] += 1
            entry = known[element.tag]
            self._checked(element, element.tag, self._text(element), entry.element.kind)
            for name, _ in entry.attributes:
                if name in element.attrib:
                    self._attribute(element, name, COEFFICIENT)
        for name, count in counts.items():
            if count not in (0, len(BANDS)):
                raise ConfigurationError(
                    f"{self._path}, line {band_list.sourceline}: Band_List has {count} elements "
                    f"{name}; allowed: {len(BANDS)}, one for each band"
                )

    def _psd_scheme(self, block: Element) -> None:
        version = self._attribute(block, "PSD_Version", PSD_VERSION)
        self._once(block, version, self._blocks)
        reference = self._attribute(block, "PSD_Reference", SCHEME)
        given: dict[str, str] = {}
        for element in block:
            if element.tag not in SCHEME_NAMES:
                self._ignore(element)
                continue
            self._once(element, element.tag, given)
            given[element.tag] = self._checked(element, element.tag, self._text(element), SCHEME)
        schemas = tuple((name, given[name]) for name in SCHEME_NAMES if name in given)
        self._blocks[version] = PsdScheme(version, reference, schemas)
