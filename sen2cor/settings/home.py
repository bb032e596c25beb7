"""The configuration home of a user: ``L2A_Process --setup DIR``."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path

from sen2cor.errors import OutputError
from sen2cor.settings.documents import DOCUMENTS
from sen2cor.settings.locate import packaged_configuration_folder, shell_template

logger = logging.getLogger(__name__)


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
    template = shell_template().read_text(encoding="utf-8")
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
