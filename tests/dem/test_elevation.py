"""Heights on a grid: place, gaps, seams and edges, against terrain that is known everywhere."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from sen2cor.dem import encode_elevation, open_source, read_elevation
from sen2cor.dem.elevation import TileElevation
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.grids import Grid
from tests.dem.elevation_files import (
    Terrain,
    grid_at,
    level,
    offset,
    truth,
    waves,
    write_cgiar,
    write_copernicus,
    write_dted,
    write_hgt,
    write_tif,
)


def read(location: Path, grid: Grid, margin: float = 0.0) -> TileElevation:
    result = read_elevation(open_source(location), grid, margin=margin)
    assert result is not None
    return result


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_coarse_model_is_smoothed_by_0_58_of_its_pixels(tmp_path: Path) -> None:
    """Facets do not show: one high sample becomes a bell with the variance of a cubic B-spline."""
    grid = grid_at(15.5, 47.5, size=96)
    pixels = np.zeros((40, 40), np.int16)
    pixels[20, 20] = 1000
    transform = (grid.ulx - 900, 90.0, 0.0, grid.uly + 900, 0.0, -90.0)
    elevation = read(write_tif(tmp_path / "one.tif", pixels, transform, grid.epsg), grid).elevation
    place = np.arange(96) * 20 + 10.0
    for profile in (elevation.sum(axis=0), elevation.sum(axis=1)):
        centre = np.average(place, weights=profile)
        spread = np.sqrt(np.average((place - centre) ** 2, weights=profile))
        assert centre == pytest.approx(90 * 20.5 - 900, abs=0.5)
        assert spread == pytest.approx(90 / np.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    ("family", "spacing"), [("hgt", 93.0), ("dted", 926.0), ("copernicus", 463.0)]
)
def test_heights_lie_where_the_terrain_has_them(
    tmp_path: Path, family: str, spacing: float
) -> None:
    def smooth(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return waves(longitude / 4, latitude / 4)

    if family == "hgt":
        write_hgt(tmp_path, 15, 47, smooth)
    elif family == "dted":
        write_dted(tmp_path / "e015_n47.dt0", 15, 47, smooth)
    else:
        write_copernicus(tmp_path, 15, 47, smooth)
    grid = grid_at(15.4, 47.5, size=300, pixel=60.0)
    result = read(tmp_path, grid, margin=1000.0)
    assert result.margin == 18
    assert result.elevation.shape == result.known.shape == (336, 336)
    assert result.elevation.dtype == np.float32
    assert result.known.all()
    expected = truth(grid, 18, smooth)
    # The B-spline takes off at most h'' d**2 / 6 of the tops of waves.
    assert np.abs(result.elevation - expected).max() < 12
    east, south = offset(result.elevation, expected)
    assert max(abs(east), abs(south)) * 60 / spacing < 0.02


def test_siimpc_577_half_pixel_shift(tmp_path: Path) -> None:
    """The same samples from CGIAR and as hgt; by the raw origin they are half a pixel apart."""
    write_hgt(tmp_path / "hgt", 15, 49, waves)
    name = "srtm_40_03"
    write_cgiar(tmp_path / "raw", name, waves, samples=1200, step=1 / 1200)
    write_cgiar(tmp_path / "done", name, waves, samples=1200, step=1 / 1200, nudged=True)
    before = digest(tmp_path)
    grid = grid_at(15.5, 49.5, size=250)
    reference = read(tmp_path / "hgt", grid).elevation
    raw = read(tmp_path / "raw", grid).elevation
    east, south = offset(raw, reference)
    # In pixels of the model, which are 93 m high and 60 m wide here.
    assert abs(east) * 20 / 60 < 0.1
    assert abs(south) * 20 / 93 < 0.1
    np.testing.assert_allclose(raw, reference, atol=0.05)
    np.testing.assert_allclose(read(tmp_path / "done", grid).elevation, raw, atol=0.01)
    np.testing.assert_array_equal(read(tmp_path / "raw", grid).elevation, raw)
    assert digest(tmp_path) == before
    # Without the shift, as any raster, the model lies half a pixel east and north.
    (tmp_path / "raw" / f"{name}.tif").rename(tmp_path / "raw" / "any.tif")
    east, south = offset(read(tmp_path / "raw", grid).elevation, reference)
    assert east * 20 / 60 == pytest.approx(0.5, abs=0.05)
    assert south * 20 / 93 == pytest.approx(-0.5, abs=0.05)


def test_siimpc_550_sea_of_srtm_is_zero(tmp_path: Path) -> None:
    """A coast: the west of the tile is void and reaches its border."""

    def coast(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        height = np.maximum((longitude - 12.0) * 2000, 1) + 0 * latitude
        return np.where(longitude < 12.0, np.nan, height)

    write_cgiar(tmp_path, "srtm_39_04", coast)
    grid = grid_at(12.0, 42.4, size=300, pixel=60.0)
    result = read(tmp_path, grid)
    assert result.elevation.min() > -1
    assert np.count_nonzero(np.abs(result.elevation[:, :100]) > 0.01) == 0
    assert result.elevation.max() == pytest.approx(truth(grid, 0, coast)[:, -1].max(), abs=5)
    assert result.known.all()
    assert result.voids == 0


def test_inland_voids_are_interpolated_and_counted(tmp_path: Path) -> None:
    def holes(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        height = 1000 + 4000 * (longitude - 15.5) + 2000 * (latitude - 47.5)
        inside = np.hypot(longitude - 15.5, latitude - 47.5) < 0.02
        return np.where(inside, np.nan, height)

    write_hgt(tmp_path, 15, 47, holes)
    grid = grid_at(15.5, 47.5, size=200, pixel=60.0)
    result = read(tmp_path, grid)
    plane = truth(grid, 0, lambda x, y: 1000 + 4000 * (x - 15.5) + 2000 * (y - 47.5))
    # Whole metres in the file.
    assert np.abs(result.elevation - plane).max() < 1.5
    assert result.voids == pytest.approx(np.pi * 24**2, rel=0.02)
    assert result.known.all()


@pytest.mark.parametrize("no_data", [-9999.0, -3.4028234663852886e38, float("nan")])
def test_declared_void_of_a_raster(tmp_path: Path, no_data: float) -> None:
    grid = grid_at(15.5, 47.5)
    pixels = np.full((200, 200), 300, np.float32)
    pixels[90:110, 90:110] = no_data
    transform = (grid.ulx - 400, 20.0, 0.0, grid.uly + 400, 0.0, -20.0)
    write_tif(tmp_path / "own.tif", pixels, transform, grid.epsg, no_data)
    result = read(tmp_path, grid)
    np.testing.assert_allclose(result.elevation, 300, atol=0.01)
    assert result.voids == 400


def test_void_in_mountains_at_the_border_is_no_sea(tmp_path: Path) -> None:
    def cut(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return np.where(longitude < 15.45, np.nan, 1500.0 + 0 * latitude)

    write_hgt(tmp_path, 15, 47, cut)
    result = read(tmp_path, grid_at(15.5, 47.5, size=200, pixel=60.0))
    np.testing.assert_allclose(result.elevation, 1500, atol=0.1)
    assert result.voids > 0


def test_lowland_behind_the_coast_of_a_void_keeps_its_heights(tmp_path: Path) -> None:
    """Heights below the sea and a pond of zeros are what the file says."""
    write_hgt(tmp_path, 4, 51, level(-4.0))
    result = read(tmp_path, grid_at(4.5, 51.5))
    np.testing.assert_allclose(result.elevation, -4, atol=0.01)


def test_siimpc_573_dted_across_zero_longitude_and_two_figures(tmp_path: Path) -> None:
    for west, south, name in (
        (-1, 9, "w001_n09.dt0"),
        (0, 9, "e000_n09.dt0"),
        (-1, 10, "W001_N10.DT0"),
        (0, 10, "E000_N10.DT0"),
    ):
        write_dted(tmp_path / name, west, south, level(100.0))
    source = open_source(tmp_path)
    assert source.kind == "DTED"
    result = read(tmp_path, grid_at(0.0, 10.0, size=200, pixel=60.0))
    np.testing.assert_allclose(result.elevation, 100, atol=0.01)
    assert result.known.all()
    assert result.source.count(".dt0") + result.source.count(".DT0") == 4


@pytest.mark.parametrize("name", ["w071_s34.dt0", "E012_S34.DT0"])
def test_siimpc_573_dted_of_the_south_and_west_alone(tmp_path: Path, name: str) -> None:
    west = -71 if name.startswith("w") else 12
    write_dted(tmp_path / name, west, -34, level(700.0))
    assert open_source(tmp_path).kind == "DTED"
    result = read(tmp_path, grid_at(west + 0.5, -33.5))
    np.testing.assert_allclose(result.elevation, 700, atol=0.01)


def test_siimpc_564_no_seam_between_four_cells(tmp_path: Path) -> None:
    def plane(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return 1000 + 1200 * (longitude - 16) + 2400 * (latitude - 47)

    for west in (15, 16):
        for south in (46, 47):
            write_dted(tmp_path / f"e{west:03d}_n{south}.dt0", west, south, plane)
    grid = grid_at(16.0, 47.0, size=300, pixel=60.0)
    elevation = read(tmp_path, grid).elevation
    difference = elevation - truth(grid, 0, plane)
    assert np.abs(difference).max() < 0.6
    for axis in (0, 1):
        assert np.diff(elevation, axis=axis).std() < 0.06


@pytest.mark.parametrize("layout", ["{name}", "{name}/{name}"])
def test_columns_of_glo_30_thin_out_at_50_degrees(tmp_path: Path, layout: str) -> None:
    def smooth(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return waves(longitude / 6, latitude / 6)

    write_copernicus(tmp_path, 15, 49, smooth, 240, layout)
    write_copernicus(tmp_path, 15, 50, smooth, 160, layout)
    grid = grid_at(15.5, 50.0, size=300, pixel=60.0)
    result = read(tmp_path, grid)
    expected = truth(grid, 0, smooth)
    assert np.abs(result.elevation - expected).max() < 3
    # No step where the spacing changes: the second difference is that of the terrain.
    curvature = np.diff(result.elevation - expected, 2, axis=0)
    assert np.abs(curvature).max() < 0.1


def test_absent_tile_of_glo_30_is_sea(tmp_path: Path) -> None:
    def island(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return np.maximum(300 - 4000 * np.hypot(longitude - 14.85, latitude - 40.5), 0)

    write_copernicus(tmp_path, 14, 40, island)
    grid = grid_at(14.99, 40.5, size=400, pixel=60.0)
    result = read(tmp_path, grid)
    assert result.known.all()
    assert result.elevation[:, 260:].max() < 0.01
    assert np.abs(result.elevation - truth(grid, 0, island)).max() < 40
    assert result.elevation.max() > 250


def test_absent_tile_beside_land_is_an_error(tmp_path: Path) -> None:
    write_copernicus(tmp_path, 14, 40, level(200.0))
    with pytest.raises(AuxiliaryDataError, match=r"N40_00_E015_00_DEM\.tif is missing") as caught:
        read(tmp_path, grid_at(14.99, 40.5))
    assert caught.value.exit_code == 5
    assert "DEM_Missing" in str(caught.value)


def test_absent_tile_in_the_margin_is_unknown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_hgt(tmp_path, 15, 47, level(800.0))
    result = read(tmp_path, grid_at(15.95, 47.5, size=120), margin=6000.0)
    inner = result.known[300:-300, 300:-300]
    assert inner.all() and not result.known.all()
    np.testing.assert_allclose(result.elevation, 800, atol=0.1)
    assert "N47E016.hgt is missing" in caplog.text


def test_nothing_of_the_place_is_an_error(tmp_path: Path) -> None:
    write_hgt(tmp_path, 15, 47, waves)
    with pytest.raises(AuxiliaryDataError, match=r"N10E030\.hgt"):
        read_elevation(open_source(tmp_path), grid_at(30.5, 10.5), margin=0.0)


def test_srtm_at_60_north_what_exists_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def hill(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return 400 + 1000 * (latitude - 60) + 0 * longitude

    write_cgiar(tmp_path, "srtm_40_01", hill)
    grid = grid_at(17.0, 60.0, size=200, pixel=60.0)
    result = read(tmp_path, grid)
    share = result.known.mean()
    assert 0.4 < share < 0.6
    assert not result.known[:50].any() and result.known[-50:].all()
    assert f"covers {100 * share:.1f} %" in caplog.text
    # The elevation go on without a cliff.
    assert np.abs(np.diff(result.elevation, axis=0)).max() < 2
    assert result.elevation.min() > 280


@pytest.mark.parametrize("latitude", [61.0, 64.9])
def test_srtm_beyond_60_north_is_none(tmp_path: Path, latitude: float) -> None:
    write_cgiar(tmp_path, "srtm_39_01", waves)
    assert read_elevation(open_source(tmp_path), grid_at(12.0, latitude), margin=5000.0) is None


@pytest.mark.parametrize(("longitude", "zone"), [(179.98, 60), (-179.98, 1)])
def test_siimpc_944_date_line(tmp_path: Path, longitude: float, zone: int) -> None:
    def hills(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        return 500 + 100 * np.sin(np.radians(longitude) * 900) + 0 * latitude

    write_cgiar(tmp_path, "srtm_72_16", hills, samples=600, step=5 / 600)
    write_cgiar(tmp_path, "srtm_01_16", hills, samples=600, step=5 / 600)
    grid = grid_at(longitude, -17.0, size=300, pixel=60.0, zone=zone)
    result = read(tmp_path, grid)
    assert result.known.all()
    assert np.abs(result.elevation - truth(grid, 0, hills)).max() < 12
    assert "srtm_72_16" in result.source and "srtm_01_16" in result.source


@pytest.mark.parametrize("longitude", [0.0, 6.0, -72.0])
def test_corners_far_from_the_central_meridian_are_filled(tmp_path: Path, longitude: float) -> None:
    """All four corners count: by two of them a strip at the edge would stay empty."""
    for west in range(int(longitude) - 2, int(longitude) + 2):
        for south in (49, 50, 51):
            write_copernicus(tmp_path, west, south, level(300.0), 24)
    grid = grid_at(longitude + 0.01, 50.5, size=366, pixel=300.0)
    result = read(tmp_path, grid, margin=5000.0)
    assert result.known.all()
    np.testing.assert_allclose(result.elevation, 300, atol=0.1)


def test_projected_raster_finer_than_the_grid_is_averaged(tmp_path: Path) -> None:
    grid = grid_at(15.5, 47.5, size=60)
    coarse = np.add.outer(np.arange(80.0), 2 * np.arange(80.0)) * 5 + 100
    fine = np.kron(coarse, np.ones((8, 8)))
    fine += np.where(np.indices(fine.shape).sum(axis=0) % 2, 3, -3)
    transform = (grid.ulx - 200, 2.5, 0.0, grid.uly + 200, 0.0, -2.5)
    path = write_tif(tmp_path / "lidar.tif", fine.astype(np.float32), transform, grid.epsg)
    for location in (path, tmp_path):
        result = read(location, grid)
        assert open_source(location).kind == "RASTER"
        np.testing.assert_allclose(result.elevation, coarse[10:70, 10:70], atol=0.2)


def test_virtual_raster_of_a_folder(tmp_path: Path) -> None:
    paths = [str(write_hgt(tmp_path / "parts", west, 47, waves)) for west in (14, 15)]
    gdal.BuildVRT(str(tmp_path / "parts" / "all.vrt"), paths).FlushCache()
    grid = grid_at(15.0, 47.5, size=200)
    by_tiles = read(tmp_path / "parts", grid).elevation
    by_raster = read(tmp_path / "parts" / "all.vrt", grid)
    np.testing.assert_allclose(by_raster.elevation, by_tiles, atol=0.01)
    assert by_raster.source == "raster all.vrt: all.vrt"


def test_raster_of_another_place_is_none_and_of_a_part_is_partly_known(tmp_path: Path) -> None:
    grid = grid_at(15.5, 47.5)
    transform = (grid.ulx + 1200, 30.0, 0.0, grid.uly + 600, 0.0, -30.0)
    path = write_tif(tmp_path / "half.tif", np.full((200, 200), 60, np.int16), transform, grid.epsg)
    result = read(path, grid)
    assert result.known[:, 60:].all() and not result.known[:, :58].any()
    assert read_elevation(open_source(path), grid_at(16.5, 47.5), margin=0.0) is None


def test_worldwide_raster_at_the_date_line(tmp_path: Path) -> None:
    pixels = np.full((360, 720), 50, np.int16)
    pixels[:, :10] = 90
    path = write_tif(tmp_path / "world.tif", pixels, (-180.0, 0.5, 0.0, 90.0, 0.0, -0.5))
    result = read(path, grid_at(179.99, 10.0, size=100, pixel=300.0, zone=60))
    assert result.known.all()
    assert result.elevation[:, 0].max() < 65 and result.elevation[:, -1].min() > 75


def test_unit_of_the_files(tmp_path: Path) -> None:
    write_hgt(tmp_path, 15, 47, level(5000.0))
    result = read_elevation(open_source(tmp_path, unit=0.1), grid_at(15.5, 47.5), margin=0.0)
    assert result is not None
    np.testing.assert_allclose(result.elevation, 500, atol=0.01)


def test_zipped_tiles_and_unpacked_ones(tmp_path: Path) -> None:
    plain = write_hgt(tmp_path / "plain", 15, 47, waves)
    (tmp_path / "zipped").mkdir()
    with zipfile.ZipFile(tmp_path / "zipped" / "N47E015.SRTMGL1.hgt.zip", "w") as archive:
        archive.write(plain, "N47E015.hgt")
    cgiar = write_cgiar(tmp_path, "srtm_40_03", waves)
    (tmp_path / "cgiar").mkdir()
    with zipfile.ZipFile(tmp_path / "cgiar" / "srtm_40_03.zip", "w") as archive:
        archive.write(cgiar, "srtm_40_03.tif")
        archive.writestr("readme.txt", "SRTM")
    grid = grid_at(15.5, 47.5)
    np.testing.assert_array_equal(
        read(tmp_path / "zipped", grid).elevation,
        read(tmp_path / "plain", grid).elevation,
    )
    assert read(tmp_path / "cgiar", grid).known.all()


@pytest.mark.parametrize("content", [b"", b"<html>Error</html>", b"PK\x03\x04 broken"])
@pytest.mark.parametrize("name", ["N47E015.hgt", "N47E015.hgt.zip", "srtm_40_03.tif"])
def test_broken_file_of_the_user_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AuxiliaryDataError, match=name):
        read_elevation(open_source(tmp_path), grid_at(15.5, 47.5), margin=0.0)
    assert (tmp_path / name).read_bytes() == content


def test_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(AuxiliaryDataError, match="DEM_Reference"):
            open_source(folder)


def test_two_rasters_are_not_guessed_between(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write_tif(tmp_path / name, np.zeros((4, 4), np.int16), (15.0, 1.0, 0.0, 48.0, 0.0, -1.0))
    with pytest.raises(AuxiliaryDataError, match="2 rasters"):
        open_source(tmp_path)


def test_siimpc_551_image_is_metres_and_10000() -> None:
    elevation = np.array([[-418.0, 8848.0, 0.4], [0.6, 5.0, -10000.0]], np.float32)
    known = np.array([[True, True, True], [True, False, True]])
    image = encode_elevation(elevation, known)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, [[9582, 18848, 10000], [10001, 0, 1]])


@pytest.mark.parametrize("terrain", [waves])
def test_siimpc_563_nothing_is_left_behind(
    tmp_path: Path,
    terrain: Terrain,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("TMPDIR", str(work))
    write_dted(tmp_path / "dem" / "e015_n47.dt0", 15, 47, terrain)
    before = digest(tmp_path)
    result = read(tmp_path / "dem", grid_at(15.5, 47.5))
    assert digest(tmp_path) == before
    assert f"elevation model: {result.source}" in caplog.text
    assert "DTED" in result.source


def test_real_srtm_of_one_arc_second(reference_data: Path, tmp_path: Path) -> None:
    """Two files of the Netherlands: elevation as in them, and no seam at 5 degrees east."""
    steps = []
    for west in (4, 5):
        name = f"N51E00{west}.SRTMGL1.hgt.zip"
        (tmp_path / name).symlink_to(reference_data / "dem" / name)
        dataset = gdal.Open(str(tmp_path / name))
        steps.append(np.frombuffer(dataset.ReadRaster(), np.int16).reshape(3601, 3601))
    grid = grid_at(5.0, 51.5, size=500, zone=31)
    result = read(tmp_path, grid)
    assert result.known.all()
    window = slice(1800 - 160, 1800 + 161)
    expected = np.concatenate([steps[0][window, -258:-1], steps[1][window, :259]], axis=1)
    assert result.elevation.mean() == pytest.approx(expected.mean(), abs=0.2)
    assert result.elevation.std() == pytest.approx(expected.std(), rel=0.1)
    difference = np.abs(np.diff(result.elevation, axis=1)).mean(axis=0)
    assert difference[240:260].max() < 1.5 * difference.mean()
