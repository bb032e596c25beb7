"""Variables of another installation: a run uses the libraries' own data, or says what to unset."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sen2cor.simulation.level1c_writer.description import EcmwfValues
from tests.small_product import write_small_product

pytestmark = pytest.mark.many_cases

ROOT = Path(__file__).resolve().parents[1]
OZONE = 450.0


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product with ECMWF data whose ozone differs from every default."""
    ecmwf = EcmwfValues(water_vapour=2.0, pressure=1013.0, ozone=OZONE)
    return write_small_product(tmp_path_factory.mktemp("ecmwf"), extent=1200, ecmwf=ecmwf)


@dataclass(frozen=True)
class Run:
    """A run of the command in an environment."""

    exit_code: int
    errors: str
    ozone: float | None
    ozone_source: str | None
    warnings: tuple[str, ...]


def run(product: Path, folder: Path, variables: Mapping[str, str]) -> Run:
    out = folder / "out"
    settings = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    gipp = folder / "gipp.xml"
    gipp.write_text(re.sub("<Ozone_Content>.*?<", "<Ozone_Content>0<", settings))
    options = ["--no-report", "--resolution=60", f"--work_dir={folder}", f"--output_dir={out}"]
    process = subprocess.run(
        [sys.executable, "-m", "sen2cor.cli", *options, f"--GIP_L2A={gipp}", str(product)],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in process.stderr, process.stderr
    records = [json.loads(path.read_text()) for path in folder.glob("*run.json")]
    retrieval = records[0].get("tiles", {}).get("33UUU", {}).get("retrieval") if records else None
    if process.returncode:
        assert not out.exists() or list(out.iterdir()) == []
    return Run(
        process.returncode,
        process.stderr,
        retrieval and retrieval["ozone"],
        retrieval and retrieval["ozone_source"],
        tuple(records[0]["warnings"]) if records else (),
    )


def broken_database(folder: Path) -> str:
    (folder / "proj.db").write_text("of another program")
    return str(folder)


def data_of_gdal_2(folder: Path) -> str:
    """Folder like that of the GDAL of Sen2Cor 2.3: without the GRIB tables of GDAL 3."""
    (folder / "gdalvrt.xsd").write_text("<schema/>")
    (folder / "gcs.csv").write_text("COORD_REF_SYS_CODE\n")
    return str(folder)


def configuration_file(folder: Path) -> str:
    path = folder / "gdalrc"
    path.write_text("[configoptions]\nGDAL_DATA=/opt/other/share/gdal\n")
    return str(path)


@pytest.mark.parametrize(
    ("variable", "make", "says"),
    [
        ("PROJ_LIB", broken_database, "PROJ_LIB"),
        ("PROJ_LIB", lambda folder: "/opt/other/share/proj", "PROJ_LIB"),
        ("PROJ_DATA", broken_database, "PROJ_DATA"),
        ("GDAL_DATA", lambda folder: "/opt/other/share/gdal", "GDAL_DATA"),
        ("GDAL_DATA", data_of_gdal_2, "GDAL_DATA"),
        ("GDAL_DATA", lambda folder: "", "GDAL_DATA"),
        ("GDAL_CONFIG_FILE", configuration_file, "GDAL_DATA"),
    ],
    ids=[
        "broken PROJ_LIB",
        "no PROJ_LIB",
        "PROJ_DATA",
        "no GDAL_DATA",
        "old GDAL_DATA",
        "empty GDAL_DATA",
        "gdalrc",
    ],
)
def test_data_of_another_installation_are_replaced_with_a_warning(
    variable: str, make: Callable[[Path], str], says: str, product: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    value = make(folder)
    found = run(product, tmp_path, {variable: value})
    assert found.exit_code == 0, found.errors
    assert (found.ozone_source, found.ozone) == ("AUX_ECMWFT", pytest.approx(OZONE, rel=1e-3))
    (warning,) = found.warnings
    assert says in warning and "instead" in warning
    assert warning.removeprefix("WARNING: ") in found.errors


def test_without_variables_nothing_is_said(product: Path, tmp_path: Path) -> None:
    found = run(product, tmp_path, {"PROJ_NETWORK": "ON", "PROJ_LIB": ""})
    assert (found.exit_code, found.errors, found.warnings) == (0, "", ())
    assert found.ozone == pytest.approx(OZONE, rel=1e-3)


@pytest.mark.parametrize("variable", ["GDAL_SKIP", "GDAL_CONFIG_FILE"])
def test_no_grib_driver_is_a_warning_that_names_the_variable(
    variable: str, product: Path, tmp_path: Path
) -> None:
    file = tmp_path / "gdalrc"
    file.write_text("[configoptions]\nGDAL_SKIP=GRIB\n")
    value = "GRIB" if variable == "GDAL_SKIP" else str(file)
    found = run(product, tmp_path, {variable: value})
    assert found.exit_code == 0, found.errors
    assert found.ozone_source == "OTHER"
    said = [text for text in found.warnings if "no driver GRIB" in text]
    assert len(said) == 1 and f"unset {variable}" in said[0] and "AUX_ECMWFT" in said[0]


def test_no_geotiff_driver_is_an_error(product: Path, tmp_path: Path) -> None:
    found = run(product, tmp_path, {"GDAL_SKIP": "GTiff"})
    assert found.exit_code == 5
    assert "GTiff" in found.errors and "unset GDAL_SKIP" in found.errors


@pytest.mark.parametrize("package", ["numpy", "osgeo", "lxml"])
def test_packages_of_another_python_are_an_error_that_names_the_path(
    package: str, product: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other" / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('built for another Python')")
    found = run(product, tmp_path, {"PYTHONPATH": str(folder.parent)})
    assert found.exit_code == 5, found.errors
    assert "unset PYTHONPATH" in found.errors and str(folder.parent) in found.errors


def test_libraries_of_another_installation_are_an_error_that_names_the_path(
    product: Path, tmp_path: Path
) -> None:
    linked = subprocess.run(
        [sys.executable, "-c", "from osgeo import _gdal; print(open('/proc/self/maps').read())"],
        capture_output=True,
        text=True,
    )
    names = {
        Path(line.split()[-1]).name for line in linked.stdout.splitlines() if "libgdal" in line
    }
    if not names:
        pytest.skip("GDAL is not a shared library of its own")
    (tmp_path / "lib").mkdir()
    for name in names:
        for version in (name, ".".join(name.split(".")[:3])):
            (tmp_path / "lib" / version).write_bytes(b"not for this system")
    found = run(product, tmp_path, {"LD_LIBRARY_PATH": str(tmp_path / "lib")})
    assert found.exit_code == 5, found.errors
    assert "unset LD_LIBRARY_PATH" in found.errors


def test_help_needs_none_of_the_libraries(tmp_path: Path) -> None:
    (tmp_path / "osgeo").mkdir()
    (tmp_path / "osgeo" / "__init__.py").write_text("raise ImportError('of another Python')")
    process = subprocess.run(
        [sys.executable, "-m", "sen2cor.cli", "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PROJ_LIB": "/opt/other"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr


def test_a_process_of_a_tile_replaces_the_data_too() -> None:
    code = (
        "from sen2cor.geospatial_libraries import prepare_libraries\n"
        "from sen2cor.raster.coordinates import geographic\n"
        "import threading\n"
        "assert len(prepare_libraries()) == 2\n"
        "found = []\n"
        "work = threading.Thread(target=lambda: found.append(geographic(32633, 500000.0, 0.0)))\n"
        "work.start(); work.join()\n"
        "assert abs(found[0][0] - 15) < 1e-9\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PROJ_LIB": "/opt/other", "GDAL_DATA": "/opt/other"},
        check=True,
    )
