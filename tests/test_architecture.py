"""The code follows the rules of ``docs/developing.md`` for imports and for opening files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sen2cor"
RULES = (ROOT / "docs" / "developing.md").read_text()
PARTS = {
    path.stem
    for path in PACKAGE.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
}


def named(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def rows() -> list[tuple[list[str], list[str]]]:
    """Names in the table of imports, row by row: importing and imported parts."""
    table = RULES.split("## Imports")[1].split("## ")[0]
    cells = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    return [(named(first), named(second)) for first, second in cells]


ALLOWED = {name: set(others) for names, others in rows() for name in names}
COMMON = PARTS - ALLOWED.keys()


def modules(part: str) -> list[Path]:
    file = PACKAGE / f"{part}.py"
    return [file] if file.exists() else sorted((PACKAGE / part).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Parts of the package that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            part = rest.partition(".")[0]
            if package == "sen2cor" and part in PARTS:
                yield part


def test_the_table_has_no_circles() -> None:
    above: set[str] = set()
    for names, others in rows():
        above.update(names)
        assert above.isdisjoint(others), names
    assert ALLOWED.keys() <= PARTS
    assert all(others <= ALLOWED.keys() for others in ALLOWED.values())


def test_only_the_raster_package_is_common() -> None:
    assert {"bands", "errors", "raster"} <= COMMON
    assert {name for name in COMMON if not (PACKAGE / f"{name}.py").exists()} == {"raster"}


@pytest.mark.parametrize("part", sorted(PARTS))
def test_imports_are_those_of_the_table(part: str) -> None:
    allowed = COMMON | {part} | ALLOWED.get(part, set())
    for path in modules(part):
        assert set(imported(path)) <= allowed, path


def test_every_part_is_in_the_repository_layout() -> None:
    folders = RULES.split("## Repository layout")[1].split("## ")[0]
    for part in PARTS - {"__init__"}:
        assert re.search(rf"`sen2cor/{part}(\.py|/)`", folders), part


def test_science_that_opens_files_is_named() -> None:
    openers = {
        path.name
        for part in ("atmosphere", "classification", "dem")
        for path in modules(part)
        if re.search(r"^from pathlib |gdal\.Open\(", path.read_text(), re.MULTILINE)
    }
    rule = RULES.split("Files are opened by")[1].split(" One file")[0]
    assert openers == set(re.findall(r"`(\w+\.py)`", rule))
