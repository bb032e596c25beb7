"""Size of the source tree, for a commit and for the working tree side by side.

``python -m tests.benchmarks.tree_numbers COMMIT`` prints for each package of ``sen2cor/``: modules,
lines, functions, functions with more than 8 parameters, functions of more than 60 lines, and
modules of less than 60 lines (without ``__init__.py``).
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "sen2cor"
MAX_PARAMETERS = 8
MAX_FUNCTION_LINES = 60
MIN_MODULE_LINES = 60


@dataclass(frozen=True)
class TreeNumbers:
    """Numbers of one module or package."""

    modules: int = 0
    lines: int = 0
    functions: int = 0
    many_parameters: int = 0
    long_functions: int = 0
    short_modules: int = 0

    def __add__(self, other: TreeNumbers) -> TreeNumbers:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return TreeNumbers(*(first + second for first, second in pairs))


def count_module(path: Path) -> TreeNumbers:
    """Count one module."""
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return TreeNumbers(
        modules=1,
        lines=lines,
        functions=len(functions),
        many_parameters=sum(_count_parameters(node) > MAX_PARAMETERS for node in functions),
        long_functions=sum(_count_lines(node) > MAX_FUNCTION_LINES for node in functions),
        short_modules=int(lines < MIN_MODULE_LINES and path.name != "__init__.py"),
    )


def _count_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Parameters without ``self`` and ``cls``; ``*args`` and ``**kwargs`` count as one each."""
    every = node.args
    named = [one.arg for one in (*every.posonlyargs, *every.args, *every.kwonlyargs)]
    stars = sum(one is not None for one in (every.vararg, every.kwarg))
    return sum(name not in ("self", "cls") for name in named) + stars


def _count_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def count_tree(root: Path) -> dict[str, TreeNumbers]:
    """Count the packages below ``root/sen2cor``; modules beside them are named ``.``."""
    numbers: dict[str, TreeNumbers] = defaultdict(TreeNumbers)
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / PACKAGE).parts
        numbers[parts[0] if len(parts) > 1 else "."] += count_module(path)
    return dict(numbers)


def extract_commit(commit: str, target: Path) -> None:
    """Write the package as it was at a commit to a folder."""
    command = ["git", "archive", commit, PACKAGE]
    archive = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(target)], input=archive, check=True)


def render(old: dict[str, TreeNumbers], new: dict[str, TreeNumbers]) -> Iterator[str]:
    """Lines of the table: old and new number of each column, one line for each package."""
    titles = [field.name.replace("_", " ") for field in fields(TreeNumbers)]
    widths = [max(len(title), 13) for title in titles]
    yield "  ".join(
        [f"{'package':20s}", *(f"{t:>{w}s}" for t, w in zip(titles, widths, strict=True))]
    )
    rows = [(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    rows.append(("total", _total(old), _total(new)))
    for name, *both in rows:
        columns = zip(*(astuple(one or TreeNumbers()) for one in both), widths, strict=True)
        cells = (f"{f'{first} -> {second}':>{width}s}" for first, second, width in columns)
        yield "  ".join([f"{name:20s}", *cells])


def _total(numbers: dict[str, TreeNumbers]) -> TreeNumbers:
    return sum(numbers.values(), TreeNumbers())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", nargs="?", default="HEAD", help="commit to compare with")
    commit = parser.parse_args().commit
    with tempfile.TemporaryDirectory() as folder:
        extract_commit(commit, Path(folder))
        old = count_tree(Path(folder))
    print("\n".join(render(old, count_tree(ROOT))))


if __name__ == "__main__":
    main()
