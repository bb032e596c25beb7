"""The numbers of a small source tree."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.tree_numbers import ROOT, TreeNumbers, count_tree, render


def write_tree(root: Path) -> None:
    package = root / "sen2cor"
    (package / "dem").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Package."""\n')
    (package / "dem" / "__init__.py").write_text("")
    wide = ", ".join(f"p{number}" for number in range(7))
    (package / "dem" / "long.py").write_text(
        f"class C:\n    def eight(self, {wide}, *rest): ...\n"
        f"    def nine(self, {wide}, *, key, **rest): ...\n"
        "def sixty():\n" + "    pass\n" * 59 + "async def sixty_one():\n" + "    pass\n" * 60
    )


def test_numbers_by_package(tmp_path: Path) -> None:
    write_tree(tmp_path)
    numbers = count_tree(tmp_path)
    assert numbers["."] == TreeNumbers(modules=1, lines=1)
    assert numbers["dem"] == TreeNumbers(
        modules=2, lines=124, functions=4, many_parameters=1, long_functions=1
    )


def test_short_modules_are_those_below_sixty_lines(tmp_path: Path) -> None:
    write_tree(tmp_path)
    for lines in (59, 60):
        (tmp_path / "sen2cor" / f"m{lines}.py").write_text("\n" * lines)
    assert count_tree(tmp_path)["."].short_modules == 1


def test_table_has_a_row_for_each_package_of_either_tree(tmp_path: Path) -> None:
    write_tree(tmp_path)
    new = count_tree(tmp_path)
    rows = {line.split()[0]: line.split()[1:] for line in render({"old": TreeNumbers(2)}, new)}
    assert rows["old"][:3] == ["2", "->", "0"]
    assert rows["dem"][3:6] == ["0", "->", "124"]
    assert rows["total"][:3] == ["2", "->", "3"]


def test_this_tree() -> None:
    assert {".", "atmosphere", "product"} <= count_tree(ROOT).keys()
