"""Tiles in one process, in several, and on a Dask cluster: equal products, faults that stay local.

What may differ between two products is listed by `VARIABLE`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from sen2cor.pipeline.execution import available_resources, resource_plan
from sen2cor.pipeline.execution.resource_plan import plan_resources
from sen2cor.pipeline.run.options import Options
from sen2cor.settings.l2a_gipp import CommonSettings
from tests.command import (
    PATIENCE,
    configuration,
    hidden,
    image_digests,
    product_in,
    run_process,
    start,
    stopped,
)
from tests.small_product import write_tiles

TWO = ("33UUU", "33UVU")
SIX = ("33UUU", "33UVU", "33UWU", "33UUT", "33UVT", "33UWT")

VARIABLE = {
    "size and checksum (manifest) of files with such times": (
        r"<byteStream[^>]*>\s*<fileLocation[^>]*_(?:GIP|MTD|report|run)[_.].*?</byteStream>"
    ),
    "GENERATION_TIME": r"<GENERATION_TIME>.*?</GENERATION_TIME>",
    "ARCHIVING_TIME": r"<ARCHIVING_TIME.*?</ARCHIVING_TIME>",
    "time stamp of report and run.json": r"_\d{8}T\d{6}_(report|run)",
    "start and stop of processing (manifest)": r'\b(start|stop)="\d{4}-[^"]*"',
    "Nr_Processes (GIPP copy)": r"<Nr_Processes>.*?</Nr_Processes>",
}


@pytest.fixture(scope="module")
def two_tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiles(tmp_path_factory.mktemp("two"), TWO, 1200)


@pytest.fixture
def parallel(tmp_path: Path) -> Path:
    return configuration(tmp_path, Nr_Processes=2)


def xml_documents(product: Path) -> dict[str, str]:
    """All XML of a product without the report, times and identifiers of `VARIABLE` blanked."""

    def blanked(text: str) -> str:
        for name, pattern in VARIABLE.items():
            text = re.sub(pattern, name, text, flags=re.DOTALL)
        return text

    return {
        path.relative_to(product).as_posix(): blanked(path.read_text())
        for path in sorted([*product.rglob("*.xml"), product / "manifest.safe"])
        if not path.name.endswith("_report.xml")
    }


def assert_equal(first: Path, second: Path, tiles: int) -> None:
    images = image_digests(first)
    assert len(images) > 30 * tiles
    assert image_digests(second) == images
    documents = xml_documents(first)
    assert len(documents) > 2 * tiles
    assert xml_documents(second) == documents


def read_record(folder: Path) -> dict:
    (path,) = folder.glob("*_run.json")
    return json.loads(path.read_text())


def test_two_processes_give_the_product_of_one(
    two_tiles: Path, tmp_path: Path, parallel: Path
) -> None:
    one = run_process(
        two_tiles, "--output_dir", tmp_path / "1", "--work_dir", tmp_path / "log1", "--no-report"
    )
    two = run_process(
        two_tiles, "--output_dir", tmp_path / "2", "--work_dir", tmp_path / "log2", "--no-report",
        "--GIP_L2A", parallel,
    )  # fmt: skip
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert_equal(product_in(tmp_path / "1"), product_in(tmp_path / "2"), 2)
    values = [float(value) for value in re.findall(r"Progress\[%\]: ([\d.]+) :", two.stdout)]
    assert values == sorted(values) and len(values) == one.stdout.count("Progress[%]")
    processes = {tile["process"] for tile in read_record(tmp_path / "log2")["tiles"].values()}
    assert len(processes) == 2 and str(read_record(tmp_path / "log2")["tiles"]["33UUU"]["process"])
    reports = [
        Counter(re.findall(r"<message[^>]*>(.*?)<", next(folder.glob("*.xml")).read_text()))
        for folder in (tmp_path / "log1", tmp_path / "log2")
    ]
    differing = (reports[0] - reports[1]) + (reports[1] - reports[0])
    assert all(re.search("at once|configuration|Nr_Processes", text) for text in differing)
    assert sum(reports[0].values()) > 4  # "AOT at 550 nm", among others, once for each tile


def test_a_bad_tile_does_not_stop_the_others(
    two_tiles: Path, tmp_path: Path, parallel: Path
) -> None:
    broken = tmp_path / two_tiles.name
    shutil.copytree(two_tiles, broken)
    image = next(broken.glob("GRANULE/*33UUU*/IMG_DATA/*B03.jp2"))
    content = image.read_bytes()
    image.write_bytes(content[:-2000] + bytes(1000) + content[-1000:])
    result = run_process(
        broken, "--output_dir", tmp_path / "out", "--resolution", 60, "--GIP_L2A", parallel,
        "--work_dir", tmp_path / "log",
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert "33UUU" in result.stderr and "B03" in result.stderr
    (tile,) = product_in(tmp_path / "out").glob("GRANULE/*")
    assert "33UVU" in tile.name
    record = read_record(tmp_path / "log")
    assert {name: tile["result"] for name, tile in record["tiles"].items()} == {
        "33UUU": "failed",
        "33UVU": "done",
    }
    assert record["exit_code"] == 1


def spawned(process: psutil.Process) -> list[psutil.Process]:
    """Children that are processes of tiles, or workers of Dask."""
    found = []
    for child in process.children(recursive=True):
        with suppress(psutil.Error):  # it may have ended meanwhile
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def find_workers(process: subprocess.Popen[str], number: int) -> list[psutil.Process]:
    """Wait for the processes of the tiles."""
    while process.poll() is None:
        found = spawned(psutil.Process(process.pid))
        if len(found) == number:
            return found
        time.sleep(0.05)
    raise AssertionError("no worker processes")


BEGIN = re.compile(r"PID-(\d+), .*start of import of \d+ bands of tile")


def test_a_killed_worker_is_reported_and_the_other_tile_is_made(
    two_tiles: Path, tmp_path: Path, parallel: Path
) -> None:
    process = start(
        two_tiles, "--output_dir", tmp_path / "out", "--resolution", 60, "--GIP_L2A", parallel,
        "--no-report",
    )  # fmt: skip
    assert process.stdout is not None
    # the process of the tile that begins last has just begun, whatever the load
    begun = [line for line in itertools.islice(filter(BEGIN.search, process.stdout), 2)]
    found = BEGIN.search(begun[-1])
    assert found is not None
    os.kill(int(found[1]), signal.SIGKILL)
    _, errors = stopped(process)
    assert process.returncode == 1
    (line,) = [line for line in errors.splitlines() if "Error:" in line]
    assert "SIGKILL" in line and ("33UUU" in line or "33UVU" in line)
    (tile,) = product_in(tmp_path / "out").glob("GRANULE/*")
    assert tile.name[-12:-7] not in line
    assert hidden(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_signal_stops_all_and_leaves_nothing(
    two_tiles: Path, tmp_path: Path, number: int, code: int, processes: int
) -> None:
    gipp = configuration(tmp_path, Nr_Processes=processes)
    process = start(two_tiles, "--output_dir", tmp_path / "out", "--GIP_L2A", gipp)
    children: list[psutil.Process] = []
    if processes > 1:
        children = find_workers(process, 2)
    else:
        assert process.stdout is not None
        while "L2A_Tables" not in process.stdout.readline():
            pass
    for one in (*children, process) if number != signal.SIGTERM else (process,):
        one.send_signal(number)  # a terminal sends to all
    output, errors = stopped(process)
    assert process.returncode == code, errors
    assert "interrupted" in errors and "Traceback" not in errors
    assert output.splitlines()[-1].endswith("with at least one error.")
    assert not any(child.is_running() for child in children)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """Two Dask workers, processes of one thread."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
