"""Metadata documents as they are read: safe parsing, and errors that name element and file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lxml import etree

from sen2cor.errors import InputError

Element = Any
"""An lxml element (the library has no types)."""


class XmlDocument:
    """A parsed document. Element paths use names without namespace: ``General_Info/TILE_ID``.

    Nothing outside the file is ever read: no entities, no external definitions, no network.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        The file is missing, not well-formed, or carries a document type declaration.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
        )
        try:
            with path.open("rb") as file:
                tree = etree.parse(file, parser)
        except etree.XMLSyntaxError as error:
            raise InputError(
                f"{path}, line {error.lineno}: not well-formed XML ({error.msg}); "
                "fetch the product again"
            ) from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
        if tree.docinfo.internalDTD is not None:
            raise InputError(
                f"{path}: carries a document type declaration, which product metadata never do; "
                "it is refused for safety"
            )
        self.root: Element = tree.getroot()

    @property
    def kind(self) -> str:
        """Name of the root element without namespace."""
        return str(etree.QName(self.root).localname)

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
            raise self.lacks(where)
        return text

    def number(self, where: str, within: Element | None = None) -> float:
        """Return the finite number that an element holds.

        Raises
        ------
        InputError
            The element is missing or holds something else.
        """
        return self.as_number(self.text(where, within), where)

    def as_number(self, text: str, where: str) -> float:
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

    def lacks(self, where: str) -> InputError:
        """Return the error of a missing element."""
        return self.error(where, "is missing or empty")

    def error(self, where: str, problem: str) -> InputError:
        """Return an error that names the element and the file."""
        return InputError(f"{self.path}: element {where} {problem}")

    def _base(self, within: Element | None) -> Element:
        return self.root if within is None else within


def _any_namespace(where: str) -> str:
    return "/".join(f"{{*}}{name}" if name[:1].isalpha() else name for name in where.split("/"))
