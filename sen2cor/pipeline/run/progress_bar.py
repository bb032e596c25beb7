"""The progress of a run as a bar, for people in front of a terminal."""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from sen2cor.pipeline.run.console import Console, ProductProgress, Step

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


_LAST = 0.99


class ProgressBar(ProductProgress):
    """Shows how far the run of one product is as a bar that stays when the product is done.

    Parameters
    ----------
    stream : text stream
        A terminal.
    title : str
        Name of the product.
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        super().__init__(stream, 0.0, 100.0, time.monotonic())
        self._bars = _bars(stream)
        self._title = title

    def __enter__(self) -> ProgressBar:
        self._bars.console.print(
            self._title, style="bold", markup=False, highlight=False, soft_wrap=True
        )
        self._bars.start()
        self._task = self._bars.add_task("starting", total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._bars.update(self._task, total=1.0, completed=1.0, description="done")
        else:
            self._bars.update(self._task, total=self._total, description="[red]stopped[/]")
        self._bars.stop()

    def plan(self, total: float) -> None:
        """Set the sum of the weights of all steps to come."""
        super().plan(total)
        self._bars.update(self._task, total=self._total)

    def show(self, step: Step) -> None:
        """Show a step."""
        self._advance(step)
        # the end of the last step is not that of the run
        done = min(self._done, _LAST * self._total)
        self._bars.update(self._task, completed=done, description=step.text)


class LiveConsole(Console):
    """The terminal of a run with bars instead of lines."""

    def product(self, number: int, of: int, name: str = "") -> ProgressBar:
        """Progress of one of several products."""
        return ProgressBar(self._output, f"{name} ({number + 1} of {of})" if of > 1 else name)


def can_show(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can show a bar, and rich is installed."""
    return (
        stream.isatty()
        and os.environ.get("TERM") != "dumb"
        and stream.encoding.lower().startswith("utf")
        and find_spec("rich") is not None
    )


def _bars(stream: TextIO) -> Bars:
    from rich.console import Console as Terminal
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
    # what is logged meanwhile goes above the bar
    return Progress(
        *columns,
        console=Terminal(file=stream),
        redirect_stdout=False,
        redirect_stderr=sys.stderr.isatty(),
    )
