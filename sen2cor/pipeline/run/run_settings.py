"""What the products of a run have in common: the settings, and a log at the level that they say."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sen2cor.pipeline.run.options import Options
from sen2cor.settings import Settings, load_settings


@contextmanager
def run_settings(options: Options, settings: Settings | None = None) -> Iterator[Settings]:
    """Settings of a run; within this block the package logs at their level.

    Parameters
    ----------
    options : Options
    settings : Settings, optional
        By default those of the files that the options name, or of the files that stand for them.

    Raises
    ------
    ConfigurationError
        A file is missing or invalid.
    """
    if settings is None:
        settings = load_settings(options.gipp, options.gipp_classification, options.gipp_correction)
    package = logging.getLogger("sen2cor")
    before = package.level
    package.setLevel(settings.common.log_level)
    try:
        yield settings
    finally:
        package.setLevel(before)
