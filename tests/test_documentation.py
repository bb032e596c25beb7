"""The documentation matches the code: options, settings, exit codes, commands, paths, examples."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from sen2cor import arguments, errors
from sen2cor.classification import ClassificationRules, QualityBit
from sen2cor.classification.clouds import filter_cloud_patches
from sen2cor.reporting.palette import SCENE_CLASS_NAMES
from sen2cor.settings.documents import DOCUMENTS
from sen2cor.simulation import cli as simulation_cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS_OF_USERS = (ROOT / "README.md", ROOT / "RELEASING.md", *PAGES)


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    path = ROOT / "docs" / "hooks" / "from_code.py"
    specification = importlib.util.spec_from_file_location("from_code", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def page(hook: ModuleType, name: str) -> str:
    text = hook.on_page_markdown((ROOT / "docs" / name).read_text())
    assert isinstance(text, str)
    return text


def test_every_option_is_in_the_documentation(hook: ModuleType) -> None:
    text = page(hook, "options.md")
    actions = [*arguments.build_parser()._actions, *simulation_cli.parser()._actions]
    assert len(actions) > 30
    for action in actions:
        for name in action.option_strings or [action.dest]:
            assert re.search(rf"`{name}[ `]", text), name
        if action.help != argparse.SUPPRESS:
            assert str(action.help) in text


def test_every_exit_code_is_in_the_documentation(hook: ModuleType) -> None:
    text = page(hook, "options.md")
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.Sen2CorError):
            assert f"| {error.exit_code} | " in text
    readme = (ROOT / "README.md").read_text()
    for code in (0, *range(1, 8)):
        assert f"| {code} | " in readme


def test_every_element_of_the_configuration_is_in_the_documentation(hook: ModuleType) -> None:
    text = page(hook, "configuration.md")
    rows = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| **")}
    for document in DOCUMENTS:
        assert f"## {document.name}.xml" in text
        for parameter in document.parameters:
            row = rows[f"| **{parameter.name}**"]
            assert (
                f" | {parameter.kind.allowed} | {parameter.default} | {parameter.meaning} |" in row
            )
        for parameter in (*document.legacy, *document.unused):
            assert f"`{parameter.name}`" in text


def test_every_image_class_and_bit_is_in_the_documentation(finished_product: Path) -> None:
    text = (ROOT / "docs" / "product_format.md").read_text()
    images = [path.stem for path in finished_product.rglob("*.jp2")]
    kinds = {re.sub(r"_\d\dm$", "", name).rpartition("_")[2] for name in images}
    assert {"AOT", "B02", "CLD", "PVI", "SCL"} <= kinds
    for kind in kinds:
        assert re.search(rf"`{kind}`" if kind[0] != "B" else rf"\b{kind}\b|B02 to B07", text), kind
    for code, name in enumerate(SCENE_CLASS_NAMES):
        assert f"| {code} | {name}" in text
    for bit in QualityBit:
        assert re.search(rf"\| {bit.bit_length() - 1} \| {bit.value} \| ", text), bit


def test_no_directive_is_left(hook: ModuleType) -> None:
    for path in PAGES:
        name = path.relative_to(ROOT / "docs").as_posix()
        assert "<!--" not in page(hook, name), name


def test_every_algorithm_page_gives_equations_and_sources(hook: ModuleType) -> None:
    for path in (ROOT / "docs" / "algorithms").glob("*.md"):
        if path.name != "index.md":
            text = page(hook, f"algorithms/{path.name}")
            assert re.search(r"\b(19|20)\d\d\b|docs/look_up_tables", text), path.name
            assert "*File: `sen2cor/" in text


def test_docstrings_of_functions_end_before_their_sections(hook: ModuleType) -> None:
    text = hook.docstring("sen2cor.classification.clouds:filter_cloud_patches")
    documentation = inspect.getdoc(filter_cloud_patches)
    assert documentation is not None
    summary, _, sections = documentation.partition("\n\nParameters\n")
    assert sections
    assert text == f"{summary}\n\n*File: `sen2cor/classification/clouds.py`*"
    with pytest.raises(ValueError, match="no_such_function"):
        hook.docstring("sen2cor.classification.clouds:no_such_function")


def test_every_rule_of_the_classification_is_in_the_documentation(hook: ModuleType) -> None:
    rows = hook.attributes("sen2cor.classification.parameters:ClassificationRules").splitlines()[2:]
    names = [field.name for field in fields(ClassificationRules)]
    assert [row.split(" | ")[0] for row in rows] == [f"| `{name}`" for name in names]
    assert all(row.split(" | ")[1].endswith(". |") for row in rows)
    with pytest.raises(ValueError, match="filter_cloud_patches"):
        hook.attributes("sen2cor.classification.clouds:filter_cloud_patches")


def test_paths_modules_and_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS_OF_USERS:
        text = path.read_text()
        for name in re.findall(r"`((?:sen2cor|docs|examples|tests|cfg|conda)/[\w/.]*)`", text):
            made = name.endswith("s2d.csv")  # of a sensor to come
            assert made or (ROOT / name).exists(), f"{path.name}: {name}"
        for name in re.findall(r"python -m (sen2cor[\w.]*)", text):
            assert importlib.util.find_spec(name) is not None, f"{path.name}: {name}"
        for name in re.findall(r"\bmake ([a-z][\w-]+)`", text):
            assert name in targets, f"{path.name}: make {name}"
        for link in re.findall(r"\]\(([\w./-]+?\.(?:md|py))(?:#[\w.-]+)?\)", text):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def names_in(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Names that a module or class defines or imports, with the body of its classes."""
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node.body
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = []
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update({one.id: [] for one in targets if isinstance(one, ast.Name)})
        elif isinstance(node, ast.ImportFrom):
            found.update({one.asname or one.name: [] for one in node.names})
    return found


