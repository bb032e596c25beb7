"""Log records of another process: caught there, handled here, each once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler

_PACKAGE = "sen2cor"


class _Forwarder(QueueHandler):
    """Hands on records, with their text made, to a function instead of a queue."""

    def __init__(self, send: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._send = send

    def enqueue(self, record: logging.LogRecord) -> None:
        self._send(record)


@contextmanager
def forwarding(send: Callable[[logging.LogRecord], None], level: int) -> Iterator[None]:
    """Send all records of the package, and none to the handlers that are there.

    Parameters
    ----------
    send : callable
        Gets each record, ready to be pickled.
    level : int
        Least level.
    """
    package = logging.getLogger(_PACKAGE)
    before = package.handlers, package.propagate, package.level
    package.handlers, package.propagate = [_Forwarder(send)], False
    package.setLevel(level)
    try:
        yield
    finally:
        package.handlers, package.propagate = before[:2]
        package.setLevel(before[2])


def level() -> int:
    """Level of the package, for `forwarding` in another process."""
    return logging.getLogger(_PACKAGE).level


def handle(record: logging.LogRecord) -> None:
    """Give a record of another process to the handlers of this one."""
    logging.getLogger(record.name).handle(record)
