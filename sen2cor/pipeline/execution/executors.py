"""Run the tiles of a product: in this process, in several processes, or on a Dask cluster.

All three give the same results: one `TileRun` per job, as soon as it ends.

If several tiles run at once, each gets a new process, so that all its memory returns to the system,
and a pipe for its steps, its log records and its result, in this order. A process that dies closes
its pipe, so the loss and the tile are known immediately.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any

from sen2cor import interruption
from sen2cor.errors import ProcessingError
from sen2cor.pipeline.execution.progress import Step
from sen2cor.pipeline.execution.resource_plan import ResourcePlan
from sen2cor.pipeline.execution.tile_run import (
    TileRun,
    forward_records,
    handle_record,
    read_package_level,
    run_tile,
)
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.processing_chain import TileJob

_END_GRACE = 5.0
"""Seconds that a process has to end before it is killed."""

_READY = None
"""Message of a process that has started. Only then is its job sent, which is too large for the
buffer of the pipe."""

_SPAWN = multiprocessing.get_context("spawn")


def run_tiles(
    jobs: Sequence[TileJob], resource_plan: ResourcePlan, show: Callable[[Step], None]
) -> Generator[TileRun, None, None]:
    """Run tiles as planned; a tile that fails does not stop the others.

    When the generator is closed or interrupted, tiles that still run are stopped.

    Parameters
    ----------
    jobs : sequence of TileJob
    resource_plan : ResourcePlan
    show : callable
        Receives each step, in this process and one at a time.

    Yields
    ------
    TileRun
        In the order in which the tiles end.
    """
    if resource_plan.scheduler is not None:
        from sen2cor.pipeline.execution.dask_cluster import run_on_cluster

        yield from run_on_cluster(jobs, resource_plan.scheduler, resource_plan.threads, show)
    elif resource_plan.processes > 1:
        yield from run_in_processes(jobs, resource_plan.processes, resource_plan.threads or 1, show)
    else:
        with start_workers(resource_plan.threads) as pool:
            for job in jobs:
                yield run_tile(job, pool, show)


def run_in_processes(
    jobs: Sequence[TileJob], processes: int, threads: int, show: Callable[[Step], None]
) -> Generator[TileRun, None, None]:
    """Run each tile in a process of its own.

    Parameters
    ----------
    jobs : sequence of TileJob
    processes : int
        Number of processes at once.
    threads : int
        Threads in each process.
    show : callable
        Receives each step.

    Yields
    ------
    TileRun
        In the order in which the tiles end.
    """
    waiting = deque(jobs)
    running: dict[Any, _TileProcess] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                started = _TileProcess.start(waiting.popleft(), threads)
                running[started.connection] = started
            interruption.check()
            for connection in wait(list(running), timeout=interruption.POLL):
                current = running[connection]
                try:
                    message = current.connection.recv()
                    if message is _READY:
                        current.connection.send(current.job)
                        continue
                except (EOFError, OSError):
                    message = current.describe_loss()
                if isinstance(message, Step):
                    show(message)
                elif isinstance(message, logging.LogRecord):
                    handle_record(message)
                else:
                    running.pop(connection).close()
                    yield message
    finally:
        for current in running.values():
            current.process.terminate()
        for current in running.values():
            current.close()


@dataclass(frozen=True)
class _TileProcess:
    """A process that runs one tile, seen from the parent."""

    job: TileJob
    process: SpawnProcess
    connection: Connection

    @classmethod
    def start(cls, job: TileJob, threads: int) -> _TileProcess:
        parent_end, child_end = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=_run_child, args=(threads, child_end, read_package_level()), daemon=True
        )
        with block_terminal_signals(), hide_main_module():
            process.start()
        child_end.close()
        return cls(job, process, parent_end)

    def describe_loss(self) -> TileRun:
        """Return the run of a process that ended without a result."""
        self.process.join(_END_GRACE)
        code = self.process.exitcode
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        advice = "; it may have run out of memory: see --max_memory and Nr_Processes"
        error = ProcessingError(f"process {self.process.pid} {how}{advice}")
        return TileRun(self.job.tile.tile_id, error=error)

    def close(self) -> None:
        """Wait for the process to end, and kill it if it does not."""
        self.connection.close()
        self.process.join(_END_GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


def _run_child(threads: int, connection: Connection, level: int) -> None:
    """Receive a job, run it, send the result: all that a child process does."""
    threading.Thread(target=exit_with_parent, daemon=True).start()
    connection.send(_READY)
    job: TileJob = connection.recv()
    lock = threading.Lock()

    def send(message: object) -> None:
        with lock:
            connection.send(message)

    with forward_records(send, level), start_workers(threads) as pool:
        tile_run = run_tile(job, pool, send)
    send(tile_run)


def exit_with_parent() -> None:
    """Wait for the parent process to end, and end this one: the target of a thread."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def block_terminal_signals() -> Iterator[None]:
    """Keep signals that a terminal sends to its whole process group from a child started here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which unblocks SIGINT when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def hide_main_module() -> Iterator[None]:
    """Keep the main module, which may be a user's script, from being run again in a child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
