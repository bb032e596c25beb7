"""The command ``L2A_Process``: runs, output to the terminal, exit codes.

Slow imports are deferred until they are needed, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from sen2cor import interruption, standard_streams
from sen2cor.arguments import (
    BANNER,
    OWN_VERSION,
    create_options,
    expand_paths,
    parse_arguments,
)
from sen2cor.errors import AuxiliaryDataError, InputError, Sen2CorError
from sen2cor.geospatial_libraries import describe_import_error
from sen2cor.paths import is_current_folder_deleted
from sen2cor.pipeline.run.options import Options

if TYPE_CHECKING:
    from sen2cor.pipeline.run.product_list import ProductResult
    from sen2cor.settings import Settings

SUCCESS = "Progress[%]: 100.00 : Application terminated successfully."
FAILURE = "Progress[%]: 100.00 : Application terminated with at least one error."


def entry_point() -> int:
    """Run the command as its own process; return the exit code."""
    code = main()
    interruption.ignore_signals()
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    with standard_streams.tolerate_closed_streams():
        try:
            return _execute(parse_arguments(sys.argv[1:] if arguments is None else arguments))
        except Sen2CorError as error:
            _print_error(error)
            return error.exit_code


def _execute(values: argparse.Namespace) -> int:
    if is_current_folder_deleted():
        os.chdir("/")  # all paths are absolute, but libraries ask for the current folder
    expand_paths(values)
    if values.setup is not None:
        from sen2cor.settings import write_home

        for path in write_home(values.setup):
            print(f"written: {path}")
        print(f"to use these files: export SEN2COR_HOME={shlex.quote(str(values.setup))}")
        return 0
    if values.show_settings or values.doctor:
        return _show_settings(values) if values.show_settings else _check_installation(values)
    options = create_options(values)
    with ExitStack() as stack:
        if values.quiet:
            devnull = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(redirect_stdout(devnull))
        if values.check:
            return _for_each(options, _check)
        if values.info:
            return _for_each(options, _show_info)
        return _forecast(options) if values.dry_run else _run_and_report(options)


def _load_settings(values: argparse.Namespace) -> Settings:
    from sen2cor.settings import load_settings

    settings = load_settings(values.GIP_L2A, values.GIP_L2A_SC, values.GIP_L2A_AC)
    return settings.assign(values.assignments)


def _show_settings(values: argparse.Namespace) -> int:
    from sen2cor.inspection.screen import Screen
    from sen2cor.inspection.settings_listing import show_settings

    show_settings(_load_settings(values), Screen(sys.stdout))
    return 0


def _check_installation(values: argparse.Namespace) -> int:
    from sen2cor.inspection.screen import Screen

    try:
        from sen2cor.inspection.installation import check_installation, show_installation
    except ImportError as error:
        return _print_import_error(error)
    checks = check_installation(lambda: _load_settings(values))
    return show_installation(checks, Screen(sys.stdout))


def _for_each(options: Options, show: Callable[[Path], None]) -> int:
    """Show something of each product; return the exit code of the first that failed, else 0."""
    code = 0
    try:
        with interruption.catch_signals():
            for path in options.directories:
                try:
                    show(path)
                except Sen2CorError as error:
                    _print_error(error)
                    code = code or error.exit_code
    except interruption.Interrupted as stop:
        _print_error(stop, "interrupted")
        code = stop.exit_code
    return code


def _check(path: Path) -> None:
    """Verify a product, and print a line about it."""
    from sen2cor.pipeline.run.product_verification import verify_product

    result = verify_product(path)
    if result.problems:
        raise InputError(result.describe())
    print(result.describe(), flush=True)


def _show_info(path: Path) -> None:
    from sen2cor.inspection.product_info import read_product_info, show_product_info
    from sen2cor.inspection.screen import Screen

    show_product_info(read_product_info(path), Screen(sys.stdout))


def _forecast(options: Options) -> int:
    """Print what a run would do with each product; return the exit code that it would end with."""
    from sen2cor.inspection.run_forecast import show_forecast
    from sen2cor.inspection.screen import Screen
    from sen2cor.pipeline.run.run_settings import use_settings

    screen = Screen(sys.stdout)
    with use_settings(options) as settings, _show_warnings():
        return _for_each(options, lambda path: show_forecast(path, options, settings, screen))


def _run_and_report(options: Options) -> int:
    try:
        with interruption.catch_signals():
            print(f"{BANNER}\n{OWN_VERSION}", flush=True)
            code = run(options)
    except interruption.Interrupted as stop:
        code = stop.exit_code
        _print_error(stop, "interrupted; no unfinished output is left behind")
    except Sen2CorError as error:
        code = error.exit_code
        _print_error(error)
    except ImportError as error:
        code = _print_import_error(error)
    print(SUCCESS if code == 0 else FAILURE, flush=True)
    return code


def run(options: Options) -> int:
    """Process all products; return the exit code of the first that failed, else 0.

    Raises
    ------
    ConfigurationError
        A settings file is missing or invalid.
    OutputError
        The summary cannot be written.
    """
    from sen2cor.pipeline.run.console import BarConsole, Console, can_show_bars
    from sen2cor.pipeline.run.product_list import open_summary
    from sen2cor.pipeline.run.products_run import run_products
    from sen2cor.pipeline.run.run_settings import use_settings

    console = (BarConsole if can_show_bars(sys.stdout) else Console)(sys.stdout, sys.stderr)
    results: dict[int, ProductResult] = {}
    with use_settings(options) as settings, _show_warnings(), open_summary(options.summary) as add:
        try:
            with closing(run_products(options, settings, console)) as ended:
                for number, result in ended:
                    results[number] = result
                    add(result)
        finally:
            if len(options.directories) > 1:
                _print_summary([results[number] for number in sorted(results)], options)
    codes = [results[number].exit_code for number in sorted(results)]
    return next((code for code in codes if code), 0)


def _print_summary(results: Sequence[ProductResult], options: Options) -> None:
    """Print the table of the products that have ended, and how many have not."""
    from sen2cor.inspection.screen import Screen
    from sen2cor.pipeline.run.product_list import summary_rows

    screen = Screen(sys.stdout)
    if results:
        looks = [("red",) if result.exit_code else () for result in results]
        screen.rows(summary_rows(results), [("bold",), *looks], right=(1, 2, 3, 4))
    left = len(options.directories) - len(results)
    if left:
        screen.line(
            f"{left} of {len(options.directories)} products not finished; the same command goes on "
            "with them"
        )


class _StandardError(logging.Handler):
    """Prints to the current standard error, which a progress bar may have replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:  # the run matters more
            self.handleError(record)


@contextmanager
def _show_warnings() -> Iterator[None]:
    """Print warnings within this block; the command prints errors, in one line each."""
    handler = _StandardError()
    handler.addFilter(lambda record: record.levelno == logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    package = logging.getLogger("sen2cor")
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)


def _print_import_error(error: ImportError) -> int:
    """Print that a package cannot be imported, often because of a path of another installation."""
    unusable = AuxiliaryDataError(describe_import_error(error))
    _print_error(unusable)
    return unusable.exit_code


def _print_error(error: BaseException, text: str | None = None) -> None:
    """Print an error in one line, in the form that callers parse."""
    name = type(error).__name__
    if not name.endswith("Error"):
        name = "Error"
    print(f"L2A_Process: {name}: {' '.join((text or str(error)).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(entry_point())
