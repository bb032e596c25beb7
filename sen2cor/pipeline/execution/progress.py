"""Progress of one tile: its steps, with their time and memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from sen2cor import interruption
from sen2cor.pipeline.execution.available_resources import read_peak_memory


@dataclass(frozen=True)
class Step:
    """A finished step of a tile.

    Attributes
    ----------
    process : str
        Part of the processor: L2A_ProcessTile, L2A_Tables, L2A_SceneClass, L2A_AtmCorr.
    text : str
        What was done.
    weight : float
        Weight of the step in the progress of the product.
    seconds : float
        Time since the previous step of this tile.
    pid : int
        Process that ran the step.
    peak_memory : int
        Peak resident memory of that process in bytes; 0 where it is unknown.
    """

    process: str
    text: str
    weight: float
    seconds: float
    pid: int
    peak_memory: int = 0


class TileProgress:
    """Times the steps of one tile and reports them, in the process that runs the tile.

    Parameters
    ----------
    report : callable
        Receives each `Step`.
    """

    def __init__(self, report: Callable[[Step], None]) -> None:
        self._report = report
        self._last = time.monotonic()

    def step(self, process: str, text: str, weight: float = 0.0) -> None:
        """Report that a step is finished; the parameters are attributes of `Step`.

        Raises
        ------
        Interrupted
            A signal asked the run to stop.
        """
        now = time.monotonic()
        self._report(Step(process, text, weight, now - self._last, os.getpid(), read_peak_memory()))
        self._last = now
        interruption.check()
