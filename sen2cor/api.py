"""The command as a Python function."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from sen2cor import interruption
from sen2cor.errors import UsageError
from sen2cor.paths import expand_existing_path, expand_path
from sen2cor.pipeline.run.console import Console, ProductOutcome
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.product_run import process_product
from sen2cor.pipeline.run.run_settings import use_settings
from sen2cor.settings import Settings

__all__ = ["ProductOutcome", "process"]


def process(
    path: str | os.PathLike[str],
    *,
    settings: Settings | None = None,
    progress: TextIO | None = None,
    **options: Any,
) -> ProductOutcome:
    """Process a Level-1C product to Level-2A.

    Parameters
    ----------
    path : str or path
        Level-1C product, its zip or tar archive, a tile folder inside it, or a Level-2A product
        beside its Level-1C product.
    settings : Settings, optional
        By default those that the command would use: the files that ``gipp``,
        ``gipp_classification`` and ``gipp_correction`` name, else those in ``$SEN2COR_HOME``, else
        the packaged ones. Derive new settings with `dataclasses.replace`.
    progress : text stream, optional
        Receives the progress lines, for example ``sys.stdout``.
    **options
        Fields of `sen2cor.pipeline.run.options.Options` except ``directories``:
        ``output_directory``, ``resolution``, ``classification_only``, ``refresh``,
        ``work_directory``, ``image_format``, ``max_memory`` in GB and so on.

    Returns
    -------
    ProductOutcome
        Path of the product, whether it existed already, and which tiles failed.

    Raises
    ------
    Sen2CorError
        No tile could be processed, or settings or options are invalid; no output is left behind.
    TypeError
        An option does not exist.
    KeyboardInterrupt, SystemExit
        SIGINT, or another signal that ends the run; no unfinished output is left behind.

    Examples
    --------
    >>> from sen2cor import process
    >>> process("S2A_MSIL1C_....SAFE", resolution=20).product  # doctest: +SKIP
    """
    named = {name: _convert_path(name, value) for name, value in options.items()}
    try:
        product = expand_existing_path(os.fspath(path))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    run_options = Options((product,), **named)
    stream = io.StringIO() if progress is None else progress
    with _stop_on_signals(), use_settings(run_options, settings) as used:
        return process_product(
            run_options.directories[0],
            run_options,
            used,
            Console(stream, stream).start_product(0, 1),
        )


_PATHS = frozenset(
    ("gipp", "gipp_classification", "gipp_correction", "output_directory", "work_directory")
)


def _convert_path(name: str, value: Any) -> Any:
    if name not in _PATHS or value is None:
        return value
    try:
        return expand_path(os.fspath(value))
    except ValueError as error:
        raise UsageError(f"{name} {value}: {error}") from error


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Stop the run cleanly on a signal, then raise what Python raises."""
    try:
        with interruption.catch_signals():
            yield
    except interruption.Interrupted as stop:
        if stop.exit_code == 128 + signal.SIGINT:
            raise KeyboardInterrupt from stop
        raise SystemExit(stop.exit_code) from stop
