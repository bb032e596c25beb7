"""Records of a run: XML report and HTML report for people, run.json for machines."""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from sen2cor import __version__
from sen2cor.errors import AuxiliaryDataError, InputError, OutputError, Sen2CorError
from sen2cor.files import raise_output_error, write_atomically
from sen2cor.geospatial_libraries import check_libraries
from sen2cor.imagery.openjpeg import load_glymur
from sen2cor.optional_packages import install_command, is_available
from sen2cor.pipeline.execution.available_resources import read_peak_memory
from sen2cor.pipeline.execution.tile_run import TileRun
from sen2cor.pipeline.run.options import Options
from sen2cor.product.level2a.content import TileOutcome
from sen2cor.product.level2a.origin import RUN_JSON_FORMAT
from sen2cor.product.level2a.xml_report import XmlReportHandler, claim_report
from sen2cor.reporting.html_report import HtmlReport
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)

_XML_REPORT = "report.xml"

_PACKAGES = ("numpy", "scipy", "glymur", "lxml", "scikit-image", "psutil", "dask", "distributed")


class _WarningCollector(logging.Handler):
    """Keeps warnings and errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.levelname}: {record.getMessage()}")


@dataclass
class RunRecords:
    """The records of a run while it goes on.

    Attributes
    ----------
    xml_report : XmlReportHandler
    html_report : HtmlReport or None
        None if no HTML report is wanted.
    started : datetime
        UTC.
    warnings : list of str
        Warnings and errors so far.
    content : dict
        Content of run.json so far.
    """

    xml_report: XmlReportHandler
    html_report: HtmlReport | None
    started: datetime
    warnings: list[str]
    content: dict[str, Any] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def add_tile(self, tile_run: TileRun, name: str) -> None:
        """Record the run of a tile."""
        error, outcome = tile_run.error, tile_run.outcome or TileOutcome()
        self.content.setdefault("tiles", {})[name] = {
            "result": "done" if error is None else "failed",
            "error": None if error is None else _format_error(error),
            "seconds": round(sum(step.seconds for step in tile_run.steps), 3),
            "peak_memory_bytes": tile_run.peak_memory,
            "process": next((step.pid for step in tile_run.steps), None),
            "steps": [
                {
                    "process": step.process,
                    "text": step.text,
                    "seconds": round(step.seconds, 3),
                    "peak_memory_bytes": step.peak_memory,
                }
                for step in tile_run.steps
            ],
            "quality": None if outcome.quality is None else asdict(outcome.quality),
            "retrieval": None if outcome.retrieval is None else asdict(outcome.retrieval),
        }

    def add_unusable(self, tiles: Mapping[str, InputError]) -> None:
        """Record tiles, by the names of their folders, that could not be opened."""
        for name, error in tiles.items():
            self.add_tile(TileRun(name, error=error), name)

    def build(self, exit_code: int, result: str, error: str | None = None) -> dict[str, bytes]:
        """Return XML report, run.json and HTML report by the endings of their file names."""
        ended = datetime.now(timezone.utc)
        tiles: Mapping[str, Mapping[str, Any]] = self.content.get("tiles", {})
        peaks = [read_peak_memory(), *(tile["peak_memory_bytes"] for tile in tiles.values())]
        timing = {
            "started": self.started.isoformat(),
            "ended": ended.isoformat(),
            "seconds": round(time.monotonic() - self._began, 3),
            "peak_memory_bytes_of_a_process": max(peaks),
        }
        ending = {"exit_code": exit_code, "result": result, "error": error}
        content = {**ending, **timing, **self.content, "warnings": self.warnings}
        records = {
            _XML_REPORT: self.xml_report.document,
            "run.json": format_run_json(content),
        }
        if self.html_report is not None:
            records["report.html"] = self.html_report.render(content)
        return records

    def write(self, exit_code: int, result: str, error: str | None = None) -> None:
        """Write run.json and the HTML report into the work folder, if there is one.

        If that fails, a warning is logged; the run does not fail.
        """
        report = self.xml_report.path
        if report is None:
            return
        for ending, content in self.build(exit_code, result, error).items():
            if ending != _XML_REPORT:
                path = report.with_name(f"{report.name.removesuffix(_XML_REPORT)}{ending}")
                try:
                    with raise_output_error(path, "--work_dir"):
                        write_atomically(path, content)
                except OutputError as failure:
                    logger.warning("%s", failure)

    def remove(self) -> None:
        """Remove what the work folder has of this run, which found nothing to do."""
        self.xml_report.remove()


@contextmanager
def keep_records(product_name: str, options: Options, settings: Settings) -> Iterator[RunRecords]:
    """Record what is logged within this block, in the work folder if there is one.

    If the block ends with an error, run.json is written here; otherwise by `RunRecords.write`.

    Parameters
    ----------
    product_name : str
        Name of the Level-2A product.
    options : Options
    settings : Settings

    Raises
    ------
    OutputError
        The work folder cannot be written.
    """
    started = datetime.now(timezone.utc)
    xml_report = _start_xml_report(options.work_directory, product_name, started)
    html_report = _start_html_report(product_name, options, settings)
    warnings = _WarningCollector()
    records = RunRecords(xml_report, html_report, started, warnings.messages)
    package = logging.getLogger("sen2cor")
    handlers = [handler for handler in (xml_report, warnings, html_report) if handler is not None]
    for handler in handlers:
        package.addHandler(handler)
    try:
        if html_report is None and options.report is None:
            logger.info("no HTML report: %s", install_command("report"))
        check_libraries()
        settings.log()
        records.content.update(
            options={name: value for name, value in asdict(options).items() if value},
            versions=collect_versions(),
            settings=describe_settings(settings),
        )
        yield records
    except Sen2CorError as error:
        logger.error("%s", _format_error(error))
        records.write(error.exit_code, "failed", _format_error(error))
        raise
    except Exception as error:
        logger.critical("unexpected error", exc_info=True)
        records.write(1, "failed", _format_error(error))
        raise
    except BaseException as stop:
        logger.error("interrupted")
        records.write(getattr(stop, "exit_code", 130), "failed", "interrupted")
        raise
    finally:
        for handler in handlers:
            package.removeHandler(handler)
            handler.close()


def collect_versions() -> dict[str, str]:
    """Return the versions of the processor and of its libraries that are installed."""
    from osgeo import gdal

    found = {
        "sen2cor": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "gdal": gdal.VersionInfo("RELEASE_NAME"),
    }
    with suppress(AuxiliaryDataError):
        found["openjpeg"] = str(load_glymur().version.openjpeg_version)
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe_settings(settings: Settings) -> dict[str, Any]:
    """Return all settings by file and element, as a file states them, and the files read."""
    values: dict[str, dict[str, str]] = {}
    for parameter, value in settings.values():
        values.setdefault(parameter.document, {})[parameter.name] = parameter.kind.render(value)
    return {
        "files": {name: str(path) for name, path in settings.sources.items()},
        "command_line": list(settings.assigned),
        "digest": settings.digest(),
        "differs_from_default": [str(entry) for entry in settings.differences()],
        "values": values,
    }


def format_run_json(content: Mapping[str, Any]) -> bytes:
    """Return the content of run.json; values that JSON has no type for become text."""
    return json.dumps({"format": RUN_JSON_FORMAT, **content}, indent=1, default=str).encode()


def _start_xml_report(
    folder: Path | None, product_name: str, started: datetime
) -> XmlReportHandler:
    """Start the XML report, in the work folder or only in memory."""
    if folder is None:
        return XmlReportHandler(None)
    with raise_output_error(folder, "--work_dir"):
        return XmlReportHandler(claim_report(folder, product_name, started))


def _start_html_report(
    product_name: str, options: Options, settings: Settings
) -> HtmlReport | None:
    wanted = is_available("report") if options.report is None else options.report
    return HtmlReport(product_name, settings, options.palette) if wanted else None


def _format_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
