"""Optional packages: whether they are installed, and how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from sen2cor.errors import AuxiliaryDataError

EXTRAS = {
    "progress": (("rich",), "progress bars"),
    "report": (("jinja2", "matplotlib"), "HTML reports"),
    "stac": (("pystac",), "STAC items"),
    "xarray": (("xarray",), "products as xarray datasets"),
    "dask": (("dask", "distributed"), "tiles on a Dask cluster, lazy datasets"),
    "cloudmask": (("s2cloudless",), "clouds by s2cloudless"),
    "simulation": (("prosail",), "simulated scenes"),
}
"""Packages and purpose of each extra."""


def is_available(extra: str) -> bool:
    """Whether all packages of an extra such as ``report`` are installed."""
    return all(find_spec(package) is not None for package in EXTRAS[extra][0])


def require(extra: str, option: str) -> None:
    """Raise an error if a package of an extra is missing.

    Raises
    ------
    AuxiliaryDataError
        A package is missing; the message names the command that installs it.
    """
    if not is_available(extra):
        names = " and ".join(EXTRAS[extra][0])
        raise AuxiliaryDataError(f"{option} needs {names}: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'sen2cor[{extra}]'"
