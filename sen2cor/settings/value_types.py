"""Types of the values of configuration elements.

A type defines how a value is read, written, described to users and constrained in a schema.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from sen2cor.atmosphere.standard_atmospheres import OZONE_COLUMNS
from sen2cor.paths import expand_address, expand_path

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _simple_type(base: str, *facets: str) -> str:
    return (
        f'<xs:simpleType><xs:restriction base="xs:{base}">{"".join(facets)}'
        "</xs:restriction></xs:simpleType>"
    )


def _enumeration(values: Iterable[str]) -> str:
    facets = (f"<xs:enumeration value={quoteattr(value)}/>" for value in values)
    return _simple_type("token", *facets)


@dataclass(frozen=True)
class Kind(ABC):
    """Type of a value: conversion from and to the text of an element, and the allowed values.

    Attributes
    ----------
    words : mapping
        Texts with a special value, such as ``AUTO`` or ``NONE`` for None.
    """

    words: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def allowed(self) -> str:
        """The allowed values in words, for messages and comments."""
        return " or ".join((*self.words, self._range()))

    def parse(self, text: str) -> Any:
        """Return the value of a stripped text.

        Raises
        ------
        ValueError
            If the text is not allowed; the message is the reason, or empty if the list of allowed
            values suffices.
        """
        return self.words[text] if text in self.words else self._value(text)

    def render(self, value: Any) -> str:
        """Return the text that `parse` turns into this value."""
        for word, meant in self.words.items():
            if meant is value:
                return word
        return self._text(value)

    def simple_type(self) -> str:
        """Return the XSD ``simpleType`` without a name."""
        if not self.words:
            return self._type()
        members = f"{_enumeration(self.words)}{self._type()}"
        return f"<xs:simpleType><xs:union>{members}</xs:union></xs:simpleType>"

    @abstractmethod
    def _range(self) -> str: ...

    @abstractmethod
    def _value(self, text: str) -> Any: ...

    @abstractmethod
    def _type(self) -> str: ...

    def _text(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Choice(Kind):
    """One of several texts.

    Attributes
    ----------
    values : tuple of str
        The allowed texts.
    convert : callable
        Converts the text to the value.
    refused : mapping
        Values that the format allows but this processor does not support, with the reason.
    """

    values: tuple[str, ...]
    convert: Callable[[str], Any] = str
    refused: Mapping[str, str] = field(default_factory=dict)

    def _range(self) -> str:
        return ", ".join(self.values)

    def _value(self, text: str) -> Any:
        if text not in self.values:
            raise ValueError(self.refused.get(text, ""))
        return self.convert(text)

    def _type(self) -> str:
        return _enumeration(self.values)


_BOOLEANS = {
    "TRUE": True,
    "FALSE": False,
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    "Yes": True,
    "No": False,
}


@dataclass(frozen=True)
class Boolean(Kind):
    """True or false in the spellings of all versions."""

    def _range(self) -> str:
        return "TRUE or FALSE (also true, false, 1, 0, Yes, No)"

    def _value(self, text: str) -> bool:
        if text not in _BOOLEANS:
            raise ValueError
        return _BOOLEANS[text]

    def _text(self, value: Any) -> str:
        return "TRUE" if value else "FALSE"

    def _type(self) -> str:
        return _enumeration(_BOOLEANS)


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number in a range, ends included."""

    lowest: int
    highest: int

    def _range(self) -> str:
        return f"a whole number {self.lowest}..{self.highest}"

    def _value(self, text: str) -> int:
        if not _INTEGER.fullmatch(text) or not self.lowest <= int(text) <= self.highest:
            raise ValueError
        return int(text)

    def _type(self) -> str:
        return _simple_type(
            "integer",
            f'<xs:minInclusive value="{self.lowest}"/>',
            f'<xs:maxInclusive value="{self.highest}"/>',
        )


@dataclass(frozen=True)
class Decimal(Kind):
    """A number in a range, ends included.

    Attributes
    ----------
    lowest, highest : float
        The range.
    negative_is_zero : bool
        Whether numbers below zero become zero instead of being refused.
    """

    lowest: float
    highest: float
    negative_is_zero: bool = False

    def _range(self) -> str:
        note = " (negative: taken as 0)" if self.negative_is_zero else ""
        return f"a number {self.lowest:g}..{self.highest:g}{note}"

    def _value(self, text: str) -> float:
        if not _DECIMAL.fullmatch(text):
            raise ValueError
        value = float(text)
        if self.negative_is_zero and math.isfinite(value):
            value = max(value, 0.0)
        if not self.lowest <= value <= self.highest:
            raise ValueError
        # The sum turns the negative zero of a text such as "-0" into the positive one.
        return value + 0.0

    def _type(self) -> str:
        lowest = "" if self.negative_is_zero else f'<xs:minInclusive value="{self.lowest:g}"/>'
        return _simple_type("double", lowest, f'<xs:maxInclusive value="{self.highest:g}"/>')


@dataclass(frozen=True)
class Text(Kind):
    """A text.

    Attributes
    ----------
    empty : bool
        Whether the text may be empty.
    """

    empty: bool = False

    def _range(self) -> str:
        return "a text"

    def _value(self, text: str) -> str:
        if not text and not self.empty:
            raise ValueError
        return text

    def _type(self) -> str:
        return _simple_type("token", f'<xs:minLength value="{0 if self.empty else 1}"/>')


@dataclass(frozen=True)
class PathText(Text):
    """A path; ``~`` and environment variables in it must have a value.

    The value is the text as it stands, which `sen2cor.paths.expand_path` expands where it is used.
    """

    def _range(self) -> str:
        return "a path"

    def _value(self, text: str) -> str:
        expand_path(super()._value(text))
        return text


@dataclass(frozen=True)
class AddressText(Text):
    """A base address (URI); as `PathText`, without ``~`` and ``%NAME%``."""

    def _value(self, text: str) -> str:
        expand_address(super()._value(text))
        return text


_OZONE_LETTERS = {**OZONE_COLUMNS["SUMMER"], **OZONE_COLUMNS["WINTER"]}
_OZONE_COLUMNS = tuple(f"{column:g}" for column in sorted(set(_OZONE_LETTERS.values())))


@dataclass(frozen=True)
class Ozone(Kind):
    """An ozone column in Dobson units: a letter or the number."""

    def _range(self) -> str:
        letters, columns = " ".join(_OZONE_LETTERS), " ".join(_OZONE_COLUMNS)
        return f"a letter {letters} or Dobson units {columns}"

    def _value(self, text: str) -> float:
        if text in _OZONE_LETTERS:
            return _OZONE_LETTERS[text]
        if text not in _OZONE_COLUMNS:
            raise ValueError
        return float(text)

    def _text(self, value: Any) -> str:
        letters = [letter for letter, column in _OZONE_LETTERS.items() if column == value]
        # 250 and 290 Dobson units belong to both seasons, so no letter names them alone.
        return letters[0] if len(letters) == 1 else f"{value:g}"

    def _type(self) -> str:
        return _enumeration((*_OZONE_LETTERS, *_OZONE_COLUMNS))
