"""Cores and memory that this process may use, also inside a container."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60

_LARGE_BLOCK = 4 << 20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt, from malloc.h of the GNU C library."""


def count_cores() -> int:
    """Cores for this process: its affinity, bounded by the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        number = len(os.sched_getaffinity(0))
    else:
        number = os.cpu_count() or 1
    quotas = [quota for folder in _folders("cpu") if (quota := _quota(folder)) is not None]
    return max(1, min([number, *(round(quota) for quota in quotas)]))


def read_available_memory() -> int:
    """Bytes that can still be had: of the machine, and within the limits of the control group."""
    rooms = [room for folder in _folders("memory") if (room := _room(folder)) is not None]
    return int(max(0, min([psutil.virtual_memory().available, *rooms])))


def return_large_blocks() -> None:
    """Make the C library give large arrays back to the system when they are released.

    By itself the GNU library moves its threshold up to 32 MB and keeps what lies below it in heaps
    of the threads, which only grow. Blocks of rows stay below the threshold: their memory is used
    again and again. Without effect on other systems.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
    mallopt(_M_TRIM_THRESHOLD, _LARGE_BLOCK)
    mallopt(_M_ARENA_MAX, 2)


def peak_memory() -> int:
    """Largest resident memory of this process so far, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _folders(controller: str) -> Iterator[Path]:
    """Folders of the control groups that this process is in, of both versions, with parents.

    Inside a container the paths are often those of the host; then only the mount's root is there.
    """
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root = _CGROUPS
        elif controller in controllers.split(","):
            root = _CGROUPS / controller
        else:
            continue
        own = root / path.lstrip("/")
        yield from (
            folder for folder in (own, *own.parents) if folder.is_relative_to(root)
        )  # fmt: skip


def _quota(folder: Path) -> float | None:
    """Cores that a control group may keep busy, None without limit."""
    texts = (_read(folder / "cpu.max") or "").split()
    if len(texts) < 2:
        texts = [_read(folder / f"cpu.cfs_{name}_us") or "max" for name in ("quota", "period")]
    quota, period = texts
    if not quota.isdigit() or not period.isdigit():
        return None
    return int(quota) / int(period)


def _room(folder: Path) -> int | None:
    """Bytes below the limit of a control group, None without limit; file cache counts as free."""
    for limit_name, usage_name, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, usage = _read(folder / limit_name) or "", _read(folder / usage_name) or ""
        if limit.isdigit() and usage.isdigit() and int(limit) < _UNLIMITED:
            lines = (_read(folder / "memory.stat") or "").splitlines()
            counts = dict(line.split(" ", 1) for line in lines if " " in line)
            return int(limit) - int(usage) + int(counts.get(cache_name, 0))
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
