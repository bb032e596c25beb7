"""XML documents: the only parser of the package, and errors that name file, line and element.

Nothing outside a file is ever read: entities are not resolved, external definitions and the network
are not used, and a document type declaration is refused.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lxml import etree

from sen2cor.errors import InputError, Sen2CorError

Element = Any
"""An lxml element (the library has no types)."""


def parse_xml(
    path: Path,
    error: type[Sen2CorError] = InputError,
    remedy: str = "fetch the product again",
    *,
    editable: bool = False,
) -> Element:
    """Parse an XML file.

    Parameters
    ----------
    path : Path
    error : type of Sen2CorError
        Raised if the file cannot be used.
    remedy : str
        What the user can do about a file that is not well-formed.
    editable : bool
        True for documents that are edited and written again: comments and processing instructions
        are kept, white space between elements is dropped, and size and depth are not limited.
        False: the reverse of each.

    Returns
    -------
    Element
        The root.

    Raises
    ------
    Sen2CorError
        As `error`: the file cannot be read, is not well-formed, exceeds the parser's limits, or has
        a document type declaration.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    return parse_xml_bytes(content, path, error, remedy, editable=editable)


def parse_xml_bytes(
    content: bytes,
    path: Path,
    error: type[Sen2CorError] = InputError,
    remedy: str = "fetch the product again",
    *,
    editable: bool = False,
) -> Element:
    """Parse the content of an XML file, of which ``path`` is for messages; see `parse_xml`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=editable,
        remove_blank_text=editable,
        remove_comments=not editable,
        remove_pis=not editable,
    )
    try:
        root = etree.fromstring(content, parser, base_url=str(path))
    except etree.XMLSyntaxError as problem:
        reason = " ".join(problem.msg.split())
        raise error(
            f"{path}, line {problem.lineno}: not well-formed XML ({reason}); {remedy}"
        ) from problem
    if root.getroottree().docinfo.internalDTD is not None:
        raise error(
            f"{path}: a document type declaration (DOCTYPE, entities) is not accepted, for safety; "
            "remove it"
        )
    return root


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return str(etree.QName(element).localname)


class XmlDocument:
    """A document to read from. Paths use names without namespace: ``General_Info/TILE_ID``.

    Parameters
    ----------
    path : Path
    content : bytes, optional
        Of the file; by default it is read.

    Raises
    ------
    InputError
        As for `parse_xml`.
    """

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self.path = path
        self.root: Element = parse_xml(path) if content is None else parse_xml_bytes(content, path)

    @property
    def root_name(self) -> str:
        """Name of the root element without namespace."""
        return local_name(self.root)

    @property
    def namespace(self) -> str:
        """Namespace of the root element, or an empty text."""
        return str(etree.QName(self.root).namespace or "")

    def find(self, where: str, within: Element | None = None) -> Element | None:
        """Return the first element of that path, or None."""
        return self._base(within).find(_any_namespace(where))

    def find_all(self, where: str, within: Element | None = None) -> list[Element]:
        """Return all elements of that path."""
        return list(self._base(within).findall(_any_namespace(where)))

    def text(self, where: str, within: Element | None = None) -> str:
        """Return the stripped text of an element.

        Raises
        ------
        InputError
            The element is missing or empty.
        """
        found = self.find(where, within)
        text = (found.text or "").strip() if found is not None else ""
        if not text:
            raise self.missing(where)
        return text

    def number(self, where: str, within: Element | None = None) -> float:
        """Return the finite number that an element holds.

        Raises
        ------
        InputError
            The element is missing or holds something else.
        """
        return self.parse_number(self.text(where, within), where)

    def parse_number(self, text: str, where: str) -> float:
        """Turn the text of an element into a finite number.

        Raises
        ------
        InputError
            It is none.
        """
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.error(where, f"holds {text!r}, not a number")
        return number

    def missing(self, where: str) -> InputError:
        """Return the error of a missing element."""
        return self.error(where, "is missing or empty")

    def error(self, where: str, problem: str) -> InputError:
        """Return an error that names the element and the file."""
        return InputError(f"{self.path}: element {where} {problem}")

    def _base(self, within: Element | None) -> Element:
        return self.root if within is None else within


def _any_namespace(where: str) -> str:
    return "/".join(f"{{*}}{name}" if name[:1].isalpha() else name for name in where.split("/"))