def test_dask_workers_give_the_product_of_one_process(
    two_tiles: Path, tmp_path: Path, cluster: str
) -> None:
    one = run_process(two_tiles, "--output_dir", tmp_path / "1")
    two = run_process(
        two_tiles, "--output_dir", tmp_path / "2", "--scheduler", cluster,
        "--work_dir", tmp_path / "log",
    )  # fmt: skip
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert_equal(product_in(tmp_path / "1"), product_in(tmp_path / "2"), 2)
    values = re.findall(r"Progress\[%\]: ([\d.]+) :", two.stdout)
    assert len(values) == one.stdout.count("Progress[%]")
    report = next((tmp_path / "log").glob("*_report.xml")).read_text()
    assert report.count("AOT at 550 nm") == 4


@pytest.mark.slow
def test_a_lost_dask_worker_is_made_up_for(two_tiles: Path, tmp_path: Path, cluster: str) -> None:
    process = start(two_tiles, "--output_dir", tmp_path / "out", "--scheduler", cluster)
    part = tmp_path / "out"
    while process.poll() is None:
        if list(part.glob(".*/product-*/GRANULE/*/IMG_DATA/*/*.jp2")):
            break
        time.sleep(0.05)
    spawned(psutil.Process())[0].kill()
    _, errors = stopped(process)
    assert process.returncode == 0, errors
    assert len(list(product_in(part).glob("GRANULE/*"))) == 2


@pytest.fixture
def stranger() -> Iterator[Callable[[bytes], str]]:
    """Starts servers that are no schedulers: they say one thing, and then nothing any more."""
    with ExitStack() as stack:

        def serve(words: bytes) -> str:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer() -> None:
                with suppress(OSError):  # closed in the end
                    while True:
                        connection = stack.enter_context(server.accept()[0])
                        connection.sendall(words)

            threading.Thread(target=answer, daemon=True).start()
            return f"tcp://127.0.0.1:{server.getsockname()[1]}"

        yield serve


