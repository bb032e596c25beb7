"""Checks that GDAL and PROJ work, whatever the environment of another installation has set.

Variables such as ``PROJ_LIB`` and ``GDAL_DATA``, set for another program, lead the libraries to
data of another version. If the data that belong to the libraries are found without these variables,
this process uses those, with a warning; otherwise the error names the variable.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from sen2cor.errors import AuxiliaryDataError, shorten

logger = logging.getLogger(__name__)

_PROJ_VARIABLES = ("PROJ_LIB", "PROJ_DATA")
_GDAL_VARIABLES = ("GDAL_DATA", "GDAL_CONFIG_FILE")
_DRIVER_VARIABLES = ("GDAL_SKIP", "GDAL_DRIVER_PATH", "GDAL_CONFIG_FILE")
_LIBRARY_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME")

_DRIVERS = ("MEM", "GTiff")
"""GDAL drivers that every run needs."""

_GRIB = "GRIB"

_DATA_FILES = ("gdalvrt.xsd", "grib2_table_4_5.csv")
"""Files of GDAL's data; without the second it cannot read GRIB."""

_TIMEOUT = 60
"""Seconds to wait for the Python process that finds the libraries' own data."""

_FIND_OWN_DATA = """
import os
from osgeo import gdal, osr
print(os.path.dirname(gdal.FindFile("gdal", "grib2_table_4_5.csv") or ""))
print(os.pathsep.join(osr.GetPROJSearchPaths()))
"""


def check_libraries() -> None:
    """Check GDAL and PROJ, once per process, and log a warning of each fallback.

    Raises
    ------
    AuxiliaryDataError
        They cannot be used.
    """
    for warning in prepare_libraries():
        logger.warning("%s", warning)


@lru_cache(maxsize=1)
def prepare_libraries() -> tuple[str, ...]:
    """Make GDAL and PROJ of this process usable.

    Returns
    -------
    tuple of str
        Warnings, one for each fallback.

    Raises
    ------
    AuxiliaryDataError
        They cannot be imported, or need data or drivers that are missing; the message names the
        variable that may be the cause.
    """
    try:
        from osgeo import gdal, osr
    except ImportError as error:
        raise AuxiliaryDataError(describe_import_error(error)) from error
    gdal.UseExceptions()
    osr.UseExceptions()
    missing = [name for name in _DRIVERS if gdal.GetDriverByName(name) is None]
    if missing:
        raise AuxiliaryDataError(
            f"this GDAL has no driver {' and '.join(missing)}; {_advise(_DRIVER_VARIABLES)}"
        )
    return tuple(filter(None, (_repair_gdal_data(), _repair_proj())))


def describe_import_error(error: ImportError) -> str:
    """Describe a package that cannot be imported, with the variables that may be the cause."""
    return f"cannot import a package: {error}; {_advise(_LIBRARY_VARIABLES)}"


def describe_missing_grib() -> str | None:
    """Tell why GDAL cannot read GRIB; None if it can."""
    from osgeo import gdal

    if gdal.GetDriverByName(_GRIB) is not None:
        return None
    return (
        f"this GDAL has no driver {_GRIB}; {_advise(_DRIVER_VARIABLES)} "
        "(conda: package libgdal-grib)"
    )


def advise_on_libraries() -> str:
    """Advice for a shared library that cannot be loaded; empty if no variable is set."""
    names = _find_set(_LIBRARY_VARIABLES)
    return f"; or unset {' and '.join(names)}" if names else ""


def _repair_gdal_data() -> str | None:
    """Let GDAL use its own data if the folder that is set for them lacks files."""
    from osgeo import gdal

    folder = gdal.GetConfigOption("GDAL_DATA")
    if folder is None or all(Path(folder, name).is_file() for name in _DATA_FILES):
        return None
    own = _find_own_data()[0]
    if not own:
        return (
            f"GDAL_DATA is set to {folder!r}, which lacks files of this version of GDAL; unset it"
        )
    gdal.SetConfigOption("GDAL_DATA", own)
    # for libraries that have searched already
    gdal.PushFinderLocation(own)
    return (
        f"GDAL_DATA is set to {folder!r}, which lacks files of this version of GDAL; "
        f"using {own} instead"
    )


def _repair_proj() -> str | None:
    """Let PROJ use its own database if the one that is set does not work."""
    from osgeo import osr

    reason = _test_proj()
    if reason is None:
        return None
    before = os.pathsep.join(osr.GetPROJSearchPaths())
    own = _find_own_data()[1]
    if own:
        osr.SetPROJSearchPaths(own.split(os.pathsep))
        if _test_proj() is None:
            names = " and ".join(_find_set(_PROJ_VARIABLES)) or "the search path"
            return (
                f"PROJ cannot use the database that {names} leads to ({before}: {reason}); "
                f"using {own} instead"
            )
    raise AuxiliaryDataError(
        f"PROJ cannot resolve coordinate systems: no usable proj.db in {before} ({reason}); "
        f"{_advise(_PROJ_VARIABLES)}"
    )


def _test_proj() -> str | None:
    """Transform a known point to UTM; return what is wrong, None if nothing is."""
    from osgeo import osr

    try:
        systems = []
        for code in (4326, 32633, 32733):
            system = osr.SpatialReference()
            system.ImportFromEPSG(code)
            system.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
            systems.append(system)
        for utm, northing in zip(systems[1:], (0.0, 1e7), strict=True):
            found = osr.CoordinateTransformation(systems[0], utm).TransformPoint(15.0, 0.0)
            if abs(found[0] - 5e5) > 1e-3 or abs(found[1] - northing) > 1e-3:
                return f"15 E on the equator becomes {found[0]} {found[1]}"
    except RuntimeError as error:
        return " ".join(str(error).split())
    return None


@lru_cache(maxsize=1)
def _find_own_data() -> tuple[str, str]:
    """Ask a Python process without the variables for the folders of GDAL's and PROJ's data.

    Returns
    -------
    (str, str)
        Folder of GDAL; folders of PROJ, joined as in ``PATH``. Empty if they are not found.
    """
    without = {*_PROJ_VARIABLES, *_GDAL_VARIABLES}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    try:
        run = subprocess.run(
            [sys.executable, "-c", _FIND_OWN_DATA],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.info("the data of GDAL and PROJ were not found: %s", shorten(error))
        return "", ""
    gdal_data, proj_data = [*run.stdout.splitlines(), "", ""][:2]
    return gdal_data, proj_data


def _advise(names: Iterable[str]) -> str:
    """Advise to unset those of the variables that are set, else to install again."""
    found = _find_set(names)
    if found:
        values = ", ".join(f"{name}={os.environ[name]}" for name in found)
        return f"unset {' and '.join(found)} if set for another program ({values})"
    return "install GDAL and its Python bindings again"


def _find_set(names: Iterable[str]) -> list[str]:
    return [name for name in names if os.environ.get(name)]
