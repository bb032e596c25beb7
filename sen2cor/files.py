"""Atomic writing of files, and errors that advise the user."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sen2cor.errors import OutputError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def replace_on_success(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside a file; it replaces the file when the block succeeds.

    Parameters
    ----------
    path : Path
        The file. The temporary file is removed if the block fails.

    Raises
    ------
    OSError
        The file cannot be replaced.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file: after an error it has its previous content.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with replace_on_success(path) as part, part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def raise_output_error(path: Path, option: str = "--output_dir") -> Iterator[None]:
    """Turn errors of the file system into an `OutputError` that says what to do.

    Parameters
    ----------
    path : Path
        Path to name if the error names none.
    option : str
        Option of the command that chooses the folder.

    Raises
    ------
    OutputError
        Something within the block could not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            advice = f"free some space or choose another folder with {option}"
        elif error.errno in _NO_PERMISSION:
            advice = f"make the folder writable or choose another one with {option}"
        else:
            advice = f"check the disk or choose another folder with {option}"
        reason = error.strerror or str(error)
        target = error.filename2 or error.filename or path
        raise OutputError(f"cannot write {target}: {reason}; {advice}") from error