IMPATIENT = (
    "import sys; import sen2cor.pipeline.execution.dask_cluster as c; "
    "c._CONNECT_TIMEOUT = float(sys.argv[1]); "
    "from sen2cor.cli import main; sys.exit(main(sys.argv[2:]))"
)
"""The command with another limit for the scheduler, in seconds."""


@pytest.mark.parametrize("words", [None, b"", b"HTTP/1.0 400 Bad request\r\n" * 50])
def test_a_scheduler_that_does_not_answer_is_one_line_soon(
    words: bytes | None,
    stranger: Callable[[bytes], str],
    two_tiles: Path,
    tmp_path: Path,
) -> None:
    pytest.importorskip("distributed")
    address = "tcp://127.0.0.1:9" if words is None else stranger(words)
    result = subprocess.run(
        [sys.executable, "-c", IMPATIENT, "1", "--scheduler", address,
         "--output_dir", str(tmp_path / "out"), str(two_tiles)],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert result.returncode == 5, result.stderr
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("WARNING")]
    assert f"{address}: cannot be reached; is it the scheduler's port?" in line
    assert list((tmp_path / "out").iterdir()) == []


def test_waiting_for_a_scheduler_can_be_interrupted(
    stranger: Callable[[bytes], str], two_tiles: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    process = start(two_tiles, "--output_dir", out, "--scheduler", stranger(b""))
    while process.poll() is None:
        if out.is_dir() and hidden(out):
            break
        time.sleep(0.05)
    time.sleep(1.5)  # most often it waits by then; the outcome is the same if not
    process.terminate()
    _, errors = stopped(process)
    assert process.returncode == 143
    assert "interrupted" in errors and "Traceback" not in errors
    assert list(out.iterdir()) == []


def test_a_scheduler_without_workers_is_not_waited_for_without_end(
    two_tiles: Path, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        result = subprocess.run(
            [sys.executable, "-c", IMPATIENT, "20", "--scheduler", cluster.scheduler_address,
             "--output_dir", str(tmp_path / "out"), str(two_tiles)],
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert result.returncode == 5, result.stderr
    assert "has no workers" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.slow
def test_six_tiles_in_one_process_in_two_and_on_two_dask_workers(
    tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    product = write_tiles(tmp_path / "in", SIX, 6000)
    two = configuration(tmp_path, Nr_Processes=2, Nr_Threads=1)
    one = configuration(tmp_path, Nr_Threads=1)
    calls: dict[str, list[object]] = {
        "one process": ["--GIP_L2A", one],
        "two processes": ["--GIP_L2A", two],
        "two Dask workers": ["--GIP_L2A", one],
    }
    calls["two Dask workers"] += ["--scheduler", request.getfixturevalue("cluster")]
    seconds = {}
    for number, (name, arguments) in enumerate(calls.items()):
        began = time.monotonic()
        result = run_process(product, "--output_dir", tmp_path / str(number), *arguments)
        seconds[name] = time.monotonic() - began
        assert result.returncode == 0, result.stderr
    for number in (1, 2):
        assert_equal(product_in(tmp_path / "0"), product_in(tmp_path / str(number)), 6)
    with capsys.disabled():
        for name, value in seconds.items():
            print(f"\n  six tiles, {name}: {value:.1f} s, {value / seconds['one process']:.2f} x")


class _Job:
    """As much of a job as the resource_plan looks at."""


@pytest.mark.parametrize(
    ("processes", "threads", "limit", "expected"),
    [
        (1, None, None, (1, 8)),
        (None, None, None, (6, 1)),
        (3, None, None, (3, 2)),
        (20, None, None, (6, 1)),
        (0, None, None, (1, 8)),
        (None, 4, None, (6, 4)),
        (None, None, 7.0, (3, 2)),
        (None, None, 1e-9, (1, 8)),
    ],
)
def test_cores_and_memory_are_shared_out(
    processes: int | None,
    threads: int | None,
    limit: float | None,
    expected: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(available_resources, "count_cores", lambda: 8)
    monkeypatch.setattr(available_resources, "read_available_memory", lambda: 20_000_000_000)
    monkeypatch.setattr(resource_plan, "plan_tile_memory", lambda job, threads: 2_000_000_000)
    caplog.set_level("INFO", "sen2cor")
    settings = CommonSettings(processes=processes, threads=threads)
    found = plan_resources([_Job()] * 6, settings, Options(directories=(), max_memory=limit))  # type: ignore[list-item]
    assert (found.processes, found.threads) == expected
    assert f"{expected[0]} of 6 tiles at once" in caplog.text
    assert ("it may fail" in caplog.text) == (limit == 1e-9)
