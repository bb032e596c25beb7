"""Division of cores and memory among the tiles of a product.

A tile's memory is planned from the arrays that exist at the same time. Pixels stay uint16 at the
resolution of their band, with their block means at 20 and 60 m, until they are corrected by blocks
of rows (`sen2cor.raster.grids.BLOCK_ROWS`). The state of the atmosphere is described on the
60 m grid. The band that is needed longest (B08) is decoded last, and bands of 20 m are released
before those of 10 m. ``make benchmark`` compares the plan with the measured peak.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sen2cor.bands import BAND
from sen2cor.pipeline.execution import available_resources
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.tile.processing_chain import TileJob
from sen2cor.raster.grids import Grid
from sen2cor.settings import Settings
from sen2cor.settings.l2a_gipp import CommonSettings

logger = logging.getLogger(__name__)

BASE_BYTES = 250_000_000
"""Interpreter, libraries, look-up tables."""

CODEC_BYTES = 1024 * 8
"""Per thread and image column: a row of the codestream's tiles (1024 rows) as uint16, its copy in
the encoder and the codec's own buffers (int32)."""

CLASSIFICATION_BYTES = 10
"""Per pixel at 20 m, during the classification: classes, probabilities and masks."""

ATMOSPHERE_BYTES = 100
"""Per pixel of the 60 m grid: state of the atmosphere, masks, the inversions of the three bands of
the true colour image, and the inversion of one more band."""

TERRAIN_BYTES = 13
"""Per pixel at 20 m: elevation with its margin, slope, illumination and shadow."""

TERRAIN_ATMOSPHERE_BYTES = 80
"""Per pixel of the 60 m grid, in addition to `ATMOSPHERE_BYTES`: terrain, and its illumination in
the inversions."""

MAX_MEMORY_FRACTION = 0.9
"""Fraction of the available memory that is planned with; other processes need the rest."""


@dataclass(frozen=True)
class ResourcePlan:
    """Division of cores and memory.

    Attributes
    ----------
    scheduler : str or None
        Address of a Dask scheduler; None: tiles run on this machine.
    processes : int
        Tiles that run at once; a single one runs in this process. Ignored with a scheduler.
    threads : int or None
        Threads per tile; None: decided on the machine of each Dask worker.
    memory, tile_memory : int
        Bytes available, and bytes planned per tile.
    """

    scheduler: str | None
    processes: int
    threads: int | None
    memory: int
    tile_memory: int


def plan_resources(
    jobs: Sequence[TileJob], settings: CommonSettings, options: Options
) -> ResourcePlan:
    """Divide cores and memory among the tiles, and log the plan.

    ``Nr_Processes`` tiles run at once, or as many as there are cores (AUTO), but no more than fit
    into memory. Each has ``Nr_Threads`` threads, or the cores divided by the tiles (AUTO).
    """
    if options.scheduler is not None:
        logger.info("Tiles run on the Dask scheduler %s.", options.scheduler)
        return ResourcePlan(options.scheduler, 1, settings.threads, 0, 0)
    cores = available_resources.count_cores()
    memory = plan_available_memory(options)
    wanted = cores if settings.processes is None else max(1, settings.processes)
    wanted = max(1, min(wanted, len(jobs)))
    threads = settings.threads or max(1, cores // wanted)
    need = max((plan_tile_memory(job, threads) for job in jobs), default=0)
    processes = max(1, min(wanted, memory // need if need else wanted))
    if processes < wanted:
        threads = settings.threads or max(1, cores // processes)
    if need > memory:
        logger.warning(
            "A tile needs about %.1f GB of memory but only %.1f GB is available; it may fail.",
            need / 1e9,
            memory / 1e9,
        )
    logger.info(
        "%d of %d tiles at once, %d threads each: %d cores, %.1f GB of memory, %.1f GB per tile",
        processes, len(jobs), threads, cores, memory / 1e9, need / 1e9,
    )  # fmt: skip
    return ResourcePlan(None, processes, threads, memory, need)


def plan_available_memory(options: Options) -> int:
    """Return the bytes that a run may plan with: those available, limited by the options."""
    memory = int(MAX_MEMORY_FRACTION * available_resources.read_available_memory())
    return memory if options.max_memory is None else min(memory, int(options.max_memory * 1e9))


def plan_tile_memory(job: TileJob, threads: int) -> int:
    """Return the peak memory of a tile in bytes, as planned."""
    return plan_memory(job.tile.grids, job.bands, job.settings, threads)


def plan_memory(
    grids: Mapping[int, Grid], bands: Sequence[str], settings: Settings, threads: int
) -> int:
    """Return the peak memory of a tile in bytes, as planned.

    Parameters
    ----------
    grids : mapping of resolution in metres to Grid
    bands : sequence of str
        Bands that are decoded at the start.
    settings : Settings
    threads : int
        Threads that process the tile.

    Notes
    -----
    Two bytes for each pixel of each decoded band and of each block mean at 20 and 60 m, plus the
    constants of this module.
    """
    pixels = {resolution: grid.rows * grid.cols for resolution, grid in grids.items()}
    numbers = sum(
        pixels[resolution]
        for band in bands
        for resolution in pixels
        if resolution >= BAND[band].resolution
    )
    per_20m_pixel, per_60m_pixel = CLASSIFICATION_BYTES, ATMOSPHERE_BYTES
    if settings.dem_directory is not None:
        per_20m_pixel += TERRAIN_BYTES
        per_60m_pixel += TERRAIN_ATMOSPHERE_BYTES
    return (
        BASE_BYTES
        + 2 * numbers
        + per_20m_pixel * pixels[20]
        + per_60m_pixel * pixels[60]
        + CODEC_BYTES * threads * grids[10].cols
    )
