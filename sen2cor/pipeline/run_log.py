"""The records of a run in its work folder: reports for people, run.json for machines."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sen2cor.errors import Sen2CorError
from sen2cor.pipeline.options import Options
from sen2cor.pipeline.resources import peak_memory
from sen2cor.pipeline.tile_run import TileResult
from sen2cor.product.report import XmlReportHandler, report_name
from sen2cor.reporting.extras import available, how_to_get
from sen2cor.reporting.html_report import HtmlReport
from sen2cor.reporting.run_json import settings_as_used, versions, write_run_json
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)


class _Warnings(logging.Handler):
    """Keeps warnings and errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.levelname}: {record.getMessage()}")


@dataclass
class RunLog:
    """What is kept of a run.

    Attributes
    ----------
    report, summary : Path
        The XML report and run.json.
    page : HtmlReport or None
        None where no HTML report is written.
    started : datetime
        UTC.
    content : dict
        Of run.json, filled by the run as it goes.
    """

    report: Path
    summary: Path
    started: datetime
    content: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    page: HtmlReport | None = None
    _began: float = field(default_factory=time.monotonic)

    @property
    def files(self) -> tuple[Path, ...]:
        """All records of the run."""
        pages = () if self.page is None else (self.page.path,)
        return (self.report, self.summary, *pages)

    def add_tile(self, result: TileResult, name: str) -> None:
        """Keep the result of a tile."""
        self.content.setdefault("tiles", {})[name] = {
            "result": "done" if result.error is None else "failed",
            "error": None if result.error is None else _text(result.error),
            "seconds": round(sum(step.seconds for step in result.steps), 3),
            "peak_memory_bytes": result.peak_memory,
            "process": next((step.pid for step in result.steps), None),
            "steps": [
                {
                    "process": step.process,
                    "text": step.text,
                    "seconds": round(step.seconds, 3),
                    "peak_memory_bytes": step.peak_memory,
                }
                for step in result.steps
            ],
            "quality": None if result.quality is None else asdict(result.quality),
            "retrieval": None if result.retrieval is None else asdict(result.retrieval),
        }

    def write(self, exit_code: int, result: str, error: str | None = None) -> None:
        """Write run.json and the HTML report."""
        ended = datetime.now(timezone.utc)
        tiles: Mapping[str, Mapping[str, Any]] = self.content.get("tiles", {})
        peaks = [peak_memory(), *(tile["peak_memory_bytes"] for tile in tiles.values())]
        timing = {
            "started": self.started.isoformat(),
            "ended": ended.isoformat(),
            "seconds": round(time.monotonic() - self._began, 3),
            "peak_memory_bytes_of_a_process": max(peaks),
        }
        outcome = {"exit_code": exit_code, "result": result, "error": error}
        record = {**outcome, **timing, **self.content, "warnings": self.warnings}
        write_run_json(record, self.summary)
        if self.page is not None:
            self.page.write(record)


@contextmanager
def run_log(product_name: str, options: Options, settings: Settings) -> Iterator[RunLog]:
    """Keep a log of what happens within this block, in the work folder where one is given.

    run.json is written when the block ends with an error; otherwise that is left to `RunLog.write`.

    Parameters
    ----------
    product_name : str
        Of the Level-2A product.
    options : Options
    settings : Settings

    Raises
    ------
    OutputError
        The work folder cannot be written.
    """
    started = datetime.now(timezone.utc)
    with tempfile.TemporaryDirectory(prefix="sen2cor-") as folder:
        report = XmlReportHandler(
            (options.work_directory or Path(folder)) / report_name(product_name, started)
        )
        warnings = _Warnings()
        summary = report.path.with_name(report.path.name.replace("_report.xml", "_run.json"))
        page = _page(report.path, options, settings)
        log = RunLog(report.path, summary, started, warnings=warnings.messages, page=page)
        package = logging.getLogger("sen2cor")
        handlers = [handler for handler in (report, warnings, page) if handler is not None]
        for handler in handlers:
            package.addHandler(handler)
        try:
            if page is None and options.report is None:
                logger.info("no HTML report: %s", how_to_get("report"))
            settings.log()
            log.content.update(
                options={name: value for name, value in asdict(options).items() if value},
                versions=versions(),
                settings=settings_as_used(settings),
            )
            yield log
        except Sen2CorError as error:
            logger.error("%s", _text(error))
            _write_last(log, error.exit_code, _text(error))
            raise
        except Exception as error:
            logger.critical("unexpected error", exc_info=True)
            _write_last(log, 1, _text(error))
            raise
        except BaseException as stop:
            logger.error("interrupted")
            _write_last(log, getattr(stop, "exit_code", 130), "interrupted")
            raise
        finally:
            for handler in handlers:
                package.removeHandler(handler)
                handler.close()


def _page(report: Path, options: Options, settings: Settings) -> HtmlReport | None:
    """Begin the HTML report, beside the XML report."""
    wanted = available("report") if options.report is None else options.report
    return HtmlReport(report.with_suffix(".html"), settings, options.palette) if wanted else None


def _write_last(log: RunLog, exit_code: int, error: str) -> None:
    """Write run.json after a failure, which matters more than one in writing it."""
    try:
        log.write(exit_code, "failed", error)
    except Sen2CorError as failure:
        logger.error("%s", failure)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
