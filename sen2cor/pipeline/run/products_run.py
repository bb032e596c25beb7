"""Run several products: one after the other, or several at once within the memory plan.

With several at once each product has a process of its own, whose steps and log records arrive
through a pipe. It has its share of the cores and the planned memory of one of its tiles, so it
processes its tiles one by one.
"""

from __future__ import annotations

import io
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from sen2cor import interruption
from sen2cor.errors import AuxiliaryDataError, InputError, Sen2CorError, describe_unexpected
from sen2cor.geospatial_libraries import describe_import_error
from sen2cor.pipeline.execution.progress import Step
from sen2cor.pipeline.run.console import Console, ProductProgress
from sen2cor.pipeline.run.finished_products import find_finished
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.product_list import ProductResult
from sen2cor.settings import Settings

_END_GRACE = 30.0
"""Seconds that a process has to remove its unfinished product before it is killed."""

_READY = None

logger = logging.getLogger(__name__)


def run_products(
    options: Options, settings: Settings, console: Console
) -> Generator[tuple[int, ProductResult], None, None]:
    """Run all products of the options; an error of one does not stop the others.

    Parameters
    ----------
    options : Options
    settings : Settings
    console : Console

    Yields
    ------
    number, result : int, ProductResult
        In the order in which the products end.
    """
    paths = options.directories
    todo: list[int] = []
    for number, path in enumerate(paths):
        if options.jobs == 1 or len(paths) == 1:
            result = _run_one(number, options, settings, console)
            console.print_result(result)
            yield number, result
            continue
        finished = _find_finished(path, options, settings)
        if finished is None:
            todo.append(number)
        else:
            console.print_result(finished)
            yield number, finished
    if todo:
        yield from _run_at_once(todo, options, settings, console)


def _run_one(number: int, options: Options, settings: Settings, console: Console) -> ProductResult:
    """Run one product in this process."""
    path, of = options.directories[number], len(options.directories)
    return _find_finished(path, options, settings) or run_product(
        path, options, settings, lambda: console.start_product(number, of, path.name)
    )


def _find_finished(path: Path, options: Options, settings: Settings) -> ProductResult | None:
    began = time.monotonic()
    with suppress(Sen2CorError):  # the run says what is wrong
        outcome = find_finished(path, options, settings)
        if outcome is not None:
            return ProductResult(path, outcome.exit_code, time.monotonic() - began, outcome)
    return None


def run_product(
    path: Path,
    options: Options,
    settings: Settings,
    start_progress: Callable[[], ProductProgress],
) -> ProductResult:
    """Run one product; an error becomes part of the result."""
    began = time.monotonic()
    try:
        from sen2cor.pipeline.run.product_run import process_product

        with start_progress() as progress:
            outcome = process_product(path, options, settings, progress)
    except Exception as error:
        code, text = describe_error(error)
        return ProductResult(path, code, time.monotonic() - began, error=text)
    return ProductResult(path, outcome.exit_code, time.monotonic() - began, outcome)


def describe_error(error: Exception) -> tuple[int, str]:
    """Return exit code and text, class and message in one line, of an error of a product."""
    if isinstance(error, ImportError):
        # often because of a path of another installation
        error = AuxiliaryDataError(describe_import_error(error))
    known = isinstance(error, Sen2CorError)
    text = str(error) if known else describe_unexpected(error)
    name = type(error).__name__
    name = name if name.endswith("Error") else "Error"
    return getattr(error, "exit_code", 1) if known else 1, f"{name}: {' '.join(text.split())}"


