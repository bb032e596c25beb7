"""Tiles on the workers of a Dask cluster, which sees the same folders.

One task is one tile. A tile whose worker is lost is begun anew on another one. Its log records
and steps come with its result, so that they are neither lost nor doubled.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from sen2cor import interruption
from sen2cor.errors import ProcessingError, UsageError
from sen2cor.pipeline import forwarding, resources
from sen2cor.pipeline.console import Step
from sen2cor.pipeline.tile_chain import TileJob
from sen2cor.pipeline.tile_run import TileResult, run_tile
from sen2cor.pipeline.workers import workers

try:
    import distributed
except ImportError as error:
    raise UsageError("--scheduler needs Dask: pip install 'sen2cor[dask]'") from error

_CONNECT = 30
"""Seconds to wait for the scheduler, and for its first worker."""

_one_at_a_time = threading.Lock()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Finished:
    """A result with the log records of its tile."""

    result: TileResult
    records: tuple[logging.LogRecord, ...]


def run_on_cluster(
    jobs: Sequence[TileJob],
    scheduler: str,
    threads: int | None,
    show: Callable[[Step], None],
) -> Generator[TileResult, None, None]:
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
    TileResult
        In the order in which the tiles end.

    Raises
    ------
    UsageError
        The scheduler cannot be reached or has no workers.
    """
    with _connected(scheduler) as client:
        addresses = client.nthreads()
        neighbours = max(Counter(_host(address) for address in addresses).values())
        logger.info("%d Dask workers", len(addresses))
        waiting = {
            client.submit(_task, job, threads, neighbours, forwarding.level(), pure=False): job
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
                        forwarding.handle(record)
                    for step in finished.result.steps:
                        show(step)
                    yield finished.result
        finally:
            client.cancel(list(waiting), force=True)


def _connected(scheduler: str) -> distributed.Client:
    try:
        client = distributed.Client(scheduler, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"--scheduler {scheduler}: cannot be reached ({error})") from error
    try:
        client.wait_for_workers(1, timeout=_CONNECT)
    except TimeoutError as error:
        client.close()
        raise UsageError(f"--scheduler {scheduler}: has no workers") from error
    return client


def _host(address: str) -> str:
    return address.rpartition("://")[2].rpartition(":")[0]


def _outcome(future: distributed.Future, job: TileJob) -> _Finished:
    try:
        finished: _Finished = future.result()
    except Exception as error:  # of whatever kind the cluster has
        failure = ProcessingError(f"the Dask cluster could not process it: {error}")
        return _Finished(TileResult(job.tile.tile_id, error=failure), ())
    return finished


def _task(job: TileJob, threads: int | None, neighbours: int, level: int) -> _Finished:
    """Process a tile on a worker; one at a time, whatever number of threads the worker has."""
    records: list[logging.LogRecord] = []
    number = threads or max(1, resources.cores() // neighbours)
    with _one_at_a_time, forwarding.forwarding(records.append, level), workers(number) as pool:
        result = run_tile(job, pool, lambda step: None)
    return _Finished(result, tuple(records))
