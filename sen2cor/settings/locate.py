"""Where the configuration files are: the user's home, the package, or as named on the command."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from pathlib import Path

from sen2cor.errors import ConfigurationError

HOME_VARIABLE = "SEN2COR_HOME"
PACKAGE_VARIABLE = "SEN2COR_BIN"
_TEMPLATE = "L2A_Bashrc.template"


def home_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the user's configuration home, None where the variable is unset or empty."""
    home = environ.get(HOME_VARIABLE, "").strip()
    return Path(home).expanduser() if home else None


def packaged_configuration_folder(
    environ: Mapping[str, str] | None = None, file: str = "L2A_GIPP.xml"
) -> Path:
    """Return the folder of the default configuration, the first that holds the file.

    ``$SEN2COR_BIN/cfg`` where the variable is set and the folder exists, else the data of the
    installed package, else ``cfg`` of the source tree.

    Raises
    ------
    ConfigurationError
        If there is none: the installation is broken.
    """
    for folder in _packaged_folders(environ or {}):
        if (folder / file).is_file():
            return folder
    raise ConfigurationError(
        f"the default configuration {file} is not in the installed package: install it again"
    )


def _packaged_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    package = environ.get(PACKAGE_VARIABLE, "").strip()
    if package:
        yield Path(package).expanduser() / "cfg"
    here = Path(__file__).resolve()
    yield here.parents[1] / "cfg"
    yield here.parents[2] / "cfg"


def configuration_file(name: str, given: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the path of a configuration file.

    Parameters
    ----------
    name : str
        File name without ``.xml``, such as ``L2A_GIPP``.
    given : Path or None
        File that the user named: taken as given, else relative to ``<home>/cfg``. None: the one in
        ``<home>/cfg``, else the packaged default.
    environ : mapping
        Environment variables.

    Raises
    ------
    ConfigurationError
        If the file that the user named does not exist.
    """
    home = home_folder(environ)
    if given is None:
        own = home / "cfg" / f"{name}.xml" if home else None
        if own and own.is_file():
            return own
        return packaged_configuration_folder(environ, f"{name}.xml") / f"{name}.xml"
    candidates = [given, *([home / "cfg" / given] if home else [])]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    tried = ", ".join(str(candidate) for candidate in candidates)
    raise ConfigurationError(f"configuration file {tried}: file does not exist")


def shell_template() -> Path:
    """Return the template of the shell file that exports the environment variables.

    Raises
    ------
    ConfigurationError
        If it is neither in the source tree nor among the installed files.
    """
    beside = Path(__file__).resolve().parents[2] / _TEMPLATE
    if beside.is_file():
        return beside
    try:
        installed = importlib.metadata.files("sen2cor") or []
    except importlib.metadata.PackageNotFoundError:
        installed = []
    for file in installed:
        path = Path(str(file.locate()))
        if file.name == _TEMPLATE and path.is_file():
            return path.resolve()
    raise ConfigurationError(f"{_TEMPLATE} is not in the installed package: install it again")
