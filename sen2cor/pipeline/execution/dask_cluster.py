"""Tiles on the workers of a Dask cluster, which sees the same folders.

One task is one tile. A tile whose worker is lost is begun anew on another one. Its log records
and steps come with its result, so that they are neither lost nor doubled.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from sen2cor import interruption
from sen2cor.errors import AuxiliaryDataError, ProcessingError, UsageError, shorten
from sen2cor.pipeline.execution import log_forwarding, resources
from sen2cor.pipeline.execution.tile_run import TileRun, run_tile
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.run.console import Step
from sen2cor.pipeline.tile.processing_chain import TileJob

try:
    import distributed
except ImportError as error:
    raise UsageError("--scheduler needs Dask: pip install 'sen2cor[dask]'") from error

_CONNECT = 30
"""Seconds to wait for the scheduler, and for its first worker."""

_ANSWER = 3
"""Seconds that it has to answer when it is connected."""

_one_at_a_time = threading.Lock()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Finished:
    """A result with the log records of its tile."""

    result: TileRun
    records: tuple[logging.LogRecord, ...]


def run_on_cluster(
    jobs: Sequence[TileJob],
    scheduler: str,
    threads: int | None,
    show: Callable[[Step], None],
) -> Generator[TileRun, None, None]:
    """Work on tiles on the workers of a cluster.

    Parameters
    ----------
    jobs : sequence of TileJob
        With absolute paths, which the workers must see as well.
    scheduler : str
        Its address, for example ``tcp://10.0.0.1:8786``.
    threads : int or None
        For each tile; None: the cores of a worker's machine, shared among its workers.
    show : callable
        Gets each step.

    Yields
    ------
    TileRun
        In the order in which the tiles end.

    Raises
    ------
    AuxiliaryDataError
        The scheduler cannot be reached or has no workers.
    """
    with _connected(scheduler) as client:
        addresses = _workers(client, scheduler)
        neighbours = max(Counter(_host(address) for address in addresses).values())
        logger.info("%d Dask workers", len(addresses))
        waiting = {
            client.submit(_task, job, threads, neighbours, log_forwarding.level(), pure=False): job
            for job in jobs
        }
        try:
            while waiting:
                interruption.check()
                time.sleep(interruption.POLL)
                for future in [future for future in waiting if future.done()]:
                    job = waiting.pop(future)
                    finished = _outcome(future, job)
                    for record in finished.records:
                        log_forwarding.handle(record)
                    for step in finished.result.steps:
                        show(step)
                    yield finished.result
        finally:
            client.cancel(list(waiting), force=True)


def _connected(scheduler: str) -> distributed.Client:
    try:
        _reach(scheduler)
        return distributed.Client(scheduler, timeout=_CONNECT, set_as_default=False)
    except Exception as error:  # of whatever kind, as what listens there may be no scheduler
        raise AuxiliaryDataError(
            f"--scheduler {scheduler}: cannot be reached; is it the scheduler's port? "
            f"({shorten(error)})"
        ) from error


def _reach(scheduler: str) -> None:
    """Wait for an answer of the scheduler, which a client does without end and deaf to signals."""
    answer: Future[None] = Future()

    def ask() -> None:
        try:
            asyncio.run(asyncio.wait_for(_identity(scheduler), _CONNECT + _ANSWER))
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)

    threading.Thread(target=ask, daemon=True).start()
    while not answer.done():
        interruption.check()
        wait([answer], interruption.POLL)
    answer.result()


async def _identity(scheduler: str) -> None:
    security = distributed.Security().get_connection_args("client")
    async with distributed.rpc(scheduler, timeout=_CONNECT, connection_args=security) as remote:
        await remote.identity()


def _workers(client: distributed.Client, scheduler: str) -> dict[str, Any]:
    """Wait for the first worker; return the addresses of all."""
    end = time.monotonic() + _CONNECT
    while not (addresses := client.nthreads()):
        interruption.check()
        if time.monotonic() > end:
            raise AuxiliaryDataError(f"--scheduler {scheduler}: has no workers")
        time.sleep(interruption.POLL)
    found: dict[str, Any] = addresses
    return found


def _host(address: str) -> str:
    return address.rpartition("://")[2].rpartition(":")[0]


def _outcome(future: distributed.Future, job: TileJob) -> _Finished:
    try:
        finished: _Finished = future.result()
    except Exception as error:  # of whatever kind the cluster has
        failure = ProcessingError(f"the Dask cluster could not process it: {shorten(error)}")
        return _Finished(TileRun(job.tile.tile_id, error=failure), ())
    return finished


def _task(job: TileJob, threads: int | None, neighbours: int, level: int) -> _Finished:
    """Process a tile on a worker; one at a time, whatever number of threads the worker has."""
    records: list[logging.LogRecord] = []
    number = threads or max(1, resources.count_cores() // neighbours)
    with (
        _one_at_a_time,
        log_forwarding.forwarding(records.append, level),
        start_workers(number) as pool,
    ):
        result = run_tile(job, pool, lambda step: None)
    return _Finished(result, tuple(records))
