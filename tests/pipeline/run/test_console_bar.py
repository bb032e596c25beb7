"""The bar on a terminal, lines elsewhere, silence on demand."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.pipeline.execution.progress import Step
from sen2cor.pipeline.run.console import ProductProgressBar, can_show_bars

pytest.importorskip("rich", reason="the extra 'progress' is not installed")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_terminal(*arguments: object) -> tuple[int, str]:
    """Run the command with both outputs on a pseudo terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sen2cor.cli", *map(str, arguments)],
        stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not block:
            break
        shown += block
    os.close(ours)
    return process.wait(), shown.decode()


def test_terminal_shows_a_bar_and_the_last_lines(small_product: Path, tmp_path: Path) -> None:
    code, shown = on_terminal(small_product, "--cr_only", "--output_dir", tmp_path)
    assert code == 0
    assert "100%" in shown and "done" in shown
    assert re.findall(r"Progress\[%\]: \S+", shown) == ["Progress[%]: 100.00"]
    assert "L2A product: " in shown.replace("\r\n", "\n").splitlines()[-2]


def test_bar_is_not_full_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with ProductProgressBar(stream, "product") as progress:
        progress.plan(1.0)
        progress.show(Step("L2A", "all but the end", 1.0, 0.1, 1))
        progress._bar.refresh()
        before = stream.getvalue()
    assert "99%" in before and "100%" not in before
    assert "all but the end" in before
    assert "100%" in stream.getvalue()


def test_bar_stops_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with pytest.raises(ValueError, match="bad"), ProductProgressBar(stream, "product"):
        raise ValueError("bad")
    assert "stopped" in stream.getvalue() and "100%" not in stream.getvalue()


def test_bar_is_for_terminals_that_can_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert can_show_bars(Terminal())
    assert not can_show_bars(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not can_show_bars(Terminal())


def test_quiet_prints_errors_only(
    small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(small_product), "--cr_only", "--quiet", "--output_dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    assert main([str(tmp_path / "absent.SAFE"), "--quiet"]) == 3
    printed = capsys.readouterr()
    assert printed.out == "" and "InputError" in printed.err
