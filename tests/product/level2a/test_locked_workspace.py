"""Several runs, and runs that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sen2cor.errors import LockedError
from sen2cor.product.level2a.locked_workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]

CLAIM = """
import sys
from pathlib import Path
from sen2cor.errors import LockedError
from sen2cor.product.level2a.locked_workspace import Workspace
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
    _signed(final, process_start="dead")
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


def _signed(final: Path, **changes: object) -> Path:
    """A leftover whose owner is this process, but for some fields."""
    workspace = Workspace.claim(final)
    owner = json.loads((workspace.folder / "owner.json").read_text())
    (workspace.folder / "owner.json").write_text(json.dumps({**owner, **changes}))
    return workspace.folder


def test_a_number_that_was_given_anew_does_not_lock(tmp_path: Path) -> None:
    final = tmp_path / "X.SAFE"
    _signed(final, process_start="another boot 12345")
    Workspace.claim(final).remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shift", [-86400.0, 86400.0])
def test_a_clock_that_was_set_does_not_unlock(
    tmp_path: Path, shift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start of a process, as systems count it, moves with the clock."""
    final = tmp_path / "X.SAFE"
    owner = Workspace.claim(final)
    now = time.time
    began = psutil.Process.create_time
    monkeypatch.setattr(time, "time", lambda: now() + shift)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: began(self) + shift)
    with pytest.raises(LockedError, match=r"process \d+ is writing it"):
        Workspace.claim(final)
    owner.remove()


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"pid_namespace": "pid:[1]"}])
def test_another_host_or_container_is_given_hours(
    tmp_path: Path, change: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    final = tmp_path / "X.SAFE"
    folder = _signed(final, pid=1, **change)
    with pytest.raises(LockedError, match=f"if it is dead, remove {folder}"):
        Workspace.claim(final)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3 * 3600)
    Workspace.claim(final).remove()


def test_a_run_that_died_while_it_published_or_took_over(tmp_path: Path) -> None:
    final = _existing(tmp_path)
    folder = _signed(final, process_start="dead")
    final.rename(folder / "previous")
    (folder / "owner-12345678.json").write_text("{}")
    workspace = Workspace.claim(final)
    assert (final / "image").read_text() == "finished"
    assert {path.name for path in folder.iterdir()} == {"owner.json", workspace.product.name}
    workspace.remove()
    assert list(tmp_path.iterdir()) == [final]


def test_what_a_stopped_run_still_writes_gets_nowhere(tmp_path: Path) -> None:
    final = tmp_path / "X.SAFE"
    stopped = Workspace.claim(final)
    stopped.remove()
    following = Workspace.claim(final)
    assert not stopped.product.exists()
    assert stopped.product != following.product
