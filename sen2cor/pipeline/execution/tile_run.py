"""Processing of one tile, the same in every process, and forwarding of its log records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging.handlers import QueueHandler

from sen2cor.errors import ProcessingError, Sen2CorError, describe_unexpected
from sen2cor.geospatial_libraries import prepare_libraries
from sen2cor.pipeline.execution.available_resources import read_peak_memory
from sen2cor.pipeline.execution.progress import Step, TileProgress
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.processing_chain import TileJob, process_tile
from sen2cor.product.level2a.content import TileOutcome

_PACKAGE = "sen2cor"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TileRun:
    """How the run of a tile ended.

    Attributes
    ----------
    tile_id : str
        Level-1C identifier.
    outcome : TileOutcome or None
        What processing the tile returned; None if it failed.
    error : Sen2CorError or None
        Why the tile failed.
    steps : tuple of Step
    peak_memory : int
        Peak resident memory of the process in bytes; 0 where it is unknown.
    """

    tile_id: str
    outcome: TileOutcome | None = None
    error: Sen2CorError | None = None
    steps: tuple[Step, ...] = ()
    peak_memory: int = 0


def run_tile(job: TileJob, workers: Workers, show: Callable[[Step], None]) -> TileRun:
    """Process a tile; an error becomes part of the result.

    Parameters
    ----------
    job : TileJob
    workers : Workers
    show : callable
        Receives each step when it ends.
    """
    steps: list[Step] = []

    def report(step: Step) -> None:
        if not step.part:
            steps.append(step)
        show(step)

    outcome: TileOutcome | None = None
    error: Sen2CorError | None = None
    try:
        prepare_libraries()
        outcome = process_tile(job, workers, TileProgress(report))
    except Sen2CorError as failure:
        error = failure
    except MemoryError:
        error = ProcessingError("not enough memory; see --max_memory and Nr_Processes")
    except Exception as failure:
        logger.critical("tile %s: unexpected error", job.tile.mgrs, exc_info=True)
        error = ProcessingError(describe_unexpected(failure))
    return TileRun(
        tile_id=job.tile.tile_id,
        outcome=outcome,
        error=error,
        steps=tuple(steps),
        peak_memory=read_peak_memory(),
    )


class _Forwarder(QueueHandler):
    """Passes records, with their text formatted, to a function instead of a queue."""

    def __init__(self, send: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._send = send

    def enqueue(self, record: logging.LogRecord) -> None:
        self._send(record)


@contextmanager
def forward_records(send: Callable[[logging.LogRecord], None], level: int) -> Iterator[None]:
    """Send all log records of the package to a function instead of to its handlers.

    Parameters
    ----------
    send : callable
        Receives each record, ready to be pickled.
    level : int
        Lowest level that is sent.
    """
    package = logging.getLogger(_PACKAGE)
    before = package.handlers, package.propagate, package.level
    package.handlers, package.propagate = [_Forwarder(send)], False
    package.setLevel(level)
    try:
        yield
    finally:
        package.handlers, package.propagate = before[:2]
        package.setLevel(before[2])


def read_package_level() -> int:
    """Return the log level of the package, for `forward_records` in another process."""
    return logging.getLogger(_PACKAGE).level


def handle_record(record: logging.LogRecord) -> None:
    """Pass a record of another process to the handlers of this one."""
    logging.getLogger(record.name).handle(record)
