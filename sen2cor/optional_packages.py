"""Optional packages: whether they are installed, and how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from sen2cor.errors import AuxiliaryDataError

_PACKAGES = {
    "cloudmask": ("s2cloudless",),
    "report": ("jinja2", "matplotlib"),
    "simulation": ("prosail",),
    "stac": ("pystac",),
}


def is_available(extra: str) -> bool:
    """Whether all packages of an extra (``report``, ``stac``, ...) are installed."""
    return all(find_spec(package) is not None for package in _PACKAGES[extra])


def require(extra: str, option: str) -> None:
    """Raise an error if a package of an extra is missing.

    Raises
    ------
    AuxiliaryDataError
        A package is missing; the message names the command that installs it.
    """
    if not is_available(extra):
        names = " and ".join(_PACKAGES[extra])
        raise AuxiliaryDataError(f"{option} needs {names}: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'sen2cor[{extra}]'"
