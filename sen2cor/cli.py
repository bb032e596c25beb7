"""The command line: arguments, what goes to the terminal, exit codes.

Everything heavy is imported when it is needed, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sen2cor import __version__, interruption, streams
from sen2cor.errors import Sen2CorError, UsageError, unexpected
from sen2cor.pipeline.options import IMAGE_FORMATS, Options
from sen2cor.reporting.extras import require
from sen2cor.reporting.palette import PALETTES

if TYPE_CHECKING:
    from sen2cor.pipeline.console import Console
    from sen2cor.settings import Settings

COMPATIBILITY_VERSION = "2.03.00"
BANNER = (
    f"Sentinel-2 Level 2A Processor (Sen2Cor). Version: {COMPATIBILITY_VERSION}, "
    "created: 2016.11.25, supporting Level-1C product version: 13.1 - 15."
)
OWN_VERSION = f"sen2cor {__version__}, an independent open-source implementation"
SUCCESS = "Progress[%]: 100.00 : Application terminated successfully."
FAILURE = "Progress[%]: 100.00 : Application terminated with at least one error."

_OTHER_VERSIONS = {
    "--mode": "give the product folder; the mode follows from it",
    "--datastrip": "give the product folder",
    "--tile": "give the path of the tile's folder inside GRANULE",
    "--raw": "images are written as JPEG 2000",
    "--tif": "images are written as JPEG 2000",
    "--debug": "set Log_Level to DEBUG in L2A_GIPP.xml",
    "--img_database_dir": "no database is needed; --work_dir takes a folder for temporary files",
    "--res_database_dir": "no database is needed; --work_dir takes a folder for temporary files",
    "--processing_centre": "the centre is that of the Level-1C product",
    "--archiving_centre": "the centre is that of the Level-1C product",
    "--processing_baseline": "the baseline is that of the Level-1C product",
    "--GIP_L2A_PB": "the baseline is that of the Level-1C product",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see L2A_Process --help")


class _OtherVersion(argparse.Action):
    """An option of later versions of the original that means something else here."""

    def __call__(self, parser: object, namespace: object, values: object,
                 option_string: str | None = None) -> None:  # fmt: skip
        option = option_string or ""
        raise UsageError(
            f"{option} belongs to a later version of Sen2Cor: {_OTHER_VERSIONS[option]}"
        )


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command."""
    result = _Parser(
        prog="L2A_Process",
        description=f"{BANNER}\n{OWN_VERSION}",
        epilog="exit codes: 0 done, 1 processing failed, 2 usage, 3 input unusable,\n"
        "  4 configuration invalid, 5 auxiliary data missing, 6 output not writable,\n"
        "  7 locked by another run, 130 interrupted, 143 terminated",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument(
        "directory",
        nargs="*",
        type=Path,
        help="Level-1C user product, its zip archive, a tile folder inside it, or an existing "
        "Level-2A product to which another resolution is added",
    )
    result.add_argument(
        "--version", action="version", version=f"{BANNER}\n{OWN_VERSION}", help="print the version"
    )
    result.add_argument(
        "--resolution",
        type=int,
        choices=(10, 20, 60),
        help="only this one, in metres (10 makes 20 first where it is missing); default: all",
    )
    result.add_argument("--sc_only", action="store_true", help="scene classification only")
    result.add_argument(
        "--cr_only", action="store_true", help="lay out the product and its metadata only"
    )
    result.add_argument("--refresh", action="store_true", help="redo what exists already")
    for option, what in (
        ("--GIP_L2A", "user configuration (default: $SEN2COR_HOME/cfg/L2A_GIPP.xml or packaged)"),
        ("--GIP_L2A_SC", "calibration of the scene classification"),
        ("--GIP_L2A_AC", "calibration of the atmospheric correction"),
    ):
        result.add_argument(option, type=Path, metavar="FILE", help=what)
    result.add_argument(
        "--output_dir",
        type=Path,
        metavar="DIR",
        help="where the product goes (default: beside L1C)",
    )
    result.add_argument(
        "--work_dir", type=Path, metavar="DIR", help="folder for the log and temporary files"
    )
    result.add_argument(
        "--max_memory",
        "--max-memory",
        type=float,
        metavar="GB",
        help="memory for all tiles that are processed at once (default: what is free)",
    )
    result.add_argument(
        "--format",
        choices=IMAGE_FORMATS,
        default="jp2",
        help="images as JPEG 2000, or as Cloud-Optimized GeoTIFF in the same folders (faster)",
    )
    result.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler (tcp://HOST:PORT) whose workers take the tiles; all must see the same "
        "folders",
    )
    result.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        help="HTML report of the run beside the XML report (default: where the extra 'report' is "
        "installed)",
    )
    result.add_argument(
        "--quicklook", action="store_true", help="small PNG pictures beside the product"
    )
    result.add_argument("--stac", action="store_true", help="STAC item beside the product")
    result.add_argument(
        "--palette",
        choices=tuple(PALETTES),
        default="standard",
        help="colours of the classes in pictures",
    )
    result.add_argument(
        "--quiet", action="store_true", help="print nothing but warnings and errors"
    )
    result.add_argument(
        "--setup",
        type=Path,
        metavar="DIR",
        help="write a configuration home (DIR/cfg, DIR/L2A_Bashrc) and stop",
    )
    for option in _OTHER_VERSIONS:
        result.add_argument(option, nargs="?", action=_OtherVersion, help=argparse.SUPPRESS)
    return result


