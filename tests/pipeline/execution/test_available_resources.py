"""Limits of control groups, of both versions, in a file system of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sen2cor.pipeline.execution import available_resources


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(available_resources, "_CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    monkeypatch.setattr(
        available_resources.psutil,
        "virtual_memory",
        lambda: type("Memory", (), {"available": 64 << 30})(),
    )
    return tmp_path


def joined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: str) -> None:
    membership = tmp_path / "membership"
    membership.write_text(lines)
    monkeypatch.setattr(available_resources, "_MEMBERSHIP", membership)


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_without_limits_the_machine_counts(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joined(monkeypatch, groups, "0::/\n")
    write(groups, cpu__max="max 100000", memory__max="max", memory__current="1")
    assert available_resources.count_cores() == 16
    assert available_resources.read_available_memory() == 64 << 30


def test_version_2_the_tightest_of_the_parents(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(monkeypatch, groups, "0::/pod/container\n")
    write(groups / "pod", cpu__max="250000 100000", memory__max=str(8 << 30),
          memory__current=str(3 << 30), memory__stat=f"anon 5\ninactive_file {1 << 30}",
    )  # fmt: skip
    write(groups / "pod/container", cpu__max="400000 100000", memory__max="max",
          memory__current="5")  # fmt: skip
    assert available_resources.count_cores() == 2
    assert available_resources.read_available_memory() == 6 << 30


def test_version_1_in_a_container_that_sees_its_own_root(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(monkeypatch, groups, "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n")
    write(groups / "cpu", cpu__cfs_quota_us="50000", cpu__cfs_period_us="100000")
    write(groups / "memory", memory__limit_in_bytes=str(4 << 30),
          memory__usage_in_bytes=str(1 << 30), memory__stat="total_inactive_file 0")  # fmt: skip
    assert available_resources.count_cores() == 1
    assert available_resources.read_available_memory() == 3 << 30


def test_no_limit_of_version_1_is_a_huge_number(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(monkeypatch, groups, "5:cpu:/\n4:memory:/\n")
    write(groups / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    write(groups / "memory", memory__limit_in_bytes="9223372036854771712",
          memory__usage_in_bytes="1")  # fmt: skip
    assert available_resources.count_cores() == 16
    assert available_resources.read_available_memory() == 64 << 30
