"""Paths that users write: ``~``, ``$NAME``, ``${NAME}`` and ``%NAME%`` are expanded or refused.

A shell expands them only where they stand bare; in configuration files, in unit files and crontabs,
in quotes and behind ``--option=`` they arrive as they are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^{}]*)\})|%([A-Za-z_]\w*)%")


def expand_path(text: str, environ: Mapping[str, str] | None = None) -> Path:
    """Expand the home folder and environment variables in a path.

    Parameters
    ----------
    text : str
    environ : mapping or None
        Environment variables; None: those of the process.

    Raises
    ------
    ValueError
        A variable is not set or empty, or there is no such user; the message says which.
    """
    environ = os.environ if environ is None else environ
    return Path(_expand_variables(_expand_user(text, environ), environ))


def expand_address(text: str) -> str:
    """Expand ``$NAME`` and ``${NAME}`` in an address (URI), in which ``%`` has another meaning.

    Raises
    ------
    ValueError
        A variable is not set or empty.
    """
    return "%".join(_expand_variables(part, os.environ) for part in text.split("%"))


def expand_existing_path(text: str) -> Path:
    """Expand a path unless it exists as it stands, as some names of files contain ``$`` or ``~``.

    Raises
    ------
    ValueError
        As for `expand_path`.
    """
    path = Path(text)
    return path if os.path.lexists(path) else expand_path(text)


def is_current_folder_deleted() -> bool:
    """Tell whether the current folder has been deleted."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _expand_user(text: str, environ: Mapping[str, str]) -> str:
    if not text.startswith("~"):
        return text
    user, separator, rest = text.partition("/")
    home = environ.get("HOME", "") if user == "~" else ""
    home = home or os.path.expanduser(user)  # noqa: PTH111 (does not raise)
    if home == user:
        known = "the home folder" if user == "~" else f"the user {user[1:]}"
        raise ValueError(f"{known} is not known; for a name that begins with ~ write ./{user}")
    return f"{home}{separator}{rest}"


def _expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """Expand the variables in a text; their values are taken as they are."""

    def value_of(found: re.Match[str]) -> str:
        name = next(group for group in found.groups() if group is not None)
        value = environ.get(name, "")
        if not value:
            raise ValueError(f"the variable {name} is not set; set it, or write the path in full")
        return value

    return _VARIABLE.sub(value_of, text)
