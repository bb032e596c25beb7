"""The products of a run: list files and patterns before it, summary as table and JSON lines."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sen2cor.errors import UsageError
from sen2cor.files import raise_output_error
from sen2cor.pipeline.run.console import ProductOutcome

STANDARD_INPUT = "-"

_FIGURES = ("aot", "water_vapour", "cloud_percent")


@dataclass(frozen=True)
class ProductResult:
    """How the run of one of several products ended.

    Attributes
    ----------
    path : Path
        As given.
    exit_code : int
    seconds : float
    outcome : ProductOutcome or None
        None if there is no product.
    error : str or None
        Class and message of the error if there is no product.
    """

    path: Path
    exit_code: int
    seconds: float
    outcome: ProductOutcome | None = None
    error: str | None = None

    @property
    def result(self) -> str:
        """``done``, ``already processed``, ``failed in part`` or ``failed``, as in run.json."""
        if self.outcome is None:
            return "failed"
        if self.outcome.failed_tiles:
            return "failed in part"
        return "already processed" if self.outcome.already_processed else "done"

    def describe(self) -> dict[str, Any]:
        """Return the values of the summary by name; None where unknown."""
        product = None if self.outcome is None else self.outcome.product
        return {
            "product": str(self.path),
            "level2a": None if product is None else str(product),
            "result": self.result,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 1),
            **(dict.fromkeys(_FIGURES) if product is None else read_figures(product)),
            "error": self.error,
        }


def read_list(file: str, stream: TextIO | None = None) -> list[str]:
    """Read the products of a list file: one a line; ``#`` at the start of a line is a comment.

    Parameters
    ----------
    file : str
        Path, or ``-`` for the standard input.
    stream : text stream, optional
        Standard input.

    Raises
    ------
    UsageError
        The file cannot be read.
    """
    try:
        if file == STANDARD_INPUT:
            text = (stream or sys.stdin).read()
        else:
            text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError(f"--list {file}: cannot be read ({reason})") from error
    lines = (line.strip() for line in text.lstrip("\ufeff").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def expand_patterns(paths: Iterable[Path]) -> list[Path]:
    """Replace shell patterns (``*``, ``?``, ``[...]``) by the paths that match, each path once.

    What exists as it stands is no pattern. A pattern without a match stays, as in a shell: its run
    fails, and the others go on.
    """
    found: dict[Path, None] = {}
    for path in paths:
        matches = [] if path.exists() else sorted(glob.glob(str(path)))
        found.update(dict.fromkeys(map(Path, matches or [str(path)])))
    return list(found)


def read_figures(product: Path) -> dict[str, float | None]:
    """Read mean AOT, water vapour in cm and cloud percentage of a product from its run.json.

    Means over the tiles; the newest record that has a value counts. None where there is none.
    """
    figures: dict[str, float | None] = dict.fromkeys(_FIGURES)
    for path in sorted(product.glob("*_run.json"), reverse=True):
        try:
            tiles = json.loads(path.read_text(encoding="utf-8")).get("tiles", {}).values()
            found = [_read_tile_figures(tile) for tile in tiles]
        except (OSError, ValueError, AttributeError, TypeError):
            continue
        for name in _FIGURES:
            values = [one[name] for one in found if one[name] is not None]
            if figures[name] is None and values:
                figures[name] = round(sum(values) / len(values), 4)
    return figures


def _read_tile_figures(tile: Mapping[str, Any]) -> dict[str, Any]:
    from sen2cor.product.level2a.content import QualityPercentages

    retrieval, quality = tile.get("retrieval") or {}, tile.get("quality")
    cloud = None if quality is None else QualityPercentages(tuple(quality["areas"])).cloud_coverage
    return {
        "aot": retrieval.get("mean_aot"),
        "water_vapour": retrieval.get("mean_water_vapour"),
        "cloud_percent": cloud,
    }


def summary_rows(results: Sequence[ProductResult]) -> list[tuple[str, ...]]:
    """Return the rows of the summary table, with a header."""
    rows: list[tuple[str, ...]] = [
        ("result", "seconds", "AOT", "water vapour (cm)", "cloud (%)", "product")
    ]
    for result in results:
        values = result.describe()
        texts = [
            "-" if values[name] is None else f"{values[name]:.{digits}f}"
            for name, digits in (("aot", 3), ("water_vapour", 2), ("cloud_percent", 1))
        ]
        rows.append((result.result, f"{result.seconds:.1f}", *texts, result.path.name))
    return rows


@contextmanager
def open_summary(path: Path | None) -> Iterator[Any]:
    """Open the file of JSON lines; yields a function that adds the line of a `ProductResult`.

    A line is written when its product ends, so an interrupted run leaves those of its products.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    if path is None:
        yield lambda result: None
        return
    with raise_output_error(path, "--summary"):
        stream = path.open("w", encoding="utf-8")

    def add(result: ProductResult) -> None:
        with raise_output_error(path, "--summary"):
            stream.write(json.dumps(result.describe(), ensure_ascii=False) + "\n")
            stream.flush()

    with stream:
        yield add