def _run_at_once(
    numbers: list[int], options: Options, settings: Settings, console: Console
) -> Iterator[tuple[int, ProductResult]]:
    """Run several products at once, no more than fit into memory."""
    from sen2cor.pipeline.execution import available_resources
    from sen2cor.pipeline.execution.resource_plan import plan_available_memory

    at_once = min(options.jobs, len(numbers))
    cores = available_resources.count_cores()
    threads = settings.common.threads or max(1, cores // at_once)
    own = replace(settings, common=replace(settings.common, processes=1, threads=threads))
    free = plan_available_memory(options)
    waiting, running = deque(numbers), dict[Any, _ProductProcess]()
    held: list[ProductResult] = []
    title = f"{len(numbers)} products, {at_once} at once"
    with console.start_product(0, 1, title) as progress:
        progress.plan(float(len(numbers)))
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    path = options.directories[waiting[0]]
                    on_cluster = options.scheduler is not None
                    need = 0 if on_cluster else _plan_memory(path, options, own, threads)
                    if running and need > free - sum(one.memory for one in running.values()):
                        break
                    started = _ProductProcess.start(waiting.popleft(), path, need)
                    running[started.connection] = started
                interruption.check()
                for connection in wait(list(running), timeout=interruption.POLL):
                    current = running[connection]
                    message = current.receive(options, own)
                    if isinstance(message, Step):
                        progress.show(message)
                    elif isinstance(message, logging.LogRecord):
                        logging.getLogger(message.name).handle(message)
                    elif isinstance(message, ProductResult):
                        running.pop(connection).close()
                        if console.shows_bars:
                            held.append(message)  # printed below the bar
                        else:
                            console.print_result(message)
                        yield current.number, message
        finally:
            for current in running.values():
                current.process.terminate()
            for current in running.values():
                current.close()
    for result in held:
        console.print_result(result)


def _plan_memory(path: Path, options: Options, settings: Settings, threads: int) -> int:
    """Return the planned memory of the largest tile of a product; 0 if it cannot be read."""
    from sen2cor.pipeline.execution.resource_plan import plan_memory
    from sen2cor.pipeline.run.input_path import enter_folder
    from sen2cor.pipeline.run.product_verification import open_files
    from sen2cor.pipeline.run.region import find_region
    from sen2cor.pipeline.tile.processing_chain import select_bands
    from sen2cor.product.level1c.tile_metadata import read_grids
    from sen2cor.raster.windows import Window
    from sen2cor.xml_document import XmlDocument

    bands = select_bands(settings, classification_only=options.classification_only)
    region = find_region(options)
    need = 0
    with suppress(InputError, ValueError, RuntimeError), open_files(enter_folder(path)) as files:
        for name in files.sizes:
            parts = name.split("/")
            if len(parts) == 3 and parts[0] == "GRANULE" and name.endswith(".xml"):
                with suppress(InputError), files.open(name) as stream:
                    grids = read_grids(XmlDocument(path / name, stream.read()))
                    if region is not None:
                        window = Window.around(region.bounds, region.system, grids[60])
                        if window is None:
                            continue
                        outer = window.widen(region.context, grids[60])
                        grids = {size: outer.crop(grid) for size, grid in grids.items()}
                    need = max(need, plan_memory(grids, bands, settings, threads))
    return need


@dataclass(frozen=True)
class _ProductProcess:
    """A process that runs one product, seen from the parent."""

    number: int
    path: Path
    memory: int
    process: SpawnProcess
    connection: Connection
    began: float

    @classmethod
    def start(cls, number: int, path: Path, memory: int) -> _ProductProcess:
        from sen2cor.pipeline.execution.executors import block_terminal_signals, hide_main_module
        from sen2cor.pipeline.execution.tile_run import read_package_level

        context = multiprocessing.get_context("spawn")
        parent_end, child_end = context.Pipe()
        process = context.Process(
            target=_run_child, args=(child_end, read_package_level()), daemon=True
        )
        with block_terminal_signals(), hide_main_module():
            process.start()
        child_end.close()
        return cls(number, path, memory, process, parent_end, time.monotonic())

    def receive(self, options: Options, settings: Settings) -> object:
        """Return the next message; a process that was lost gives a failed result."""
        try:
            message = self.connection.recv()
            if message is _READY:
                self.connection.send((self.path, options, settings))
        except (EOFError, OSError):
            return self._describe_loss()
        return message

    def close(self) -> None:
        """Wait for the process to end, and kill it if it does not."""
        self.connection.close()
        self.process.join(_END_GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()

    def _describe_loss(self) -> ProductResult:
        self.process.join(_END_GRACE)
        code = self.process.exitcode
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        text = f"process {self.process.pid} {how}; it may have run out of memory: use fewer --jobs"
        seconds = time.monotonic() - self.began
        return ProductResult(self.path, 1, seconds, error=f"ProcessingError: {text}")


def _run_child(connection: Connection, level: int) -> None:
    """Receive a product, run it, send the result: all that a child process does."""
    from sen2cor.pipeline.execution.executors import exit_with_parent
    from sen2cor.pipeline.execution.tile_run import forward_records

    threading.Thread(target=exit_with_parent, daemon=True).start()
    lock = threading.Lock()

    def send(message: object) -> None:
        with lock, suppress(OSError):
            connection.send(message)

    try:
        with interruption.catch_signals(), forward_records(send, level):
            connection.send(_READY)
            path, options, settings = connection.recv()
            progress = _SendingProgress(send)
            result = run_product(path, options, settings, lambda: progress)
            progress.finish(f"end of {path.name}")
            send(result)
    except (interruption.Interrupted, EOFError):
        sys.exit(1)


class _SendingProgress(ProductProgress):
    """Sends the steps of a product, with weights that sum up to 1, instead of printing them."""

    def __init__(self, send: Callable[[Step], None]) -> None:
        super().__init__(io.StringIO(), 0.0, 100.0, time.monotonic())
        self._send = send
        self._sent = 0.0

    def show(self, step: Step) -> None:
        """Send a finished step or part."""
        self._send_share(step, self._advance(step) / self._total)

    def finish(self, text: str) -> None:
        """Send what is left."""
        seconds = time.monotonic() - self._began
        self._send_share(Step("L2A_ProcessProduct", text, 0.0, seconds, os.getpid()), 1.0)

    def _send_share(self, step: Step, done: float) -> None:
        share, self._sent = max(0.0, done - self._sent), max(done, self._sent)
        self._send(replace(step, weight=share, part=True, pid=os.getpid()))
