"""Archives of elevation tiles: the elevation in them is used, in place or after a download."""

from __future__ import annotations

import http.server
import math
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sen2cor.dem import open_source, read_elevation
from sen2cor.dem.download import DownloadLimits
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.coordinates import grid_centre
from sen2cor.raster.grids import Grid
from tests.dem.elevation_files import grid_at, level, waves, write_copernicus, write_dted

ONCE = DownloadLimits(attempts=1)
DATASET = "prismDownload/COP-DEM_GLO-30-DGED__2021_1"


def write_dged(folder: Path, west: int, south: int, *, dted: bool = False) -> Path:
    """An archive as the Copernicus DEM has them: masks and a preview beside the elevation."""
    name = (
        f"Copernicus_DSM_10_{'S' if south < 0 else 'N'}{abs(south):02d}_00_"
        f"{'W' if west < 0 else 'E'}{abs(west):03d}_00"
    )
    parts = folder / "parts"
    if dted:
        elevation = write_dted(parts / "elevation.dt2", west, south, waves)
    else:
        elevation = write_copernicus(parts, west, south, waves)
    mask = write_copernicus(parts / "mask", west, south, level(1.0))
    path = folder / f"{name}.tar"
    with tarfile.open(path, "w") as archive:
        for inner, source in (
            (f"AUXFILES/{name}_EDM.tif", mask),
            (f"AUXFILES/{name}_WBM.tif", mask),
            (f"DEM/{name}_DEM{elevation.suffix}", elevation),
            (f"PREVIEW/{name}_QL.tif", mask),
        ):
            archive.add(source, f"{name}/{inner}")
    for source in (elevation, mask):
        source.unlink()
    (parts / "mask").rmdir()
    parts.rmdir()
    return path


def read_plain(folder: Path, grid: Grid) -> Float32Array:
    """Elevation of the same tile without an archive."""
    longitude, latitude = grid_centre(grid)
    write_copernicus(folder, math.floor(longitude), math.floor(latitude), waves)
    found = read_elevation(open_source(folder), grid, margin=0.0)
    assert found is not None
    return found.elevation


@pytest.mark.parametrize("place", [(4.5, 51.5), (-3.5, -0.5), (-179.5, -16.5)])
def test_archives_in_the_folder_are_read_in_place(
    place: tuple[float, float], tmp_path: Path
) -> None:
    folder = tmp_path / "with {braces} and spaces"
    folder.mkdir()
    write_dged(folder, *(math.floor(value) for value in place))
    before = sorted(folder.rglob("*"))
    grid = grid_at(*place)
    found = read_elevation(open_source(folder), grid, margin=0.0)
    assert found is not None and found.known.all()
    np.testing.assert_array_equal(found.elevation, read_plain(tmp_path / "plain", grid))
    assert sorted(folder.rglob("*")) == before


def test_archives_of_dted_are_read_in_place(tmp_path: Path) -> None:
    write_dged(tmp_path, 4, 51, dted=True)
    grid = grid_at(4.5, 51.5)
    found = read_elevation(open_source(tmp_path), grid, margin=0.0)
    assert found is not None and found.known.all()
    write_dted(tmp_path / "plain" / "e004_n51.dt1", 4, 51, waves)
    plain = read_elevation(open_source(tmp_path / "plain"), grid, margin=0.0)
    assert plain is not None
    np.testing.assert_array_equal(found.elevation, plain.elevation)


def test_zip_archives_are_read_in_place(tmp_path: Path) -> None:
    tar = write_dged(tmp_path, 4, 51)
    with tarfile.open(tar) as source, zipfile.ZipFile(tmp_path / f"{tar.stem}.zip", "w") as target:
        for member in source.getmembers():
            content = source.extractfile(member)
            assert content is not None
            target.writestr(member.name, content.read())
    tar.unlink()
    grid = grid_at(4.5, 51.5)
    found = read_elevation(open_source(tmp_path), grid, margin=0.0)
    assert found is not None
    np.testing.assert_array_equal(found.elevation, read_plain(tmp_path / "plain", grid))


def test_unpacked_archives_are_read(tmp_path: Path) -> None:
    tar = write_dged(tmp_path, 4, 51)
    with tarfile.open(tar) as archive:
        archive.extractall(tmp_path)
    tar.unlink()
    grid = grid_at(4.5, 51.5)
    found = read_elevation(open_source(tmp_path), grid, margin=0.0)
    assert found is not None
    np.testing.assert_array_equal(found.elevation, read_plain(tmp_path / "plain", grid))


