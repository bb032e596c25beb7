"""Find the products that a given path stands for: Level-1C to read, Level-2A to write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sen2cor.errors import InputError, OutputError, UsageError
from sen2cor.pipeline.run.options import Options
from sen2cor.product.archive import is_archive, unpack
from sen2cor.product.level1c.product_files import list_folders, locate_product
from sen2cor.product.level1c.reader import Level1CProduct, open_level1c
from sen2cor.product.name_templates import compact_product, to_level1c, to_level2a
from sen2cor.settings import Settings

_NOT_UTF8 = "the path is not valid UTF-8, which the image and XML libraries require"

_ACQUISITION_FIELDS = ("spacecraft", "datatake_start", "relative_orbit", "mgrs")


@contextmanager
def open_input(path: Path, options: Options, settings: Settings) -> Iterator[Level1CProduct]:
    """Open the Level-1C product; unpack it first if it is an archive.

    Raises
    ------
    InputError
        There is no Level-1C product, or it cannot be used.
    LockedError, OutputError
        The archive cannot be unpacked.
    """
    if not is_archive(path):
        yield open_level1c(_require_utf8(_find_level1c(path)))
        return
    if options.work_directory is None:
        place, option = find_output_folder(path, options, settings)[0], "--output_dir"
    else:
        place, option = _absolute(options.work_directory), "--work_dir"
    with unpack(path, place, option) as folder:
        yield open_level1c(_require_utf8(folder))


def find_output_folder(path: Path, options: Options, settings: Settings) -> tuple[Path, str | None]:
    """Return the folder of the Level-2A product, and its name if a Level-2A product is given.

    A Level-2A product is completed in its own folder, whatever folder the settings name.

    Raises
    ------
    InputError
        The path is not a product.
    OutputError
        The path of the folder is not valid UTF-8.
    UsageError
        A Level-2A product is given, and an output folder that is not its own.
    """
    level2a = _as_level2a(path)
    if level2a is not None:
        asked = options.output_directory
        if asked is not None and asked.resolve() != level2a.parent:
            raise UsageError(
                f"{path}: a Level-2A product is completed in its own folder, but --output_dir is "
                f"{asked}: omit --output_dir, or give the Level-1C product"
            )
        return level2a.parent, level2a.name
    folder = options.output_directory or settings.target_directory
    if folder is None:
        folder = path.parent if is_archive(path) else locate_product(path)[0].parent
    folder = _absolute(folder)
    if not _is_utf8(folder):
        raise OutputError(f"{folder}: {_NOT_UTF8}; choose another folder with --output_dir")
    return folder, None


def derive_level2a_name(path: Path) -> str:
    """Derive the name of the Level-2A product from the path alone."""
    level2a = _as_level2a(path)
    if level2a is not None:
        return level2a.name
    try:
        name = locate_product(path)[0].name
    except InputError:
        name = path.stem if path.suffix.lower() == ".zip" else path.name
    return to_level2a(name, "USER")


def _as_level2a(path: Path) -> Path | None:
    """Return the folder if the path is a Level-2A product, judged by its name."""
    given = path.resolve()
    return given if given.is_dir() and to_level1c(given.name) != given.name else None


def _find_level1c(path: Path) -> Path:
    """Return the Level-1C product beside a Level-2A product; return other paths unchanged."""
    level2a = _as_level2a(path)
    if level2a is None:
        return path
    beside = level2a.with_name(to_level1c(level2a.name))
    if beside.is_dir():
        return beside
    siblings = _find_same_acquisition(level2a)
    if len(siblings) == 1:
        return siblings[0]
    names = ", ".join(folder.name for folder in siblings)
    problem = (
        f"several Level-1C products beside it are from the same acquisition ({names})"
        if siblings
        else f"its Level-1C product {beside.name} is not beside it"
    )
    raise InputError(f"{path}: {problem}; give the Level-1C product and --output_dir")


def _find_same_acquisition(level2a: Path) -> list[Path]:
    """Find the Level-1C products beside a Level-2A product that are from its acquisition.

    Names that the ground segment gives to the two levels differ in the discriminator (the time of
    processing) and sometimes in the baseline. Products of the same baseline are preferred.
    """
    fields = compact_product("2A").match(level2a.name)
    if fields is None:
        return []
    baselines = {}
    for folder in list_folders(level2a.parent):
        found = compact_product("1C").match(folder.name)
        if found is not None and all(found[name] == fields[name] for name in _ACQUISITION_FIELDS):
            baselines[folder] = found["baseline_digits"]
    same = [folder for folder, digits in baselines.items() if digits == fields["baseline_digits"]]
    return same or list(baselines)


def _require_utf8(path: Path) -> Path:
    if not _is_utf8(_absolute(path)):
        raise InputError(f"{path}: {_NOT_UTF8}; rename it")
    return path


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (symbolic links stay)
