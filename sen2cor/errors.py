"""Errors of the processor: one hierarchy, each class with the exit code of the command.

A message says what is wrong, where (file, band, element), and what the user can do.
"""

from __future__ import annotations

_MAX_LENGTH = 300
"""Characters that are shown of an error of another library; some contain a whole document."""


class Sen2CorError(Exception):
    """Base class of all errors that the command reports in one line; exit code 1."""

    exit_code = 1


class ProcessingError(Sen2CorError):
    """A tile could not be processed."""

    exit_code = 1


class UsageError(Sen2CorError):
    """Invalid command line."""

    exit_code = 2


class InputError(Sen2CorError):
    """Unusable input: not a product, or a band or an element is missing or broken."""

    exit_code = 3


class ConfigurationError(Sen2CorError):
    """A configuration file is missing or invalid."""

    exit_code = 4


class AuxiliaryDataError(Sen2CorError):
    """Auxiliary data (look-up table, elevation model, codec) or a Dask scheduler is unavailable."""

    exit_code = 5


class OutputError(Sen2CorError):
    """The output cannot be written: no permission, disk full."""

    exit_code = 6


class LockedError(Sen2CorError):
    """Another run is writing the same product."""

    exit_code = 7


def error_classes() -> list[type[Sen2CorError]]:
    """Return the classes of errors; the docstring of each says what its exit code means."""
    return [kind for kind in Sen2CorError.__subclasses__() if kind.__module__ == __name__]


def shorten(error: BaseException) -> str:
    """Return the text of an error of another library, shortened."""
    text = repr(error)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."


def describe_unexpected(error: BaseException) -> str:
    """Return the message for an error that the processor does not expect."""
    return f"unexpected: {shorten(error)}; please report it with the XML report of --work_dir"
