"""Several runs, and runs that are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sen2cor.errors import LockedError
from sen2cor.product.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]

CLAIM = """
import sys
from pathlib import Path
from sen2cor.errors import LockedError
from sen2cor.product.workspace import Workspace
try:
    workspace = Workspace.claim(Path(sys.argv[1]))
    (workspace.product / "image").write_text("half-done")
    print("claimed", flush=True)
    sys.stdin.read()
    workspace.remove()
except LockedError:
    print("locked", flush=True)
"""


def _start(final: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(final)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _existing(tmp_path: Path) -> Path:
    final = tmp_path / "X.SAFE"
    final.mkdir()
    (final / "image").write_text("finished")
    return final


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_run_leaves_the_product_as_it_was(tmp_path: Path) -> None:
    final = _existing(tmp_path)
    process = _start(final)
    assert _first_line(process) == "claimed"
    with pytest.raises(LockedError):
        Workspace.claim(final)
    # Not yet waited for: a zombie is as dead as it gets.
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    workspace = Workspace.claim(final)
    assert not list(workspace.product.iterdir())
    assert workspace.carry_over()
    workspace.publish()
    assert (final / "image").read_text() == "finished"
    assert list(tmp_path.iterdir()) == [final]
    process.communicate()


def test_of_many_runs_one_gets_the_product(tmp_path: Path) -> None:
    final = tmp_path / "X.SAFE"
    leftover = Workspace(final).folder
    (leftover / "product").mkdir(parents=True)
    (leftover / "owner.json").write_text(json.dumps({"host": socket.gethostname()}))
    processes = [_start(final) for _ in range(4)]
    answers = sorted(_first_line(process) for process in processes)
    for process in processes:
        process.communicate()
    assert answers == ["claimed", "locked", "locked", "locked"]
    assert not list(tmp_path.iterdir())


def test_a_shared_file_is_replaced_not_changed(tmp_path: Path) -> None:
    final = _existing(tmp_path)
    workspace = Workspace.claim(final)
    workspace.carry_over()
    assert (workspace.product / "image").samefile(final / "image")
    (workspace.product / "new").write_text("new")
    (workspace.product / "new").replace(workspace.product / "image")
    assert (final / "image").read_text() == "finished"
    workspace.publish()
    assert (final / "image").read_text() == "new"


def test_without_hard_links_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CIFS and some network file systems know no hard links."""

    def refuse(*_: object) -> None:
        raise PermissionError

    final = _existing(tmp_path)
    workspace = Workspace.claim(final)
    monkeypatch.setattr(os, "link", refuse)
    workspace.carry_over()
    assert not (workspace.product / "image").samefile(final / "image")
    workspace.publish()
    assert (final / "image").read_text() == "finished"


def test_a_folder_without_an_owner_is_given_time(tmp_path: Path) -> None:
    final = tmp_path / "X.SAFE"
    folder = Workspace(final).folder
    folder.mkdir()
    with pytest.raises(LockedError, match="just started"):
        Workspace.claim(final)
    os.utime(folder, (0, 0))
    Workspace.claim(final).remove()
