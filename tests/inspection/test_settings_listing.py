"""``--show-settings``."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sen2cor.inspection.screen import Screen
from sen2cor.settings import Settings
from tests.command import configuration, run


def test_every_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    file = configuration(tmp_path, Adj_Km="2.0")
    result = run("--show-settings", "--GIP_L2A", file, "--set", "Visibility=23")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert f"L2A_GIPP {file}" in lines
    assert "Visibility 23.0 command line (default 40.0)" in lines
    assert f"Adj_Km 2.0 {file.name} (default 1.0)" in lines
    assert "T1_B04 0.06 default" in lines
    assert lines[-1].startswith("2 of ")
    for parameter, _ in Settings().values():
        assert sum(line.startswith(f"{parameter.name} ") for line in lines) == 1


def test_without_changes_all_are_defaults() -> None:
    lines = run("--show-settings").stdout.splitlines()
    assert lines[-1] == f"All {len(list(Settings().values()))} have their default."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_a_terminal_gets_styles_and_wrapped_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    row = ("name", "word " * 40)
    plain, terminal = io.StringIO(), Terminal()
    for stream in (plain, terminal):
        screen = Screen(stream)
        screen.title("Title")
        screen.rows([row, ("longer name", "value")])
        screen.rows([("a", "x" * 90), ("b", "value")], [(), ("red",)], styled=0)
    lines = plain.getvalue().splitlines()
    assert lines[0] == "Title" and len(lines) == 5
    assert "\x1b" not in plain.getvalue()
    assert lines[2] == "  longer name  value"
    *wrapped, long, red = terminal.getvalue().splitlines()
    assert long == f"  a  {'x' * 90}" and red == "  \x1b[31mb\x1b[0m  value"
    assert wrapped[0] == "\x1b[1mTitle\x1b[0m"
    assert len(wrapped) > 3
    assert all(line.startswith(" " * 15) for line in wrapped[2:-1])
    assert max(map(len, wrapped)) <= 80 and " ".join(" ".join(wrapped).split()).count("word") == 40
    assert [len(line) for line in wrapped[1:-2]] == [len(wrapped[1])] * len(wrapped[1:-2])
