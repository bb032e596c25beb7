"""Stop cleanly on Ctrl-C, SIGTERM and SIGHUP.

An exception raised by a signal handler can occur anywhere, even between two dependent steps. The
handler therefore only records the signal; long tasks call `check` between their parts.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

POLL = 0.2
"""Seconds between two calls of `check` in a waiting thread."""

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_noted: int | None = None


class Interrupted(BaseException):
    """A signal requested the run to stop; not an `Exception`, so that no handler catches it as one.

    Attributes
    ----------
    exit_code : int
        129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def check() -> None:
    """Raise if a signal asked the run to stop.

    Raises
    ------
    Interrupted
    """
    if _noted is not None:
        raise Interrupted(_noted)


@contextmanager
def catch_signals() -> Iterator[None]:
    """Note signals within this block; a second signal stops the run at once.

    Signals that are ignored already, as SIGHUP under nohup, stay ignored.
    """
    global _noted
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may have handlers
        return
    _noted = None
    before = {
        number: signal.signal(number, _note)
        for number in _SIGNALS
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _noted = None


def ignore_signals() -> None:
    """Ignore signals at the end of the command, so that its exit code no longer changes."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _note(number: int, frame: FrameType | None) -> None:
    global _noted
    if _noted is not None:
        raise Interrupted(number)
    _noted = number
