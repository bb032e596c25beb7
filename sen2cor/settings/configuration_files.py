"""Locations of the configuration files, and the configuration home of a user.

The home is the folder ``$SEN2COR_HOME``; ``L2A_Process --setup DIR`` creates one.
"""

from __future__ import annotations

import importlib.metadata
import logging
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from sen2cor.errors import ConfigurationError, OutputError
from sen2cor.paths import expand_path
from sen2cor.settings.documents import DOCUMENTS

logger = logging.getLogger(__name__)

HOME_VARIABLE = "SEN2COR_HOME"
PACKAGE_VARIABLE = "SEN2COR_BIN"
_TEMPLATE = "L2A_Bashrc.template"


def find_home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's configuration home, None where the variable is unset or empty."""
    home = environ.get(HOME_VARIABLE, "").strip()
    return _expand(HOME_VARIABLE, home, environ) if home else None


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


def _expand(variable: str, text: str, environ: Mapping[str, str]) -> Path:
    """Expand the path that an environment variable holds.

    Raises
    ------
    ConfigurationError
        It cannot be expanded.
    """
    try:
        return expand_path(text, environ)
    except ValueError as error:
        raise ConfigurationError(f"{variable} = {text}: {error}") from error


def _packaged_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    package = environ.get(PACKAGE_VARIABLE, "").strip()
    if package:
        yield _expand(PACKAGE_VARIABLE, package, environ) / "cfg"
    here = Path(__file__).resolve()
    yield here.parents[1] / "cfg"
    yield here.parents[2] / "cfg"


def find_configuration_file(name: str, given: Path | None, environ: Mapping[str, str]) -> Path:
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
    home = find_home(environ)
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


def find_shell_template() -> Path:
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


def write_home(directory: Path) -> tuple[Path, ...]:
    """Make a configuration home: ``cfg/`` with copies of the files, and ``L2A_Bashrc``.

    Files that exist are kept, each with a warning.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    directory = directory.expanduser().resolve()
    package = packaged_configuration_folder()
    files = {
        directory / "cfg" / f"{document.name}{suffix}": (
            package / f"{document.name}{suffix}"
        ).read_bytes()
        for document in DOCUMENTS
        for suffix in (".xml", ".xsd")
    }
    files[directory / "L2A_Bashrc"] = _shell_file(directory, package.parent)
    return tuple(path for path, content in files.items() if _write_new(path, content))


def _shell_file(home: Path, package: Path) -> bytes:
    template = find_shell_template().read_text(encoding="utf-8")
    filled = template.replace("@SEN2COR_HOME@", shlex.quote(str(home)))
    return filled.replace("@SEN2COR_BIN@", shlex.quote(str(package))).encode()


def _write_new(path: Path, content: bytes) -> bool:
    if path.exists():
        logger.warning("%s exists and is kept", path)
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    return True
