"""Reading of a configuration file, or of settings of the command line, element by element."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sen2cor.errors import ConfigurationError, UsageError
from sen2cor.settings.documents import DOCUMENTS, USER, Document
from sen2cor.settings.elements import Parameter
from sen2cor.settings.legacy import translate
from sen2cor.settings.value_types import Kind
from sen2cor.xml_document import Element, parse_xml


@dataclass
class Content:
    """Content of a file.

    Attributes
    ----------
    values : dict
        Values by element name; missing elements are absent.
    warnings : list of str
        One for each unknown element, for each contradiction, and one for all elements without
        effect.
    """

    values: dict[str, Any] = field(default_factory=dict)
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


def read_assignments(assignments: Iterable[str]) -> Content:
    """Read settings of the command line, with the checks of a file.

    Parameters
    ----------
    assignments : iterable of str
        ``NAME=VALUE``: name of an element of any of the three files, and its text.

    Raises
    ------
    UsageError
        One has another form.
    ConfigurationError
        An element is unknown, without effect or given twice, or its value is not allowed.
    """
    content = Content()
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not (name and equals):
            raise UsageError(f"--set {assignment}: must be like NAME=VALUE")
        parameter = _find_parameter(name)
        if parameter.name in content.values:
            raise ConfigurationError(
                f"--set: element {name} ({parameter.name}) appears twice; remove one"
            )
        content.values[parameter.name] = _check("--set", name, text, parameter.kind)
    content.values, warnings = translate(content.values)
    content.warnings += [f"--set: {warning}" for warning in warnings]
    return content


def _find_parameter(name: str) -> Parameter:
    """Return the parameter that an element of any file stands for."""
    for document in DOCUMENTS:
        if name in document.by_element:
            return document.by_element[name]
    for document in DOCUMENTS:
        for element in document.unused:
            if element.name == name:
                raise ConfigurationError(f"--set: element {name} has no effect: {element.reason}")
    names = [known for document in DOCUMENTS for known in document.by_element]
    spelling = {known.lower(): known for known in names}
    near = [spelling[match] for match in get_close_matches(name.lower(), spelling)]
    hint = f"; similar: {', '.join(near)}" if near else "; --show-settings lists all"
    raise ConfigurationError(f"--set: element {name} is unknown{hint}")


def _check(place: str, name: str, text: str, kind: Kind) -> Any:
    """Return the value of an element that stands in a place."""
    try:
        return kind.parse(text)
    except ValueError as error:
        reason = f" ({error})" if str(error) else ""
        raise ConfigurationError(
            f"{place}: {name} = '{text}' is not allowed{reason}; allowed: {kind.allowed}"
        ) from None


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
        self._unused = {element.name: element for element in document.unused}
        self._without_effect: dict[str, None] = {}

    def read(self, root: Element) -> Content:
        self._group(root)
        content = self._content
        if self._document is USER:
            content.values, warnings = translate(content.values)
            content.warnings += [f"{self._path}: {warning}" for warning in warnings]
        if self._without_effect:
            content.warnings.append(
                f"{self._path}: elements without effect: {', '.join(self._without_effect)} "
                "(docs/configuration.md says why)"
            )
        return content

    def _group(self, group: Element) -> None:
        for element in group:
            if element.tag in self._document.by_element:
                self._value(element)
            elif element.tag in self._unused:
                self._skip(element)
            elif element.tag in self._document.group_names or self._holds_known(element):
                self._group(element)
            else:
                self._ignore(element)

    def _skip(self, element: Element) -> None:
        texts = {text.strip() for text in element.itertext()} - {""}
        if not self._unused[element.tag].is_shipped(texts):
            self._without_effect[element.tag] = None

    def _ignore(self, element: Element) -> None:
        self._content.warnings.append(
            f"{self._path}, line {element.sourceline}: element {element.tag} is unknown and ignored"
        )

    def _holds_known(self, element: Element) -> bool:
        # Later versions regroup elements: a known one counts wherever it stands.
        return any(inner.tag in self._document.by_element for inner in element.iterdescendants())

    def _value(self, element: Element) -> None:
        parameter = self._document.by_element[element.tag]
        self._once(element, parameter.name, self._content.values)
        place = f"{self._path}, line {element.sourceline}"
        self._content.values[parameter.name] = _check(
            place, element.tag, self._text(element), parameter.kind
        )

    def _once(self, element: Element, key: str, known: Container[str]) -> None:
        if key in known:
            raise ConfigurationError(
                f"{self._path}, line {element.sourceline}: element {element.tag} ({key}) "
                "appears twice; remove one"
            )

    def _text(self, element: Element) -> str:
        if len(element):
            raise ConfigurationError(
                f"{self._path}, line {element[0].sourceline}: {element.tag} contains the element "
                f"{element[0].tag}; it must contain only a value"
            )
        return (element.text or "").strip()
