"""Progress of one tile: its steps, with their time and memory, and the parts of long steps."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from sen2cor import interruption
from sen2cor.pipeline.execution.available_resources import read_peak_memory


@dataclass(frozen=True)
class Step:
    """A finished step of a tile, or a part of a step.

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
    part : bool
        Whether it is a part of the step that ends next, whose weight includes that of its parts.
    """

    process: str
    text: str
    weight: float
    seconds: float
    pid: int
    peak_memory: int = 0
    part: bool = False


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
        self._lock = Lock()

    def step(self, process: str, text: str, weight: float = 0.0) -> None:
        """Report that a step is finished; the parameters are attributes of `Step`.

        Raises
        ------
        Interrupted
            A signal asked the run to stop.
        """
        now = time.monotonic()
        self._send(Step(process, text, weight, now - self._last, os.getpid(), read_peak_memory()))
        self._last = now

    def part(self, process: str, text: str, weight: float = 0.0) -> None:
        """Report that a part of a step is finished; may be called by any thread.

        Raises
        ------
        Interrupted
            A signal asked the run to stop.
        """
        seconds = time.monotonic() - self._last
        self._send(Step(process, text, weight, seconds, os.getpid(), part=True))

    def _send(self, step: Step) -> None:
        with self._lock:
            self._report(step)
        interruption.check()
