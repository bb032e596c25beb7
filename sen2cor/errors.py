"""The errors of the processor: one hierarchy, each class with the exit code of the command.

A message says what is wrong, where (file, band, element), and what the user can do.
"""

from __future__ import annotations

_LONGEST = 300
"""Characters of an error of others that are shown; some hold a whole document."""


class Sen2CorError(Exception):
    """Base of all errors that the command reports in one line; exit code 1."""

    exit_code = 1


class ProcessingError(Sen2CorError):
    """A tile could not be processed."""

    exit_code = 1


class UsageError(Sen2CorError):
    """The command line does not make sense."""

    exit_code = 2


class InputError(Sen2CorError):
    """The input product cannot be used: not a product, a band or an element missing or broken."""

    exit_code = 3


class ConfigurationError(Sen2CorError):
    """A configuration file is missing or invalid."""

    exit_code = 4


class AuxiliaryDataError(Sen2CorError):
    """Auxiliary data (look-up table, elevation model, codec) or a Dask scheduler cannot be had."""

    exit_code = 5


class OutputError(Sen2CorError):
    """The output cannot be written: no permission, disk full."""

    exit_code = 6


class LockedError(Sen2CorError):
    """Another run is working on the same output product."""

    exit_code = 7


def error_classes() -> list[type[Sen2CorError]]:
    """Return the errors that have an exit code of their own; the docstrings say what it means."""
    return [one for one in Sen2CorError.__subclasses__() if one.__module__ == __name__]


def shorten(error: BaseException) -> str:
    """Text of bounded length for an error that is none of these."""
    text = repr(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def describe_unexpected(error: BaseException) -> str:
    """What is said of an error that should not be."""
    return f"unexpected: {shorten(error)}; please report it with the report of --work_dir"
