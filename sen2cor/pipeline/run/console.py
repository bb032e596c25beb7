"""Output of a run to the terminal: progress lines that callers parse, or a bar; the results."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from sen2cor.pipeline.execution.progress import Step

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from sen2cor.pipeline.run.product_list import ProductResult

_MAX_PERCENTAGE = 99.99
"""Highest value of a progress line; 100 is printed when the whole run has ended."""

_MAX_BAR_FRACTION = 0.99
"""How far the last step fills the bar; finishing the product fills the rest."""


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
        One line per tile that failed.
    exit_code : int
    """

    product: Path
    already_processed: bool
    failed_tiles: tuple[str, ...]
    exit_code: int


class ProductProgress:
    """Prints the progress of one product as lines with a percentage that never falls.

    A context manager.

    Parameters
    ----------
    stream : text stream
    start, stop : float
        Percentages of the whole run at which the product starts and stops.
    began : float
        ``time.monotonic()`` at the start of the whole run.
    """

    def __init__(self, stream: TextIO, start: float, stop: float, began: float) -> None:
        self._stream = stream
        self._start, self._stop = start, stop
        self._began = began
        self._total = 1.0
        self._done = 0.0
        self._finished = 0.0
        self._parts: dict[int, float] = {}

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

    @contextmanager
    def track(
        self, process: str, text: str, weight: float
    ) -> Iterator[Callable[[float, str], None]]:
        """Show the start and the end of a step that is not one of a tile.

        Parameters
        ----------
        process, text : str
            As in `Step`.
        weight : float
            Weight of the step in the progress of the product.

        Yields
        ------
        callable
            Shows a part of the step, given its weight and text.
        """
        began = time.monotonic()
        self.show(Step(process, f"start of {text}", 0.0, 0.0, os.getpid()))

        def show_part(weight: float, text: str) -> None:
            seconds = time.monotonic() - began
            self.show(Step(process, text, weight, seconds, os.getpid(), part=True))

        yield show_part
        seconds = time.monotonic() - began
        self.show(Step(process, f"end of {text}", weight, seconds, os.getpid()))

    def show(self, step: Step) -> None:
        """Print the line of a finished step or part."""
        done = self._advance(step)
        value = self._start + (self._stop - self._start) * done / self._total
        total = timedelta(seconds=time.monotonic() - self._began)
        self._stream.write(
            f"Progress[%]: {min(value, _MAX_PERCENTAGE):05.2f} : PID-{step.pid}, {step.process}: "
            f"{step.text}, elapsed time[s]: {step.seconds:.3f}, total: {total}\n"
        )
        self._stream.flush()

    def _advance(self, step: Step) -> float:
        """Add a step; return the weight of all that is done, which never falls.

        The parts of a step count until the step ends in the same process.
        """
        if step.part:
            self._parts[step.pid] = self._parts.get(step.pid, 0.0) + step.weight
        elif step.weight > 0:
            self._finished += step.weight
            self._parts.pop(step.pid, None)
        done = self._finished + sum(self._parts.values())
        self._done = min(self._total, max(self._done, done))
        return self._done


class ProductProgressBar(ProductProgress):
    """Shows the progress of one product as a bar, which stays when the product is done.

    Parameters
    ----------
    stream : text stream
        A terminal.
    title : str
        Name of the product.
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        super().__init__(stream, 0.0, 100.0, time.monotonic())
        self._bar = _create_bar(stream)
        self._title = title

    def __enter__(self) -> ProductProgressBar:
        self._bar.console.print(
            self._title, style="bold", markup=False, highlight=False, soft_wrap=True
        )
        self._bar.start()
        self._task = self._bar.add_task("starting", total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._bar.update(self._task, total=1.0, completed=1.0, description="done")
        else:
            self._bar.update(self._task, total=self._total, description="[red]stopped[/]")
        self._bar.stop()

    def plan(self, total: float) -> None:
        """Set the sum of the weights of all steps to come."""
        super().plan(total)
        self._bar.update(self._task, total=self._total)

    def show(self, step: Step) -> None:
        """Show a finished step or part."""
        done = min(self._advance(step), _MAX_BAR_FRACTION * self._total)
        self._bar.update(self._task, completed=done, description=step.text)


class Console:
    """The terminal of a run, with progress lines.

    Parameters
    ----------
    output, errors : text streams
    """

    def __init__(self, output: TextIO, errors: TextIO) -> None:
        self._output, self._errors = output, errors
        self._began = time.monotonic()

    def start_product(self, number: int, of: int, name: str = "") -> ProductProgress:
        """Return the progress of one of several products; the lines do not show its name."""
        percentage = 100.0 / of
        return ProductProgress(
            self._output, number * percentage, (number + 1) * percentage, self._began
        )

    shows_bars = False
    """Whether lines would spoil the progress."""

    def print_result(self, result: ProductResult) -> None:
        """Print the outcome or the error of one of several products."""
        if result.outcome is not None:
            self.print_outcome(result.outcome)
        else:
            print(f"L2A_Process: {result.error}", file=self._errors, flush=True)

    def print_outcome(self, outcome: ProductOutcome) -> None:
        """Print the path of the product and the tiles that failed."""
        for failure in outcome.failed_tiles:
            print(f"L2A_Process: {failure}", file=self._errors, flush=True)
        if outcome.already_processed:
            print("Product already processed.", file=self._output)
        print(f"L2A product: {outcome.product}", file=self._output, flush=True)


class BarConsole(Console):
    """The terminal of a run, with progress bars."""

    shows_bars = True

    def start_product(self, number: int, of: int, name: str = "") -> ProductProgressBar:
        """Return the progress of one of several products."""
        title = f"{name} ({number + 1} of {of})" if of > 1 else name
        return ProductProgressBar(self._output, title)


def can_show_bars(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that can show bars, and rich is installed."""
    return (
        stream.isatty()
        and os.environ.get("TERM") != "dumb"
        and stream.encoding.lower().startswith("utf")
        and find_spec("rich") is not None
    )


def _create_bar(stream: TextIO) -> RichProgress:
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns: tuple[Any, ...] = (
        SpinnerColumn(finished_text="[green]✔[/]"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", style="dim"),
    )
    # redirected, log messages appear above the bar
    return Progress(
        *columns,
        console=RichConsole(file=stream),
        redirect_stdout=False,
        redirect_stderr=sys.stderr.isatty(),
    )
