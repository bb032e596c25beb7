"""The records of a run: reports for people, run.json for machines."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sen2cor.errors import InputError, OutputError, Sen2CorError
from sen2cor.optional_packages import available, how_to_get
from sen2cor.pipeline.execution.resources import peak_memory
from sen2cor.pipeline.execution.tile_run import TileRun
from sen2cor.pipeline.run.options import Options
from sen2cor.product.level2a.workspace import writing
from sen2cor.product.level2a.xml_report import XmlReportHandler, claim_report
from sen2cor.reporting.html_report import HtmlReport
from sen2cor.reporting.run_json import run_json, settings_as_used, versions
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)

_REPORT = "report.xml"


class _Warnings(logging.Handler):
    """Keeps warnings and errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.levelname}: {record.getMessage()}")


@dataclass
class RunRecords:
    """What is kept of a run.

    Attributes
    ----------
    report : XmlReportHandler
    page : HtmlReport or None
        None where no HTML report is wanted.
    started : datetime
        UTC.
    content : dict
        Of run.json, filled by the run as it goes.
    warnings : list of str
        Warnings and errors up to now.
    """

    report: XmlReportHandler
    page: HtmlReport | None
    started: datetime
    warnings: list[str]
    content: dict[str, Any] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def add_tile(self, result: TileRun, name: str) -> None:
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

    def add_unusable(self, tiles: Mapping[str, InputError]) -> None:
        """Keep tiles, by the names of their folders, that could not even be begun."""
        for name, error in tiles.items():
            self.add_tile(TileRun(name, error=error), name)

    def records(self, exit_code: int, result: str, error: str | None = None) -> dict[str, bytes]:
        """Return the XML report, run.json and the HTML report by the endings of their names."""
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
        found = {_REPORT: self.report.document, "run.json": run_json(record)}
        if self.page is not None:
            found["report.html"] = self.page.render(record)
        return found

    def write(self, exit_code: int, result: str, error: str | None = None) -> None:
        """Write run.json and the HTML report into the work folder, if there is one.

        A run does not fail for want of them.
        """
        report = self.report.path
        if report is None:
            return
        for ending, content in self.records(exit_code, result, error).items():
            if ending != _REPORT:
                path = report.with_name(f"{report.name.removesuffix(_REPORT)}{ending}")
                try:
                    with writing(path, "--work_dir"):
                        _write_whole(path, content)
                except OutputError as failure:
                    logger.warning("%s", failure)


@contextmanager
def keep_records(product_name: str, options: Options, settings: Settings) -> Iterator[RunRecords]:
    """Keep a log of what happens within this block, in the work folder where one is given.

    When the block ends with an error, run.json is written; otherwise `RunRecords.write` does it.

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
    report = _report(options.work_directory, product_name, started)
    page = _page(product_name, options, settings)
    warnings = _Warnings()
    log = RunRecords(report, page, started, warnings.messages)
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
        log.write(error.exit_code, "failed", _text(error))
        raise
    except Exception as error:
        logger.critical("unexpected error", exc_info=True)
        log.write(1, "failed", _text(error))
        raise
    except BaseException as stop:
        logger.error("interrupted")
        log.write(getattr(stop, "exit_code", 130), "failed", "interrupted")
        raise
    finally:
        for handler in handlers:
            package.removeHandler(handler)
            handler.close()


def _report(folder: Path | None, product_name: str, started: datetime) -> XmlReportHandler:
    """Begin the XML report, in the work folder or in memory alone."""
    if folder is None:
        return XmlReportHandler(None)
    with writing(folder, "--work_dir"):
        return XmlReportHandler(claim_report(folder, product_name, started))


def _page(product_name: str, options: Options, settings: Settings) -> HtmlReport | None:
    """Begin the HTML report."""
    wanted = available("report") if options.report is None else options.report
    return HtmlReport(product_name, settings, options.palette) if wanted else None


def _write_whole(path: Path, content: bytes) -> None:
    """Write by way of a second file, so that the first is never seen half-written."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
