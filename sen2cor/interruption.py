"""Ctrl-C, SIGTERM, SIGHUP: noted when they come, obeyed where a run can stop cleanly.

An exception out of a signal handler could strike anywhere, also between two steps that belong
together. Here the handler only takes a note; long work calls `check` between its parts.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

POLL = 0.2
"""Seconds after which a waiting thread looks whether it shall stop."""

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_noted: int | None = None


class Interrupted(BaseException):
    """The run shall stop; no `Exception`, so nothing takes it for an error.

    Attributes
    ----------
    exit_code : int
        129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def check() -> None:
    """Stop here if that was asked for.

    Raises
    ------
    Interrupted
    """
    if _noted is not None:
        raise Interrupted(_noted)


@contextmanager
def catch_signals() -> Iterator[None]:
    """Take notes of signals within this block; a second one stops at once, wherever that is.

    One that is ignored, as nohup has it with SIGHUP, stays ignored.
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


def ignore() -> None:
    """Let signals change nothing from here on: the work is done, only its exit code is to be said.

    For the end of a process of its own; what is on its way out must not look killed.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _note(number: int, frame: FrameType | None) -> None:
    global _noted
    if _noted is not None:
        raise Interrupted(number)
    _noted = number
