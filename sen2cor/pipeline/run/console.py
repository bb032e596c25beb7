"""What a run says on the terminal: the progress lines that callers read, and the results."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TextIO

from sen2cor import interruption
from sen2cor.pipeline.execution.resources import peak_memory

_LAST = 99.99


@dataclass(frozen=True)
class ProductOutcome:
    """How the run of one product ended.

    Attributes
    ----------
    product : Path
        The Level-2A product.
    already_processed : bool
        Whether there was nothing to do.
    failed_tiles : tuple of str
        One line for each tile that failed.
    exit_code : int
    """

    product: Path
    already_processed: bool
    failed_tiles: tuple[str, ...]
    exit_code: int


@dataclass(frozen=True)
class Step:
    """The end of a step of a tile.

    Attributes
    ----------
    process : str
        Part of the processor: L2A_ProcessTile, L2A_Tables, L2A_SceneClass, L2A_AtmCorr.
    text : str
        What has ended.
    weight : float
        Its weight in the plan of the product.
    seconds : float
        Since the step before in this tile.
    pid : int
        Process that did it.
    peak_memory : int
        Bytes that this process has had at most; 0 where that is not known.
    """

    process: str
    text: str
    weight: float
    seconds: float
    pid: int
    peak_memory: int = 0


class Progress:
    """Takes the steps of one tile, in the process that works on it, and reports them.

    Parameters
    ----------
    report : callable
        Gets each `Step`.
    """

    def __init__(self, report: Callable[[Step], None]) -> None:
        self._report = report
        self._last = time.monotonic()

    def step(self, process: str, text: str, weight: float = 0.0) -> None:
        """Report that a step has ended; the attributes of `Step` say what the parameters are.

        Raises
        ------
        Interrupted
            The run shall stop.
        """
        now = time.monotonic()
        self._report(Step(process, text, weight, now - self._last, os.getpid(), peak_memory()))
        self._last = now
        interruption.check()


class ProductProgress:
    """Prints how far the run of one product is; the value never falls. A context manager.

    Parameters
    ----------
    stream : text stream
    start, stop : float
        Share of the whole run in percent.
    began : float
        ``time.monotonic()`` at the start of the whole run.
    """

    def __init__(self, stream: TextIO, start: float, stop: float, began: float) -> None:
        self._stream = stream
        self._start, self._stop = start, stop
        self._began = began
        self._total = 1.0
        self._done = 0.0

    def __enter__(self) -> ProductProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def plan(self, total: float) -> None:
        """Set the sum of the weights of all steps to come."""
        self._total = max(total, 1e-9)

    def show(self, step: Step) -> None:
        """Print the line of a step."""
        self._advance(step)
        value = self._start + (self._stop - self._start) * self._done / self._total
        total = timedelta(seconds=time.monotonic() - self._began)
        self._stream.write(
            f"Progress[%]: {min(value, _LAST):05.2f} : PID-{step.pid}, {step.process}: "
            f"{step.text}, elapsed time[s]: {step.seconds:.3f}, total: {total}\n"
        )
        self._stream.flush()

    def _advance(self, step: Step) -> None:
        self._done = min(self._total, self._done + step.weight)


class Console:
    """The terminal of a run.

    Parameters
    ----------
    output, errors : text streams
    """

    def __init__(self, output: TextIO, errors: TextIO) -> None:
        self._output, self._errors = output, errors
        self._began = time.monotonic()

    def product(self, number: int, of: int, name: str = "") -> ProductProgress:
        """Progress of one of several products; the lines do without its name."""
        share = 100.0 / of
        return ProductProgress(self._output, number * share, (number + 1) * share, self._began)

    def finished(self, outcome: ProductOutcome) -> None:
        """Print where the product is and which tiles failed."""
        for failure in outcome.failed_tiles:
            print(f"L2A_Process: {failure}", file=self._errors, flush=True)
        if outcome.already_processed:
            print("Product already processed.", file=self._output)
        print(f"L2A product: {outcome.product}", file=self._output, flush=True)
