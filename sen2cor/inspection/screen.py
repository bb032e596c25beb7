"""Text for a terminal: sections, aligned columns, and styles where the stream is a terminal."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_GAP = 2
_NARROWEST = 20
"""Columns that the last column keeps on a narrow terminal."""


class Screen:
    """Writes sections of aligned rows to a stream.

    Parameters
    ----------
    stream : text stream
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._styled = (
            self._is_terminal
            and os.environ.get("TERM") != "dumb"
            and not os.environ.get("NO_COLOR")
        )

    def style(self, text: str, *styles: str) -> str:
        """Return a text in styles (``bold``, ``dim``, a colour), if the stream shows them."""
        if not (self._styled and text and styles):
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"

    def title(self, text: str) -> None:
        """Write a title."""
        self.line(self.style(text, "bold"))

    def line(self, text: str = "") -> None:
        """Write a line."""
        print(text, file=self._stream)

    def rows(
        self,
        rows: Iterable[Sequence[str]],
        styles: Iterable[Sequence[str]] = (),
        right: Sequence[int] = (),
        styled: int | None = None,
    ) -> None:
        """Write rows of texts in columns.

        On a terminal the last column is wrapped.

        Parameters
        ----------
        rows : iterable of sequence of str
            All of the same length.
        styles : iterable of sequence of str, optional
            Styles of each row.
        right : sequence of int, optional
            Columns that are aligned on the right.
        styled : int, optional
            The only column in styles; by default the whole row is.
        """
        cells = [list(row) for row in rows]
        looks = [*styles, *([()] * len(cells))]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        indent = _GAP + sum(width + _GAP for width in widths[:-1])
        room = max(_NARROWEST, shutil.get_terminal_size().columns - indent)
        for row, look in zip(cells, looks, strict=False):
            padded = [
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            last = padded[-1].rstrip()
            if self._is_terminal and len(last) > room:
                lines = textwrap.wrap(last, room, break_long_words=False, break_on_hyphens=False)
                last = f"\n{' ' * indent}".join(lines)
            padded[-1] = last
            gap = " " * _GAP
            if styled is None:
                self.line(f"{gap}{self.style(gap.join(padded).rstrip(), *look)}")
            else:
                padded[styled] = self.style(padded[styled], *look)
                self.line(f"{gap}{gap.join(padded).rstrip()}")
