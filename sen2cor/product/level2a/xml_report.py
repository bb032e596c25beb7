"""XML report of a run: one entry per log record, well-formed at any time."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from sen2cor.product.name_templates import timestamp

_ROOT = "Sen2Cor_Level-2A_Report_File"
_HEADER = f'<?xml version="1.0" encoding="UTF-8"?>\n<{_ROOT}>\n'
_FOOTER = f"</{_ROOT}>\n".encode()

# characters that XML 1.0 forbids, even as references
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def build_report_name(product_name: str, started: datetime) -> str:
    """Return the file name of a report, with a UTC time stamp."""
    stem = product_name.removesuffix(".SAFE")
    return f"{stem}_{timestamp(started.astimezone(timezone.utc))}_report.xml"


def claim_report(folder: Path, product_name: str, started: datetime) -> Path:
    """Create the empty file of a report, under a name that no other run has.

    Runs that start in the same second, even on several hosts, get different seconds.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    product_name : str
    started : datetime
        With time zone.

    Raises
    ------
    OSError
        The file cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / build_report_name(product_name, started)
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            started += timedelta(seconds=1)
        else:
            return path


class XmlReportHandler(logging.Handler):
    """Collects log records as an XML document, and writes it to a file as it grows.

    The closing tag is written after each record and overwritten by the next, so the file is
    well-formed at any time, also after a crash.

    Parameters
    ----------
    path : Path or None
        File to write; None: the report is kept in memory only.
    level : int
        Lowest level of the records.

    Raises
    ------
    OSError
        The file cannot be written.
    """

    def __init__(self, path: Path | None, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.path = path
        self._failed = False
        self._content = bytearray(_HEADER.encode())
        self._stream = None if path is None else path.open("wb", buffering=0)
        self._end = 0  # size of the file without the closing tag
        self._append(self._content)

    @property
    def document(self) -> bytes:
        """The report so far."""
        return bytes(self._content) + _FOOTER

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record; print the first failure to standard error."""
        try:
            entry = _format_entry(record, self.format(record)).encode()
            self._content += entry
            self._append(entry)
        except Exception as error:  # a failing log must not end the run
            if not self._failed:
                print(f"WARNING: {self.path}: incomplete report: {error}", file=sys.stderr)
            self._failed = True

    def _append(self, entry: bytes | bytearray) -> None:
        if self._stream is None:
            return
        self._stream.seek(self._end)
        if self._stream.write(entry + _FOOTER) < len(entry) + len(_FOOTER):
            # a full disk takes only a part: restore the closing tag
            self._stream.seek(self._end)
            self._stream.write(_FOOTER)
            self._stream.truncate()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(entry)

    def remove(self) -> None:
        """Close and remove the file, if there is one."""
        if self._stream is not None and self.path is not None:
            self._stream.close()
            self._stream = None
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        super().close()


def _format_entry(record: logging.LogRecord, message: str) -> str:
    moment = datetime.fromtimestamp(record.created, timezone.utc)
    attributes = {
        "execution": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "level": record.levelname,
        "process": str(record.process or 0),
        "module": record.module,
        "function": record.funcName or "",
        "line": str(record.lineno),
    }
    inspection = " ".join(
        f"{name}={quoteattr(_sanitize(text))}" for name, text in attributes.items()
    )
    return (
        f"  <check>\n    <inspection {inspection}/>\n"
        f'    <message contentType="Text">{escape(_sanitize(message))}</message>\n  </check>\n'
    )


def _sanitize(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
