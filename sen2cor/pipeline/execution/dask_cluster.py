"""Run tiles on the workers of a Dask cluster that sees the same folders.

Each task is one tile. A tile whose worker is lost is restarted on another worker. Its log records
and steps arrive with its result, so none is lost or repeated.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sen2cor import interruption
from sen2cor.errors import AuxiliaryDataError, ProcessingError, UsageError, shorten
from sen2cor.geospatial_libraries import check_libraries
from sen2cor.pipeline.execution import available_resources
from sen2cor.pipeline.execution.progress import Step
from sen2cor.pipeline.execution.tile_run import (
    TileRun,
    forward_records,
    handle_record,
    read_package_level,
    run_tile,
)
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.processing_chain import TileJob

try:
    import distributed
except ImportError as error:
    raise UsageError("--scheduler needs Dask: pip install 'sen2cor[dask]'") from error

_CONNECT_TIMEOUT = 30
"""Seconds to wait for the scheduler, and for its first worker."""

_ANSWER_TIMEOUT = 3
"""Seconds that the scheduler has to answer once connected."""

_one_at_a_time = threading.Lock()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Finished:
    """The run of a tile with its log records."""

    tile_run: TileRun
    records: tuple[logging.LogRecord, ...]


def run_on_cluster(
    jobs: Sequence[TileJob],
    scheduler: str,
    threads: int | None,
    show: Callable[[Step], None],
) -> Generator[TileRun, None, None]:
    """Run tiles on the workers of a cluster.

    Parameters
    ----------
    jobs : sequence of TileJob
        With absolute paths, which the workers must see too.
    scheduler : str
        Address of the scheduler, for example ``tcp://10.0.0.1:8786``.
    threads : int or None
        Threads per tile; None: the cores of a worker's machine, divided among its workers.
    show : callable
        Receives each step.

    Yields
    ------
    TileRun
        In the order in which the tiles end.

    Raises
    ------
    AuxiliaryDataError
        The scheduler cannot be reached or has no workers.
    """
    with _connect(scheduler) as client:
        addresses = _wait_for_workers(client, scheduler)
        neighbours = max(Counter(_parse_host(address) for address in addresses).values())
        logger.info("Dask workers: %d", len(addresses))
        waiting = {
            client.submit(_task, job, threads, neighbours, read_package_level(), pure=False): job
            for job in jobs
        }
        try:
            while waiting:
                interruption.check()
                time.sleep(interruption.POLL)
                for future in [future for future in waiting if future.done()]:
                    job = waiting.pop(future)
                    finished = _read_result(future, job)
                    for record in finished.records:
                        handle_record(record)
                    for step in finished.tile_run.steps:
                        show(step)
                    yield finished.tile_run
        finally:
            client.cancel(list(waiting), force=True)


def _connect(scheduler: str) -> distributed.Client:
    try:
        _check_reachable(scheduler)
        return distributed.Client(scheduler, timeout=_CONNECT_TIMEOUT, set_as_default=False)
    except Exception as error:  # of any class: what listens there may be no scheduler
        raise AuxiliaryDataError(
            f"--scheduler {scheduler}: cannot be reached; check that this is the port of "
            f"the scheduler ({shorten(error)})"
        ) from error


def _check_reachable(scheduler: str) -> None:
    """Wait for the scheduler to answer, with a timeout, open to signals."""
    answer: Future[None] = Future()

    def ask() -> None:
        try:
            asyncio.run(
                asyncio.wait_for(_ask_identity(scheduler), _CONNECT_TIMEOUT + _ANSWER_TIMEOUT)
            )
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)

    threading.Thread(target=ask, daemon=True).start()
    while not answer.done():
        interruption.check()
        wait([answer], interruption.POLL)
    answer.result()


async def _ask_identity(scheduler: str) -> None:
    security = distributed.Security().get_connection_args("client")
    async with distributed.rpc(
        scheduler, timeout=_CONNECT_TIMEOUT, connection_args=security
    ) as remote:
        await remote.identity()


def _wait_for_workers(client: distributed.Client, scheduler: str) -> dict[str, Any]:
    """Wait for the first worker; return the addresses of all workers."""
    end = time.monotonic() + _CONNECT_TIMEOUT
    while not (addresses := client.nthreads()):
        interruption.check()
        if time.monotonic() > end:
            raise AuxiliaryDataError(
                f"--scheduler {scheduler}: has no workers; start some with: dask worker {scheduler}"
            )
        time.sleep(interruption.POLL)
    found: dict[str, Any] = addresses
    return found


def _parse_host(address: str) -> str:
    return address.rpartition("://")[2].rpartition(":")[0]


def _read_result(future: distributed.Future, job: TileJob) -> _Finished:
    try:
        finished: _Finished = future.result()
    except Exception as error:  # of any class that the cluster raises
        failure = ProcessingError(f"failed on the Dask cluster: {shorten(error)}")
        return _Finished(TileRun(job.tile.tile_id, error=failure), ())
    return finished


def _task(job: TileJob, threads: int | None, neighbours: int, level: int) -> _Finished:
    """Run a tile on a worker; one at a time, however many threads the worker has."""
    records: list[logging.LogRecord] = []
    number = threads or max(1, available_resources.count_cores() // neighbours)
    with (
        _one_at_a_time,
        forward_records(records.append, level),
        start_workers(number) as pool,
    ):
        with suppress(AuxiliaryDataError):  # an error of the tile below
            check_libraries()
        tile_run = run_tile(job, pool, lambda step: None)
    return _Finished(tile_run, tuple(records))
