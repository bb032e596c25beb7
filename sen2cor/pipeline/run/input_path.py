"""What a given path stands for: the Level-1C product to read, the Level-2A product to write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sen2cor.errors import InputError, OutputError, UsageError
from sen2cor.pipeline.run.options import Options
from sen2cor.product.archive import is_archive, unpacked
from sen2cor.product.level1c.locate import folders_in, locate
from sen2cor.product.level1c.reader import Level1CProduct, open_level1c
from sen2cor.product.naming import compact_product, to_level1c, to_level2a
from sen2cor.settings import Settings

_NO_TEXT = "the path is no UTF-8, which the libraries for images and XML ask for"

_OF_ACQUISITION = ("spacecraft", "datatake_start", "relative_orbit", "mgrs")


@contextmanager
def opened(path: Path, options: Options, settings: Settings) -> Iterator[Level1CProduct]:
    """Open the Level-1C product, out of its archive if it is in one.

    Raises
    ------
    InputError
        There is none, or it cannot be used.
    LockedError, OutputError
        Its archive cannot be unpacked.
    """
    if not is_archive(path):
        yield open_level1c(_readable(_level1c(path)))
        return
    if options.work_directory is None:
        place, option = target(path, options, settings)[0], "--output_dir"
    else:
        place, option = _absolute(options.work_directory), "--work_dir"
    with unpacked(path, place, option) as folder:
        yield open_level1c(_readable(folder))


def target(path: Path, options: Options, settings: Settings) -> tuple[Path, str | None]:
    """Return the folder of the Level-2A product, and its name where that is given.

    A Level-2A product is added to where it stands, also where the settings name another folder.

    Raises
    ------
    InputError
        The path is no product.
    OutputError
        The path of the folder is no text.
    UsageError
        A Level-2A product is given, and another folder than its own for the output.
    """
    level2a = _as_level2a(path)
    if level2a is not None:
        asked = options.output_directory
        if asked is not None and asked.resolve() != level2a.parent:
            raise UsageError(
                f"{path}: a Level-2A product is added to where it stands, --output_dir {asked} is "
                "another folder: leave it out, or give the Level-1C product"
            )
        return level2a.parent, level2a.name
    folder = options.output_directory or settings.target_directory
    if folder is None:
        folder = path.parent if is_archive(path) else locate(path)[0].parent
    folder = _absolute(folder)
    if not _is_text(folder):
        raise OutputError(f"{folder}: {_NO_TEXT}; choose another folder with --output_dir")
    return folder, None


def derive_level2a_name(path: Path) -> str:
    """Return the name of the Level-2A product as far as the path alone tells it."""
    level2a = _as_level2a(path)
    if level2a is not None:
        return level2a.name
    try:
        name = locate(path)[0].name
    except InputError:
        name = path.stem if path.suffix.lower() == ".zip" else path.name
    return to_level2a(name, "USER")


def _as_level2a(path: Path) -> Path | None:
    """Return the folder of a Level-2A product if the path is one by its name."""
    given = path.resolve()
    return given if given.is_dir() and to_level1c(given.name) != given.name else None


def _level1c(path: Path) -> Path:
    """Find the Level-1C product of a Level-2A product beside it; another path is that itself."""
    level2a = _as_level2a(path)
    if level2a is None:
        return path
    beside = level2a.with_name(to_level1c(level2a.name))
    if beside.is_dir():
        return beside
    siblings = _of_same_acquisition(level2a)
    if len(siblings) == 1:
        return siblings[0]
    names = ", ".join(folder.name for folder in siblings)
    problem = (
        f"several Level-1C products beside it may be its own ({names})"
        if siblings
        else f"its Level-1C product {beside.name} is not beside it"
    )
    raise InputError(
        f"{path}: a Level-2A product; {problem}: give the Level-1C product and --output_dir"
    )


def _of_same_acquisition(level2a: Path) -> list[Path]:
    """Level-1C products beside a Level-2A product that may be its own.

    Names of the ground segment differ in the discriminator, which is the time of processing, and
    perhaps in the baseline; those of the same baseline come before all others.
    """
    fields = compact_product("2A").match(level2a.name)
    if fields is None:
        return []
    baselines = {}
    for folder in folders_in(level2a.parent):
        found = compact_product("1C").match(folder.name)
        if found is not None and all(found[name] == fields[name] for name in _OF_ACQUISITION):
            baselines[folder] = found["baseline_digits"]
    same = [folder for folder, digits in baselines.items() if digits == fields["baseline_digits"]]
    return same or list(baselines)


def _readable(path: Path) -> Path:
    if not _is_text(_absolute(path)):
        raise InputError(f"{path}: {_NO_TEXT}; rename the folder")
    return path


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (symbolic links stay)
