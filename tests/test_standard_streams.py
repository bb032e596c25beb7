"""Closed pipes and streams and names that cannot be printed do not stop a run."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sen2cor.standard_streams import tolerate_closed_streams
from tests.command import ROOT, configuration, product_in
from tests.small_product import write_tiles

pytestmark = pytest.mark.skipif(os.name == "nt", reason="streams of POSIX shells")


def shell(script: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which L2A_Process is the command under test."""
    command = f'L2A_Process() {{ "{sys.executable}" -m sen2cor.cli "$@"; }}; {script}'
    return subprocess.run(
        ["/bin/bash", "-c", command, "bash", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "streams", ["| true", "2> >(true)", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "> /dev/full"]
)
def test_a_stream_without_reader_costs_only_what_is_printed(
    streams: str, small_product: Path, tmp_path: Path
) -> None:
    script = f'L2A_Process absent.SAFE "$1" --cr_only --no-report --output_dir "$2" {streams}; '
    result = shell(f"{script} exit ${{PIPESTATUS[0]}}", small_product, tmp_path)
    assert result.returncode == 3, result.stderr
    assert "Traceback" not in result.stderr and "Exception ignored" not in result.stderr
    assert product_in(tmp_path).is_dir()


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_without_reader_is_no_error(option: str) -> None:
    result = shell(f"L2A_Process {option} | true; exit ${{PIPESTATUS[0]}}")
    assert (result.returncode, result.stderr) == (0, "")


def test_processes_of_tiles_do_without_streams(tmp_path: Path) -> None:
    product = write_tiles(tmp_path, ("33UUU", "33UVU"), 720)
    gipp = configuration(tmp_path, Nr_Processes=2)
    result = shell(
        'L2A_Process "$1" --GIP_L2A "$2" --resolution 60 --no-report --output_dir "$3" '
        "<&- >&- 2>&-",
        product, gipp, tmp_path / "out",
    )  # fmt: skip
    assert result.returncode == 0
    assert len(list(product_in(tmp_path / "out").glob("GRANULE/*"))) == 2


def test_a_terminal_that_is_closed_does_not_stop_the_run(
    small_product: Path, tmp_path: Path
) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sen2cor.cli", str(small_product), "--resolution", "60",
         "--no-report", "--output_dir", str(tmp_path)],
        stdout=theirs, stderr=theirs, cwd=ROOT, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    os.read(ours, 10)
    os.close(ours)
    assert process.wait() == 0
    assert product_in(tmp_path).is_dir()


def test_a_name_that_cannot_be_encoded_is_escaped(small_product: Path, tmp_path: Path) -> None:
    result = shell(
        'L2A_Process "$1" --cr_only --no-report --output_dir "$2"', small_product, tmp_path / "é",
        PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert f"L2A product: {tmp_path}/\\xe9/S2A_" in result.stdout.splitlines()[-2]
    assert product_in(tmp_path / "é").is_dir()


@pytest.mark.parametrize(
    ("name", "encoding", "handling", "written"),
    [
        ("caf\udce9", "utf-8", "strict", b"caf\\udce9"),
        ("café", "ascii", "strict", b"caf\\xe9"),
        ("café", "utf-8", "strict", b"caf\xc3\xa9"),
        ("caf\udce9", "utf-8", "surrogateescape", b"caf\xe9"),
    ],
)
def test_all_names_can_be_printed(
    name: str, encoding: str, handling: str, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding, handling))
    with tolerate_closed_streams():
        print(name, end="")
    assert stream.getvalue() == written
