"""Settings of a run and the level of its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.record_pruning import prune_records
from sen2cor.settings import Settings, load_settings


@contextmanager
def use_settings(options: Options, settings: Settings | None = None) -> Iterator[Settings]:
    """Load the settings of a run; within this block the package logs at their level.

    Old records in the work folder are removed if the options say so.

    Parameters
    ----------
    options : Options
    settings : Settings, optional
        By default those of the files that the options name, or of their default files. The
        assignments of the options replace values of both.

    Raises
    ------
    ConfigurationError
        A file is missing or invalid, or a value is not allowed.
    """
    if settings is None:
        settings = load_settings(options.gipp, options.gipp_classification, options.gipp_correction)
    settings = settings.assign(options.assignments)
    package = logging.getLogger("sen2cor")
    before = package.level
    package.setLevel(settings.common.log_level)
    if options.work_directory is not None and options.keep_days is not None:
        prune_records(options.work_directory, options.keep_days)
    try:
        yield settings
    finally:
        package.setLevel(before)
