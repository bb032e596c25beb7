"""Writing of configuration files: the shipped ones, and the copy of the settings in a product."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from sen2cor.settings.documents import Document
from sen2cor.settings.elements import Parameter

_WIDTH = 100
_INDENT = "    "


def render_document(
    document: Document,
    texts: Mapping[str, str],
    notes: Sequence[str] = (),
) -> bytes:
    """Return a commented configuration file.

    Parameters
    ----------
    document : Document
        Which of the three.
    texts : mapping
        Text by element name; elements without a text have their default.
    notes : sequence of str
        Further comments at the top.
    """
    tree = _Tree()
    for parameter in document.parameters:
        lines = [*_comment(_explain(parameter))] if parameter.meaning else []
        text = texts.get(parameter.name, parameter.default)
        lines.append(f"<{parameter.name}>{escape(text)}</{parameter.name}>")
        tree.add(parameter.group, lines)
    reason = ""
    for element in document.unused:
        if element.shipped:
            lines = [] if element.reason == reason else _comment(f"No effect: {element.reason}.")
            tree.add(element.group, [*lines, *element.shipped])
            reason = element.reason
    head = [line for note in (document.title, *notes) for line in _comment(note)]
    body = [f"{_INDENT}{line}" for line in tree.lines()]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        *head,
        f"<{document.root}>",
        *body,
        f"</{document.root}>",
        "",
    ]
    return "\n".join(lines).encode()


class _Tree:
    """Lines of elements sorted into nested groups, in the order in which they were added."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._groups: dict[str, _Tree] = {}

    def add(self, group: str, lines: Sequence[str]) -> None:
        if not group:
            self._lines += lines
            return
        name, _, rest = group.partition("/")
        self._groups.setdefault(name, _Tree()).add(rest, lines)

    def lines(self) -> Iterator[str]:
        yield from self._lines
        for name, group in self._groups.items():
            yield f"<{name}>"
            yield from (f"{_INDENT}{line}" for line in group.lines())
            yield f"</{name}>"


def _comment(text: str) -> list[str]:
    # Two hyphens may not stand in an XML comment.
    safe = re.sub("-(?=-)", "- ", text)
    lines = textwrap.wrap(f"<!-- {safe}", _WIDTH - 16, subsequent_indent="     ")
    return [*lines[:-1], f"{lines[-1]} -->"]


def _explain(parameter: Parameter) -> str:
    origin = {"": "", "ours": " Not in Sen2Cor."}.get(parameter.since, f" From {parameter.since}.")
    return (
        f"{parameter.meaning}. Allowed: {parameter.kind.allowed}."
        f" Default: {parameter.default}.{origin}"
    )
