"""Repeated runs: what is complete is recognized without records; the recipe of cron is quiet."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sen2cor import load_settings, process
from sen2cor.cli import main
from sen2cor.errors import UsageError
from sen2cor.pipeline.run.finished_products import find_finished
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.record_pruning import prune_records
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "operations.md"


@pytest.fixture(scope="module")
def folders(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of Level-1C and of its Level-2A at 60 m; tests restore what they change."""
    inbox, level2a = tmp_path_factory.mktemp("inbox"), tmp_path_factory.mktemp("level2a")
    shutil.copytree(small_product, inbox / small_product.name)
    process(inbox / small_product.name, output_directory=level2a, resolution=60, report=False)
    return inbox, level2a


def options(folders: tuple[Path, Path], **changes: object) -> Options:
    (path,) = folders[0].iterdir()
    return replace(Options((path,), resolution=60, output_directory=folders[1]), **changes)


def finds(folders: tuple[Path, Path], **changes: object) -> bool:
    asked = options(folders, **changes)
    return find_finished(asked.directories[0], asked, load_settings()) is not None


def test_a_complete_product_is_found(folders: tuple[Path, Path]) -> None:
    asked = options(folders)
    outcome = find_finished(asked.directories[0], asked, load_settings())
    assert outcome is not None and outcome.already_processed
    assert [outcome.product] == list(folders[1].iterdir())


@pytest.mark.parametrize(
    "changes",
    [{"resolution": 20}, {"resolution": None}, {"refresh": True}, {"image_format": "cog"},
     {"quick_looks": True}, {"output_directory": Path("elsewhere")}],
    ids=str,
)  # fmt: skip
def test_anything_else_is_left_to_the_run(
    folders: tuple[Path, Path], changes: dict[str, object]
) -> None:
    assert not finds(folders, **changes)


def test_a_missing_image_or_another_run_is_left_to_the_run(folders: tuple[Path, Path]) -> None:
    (product,) = folders[1].iterdir()
    image = next(product.glob("GRANULE/*/IMG_DATA/R60m/*B04*"))
    content = image.read_bytes()
    image.write_bytes(b"")
    assert not finds(folders)
    image.write_bytes(content)
    assert finds(folders)
    lock = product.with_name(f".{product.name}.part")
    lock.mkdir()
    assert not finds(folders)
    lock.rmdir()
    (level1c,) = folders[0].iterdir()
    other = level1c / "GRANULE" / "L1C_T33UVU_A000001_20170616T102100"
    other.mkdir()
    assert not finds(folders)
    other.rmdir()


def test_nothing_to_do_leaves_no_records_and_imports_little(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (level1c,) = folders[0].iterdir()
    arguments = ["--resolution", "60", "--output_dir", str(folders[1]), "--work_dir", str(tmp_path)]
    assert main([*arguments, str(level1c)]) == 0
    assert "Product already processed." in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    # the time of a start is that of its imports
    code = (
        "import sys; from sen2cor.cli import main; main(sys.argv[1:]); "
        "print(*(name for name in ('scipy', 'skimage', 'osgeo', 'matplotlib', 'dask') "
        "if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--quiet", *arguments, str(level1c)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.strip() == ""


def test_nothing_to_do_in_python_leaves_no_records(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (level1c,) = folders[0].iterdir()
    work = tmp_path / "work"
    outcome = process(
        level1c, resolution=60, output_directory=folders[1], work_directory=work, report=False
    )
    assert outcome.already_processed
    assert list(work.iterdir()) == []


def test_recipe_of_cron_is_quiet(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (script,) = re.findall(r"```sh\n(#!/bin/sh\nset -- .*?)```", PAGE.read_text(), re.DOTALL)
    assert "--keep_days 30" in script
    script = (
        script.replace("/opt/sen2cor/bin/L2A_Process", f"{sys.executable} -m sen2cor.cli")
        .replace("/data/level1c", str(folders[0]))
        .replace("/data/level2a", str(folders[1]))
        .replace("/data/logs", str(tmp_path / "logs"))
        .replace("--quiet", "--quiet --resolution 60")
    )
    empty = script.replace(str(folders[0]), str(tmp_path / "empty"))
    for text in (script, empty):
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, cwd=ROOT)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "logs").exists()


def test_old_records_are_removed_and_nothing_else(tmp_path: Path) -> None:
    day = 86400.0
    names = {
        "S2A_X_20200101T000000_report.xml": 31, "S2A_X_20200101T000000_run.json": 31,
        "S2A_X_20200101T000000_report.html": 31, "S2A_X_20200102T000000_run.json": 29,
        "notes.xml": 99, "report.xml": 99, "S2A_X_20200101T000000_run.json.bak": 99,
    }  # fmt: skip
    for name, age in names.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age * day,) * 2)
    assert prune_records(tmp_path, 30) == 3
    assert {path.name for path in tmp_path.iterdir()} == set(list(names)[3:])
    assert prune_records(tmp_path / "absent", 30) == 0


@pytest.mark.parametrize("changes", [{"keep_days": 3.0}, {"keep_days": 0.0}])
def test_keep_days_needs_a_work_folder_and_a_number(changes: dict[str, float]) -> None:
    work = {"work_directory": Path("work")} if changes["keep_days"] == 0 else {}
    with pytest.raises(UsageError, match="keep_days"):
        Options((Path("x"),), **changes, **work)
