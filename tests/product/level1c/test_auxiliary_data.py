"""ECMWF and CAMS auxiliary data: GRIB files made in code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sen2cor.product.level1c.auxiliary_data import (
    KILOGRAM_PER_DOBSON,
    read_cams_aot,
    read_ecmwf,
)
from sen2cor.raster.coordinates import grid_centre
from sen2cor.raster.grids import Grid

gdal = pytest.importorskip("osgeo.gdal")
gdal.UseExceptions()

GRID = Grid(32632, 445100.0, 5054900.0, 10.0, 10980, 10980)
"""Its centre lies at 9 E on the central meridian, 45.15 N."""

STEP = 0.25


def write_grib(
    path: Path, *, ozone: float = 300.0, water: float = 20.0, west: float = 8.5
) -> tuple[Path, float]:
    """Write five by five nodes; ozone grows by one unit per step to the south and ten to the east.

    Returns the file and the latitude of its northern nodes.
    """
    longitude, latitude = grid_centre(GRID)
    north = latitude + 0.5
    rows, cols = np.indices((5, 5))
    planes = (
        water + 0.0 * rows,
        101300.0 + 0.0 * rows,
        (ozone + rows + 10 * cols) * KILOGRAM_PER_DOBSON,
    )
    memory = gdal.GetDriverByName("MEM").Create("", 5, 5, 3, gdal.GDT_Float64)
    memory.SetGeoTransform((west - STEP / 2, STEP, 0.0, north + STEP / 2, 0.0, -STEP))
    memory.SetProjection(
        'GEOGCS["sphere",DATUM["sphere",SPHEROID["sphere",6371229,0]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
    )
    for number, plane in enumerate(planes, start=1):
        memory.GetRasterBand(number).WriteRaster(
            0, 0, 5, 5, plane.astype(np.float64).tobytes(), buf_type=gdal.GDT_Float64
        )
    gdal.GetDriverByName("GRIB").CreateCopy(
        str(path), memory, options=["DATA_ENCODING=IEEE_FLOATING_POINT"]
    )
    return path, longitude


def test_centre_of_a_tile() -> None:
    longitude, latitude = grid_centre(GRID)
    assert longitude == pytest.approx(9.0, abs=1e-9)
    assert latitude == pytest.approx(45.15, abs=0.01)


def test_values_at_the_centre_in_their_units(tmp_path: Path) -> None:
    path, _ = write_grib(tmp_path / "AUX_ECMWFT")
    found = read_ecmwf(path, GRID)
    assert found is not None
    assert found.ozone == pytest.approx(300.0 + 2 + 20, abs=0.02)
    assert found.water_vapour == pytest.approx(2.0, abs=1e-4)


def test_interpolation_between_nodes(tmp_path: Path) -> None:
    path, _ = write_grib(tmp_path / "AUX_ECMWFT", west=8.5 + 0.1)
    found = read_ecmwf(path, GRID)
    assert found is not None
    assert found.ozone == pytest.approx(300.0 + 2 + 10 * (0.4 / STEP), abs=0.02)


def test_longitudes_from_0_to_360(tmp_path: Path) -> None:
    west_of_greenwich = Grid(32630, 445100.0, 5054900.0, 10.0, 10980, 10980)
    path, _ = write_grib(tmp_path / "AUX_ECMWFT", west=356.5)
    found = read_ecmwf(path, west_of_greenwich)
    assert found is not None
    assert found.ozone == pytest.approx(322.0, abs=0.02)


def test_grid_elsewhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, _ = write_grib(tmp_path / "AUX_ECMWFT", west=20.0)
    assert read_ecmwf(path, GRID) is None
    assert "does not cover the tile" in caplog.text


def test_blank_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, _ = write_grib(tmp_path / "AUX_ECMWFT", ozone=-20.0)
    assert read_ecmwf(path, GRID) is None
    (record,) = caplog.records
    assert "implausible ozone of" in record.getMessage()


def test_broken_files_warn_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = write_grib(tmp_path / "whole")[0].read_bytes()
    for number, content in enumerate((b"", b"GRIB", whole[: len(whole) // 2], whole[:-60])):
        path = tmp_path / f"AUX_ECMWFT_{number}"
        path.write_bytes(content)
        for _ in range(3):
            assert read_ecmwf(path, GRID) is None
        assert len(caplog.records) == number + 1
        assert str(path) in caplog.records[-1].getMessage()


def test_aerosol_of_a_forecast(reference_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tile = Grid(32634, 300000.0, 6100020.0, 10.0, 10980, 10980)
    (path,) = reference_data.glob("metadata/*/*MSIL2A_20230823*/GRANULE/*/AUX_DATA/AUX_CAMSFO")
    assert read_cams_aot(path, tile) == pytest.approx(0.17, abs=0.02)
    assert capfd.readouterr().err == ""


def test_file_without_aerosol(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, _ = write_grib(tmp_path / "AUX_CAMSFO")
    assert read_cams_aot(path, GRID) is None
    assert "no aerosol optical depth at 550 nm" in caplog.text


def test_broken_forecast(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "AUX_CAMSFO"
    path.write_bytes(b"GRIB")
    assert read_cams_aot(path, GRID) is None
    assert "CAMS data cannot be used" in caplog.text


def test_gdal_is_loaded_only_when_needed() -> None:
    code = (
        "import sys, sen2cor.product.level1c.reader\n"
        "heavy = {'osgeo', 'glymur', 'scipy', 'skimage'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
