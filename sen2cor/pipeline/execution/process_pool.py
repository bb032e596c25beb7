"""Tiles side by side in processes of their own, which are watched.

Each tile gets a fresh process, so that its memory returns to the system as a whole, and a pipe,
over which come its steps, its log records and its result, in their order. A process that dies
closes its pipe: that is noticed at once, and it is known whose it was.
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
from sen2cor.pipeline.execution import log_forwarding
from sen2cor.pipeline.execution.tile_run import TileRun, run_tile
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.run.console import Step
from sen2cor.pipeline.tile.processing_chain import TileJob

_END_GRACE = 5.0
"""Seconds that a process has to end before it is killed."""

_READY = None
"""What a process sends when it has started; then it gets its job, which is large for a pipe."""

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class _Running:
    job: TileJob
    process: SpawnProcess
    connection: Connection

    @classmethod
    def start(cls, job: TileJob, threads: int) -> _Running:
        mine, its = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=_work, args=(threads, its, log_forwarding.level()), daemon=True
        )
        with _without_interrupts(), _without_main():
            process.start()
        its.close()
        return cls(job, process, mine)

    def lost(self) -> TileRun:
        """Result of a process that ended without one."""
        self.process.join(_END_GRACE)
        code = self.process.exitcode
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        advice = "; perhaps memory ran short: see --max_memory and Nr_Processes"
        error = ProcessingError(f"its process {self.process.pid} {how}{advice}")
        return TileRun(self.job.tile.tile_id, error=error)

    def close(self) -> None:
        """Make sure that the process is gone."""
        self.connection.close()
        self.process.join(_END_GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


def run_in_processes(
    jobs: Sequence[TileJob], processes: int, threads: int, show: Callable[[Step], None]
) -> Generator[TileRun, None, None]:
    """Work on tiles in processes of their own.

    Parameters
    ----------
    jobs : sequence of TileJob
    processes : int
        At once.
    threads : int
        In each.
    show : callable
        Gets each step.

    Yields
    ------
    TileRun
        In the order in which the tiles end.
    """
    waiting = deque(jobs)
    running: dict[Any, _Running] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                one = _Running.start(waiting.popleft(), threads)
                running[one.connection] = one
            interruption.check()
            for connection in wait(list(running), timeout=interruption.POLL):
                one = running[connection]
                try:
                    message = one.connection.recv()
                    if message is _READY:
                        one.connection.send(one.job)
                        continue
                except (EOFError, OSError):
                    message = one.lost()
                if isinstance(message, Step):
                    show(message)
                elif isinstance(message, logging.LogRecord):
                    log_forwarding.handle(message)
                else:
                    running.pop(connection).close()
                    yield message
    finally:
        for one in running.values():
            one.process.terminate()
        for one in running.values():
            one.close()


def _work(threads: int, connection: Connection, level: int) -> None:
    """Process a tile; the whole life of a process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection.send(_READY)
    job: TileJob = connection.recv()
    lock = threading.Lock()

    def send(message: object) -> None:
        with lock:
            connection.send(message)

    with log_forwarding.forwarding(send, level), start_workers(threads) as pool:
        result = run_tile(job, pool, send)
    send(result)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep from a process started here, which inherits it, what a terminal sends to all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which lets SIGINT through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep the main module, which may be a user's script, from being run again in a process."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
