"""Fixtures of all tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# the machine may be busy: no example fails because it is slow
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_configure() -> None:
    """Restore the signal handlers of a terminal if the tests were started with ``nohup``."""
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test with the mark ``many_cases``, the first case is fast and all others are slow."""
    seen: set[str] = set()
    for item in items:
        if item.get_closest_marker("many_cases"):
            function = item.nodeid.partition("[")[0]
            if function in seen:
                item.add_marker("slow")
            seen.add(function)


def reference_folder() -> Path:
    """Return the folder of the reference data."""
    return Path(os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of the reference data; tests that need it are skipped if it is absent."""
    folder = reference_folder()
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder} (set SEN2COR_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def small_product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small Level-1C product of PSD 14.2; read-only."""
    from tests.small_product import write_small_product

    return write_small_product(tmp_path_factory.mktemp("level1c"))


@pytest.fixture(scope="session")
def finished_run(
    small_product: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Path, dict[str, tuple[str, float]]]:
    """Run on `small_product`: the process, the product (read-only), `file_states` of the input."""
    from tests.command import file_states, product_in, run_process

    before = file_states(small_product)
    target = tmp_path_factory.mktemp("level2a")
    result = run_process("--output_dir", target, small_product)
    assert result.returncode == 0, result.stderr
    return result, product_in(target), before


@pytest.fixture(scope="session")
def finished_product(finished_run: tuple[object, Path, object]) -> Path:
    """Level-2A product of `small_product`; read-only."""
    return finished_run[1]


@pytest.fixture(autouse=True)
def _few_reports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without slow tests, runs in this process draw an HTML report only if it is tested.

    Drawing takes half the time of such a run; `make test-all` draws all reports.
    """
    fast = request.config.option.markexpr == "not slow"
    if fast and not request.node.get_closest_marker("html_report"):
        monkeypatch.setattr("sen2cor.pipeline.run.run_records.is_available", lambda extra: False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, None]:
    """Escape file names that are not UTF-8, so that pytest-xdist can send the report."""
    report = (yield).get_result()
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
