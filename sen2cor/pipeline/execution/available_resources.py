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
"""Bytes from which an array has memory of its own, which is returned with it."""

_KEPT_MEMORY = 16 << 20
"""Bytes that a heap keeps when its last arrays are released."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt, from malloc.h of the GNU C library."""


def count_cores() -> int:
    """Count the cores for this process: its affinity, limited by the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        number = len(os.sched_getaffinity(0))
    else:
        number = os.cpu_count() or 1
    quotas = [
        quota
        for folder in _find_control_groups("cpu")
        if (quota := _read_quota(folder)) is not None
    ]
    return max(1, min([number, *(round(quota) for quota in quotas)]))


def read_available_memory() -> int:
    """Return the available bytes of memory, within the limits of the control group."""
    headrooms = [
        headroom
        for folder in _find_control_groups("memory")
        if (headroom := _read_headroom(folder)) is not None
    ]
    return int(max(0, min([psutil.virtual_memory().available, *headrooms])))


def return_large_blocks() -> None:
    """Make the C library return large arrays to the system when they are released.

    By default the GNU library raises its threshold up to 32 MB and keeps smaller arrays in heaps of
    the threads, which only grow. Blocks of rows stay below the threshold set here, so their memory
    is reused; the end of a heap is kept for the next blocks, as new pages cost a tenth of the
    science. No effect on other systems.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
    mallopt(_M_TRIM_THRESHOLD, _KEPT_MEMORY)
    mallopt(_M_ARENA_MAX, 2)


def read_peak_memory() -> int:
    """Return the peak resident memory of this process in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _find_control_groups(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups (versions 1 and 2) and their parents.

    Inside a container the paths are often those of the host; then only the root of the mount
    exists.
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


def _read_quota(folder: Path) -> float | None:
    """Return the number of cores that a control group may use, None without limit."""
    texts = (_read_text(folder / "cpu.max") or "").split()
    if len(texts) < 2:
        texts = [_read_text(folder / f"cpu.cfs_{name}_us") or "max" for name in ("quota", "period")]
    quota, period = texts
    if not quota.isdigit() or not period.isdigit():
        return None
    return int(quota) / int(period)


def _read_headroom(folder: Path) -> int | None:
    """Return bytes left below the limit of a control group, None without; file cache is free."""
    for limit_name, usage_name, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, usage = _read_text(folder / limit_name) or "", _read_text(folder / usage_name) or ""
        if limit.isdigit() and usage.isdigit() and int(limit) < _UNLIMITED:
            lines = (_read_text(folder / "memory.stat") or "").splitlines()
            counts = dict(line.split(" ", 1) for line in lines if " " in line)
            return int(limit) - int(usage) + int(counts.get(cache_name, 0))
    return None


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
