"""Missing tiles: fetched once, checked, within a time limit, and never into the user's files."""

from __future__ import annotations

import http.server
import logging
import multiprocessing
import os
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sen2cor.dem import open_source, read_elevation
from sen2cor.dem.download import DownloadLimits, _lock
from sen2cor.errors import AuxiliaryDataError
from tests.command import PATIENCE
from tests.dem.elevation_files import (
    grid_at,
    level,
    waves,
    write_cgiar,
    write_copernicus,
    write_hgt,
)

TWICE = DownloadLimits(attempts=2, pause=0.05)
IMPATIENT = DownloadLimits(attempts=2, pause=0.05, timeout=0.5, duration=5.0)
PLACE = (15.5, 47.5)
BOUNDS = (15.2, 47.2, 15.8, 47.8)
TILE = "srtm_40_03.tif"

Answer = Callable[[str], tuple[int, bytes]]


class Server(http.server.ThreadingHTTPServer):
    answer: Answer
    asked: list[str]


class Handler(http.server.BaseHTTPRequestHandler):
    credentials: str | None = None

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        Handler.credentials = self.headers.get("Authorization")
        code, content = self.server.answer(self.path)
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """Serve on a free port; yields the address and the paths asked for."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answer, server.asked = answer, []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/dem/", server.asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with srtm_40_03.zip."""
    folder = tmp_path_factory.mktemp("server")
    tile = write_cgiar(folder, "srtm_40_03", waves)
    with zipfile.ZipFile(folder / "srtm_40_03.zip", "w", zipfile.ZIP_DEFLATED) as target:
        target.write(tile, tile.name)
        target.writestr("readme.txt", "SRTM")
    tile.unlink()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def select(
    location: Path,
    reference: str,
    cache: Path | None = None,
    limits: DownloadLimits = TWICE,
) -> list[str]:
    source = open_source(location, reference=reference, cache=cache, limits=limits)
    return [file.path for file in source.select(BOUNDS).files]


def test_missing_tile_is_fetched_into_an_empty_folder(archive: Path, tmp_path: Path) -> None:
    location = tmp_path / "dem" / "srtm"
    os.umask(umask := os.umask(0o022))
    source = open_source(location, reference=archive.as_uri(), limits=TWICE)
    result = read_elevation(source, grid_at(*PLACE), margin=0.0)
    assert result is not None and result.known.all()
    assert names(location) == [TILE]
    assert (location / TILE).stat().st_mode & 0o777 == 0o666 & ~umask
    # From now on no address is needed.
    assert read_elevation(open_source(location), grid_at(*PLACE), margin=0.0) is not None


def test_nothing_is_fetched_unasked(tmp_path: Path) -> None:
    location = tmp_path / "dem"
    with pytest.raises(AuxiliaryDataError):
        open_source(location)
    assert not location.exists()


def test_local_tile_is_not_fetched(archive: Path, tmp_path: Path) -> None:
    write_cgiar(tmp_path, "srtm_40_03", level(7.0))
    with serving(lambda path: (500, b"")) as (address, asked):
        assert select(tmp_path, address) == [str(tmp_path / TILE)]
    assert not asked


def test_siimpc_611_nothing_is_asked_for_beyond_60_north(tmp_path: Path) -> None:
    with serving(lambda path: (500, b"")) as (address, asked):
        source = open_source(tmp_path, reference=address, limits=TWICE)
        assert read_elevation(source, grid_at(12.0, 62.5), margin=5000.0) is None
    assert not asked


def test_siimpc_556_read_only_folder_is_not_written_to(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location, cache = tmp_path / "dem", tmp_path / "work" / "dem"
    write_cgiar(location, "srtm_39_03", level(7.0))
    before = {path: path.read_bytes() for path in location.iterdir()}
    if os.geteuid() == 0:
        allowed = os.access
        monkeypatch.setattr(
            "sen2cor.dem.sources.os.access",
            lambda path, mode: Path(path) != location and allowed(path, mode),
        )
    location.chmod(0o555)
    try:
        for _ in range(2):
            assert select(location, archive.as_uri(), cache) == [str(cache / TILE)]
        assert {path: path.read_bytes() for path in location.iterdir()} == before
        assert names(cache) == [TILE]
        with pytest.raises(AuxiliaryDataError, match="is not writable"):
            select(location, archive.as_uri())
    finally:
        location.chmod(0o755)


def test_server_down_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(AuxiliaryDataError, match=r"srtm_40_03\.zip.*DEM_Missing") as caught:
        select(tmp_path, f"http://127.0.0.1:{port}")
    assert caught.value.exit_code == 5
    assert not names(tmp_path)


def test_server_that_never_answers_is_given_up_after_the_attempts_of_the_limits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(AuxiliaryDataError):
        select(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}", limits=IMPATIENT)
    attempts = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(attempts) == TWICE.attempts
    assert not names(tmp_path)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def page(content: bytes) -> bytes:
    return b"<!DOCTYPE html><html><body>Please log in</body></html>"


def empty(content: bytes) -> bytes:
    return b""


def scrambled(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "no valid elevation tile"),
        (page, "a web page"),
        (empty, "no valid elevation tile"),
        (scrambled, "Bad CRC|Error -3"),
    ],
)
def test_what_is_not_a_tile_is_refused(
    archive: Path, tmp_path: Path, damage: Callable[[bytes], bytes], says: str
) -> None:
    content = damage((archive / "srtm_40_03.zip").read_bytes())
    with (
        serving(lambda path: (200, content)) as (address, asked),
        pytest.raises(AuxiliaryDataError, match=says),
    ):
        select(tmp_path, address)
    assert len(asked) == TWICE.attempts
    assert not names(tmp_path)


