"""The optional packages: whether they are there, and how to get them."""

from __future__ import annotations

from importlib.util import find_spec

from sen2cor.errors import AuxiliaryDataError

_PACKAGES = {
    "report": ("jinja2", "matplotlib"),
    "simulation": ("prosail",),
    "stac": ("pystac",),
}


def available(extra: str) -> bool:
    """Whether all packages of an extra (``report``, ``simulation``, ``stac``) are installed."""
    return all(find_spec(package) is not None for package in _PACKAGES[extra])


def require(extra: str, option: str) -> None:
    """Say how to get the packages of an extra where they are not installed.

    Raises
    ------
    AuxiliaryDataError
        A package is missing; the message names the command that installs it.
    """
    if not available(extra):
        names = " and ".join(_PACKAGES[extra])
        raise AuxiliaryDataError(f"{option} needs {names}: {how_to_get(extra)}")


def how_to_get(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'sen2cor[{extra}]'"
