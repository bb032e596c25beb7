"""OpenJPEG library for glymur.

glymur uses the OpenJPEG library of the system. If none is installed, the copy in Pillow, which
glymur requires, is used instead.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from sen2cor.errors import AuxiliaryDataError
from sen2cor.geospatial_libraries import advise_on_libraries

_MISSING = "0.0.0"


def load_glymur() -> ModuleType:
    """Import glymur with a working OpenJPEG library.

    Returns
    -------
    module
        ``glymur``.

    Raises
    ------
    AuxiliaryDataError
        glymur cannot be imported, or there is no OpenJPEG library of version 2.4 or later.
    """
    try:
        import glymur
    except (ImportError, OSError) as error:
        raise AuxiliaryDataError(
            f"cannot import the JPEG 2000 package glymur: {error}; install it with pip"
            f"{advise_on_libraries()}"
        ) from error

    if glymur.version.openjpeg_version == _MISSING:
        glymur = _import_with_library(_library_of_pillow())
    if glymur.version.openjpeg_version == _MISSING:
        raise AuxiliaryDataError(
            "the JPEG 2000 library OpenJPEG (libopenjp2, 2.4 or later) was not found: install it "
            "(Debian: apt-get install libopenjp2-7) or name it in the file glymurrc"
            f"{advise_on_libraries()}"
        )
    module: ModuleType = glymur
    return module


def _library_of_pillow() -> Path | None:
    pillow = importlib.util.find_spec("PIL")
    if pillow is None or pillow.origin is None:
        return None
    folder = Path(pillow.origin).parents[1] / "pillow.libs"
    return next(iter(sorted(folder.glob("libopenjp2-*.so*"))), None)


def _import_with_library(library: Path | None) -> ModuleType:
    """Import glymur again with a configuration that names a library."""
    for name in [name for name in sys.modules if name.split(".")[0] == "glymur"]:
        del sys.modules[name]
    before = os.environ.get("XDG_CONFIG_HOME")
    with tempfile.TemporaryDirectory() as folder:
        if library is not None:
            configuration = Path(folder, "glymur", "glymurrc")
            configuration.parent.mkdir()
            configuration.write_text(f"[library]\nopenjp2: {library}\n")
            os.environ["XDG_CONFIG_HOME"] = folder
        try:
            import glymur
        finally:
            if before is None:
                os.environ.pop("XDG_CONFIG_HOME", None)
            else:
                os.environ["XDG_CONFIG_HOME"] = before
    module: ModuleType = glymur
    return module
