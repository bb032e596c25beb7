"""The processor as a function: what the command does, for programs."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sen2cor import interruption
from sen2cor.pipeline.run.console import Console, ProductOutcome
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.product_run import process_product
from sen2cor.pipeline.run.run_settings import run_settings
from sen2cor.settings import Settings

__all__ = ["ProductOutcome", "process"]


def process(
    path: str | os.PathLike[str],
    *,
    settings: Settings | None = None,
    progress: TextIO | None = None,
    **options: Any,
) -> ProductOutcome:
    """Make the Level-2A product of a Level-1C product.

    Parameters
    ----------
    path : str or path
        Level-1C product, its zip archive, a tile folder inside it, or a Level-2A product beside
        its Level-1C product.
    settings : Settings, optional
        By default those that the command would use: of the files that ``gipp``,
        ``gipp_classification`` and ``gipp_correction`` name, of ``$SEN2COR_HOME``, or the packaged
        ones. `dataclasses.replace` makes others of them.
    progress : text stream, optional
        Gets the lines of progress, for example ``sys.stdout``.
    **options
        The fields of `sen2cor.pipeline.run.options.Options` but ``directories``, which is ``path``:
        ``output_directory``, ``resolution``, ``classification_only``, ``refresh``,
        ``work_directory``, ``image_format``, ``max_memory`` in GB and so on.

    Returns
    -------
    ProductOutcome
        Path of the product, whether there was anything to do, and which tiles failed.

    Raises
    ------
    Sen2CorError
        No tile could be processed, the settings or options are wrong; nothing was left behind.
    TypeError
        There is no such option.
    KeyboardInterrupt, SystemExit
        Interrupted, or told to end by another signal; nothing half-done was left.

    Examples
    --------
    >>> from sen2cor import process
    >>> process("S2A_MSIL1C_....SAFE", resolution=20).product  # doctest: +SKIP
    """
    named = {name: _as_path(name, value) for name, value in options.items()}
    asked = Options((Path(path),), **named)
    stream = io.StringIO() if progress is None else progress
    with _interruptible(), run_settings(asked, settings) as used:
        return process_product(
            asked.directories[0], asked, used, Console(stream, stream).product(0, 1)
        )


_PATHS = frozenset(
    ("gipp", "gipp_classification", "gipp_correction", "output_directory", "work_directory")
)


def _as_path(name: str, value: Any) -> Any:
    return Path(value) if name in _PATHS and value is not None else value


@contextmanager
def _interruptible() -> Iterator[None]:
    """Stop where a run can stop, and say so as Python does."""
    try:
        with interruption.catch_signals():
            yield
    except interruption.Interrupted as stop:
        if stop.exit_code == 128 + signal.SIGINT:
            raise KeyboardInterrupt from stop
        raise SystemExit(stop.exit_code) from stop
