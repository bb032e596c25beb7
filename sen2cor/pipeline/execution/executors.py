"""Where the tiles of a product are worked on: here, in several processes, or on a Dask cluster.

All three give the same results: one `TileRun` for each job, as soon as it is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from sen2cor.pipeline.execution import resources
from sen2cor.pipeline.execution.memory_plan import tile_memory
from sen2cor.pipeline.execution.process_pool import run_in_processes
from sen2cor.pipeline.execution.tile_run import TileRun, run_tile
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.run.console import Step
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.tile.processing_chain import TileJob
from sen2cor.settings.gipp import CommonSettings

logger = logging.getLogger(__name__)

_LARGEST_SHARE = 0.9
"""Of the memory that can be had; the rest is for what else runs."""


@dataclass(frozen=True)
class ResourcePlan:
    """How the work is shared out.

    Attributes
    ----------
    scheduler : str or None
        Address of a Dask scheduler; None: this machine.
    processes : int
        Tiles that are worked on at once; 1 is in this process. Not used with a scheduler.
    threads : int or None
        For each tile; None: what the machine of a Dask worker has.
    memory, tile_memory : int
        Bytes that can be had, and that a tile is planned to need.
    """

    scheduler: str | None
    processes: int
    threads: int | None
    memory: int
    tile_memory: int


def plan_resources(
    jobs: Sequence[TileJob], settings: CommonSettings, options: Options
) -> ResourcePlan:
    """Share out cores and memory, and log it.

    As many tiles at once as ``Nr_Processes`` says, or as there are cores (AUTO), but no more than
    there is memory for. ``Nr_Threads``, or the cores divided by the tiles, work on each.
    """
    if options.scheduler is not None:
        logger.info("tiles are given to the Dask scheduler %s", options.scheduler)
        return ResourcePlan(options.scheduler, 1, settings.threads, 0, 0)
    cores = resources.count_cores()
    memory = int(_LARGEST_SHARE * resources.read_available_memory())
    if options.max_memory is not None:
        memory = min(memory, int(options.max_memory * 1e9))
    wanted = cores if settings.processes is None else max(1, settings.processes)
    wanted = max(1, min(wanted, len(jobs)))
    threads = settings.threads or max(1, cores // wanted)
    need = max((tile_memory(job, threads) for job in jobs), default=0)
    processes = max(1, min(wanted, memory // need if need else wanted))
    if processes < wanted:
        threads = settings.threads or max(1, cores // processes)
    if need > memory:
        logger.warning(
            "a tile is planned with %.1f GB of memory, and there are %.1f GB: it may fail",
            need / 1e9,
            memory / 1e9,
        )
    logger.info(
        "%d of %d tiles at once, %d threads each: %d cores, %.1f GB of memory, %.1f GB per tile",
        processes, len(jobs), threads, cores, memory / 1e9, need / 1e9,
    )  # fmt: skip
    return ResourcePlan(None, processes, threads, memory, need)


def execute(
    jobs: Sequence[TileJob], resource_plan: ResourcePlan, show: Callable[[Step], None]
) -> Generator[TileRun, None, None]:
    """Work on tiles; a bad one does not stop the others.

    When the iterator is closed or interrupted, what still runs is stopped.

    Parameters
    ----------
    jobs : sequence of TileJob
    resource_plan : ResourcePlan
    show : callable
        Gets each step, in this process and one after the other.

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
