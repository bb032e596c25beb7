"""Images by blocks of rows: what is worked on at once stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Run = Callable[[Callable[[slice], None], Iterable[slice]], Iterable[object]]
"""Calls a function for all blocks, in any order or side by side, as `map` does one by one."""

BLOCK_ROWS = 64
"""A float32 block of a full tile at 10 m stays within 3 MB."""


def row_blocks(rows: int, height: int = BLOCK_ROWS) -> list[slice]:
    """Cut rows into blocks from top to bottom."""
    return [slice(top, min(top + height, rows)) for top in range(0, rows, height)]
