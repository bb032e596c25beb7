"""One tile from job to result, with what it reports on the way; the same in every process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sen2cor.errors import ProcessingError, Sen2CorError, describe_unexpected
from sen2cor.pipeline.execution.resources import peak_memory
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.run.console import Progress, Step
from sen2cor.pipeline.tile.processing_chain import TileJob, process_tile
from sen2cor.product.level2a.content import QualityPercentages, TileRetrieval

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TileRun:
    """How the work on a tile ended.

    Attributes
    ----------
    tile_id : str
        Of Level-1C.
    quality : QualityPercentages or None
    retrieval : TileRetrieval or None
    steps : tuple of Step
    peak_memory : int
        Bytes of the process that did it; 0 where that is not known.
    error : Sen2CorError or None
        Why the tile failed.
    """

    tile_id: str
    quality: QualityPercentages | None = None
    retrieval: TileRetrieval | None = None
    steps: tuple[Step, ...] = ()
    peak_memory: int = 0
    error: Sen2CorError | None = None


def run_tile(job: TileJob, workers: Workers, show: Callable[[Step], None]) -> TileRun:
    """Process a tile; what goes wrong with it is part of the result.

    Parameters
    ----------
    job : TileJob
    workers : Workers
    show : callable
        Gets each step when it ends.
    """
    steps: list[Step] = []

    def report(step: Step) -> None:
        steps.append(step)
        show(step)

    error: Sen2CorError | None = None
    try:
        process_tile(job, workers, Progress(report))
    except Sen2CorError as failure:
        error = failure
    except MemoryError:
        error = ProcessingError("not enough memory; see --max_memory and Nr_Processes")
    except Exception as failure:
        logger.critical("tile %s: unexpected error", job.tile.mgrs, exc_info=True)
        error = ProcessingError(describe_unexpected(failure))
    return TileRun(
        tile_id=job.tile.tile_id,
        quality=job.output.quality,
        retrieval=job.output.retrieval,
        steps=tuple(steps),
        peak_memory=peak_memory(),
        error=error,
    )