@pytest.mark.parametrize("damage", ["truncated", "empty", "without elevation", "no archive"])
def test_broken_archives_are_an_error_that_names_them(damage: str, tmp_path: Path) -> None:
    path = write_dged(tmp_path, 4, 51)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:700])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "no archive":
        path.write_bytes(b"<html>" * 500)
    else:
        (tmp_path / "text").write_text("x")
        with tarfile.open(path, "w") as archive:
            archive.add(tmp_path / "text", "readme.txt")
    with pytest.raises(AuxiliaryDataError, match=path.name):
        read_elevation(open_source(tmp_path), grid_at(4.5, 51.5), margin=0.0)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; what lies below /old/ has moved."""

    asked: list[str]
    folder: str

    def __init__(self, *arguments: object, **keywords: object) -> None:
        super().__init__(*arguments, directory=self.folder, **keywords)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/old/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/old"))
            self.end_headers()
        else:
            self.path = self.path.partition("?")[0]
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A server with one archive; yields its address and the paths asked for."""
    folder = tmp_path / "served" / DATASET
    folder.mkdir(parents=True)
    write_dged(folder, 4, 51)
    handler = type("OwnHandler", (Handler,), {"asked": [], "folder": str(tmp_path / "served")})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}", handler.asked  # type: ignore[attr-defined]
        finally:
            running.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ("/", "", "/{}/{}"),
        ("/", "/", "/{}/{}"),
        ("/old/", "/", "/old/{}/{}"),
        ("/", "?token=a%2Fb", "/{}/{}?token=a%2Fb"),
    ],
    ids=["plain", "slash", "redirected", "query"],
)
def test_archives_are_fetched_from_such_an_address(
    before: str, after: str, asked: str, server: tuple[str, list[str]], tmp_path: Path
) -> None:
    location = tmp_path / "dem"
    source = open_source(location, reference=f"{server[0]}{before}{DATASET}{after}", limits=ONCE)
    grid = grid_at(4.5, 51.5)
    found = read_elevation(source, grid, margin=0.0)
    assert server[1][0] == asked.format(DATASET, "Copernicus_DSM_10_N51_00_E004_00.tar")
    assert found is not None
    np.testing.assert_array_equal(found.elevation, read_plain(tmp_path / "plain", grid))
    names = [path.name for path in location.iterdir()]
    assert names == ["Copernicus_DSM_COG_10_N51_00_E004_00_DEM.tif"]
    # from now on no address is needed
    assert read_elevation(open_source(location), grid, margin=0.0) is not None


def test_archives_are_fetched_from_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / DATASET
    folder.mkdir(parents=True)
    write_dged(folder, 4, 51)
    source = open_source(tmp_path / "dem", reference=folder.as_uri(), limits=ONCE)
    assert read_elevation(source, grid_at(4.5, 51.5), margin=0.0) is not None


def test_no_archive_of_the_place_is_an_error_with_the_address(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    address = f"{server[0].replace('//', '//user:secret@')}/{DATASET}"
    source = open_source(tmp_path / "dem", reference=address, limits=ONCE)
    with pytest.raises(AuxiliaryDataError) as failure:
        read_elevation(source, grid_at(10.5, 45.5), margin=0.0)
    assert f"{server[0]}/{DATASET}" in str(failure.value)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://user:secret@host/srtm", "ftp://host/srtm"),
        ("s3://copernicus-dem-30m", "s3://copernicus-dem-30m"),
        ("/data/srtm", "file:///data/srtm"),
        ("data/srtm", "data/srtm"),
        ("https://host/{lat}{lon}.tif", "placeholders"),
        ("https://host/srtm_%02d_%02d.zip", "placeholders"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(address: str, says: str, tmp_path: Path) -> None:
    source = open_source(tmp_path / "dem", reference=address, limits=ONCE)
    with pytest.raises(AuxiliaryDataError) as failure:
        read_elevation(source, grid_at(4.5, 51.5), margin=0.0)
    assert says in str(failure.value) and "DEM_Reference" in str(failure.value)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    "address",
    [f"https://host/{DATASET}", "https://srtm.csi.cgiar.org", "https://copernicus-dem-90m.host"],
)
def test_an_address_of_another_model_than_the_folder_is_refused(
    address: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dem"
    if "cgiar" in address or "90m" in address:
        write_copernicus(folder, 4, 51, waves)
    else:
        write_dted(folder / "e004_n51.dt1", 4, 51, waves)
    source = open_source(folder, reference=address, limits=ONCE)
    with pytest.raises(AuxiliaryDataError) as failure:
        read_elevation(source, grid_at(5.0, 51.5), margin=0.0)
    assert address in str(failure.value) and str(folder) in str(failure.value)
