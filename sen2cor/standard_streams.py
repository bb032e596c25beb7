"""Standard output and error of the command, which may be closed before the run ends.

Piping a run into ``head`` loses output lines but not the product.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast


class _TolerantStream:
    """A text stream that does not fail when its reader has gone; further text is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._discard_rest()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._discard_rest()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _discard_rest(self) -> None:
        """Discard the buffer too, which would fail again when Python exits."""
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


@contextmanager
def tolerate_closed_streams() -> Iterator[None]:
    """Let printing within this block never fail, even if the readers of the streams go away.

    Text for a stream that is closed from the start is discarded. Characters that the encoding
    lacks are written as backslash escapes.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 (as long as the process)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    output, errors = (
        cast("TextIO", _TolerantStream(stream)) for stream in (sys.stdout, sys.stderr)
    )
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            yield
        finally:
            output.flush()
            errors.flush()