def test_busy_server_is_asked_again(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = (archive / "srtm_40_03.zip").read_bytes()
    answers = iter([(503, b"busy"), (200, content)])
    with serving(lambda path: next(answers)) as (address, asked):
        assert select(tmp_path, address) == [str(tmp_path / TILE)]
    assert asked == ["/dem/srtm_40_03.zip"] * 2
    assert "attempt 1 of 2" in caplog.text and "HTTP 503" in caplog.text


def test_tile_that_the_server_does_not_have_is_sea(tmp_path: Path) -> None:
    """GLO-30: the name of the file in a folder of its name, then alone, then it does not exist."""
    write_copernicus(tmp_path, 14, 40, level(0.0))
    with serving(lambda path: (404, b"none")) as (address, asked):
        source = open_source(tmp_path, reference=address, limits=TWICE)
        result = read_elevation(source, grid_at(14.99, 40.5), margin=0.0)
    assert result is not None and result.known.all()
    assert abs(result.elevation).max() < 0.01
    name = "Copernicus_DSM_COG_10_N40_00_E015_00_DEM"
    assert asked == [f"/dem/{name}/{name}.tif", f"/dem/{name}.tif"]


def test_address_without_any_tile_of_the_place_is_an_error(tmp_path: Path) -> None:
    with serving(lambda path: (404, b"none")) as (address, _):
        source = open_source(tmp_path, reference=address, limits=TWICE)
        with pytest.raises(AuxiliaryDataError, match="check DEM_Reference"):
            read_elevation(source, grid_at(*PLACE), margin=0.0)


def test_address_of_hgt_tiles(tmp_path: Path) -> None:
    write_hgt(tmp_path / "hgt", 15, 47, waves)
    location = tmp_path / "dem"
    assert select(location, (tmp_path / "hgt").as_uri()) == [str(location / "N47E015.hgt")]
    assert names(location) == ["N47E015.hgt"]


def test_password_of_an_address_is_used_and_not_shown(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    content = (archive / "srtm_40_03.zip").read_bytes()
    answers = iter([(401, b""), (200, content)])
    with serving(lambda path: next(answers)) as (address, _):
        assert select(tmp_path, address.replace("//", "//user:s%40cret@"))
    assert "fetched from http://127.0.0.1" in caplog.text and "cret" not in caplog.text
    assert Handler.credentials == "Basic dXNlcjpzQGNyZXQ="


@pytest.mark.parametrize("address", ["srtm.csi.cgiar.org", "sftp://host/dem"])
def test_address_that_is_none(tmp_path: Path, address: str) -> None:
    with pytest.raises(AuxiliaryDataError, match="DEM_Reference"):
        select(tmp_path, address)


def _worker(location: Path, address: str, results: multiprocessing.Queue[list[str]]) -> None:
    results.put(select(location, address))


@pytest.mark.parametrize("number", [2])
def test_siimpc_702_processes_that_want_one_tile_fetch_it_once(
    archive: Path, tmp_path: Path, number: int
) -> None:
    content = (archive / "srtm_40_03.zip").read_bytes()
    together = threading.Event()

    def slowly(path: str) -> tuple[int, bytes]:
        # Long enough for the other process to come.
        together.wait(0.4)
        return 200, content

    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with serving(slowly) as (address, asked):
        workers = [
            context.Process(target=_worker, args=(tmp_path, address, results))
            for _ in range(number)
        ]
        for worker in workers:
            worker.start()
        found = [results.get(timeout=PATIENCE) for _ in workers]
        for worker in workers:
            worker.join(PATIENCE)
            assert worker.exitcode == 0
    assert found == [[str(tmp_path / TILE)]] * number
    assert asked == ["/dem/srtm_40_03.zip"]
    assert names(tmp_path) == [TILE]


def test_siimpc_297_threads_that_want_one_tile_fetch_it_once(archive: Path, tmp_path: Path) -> None:
    content = (archive / "srtm_40_03.zip").read_bytes()
    gate = threading.Barrier(4)

    def slowly(path: str) -> tuple[int, bytes]:
        time.sleep(0.2)
        return 200, content

    found: list[list[str]] = []
    with serving(slowly) as (address, asked):

        def want() -> None:
            gate.wait()
            found.append(select(tmp_path, address))

        threads = [threading.Thread(target=want) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert found == [[str(tmp_path / TILE)]] * 4
    assert len(asked) == 1
    assert names(tmp_path) == [TILE]


def test_siimpc_702_lock_that_is_never_released_delays_only(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    limits = DownloadLimits(attempts=1, timeout=1.0, duration=0.3)
    with _lock(tmp_path / f".{TILE}.lock", 1.0):
        source = open_source(tmp_path, reference=archive.as_uri(), limits=limits)
        assert source.select(BOUNDS).files
    assert f"{TILE}.lock" in caplog.text
    assert names(tmp_path) == [TILE]


def test_siimpc_702_leftovers_of_a_killed_run_do_no_harm(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A lock file without a holder, half a tile, and the temporary folder of 2.2."""
    (tmp_path / f".{TILE}.lock").touch()
    (tmp_path / "srtm_40_03_tmp").mkdir()
    part = tmp_path / f"{TILE}.part.99999.x"
    part.mkdir()
    (part / TILE).write_bytes(b"half")
    assert select(tmp_path, archive.as_uri()) == [str(tmp_path / TILE)]
    assert "lock" not in caplog.text  # nobody holds it: no wait
