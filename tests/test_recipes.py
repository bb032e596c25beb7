"""Recipes of the page "Open the product", run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from sen2cor import load_settings, process
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES
from sen2cor.reporting.qgis_style import build_style, main
from tests.conftest import ROOT
from tests.small_product import write_small_product

PAGE = (ROOT / "docs" / "open_the_product.md").read_text()
READERS = ROOT / ".venv" / "readers-recipes"
STYLE = ROOT / "docs" / "assets" / "scene_classification.qml"

RECIPES = dict(
    re.findall(
        r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE
    )
)
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``level2a`` (GeoTIFF, two dates) and ``level2a_jp2``."""
    from dataclasses import replace

    root = tmp_path_factory.mktemp("recipes")
    settings = load_settings()
    settings = replace(
        settings, classification=replace(settings.classification, generate_quality_mask=True)
    )
    for time in ("20170616T102101", "20170706T102101"):
        level1c = write_small_product(root / time, "15", 1200, time=time)
        process(
            level1c, settings=settings, output_directory=root / "level2a", image_format="cog",
            stac=True, report=False,
        )  # fmt: skip
    process(level1c, output_directory=root / "level2a_jp2", resolution=20, report=False)
    return root


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_runs(folder: Path, name: str) -> None:
    code = RECIPES[name]
    python = Path(sys.executable)
    if "from osgeo import" not in code:
        python = READERS / "bin" / "python"
        if not (READERS / "complete").is_file():
            pytest.skip("no environment of readers: make recipes")
    assert "assert" in code
    done = subprocess.run(
        [python, "-W", "error::RuntimeWarning", "-c", code],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_ten_recipes() -> None:
    assert len(RECIPES) == PAGE.count("```python") == 10


def test_commands_run(folder: Path) -> None:
    (text,) = COMMANDS
    done = subprocess.run(["sh", "-ec", text], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Description = SCL" in done.stdout
    assert (folder / "red.tif").stat().st_size > 0


def test_style_of_qgis_has_names_and_colours_of_the_classes(tmp_path: Path) -> None:
    assert STYLE.read_text() == build_style()
    assert main([str(tmp_path / "style.qml"), "--palette", "colour-blind-safe"]) == 0
    for path, palette in ((STYLE, "standard"), (tmp_path / "style.qml", "colour-blind-safe")):
        entries = list(etree.parse(path).iter("paletteEntry"))
        assert [entry.get("label") for entry in entries] == list(SCENE_CLASS_NAMES)
        assert tuple(entry.get("color") for entry in entries) == PALETTES[palette]
        assert [entry.get("value") for entry in entries] == [str(code) for code in range(12)]
        assert {entry.get("alpha") for entry in entries[1:]} == {"255"}
