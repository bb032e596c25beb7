"""Check of the installation: each part with its state and, where something is wrong, the remedy."""

from __future__ import annotations

import importlib
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from sen2cor import steps
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.standard_atmospheres import AEROSOLS, SEASONS
from sen2cor.errors import AuxiliaryDataError, Sen2CorError
from sen2cor.geospatial_libraries import describe_missing_grib, prepare_libraries
from sen2cor.imagery import images, jpeg2000
from sen2cor.imagery.openjpeg import load_glymur
from sen2cor.inspection.screen import Screen
from sen2cor.optional_packages import EXTRAS, install_command, is_available
from sen2cor.pipeline.execution import available_resources
from sen2cor.raster.grids import Grid
from sen2cor.settings import Settings
from sen2cor.spectral_responses import SPACECRAFT
from sen2cor.version import __version__

GOOD, NOTE, WARNING, FAILURE = "ok", "-", "warning", "failed"

_PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "lxml": "lxml",
    "skimage": "scikit-image",
    "psutil": "psutil",
    "PIL": "pillow",
}
"""Packages that a run needs, by the name of their import."""

_TILE_MEMORY = 3.0e9
"""Bytes that a full tile needs, about (`sen2cor.pipeline.execution.resource_plan`)."""

_SIDE = 256
"""Pixels of the image of the self test along each side."""


@dataclass(frozen=True)
class Check:
    """State of one part of the installation.

    Attributes
    ----------
    name, state, detail : str
        State is one of `GOOD`, `NOTE` (optional and absent), `WARNING`, `FAILURE`.
    remedy : str
        What to do; empty where nothing is wrong.
    """

    name: str
    state: str
    detail: str
    remedy: str = ""


def check_installation(load_settings: Callable[[], Settings]) -> Iterator[Check]:
    """Check one part after the other.

    Parameters
    ----------
    load_settings : callable
        Loads the settings that a run would use.

    Yields
    ------
    Check
    """
    yield Check("sen2cor", GOOD, f"{__version__}, Python {platform.python_version()}")
    yield _check_packages()
    yield from _attempt("OpenJPEG", _check_codec)
    yield from _attempt("GDAL and PROJ", _check_libraries)
    yield from _attempt("Look-up tables", _check_tables)
    yield from _attempt("Settings", lambda: _check_settings(load_settings))
    yield from _check_extras()
    yield _check_machine()
    yield from _attempt("Self test", _test_self)


def show_installation(checks: Iterator[Check], screen: Screen) -> int:
    """Print the checks.

    Returns
    -------
    int
        Exit code: that of `AuxiliaryDataError` if something that a run needs fails, else 0.
    """
    done = list(checks)
    looks = {GOOD: ("green",), NOTE: ("dim",), WARNING: ("yellow",), FAILURE: ("red",)}
    screen.title("Installation")
    rows, styles = [], []
    for check in done:
        text = f"{check.detail}; {check.remedy}" if check.remedy else check.detail
        rows.append((check.name, check.state, text))
        styles.append(looks[check.state])
    screen.rows(rows, styles, styled=1)
    failed = [check.name for check in done if check.state == FAILURE]
    screen.line()
    if failed:
        screen.line(screen.style(f"Not ready: {', '.join(failed)}.", "red"))
        return AuxiliaryDataError.exit_code
    screen.line(screen.style("Ready.", "green"))
    return 0