def glossary_rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    return [row for row in rows if row[0] != "term" and "---" not in row[0]]


@pytest.mark.parametrize("row", glossary_rows(), ids=lambda row: row[0])
def test_every_term_of_the_glossary_is_in_the_code_and_has_a_source(row: list[str]) -> None:
    _, _, _, code, source = row
    found = re.fullmatch(r"`(sen2cor[\w.]*):(\w+(?:\.\w+)?)`", code)
    assert found is not None, code
    specification = importlib.util.find_spec(found[1])
    assert specification is not None and specification.origin is not None, code
    body = ast.parse(Path(specification.origin).read_text()).body
    for name in found[2].split("."):
        names = names_in(body)
        assert name in names, code
        body = names[name]
    assert source
    if cited := re.fullmatch(r"([^\W\d]+)(?: et al\.| and \w+)? (\d{4})", source):
        listed = (ROOT / "docs" / "glossary.md").read_text().split("## Sources")[1].split("\n- ")
        assert any(cited[1] in one and f"({cited[2]})" in one for one in listed), source


def commands() -> Iterator[tuple[str, str]]:
    """Commands of code blocks, with the page that they stand in."""
    for path in DOCUMENTS_OF_USERS:
        for line in path.read_text().replace("\\\n", " ").splitlines():
            found = re.match(r"(?: {4}|[ \t]*)(?:srun |\S*/)?(L2A_Process .*)", line)
            if found and "[OPTIONS]" not in line:
                yield path.name, found[1]


@pytest.mark.parametrize(("where", "command"), list(commands()))
def test_commands_are_understood(where: str, command: str) -> None:
    words = shlex.split(command.split(" ||")[0].removesuffix(" ..."), comments=True)
    arguments.build_parser().parse_intermixed_args(words[1:])


def test_python_examples_run(tmp_path: Path) -> None:
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL
    )
    assert len(blocks) >= 3
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "not processed: " in result.stdout  # there is no such product
    assert list(tmp_path.iterdir()) == []


def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    result = subprocess.run(
        [*command, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    assert "WARNING" not in result.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) >= len(PAGES) > 10
    # the search works in pages opened as files
    assert (tmp_path / "search" / "search_index.js").read_text().startswith("var __index")
    assert "assets/iframe-worker.js" in (tmp_path / "index.html").read_text()
    for path in pages:
        assert not re.search(r'src="https?://|<link[^>]*href="https?://', path.read_text()), path
    for path in PAGES:
        assert (tmp_path / path.relative_to(ROOT / "docs")).with_suffix(".html").is_file()
