"""OpenJPEG library for glymur, and what it reports of an image.

glymur uses the OpenJPEG library of the system. If none is installed, the copy in Pillow, which
glymur requires, is used instead.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sen2cor.errors import AuxiliaryDataError
from sen2cor.geospatial_libraries import advise_on_libraries

_MISSING = "0.0.0"

_OF_THREAD = threading.local()
"""``handler``: callback for the codecs that this thread sets up, see `codec_reports`."""


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
    _prepare(glymur)
    module: ModuleType = glymur
    return module


@contextmanager
def codec_reports() -> Iterator[list[str]]:
    """Collect what the codec reports while this thread decodes images in this block.

    glymur turns warnings of the codec into Python warnings and keeps errors in one list for the
    whole process. Here each decoding has a callback of its own, so that a report belongs to the
    image that caused it, also when several threads decode at once and when the codec calls from
    threads of its own.

    Yields
    ------
    list of str
        Warnings and errors, in the order in which they come.
    """
    library = load_glymur().lib.openjp2
    reports: list[str] = []

    def keep(message: bytes, _: object) -> None:
        reports.append(message.decode("utf-8", "replace").strip())

    outer = getattr(_OF_THREAD, "handler", None)
    _OF_THREAD.handler = library._CMPFUNC(keep)
    try:
        yield reports
    finally:
        _OF_THREAD.handler = outer


def _prepare(glymur: Any) -> None:
    """Let `codec_reports` choose the callbacks of a codec; other users keep those of glymur."""
    library = glymur.lib.openjp2
    if getattr(library, "_has_reports_of_threads", False):
        return
    for name in ("set_warning_handler", "set_error_handler"):
        setattr(library, name, _with_handler_of_thread(getattr(library, name)))
    # of boxes that it cannot read; what matters of them is checked before
    warnings.filterwarnings("ignore", module=r"glymur\.")
    library._has_reports_of_threads = True


def _with_handler_of_thread(set_handler: Callable[..., None]) -> Callable[..., None]:
    def set_own(codec: Any, handler: Any, data: Any = None) -> None:
        set_handler(codec, getattr(_OF_THREAD, "handler", None) or handler, data)

    return set_own


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