def _attempt(name: str, check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield the checks of a function; an error of it is one more, with its message."""
    try:
        yield from check()
    except Sen2CorError as error:
        yield Check(name, FAILURE, " ".join(str(error).split()))
    except Exception as error:  # libraries fail in many ways
        yield Check(name, FAILURE, f"{type(error).__name__}: {error}", "install the package again")


def _check_packages() -> Check:
    found, broken = [], []
    for module, package in _PACKAGES.items():
        try:
            importlib.import_module(module)
            found.append(f"{package} {metadata.version(package)}")
        except (ImportError, metadata.PackageNotFoundError) as error:
            broken.append(f"{package} ({error})")
    if broken:
        return Check("Packages", FAILURE, f"missing: {', '.join(broken)}", "pip install sen2cor")
    return Check("Packages", GOOD, ", ".join(found))


def _check_codec() -> Iterator[Check]:
    glymur = load_glymur()
    version = glymur.version.openjpeg_version
    library = getattr(glymur.lib.openjp2.OPENJP2, "_name", "")
    yield Check("OpenJPEG", GOOD, f"{version}, {library}, glymur {glymur.__version__}")


def _check_libraries() -> Iterator[Check]:
    warnings = prepare_libraries()
    from osgeo import gdal, osr

    proj = f"{osr.GetPROJVersionMajor()}.{osr.GetPROJVersionMinor()}.{osr.GetPROJVersionMicro()}"
    yield Check("GDAL", GOOD, gdal.VersionInfo("RELEASE_NAME"))
    yield Check("PROJ", GOOD, proj)
    for warning in (*warnings, describe_missing_grib()):
        if warning:
            yield Check("GDAL and PROJ", WARNING, warning)


def _check_tables() -> Iterator[Check]:
    number = 0
    for spacecraft in SPACECRAFT:
        for aerosol in AEROSOLS:
            for season in SEASONS:
                load_table(spacecraft, aerosol, season)
                number += 1
    yield Check("Look-up tables", GOOD, f"{number} of {', '.join(SPACECRAFT)}, checksums are right")


def _check_settings(load_settings: Callable[[], Settings]) -> Iterator[Check]:
    settings = load_settings()
    number = len(settings.differences())
    yield Check("Settings", GOOD, f"{number} differ from the default (--show-settings)")
    for warning in settings.warnings:
        yield Check("Settings", WARNING, warning)
    home = settings.home
    if home is None:
        yield Check("SEN2COR_HOME", NOTE, "not set", "L2A_Process --setup DIR makes a folder")
    elif home.is_dir():
        yield Check("SEN2COR_HOME", GOOD, str(home))
    folder = settings.dem_directory
    if folder is None:
        yield Check("Elevation", NOTE, "none, the ground is flat", "set DEM_Directory")
    elif folder.exists() or settings.common.dem_reference is not None:
        yield Check("Elevation", GOOD, str(folder))
    else:
        yield Check(
            "Elevation", FAILURE, f"DEM_Directory {folder} does not exist",
            "create it, set DEM_Reference, or set DEM_Directory to NONE",
        )  # fmt: skip
    snow = settings.snow_map
    if snow is None:
        name = settings.classification.snow_map
        yield Check("Snow climatology", NOTE, f"no {name}, snow may be anywhere", "set Snow_Map")
    else:
        yield Check("Snow climatology", GOOD, str(snow))


def _check_extras() -> Iterator[Check]:
    for extra, (packages, purpose) in EXTRAS.items():
        name = f"Extra {extra}"
        if is_available(extra):
            versions = ", ".join(f"{one} {metadata.version(one)}" for one in packages)
            yield Check(name, GOOD, f"{purpose}: {versions}")
        else:
            yield Check(name, NOTE, f"{purpose}: not installed", install_command(extra))


def _check_machine() -> Check:
    cores = available_resources.count_cores()
    memory = available_resources.read_available_memory()
    detail = f"{cores} cores, {memory / 1e9:.1f} GB of memory available"
    if memory < _TILE_MEMORY:
        return Check(
            "Machine", WARNING, detail, f"a full tile needs some {_TILE_MEMORY / 1e9:.0f} GB"
        )
    return Check("Machine", GOOD, detail)


def _test_self() -> Iterator[Check]:
    """Write and read an image, and correct it for the atmosphere."""
    began = time.monotonic()
    numbers = np.arange(_SIDE * _SIDE, dtype=np.uint16).reshape(_SIDE, _SIDE) % 4096 + 1
    grid = Grid(32633, 300000.0, 5900040.0, 10.0, *numbers.shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.jp2")
        images.write(path, numbers, grid, 1024)
        if (
            not np.array_equal(jpeg2000.read(path), numbers)
            or jpeg2000.read_info(path).grid != grid
        ):
            raise AuxiliaryDataError(
                "the JPEG 2000 library changes pixels or georeference: install OpenJPEG again"
            )
    toa = numbers.astype(np.float32) * np.float32(1e-4)
    terms = steps.band_terms(
        steps.load_table("S2A", "RURAL", "SUMMER"),
        "B04",
        steps.uniform_geometry(grid.shape, 10.0, solar_zenith=35.0, solar_azimuth=150.0),
        steps.uniform_state(grid.shape, aot550=0.15, water_vapour=2.0),
    )
    surface = steps.surface_reflectance(toa, terms)
    if not (np.isfinite(surface).all() and surface[-1, -1] > surface[0, 0]):
        raise AuxiliaryDataError("the surface reflectance is not finite: install numpy again")
    seconds = time.monotonic() - began
    yield Check("Self test", GOOD, f"image coded, decoded and corrected in {seconds:.1f} s")