def parse(arguments: Sequence[str]) -> Options:
    """Turn arguments into options.

    Raises
    ------
    UsageError
        They make no sense.
    """
    values = parser().parse_intermixed_args(arguments)
    if values.setup is not None:
        from sen2cor.settings import write_home

        write_home(values.setup)
        raise SystemExit(0)
    if not values.directory:
        raise UsageError("no product given; see L2A_Process --help")
    if values.max_memory is not None and not 0 < values.max_memory < math.inf:
        raise UsageError(f"--max_memory {values.max_memory:g}: must be a number of GB above 0")
    if values.report:
        require("report", "--report")
    if values.stac:
        require("stac", "--stac")
    return Options(
        directories=tuple(values.directory),
        resolution=values.resolution,
        classification_only=values.sc_only,
        layout_only=values.cr_only,
        refresh=values.refresh,
        gipp=values.GIP_L2A,
        gipp_classification=values.GIP_L2A_SC,
        gipp_correction=values.GIP_L2A_AC,
        output_directory=values.output_dir,
        work_directory=values.work_dir,
        max_memory=None if values.max_memory is None else int(values.max_memory * 1e9),
        image_format=values.format,
        scheduler=values.scheduler,
        report=values.report,
        quick_looks=values.quicklook,
        stac=values.stac,
        palette=values.palette,
        quiet=values.quiet,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    with streams.enduring():
        try:
            options = parse(sys.argv[1:] if arguments is None else arguments)
        except Sen2CorError as error:
            _complain(error)
            return error.exit_code
        if options.quiet:
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
                return _run_and_say(options)
        return _run_and_say(options)


def _run_and_say(options: Options) -> int:
    print(f"{BANNER}\n{OWN_VERSION}", flush=True)
    try:
        with interruption.listening():
            code = run(options)
    except interruption.Interrupted as stop:
        code = stop.exit_code
        _complain(stop, "interrupted; nothing half-done was left")
    print(SUCCESS if code == 0 else FAILURE, flush=True)
    return code


def run(options: Options) -> int:
    """Process all products; return the exit code of the first that failed, else 0."""
    from sen2cor.pipeline.console import Console
    from sen2cor.pipeline.live_console import LiveConsole, can_show
    from sen2cor.settings import load_settings

    try:
        settings = load_settings(options.gipp, options.gipp_classification, options.gipp_correction)
    except Sen2CorError as error:
        _complain(error)
        return error.exit_code
    console = (LiveConsole if can_show(sys.stdout) else Console)(sys.stdout, sys.stderr)
    with _logging_at(settings.common.log_level):
        codes = [
            _process(number, options, settings, console)
            for number in range(len(options.directories))
        ]
    return next((code for code in codes if code), 0)


def _process(number: int, options: Options, settings: Settings, console: Console) -> int:
    """Process one of the products; return its exit code."""
    from sen2cor.pipeline.product_run import process_product

    path = options.directories[number]
    try:
        with console.product(number, len(options.directories), path.name) as progress:
            outcome = process_product(path, options, settings, progress)
    except Sen2CorError as error:
        _complain(error)
        return error.exit_code
    except Exception as error:
        _complain(error, unexpected(error))
        return 1
    console.finished(outcome)
    return outcome.exit_code


class _StandardError(logging.Handler):
    """Prints to what is standard error at the moment, which a bar takes to itself."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:  # the run matters more
            self.handleError(record)


@contextmanager
def _logging_at(level: str) -> Iterator[None]:
    """Log at this level, which the report follows, and show warnings.

    Errors are printed by the command, in the one line that callers read.
    """
    handler = _StandardError()
    handler.addFilter(lambda record: record.levelno == logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    package = logging.getLogger("sen2cor")
    before = package.level
    package.setLevel(level)
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(before)


def _complain(error: BaseException, text: str | None = None) -> None:
    """Print an error in one line, in a form that callers recognise."""
    name = type(error).__name__
    if not name.endswith("Error"):
        name = "Error"
    print(f"L2A_Process: {name}: {' '.join((text or str(error)).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
