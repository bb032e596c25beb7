"""The command line before any product is read: usage, banner, start-up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from sen2cor import __version__
from sen2cor.arguments import create_options, parse_arguments
from sen2cor.cli import main
from sen2cor.errors import error_classes
from sen2cor.pipeline.run import product_run

ROOT = Path(__file__).resolve().parents[1]


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sen2cor.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_help_holds_the_banner_that_callers_look_for() -> None:
    text = call("--help").stdout
    assert re.search(
        r"^Sentinel\-2 Level 2A Processor \(Sen2Cor\)\. Version: ([2-9]+\.[0-9]+\.[0-9]+),.*$",
        text,
        re.MULTILINE,
    )
    found = re.search(r"Version: (\d+.\d+.\d+)", text)
    assert found is not None and found[1] < "2.08.00"


def test_version_names_both_the_compatible_and_the_own_version() -> None:
    lines = call("--version").stdout.splitlines()
    assert lines[0].endswith("supporting Level-1C product version: 13.1 - 15.")
    assert __version__ in lines[1]


def test_help_needs_no_writable_home_and_no_heavy_package(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    heavy = {"numpy", "scipy", "osgeo", "lxml", "skimage", "glymur", "matplotlib"}
    code = (
        "import sys\nfrom sen2cor.cli import main\n"
        "try:\n    main(['--help'])\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "SEN2COR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0
    assert heavy.isdisjoint(result.stderr.split())
    assert "sen2cor.cli" in result.stderr.split()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "L2A_Process --help"),
        (["--resolution", "30", "x"], "--resolution"),
        (["--no_such_option", "x"], "--no_such_option"),
        (["--mode", "generate_datastrip", "x"], "--mode"),
        (["--tif", "x"], "--tif"),
        (["--GIP_L2A_PB", "f.xml", "x"], "--GIP_L2A_PB"),
        (["--scheduler", "foo", "x"], "'foo'"),
        (["--scheduler", "tcp://foo", "x"], "tcp://HOST:PORT"),
        (["--tif", "x"], "--format cog"),
        ([""], "path"),
        (["--work_dir", "", "x"], "--work_dir"),
        (["--output_dir=", "x"], "--output_dir"),
        (["x", "--", ""], "path"),
        (["--max_memory", "0", "x"], "max_memory 0"),
        (["--max_memory", "nan", "x"], "max_memory nan"),
        (["--sc_only", "--cr_only", "x"], "--sc_only and --cr_only"),
        (["--sc_only", "--resolution", "10", "x"], "--sc_only"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_two(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert re.search(r"[\s\S]+(?:UserWarning|Error): (.+)", printed.err)


def test_help_gives_every_exit_code() -> None:
    text = call("--help").stdout
    assert sorted(kind.exit_code for kind in error_classes()) == list(range(1, 8))
    for kind in error_classes():
        assert f"\n  {kind.exit_code:3}  {kind.__doc__}" in text


def test_behind_two_dashes_all_are_products() -> None:
    options = create_options(parse_arguments(["a", "--refresh", "--", "-x", "--tif", "b"]))
    assert options.directories == tuple(map(Path, ("a", "-x", "--tif", "b")))
    assert options.refresh


@pytest.mark.skipif(os.name == "nt", reason="the current folder cannot be deleted there")
def test_a_deleted_current_folder_matters_to_relative_paths_only(
    small_product: Path, tmp_path: Path
) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        (tmp_path / "gone").mkdir()
        command = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
        words = (tmp_path / "gone", sys.executable, "-m", "sen2cor.cli", *arguments)
        return subprocess.run(
            ["/bin/sh", "-c", command, "sh", *map(str, words)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )

    relative = run("x.SAFE")
    assert relative.returncode == 2
    assert "UsageError" in relative.stderr and "x.SAFE" in relative.stderr
    absolute = run(small_product, "--resolution", 60, "--output_dir", tmp_path / "out")
    assert absolute.returncode == 0, absolute.stderr


def test_setup_writes_a_home_and_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert call("--setup", str(home)).returncode == 0
    assert {path.name for path in home.iterdir()} == {"cfg", "L2A_Bashrc"}


def test_an_unexpected_error_is_a_line_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ValueError("<p>\n" * 10_000)

    monkeypatch.setattr(product_run, "process_product", fail)
    assert main(["x.SAFE"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("L2A_Process: ValueError: unexpected: ") and len(line) < 500
    assert "--work_dir" in line
