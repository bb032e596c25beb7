"""Files of other programs in a product: side files of images, of file managers and of editors.

They are not part of the product: they are neither read nor listed in the manifest, and they are not
removed.
"""

from __future__ import annotations

import re
from pathlib import PurePath

OUTDATED_BY_IMAGE = (".aux.xml", ".aux", ".ovr", ".msk", ".rrd", ".hdr", ".enp")
"""Endings of side files that are derived from the pixels of the image beside them."""

_UNFINISHED = (
    ".part", ".partial", ".filepart", ".crdownload", ".download", ".aria2", ".tmp", ".temp",
)  # fmt: skip
"""Endings that browsers and other programs give to files while they fetch them."""

_ENDINGS = (
    *OUTDATED_BY_IMAGE,
    # geographic information systems
    ".qmd", ".qml", ".qix", ".gfs", ".vat.dbf", ".vat.cpg", ".lyr", ".lock", ".rde",
    ".jp2.xml", ".tif.xml", ".j2w", ".jgw", ".tfw", ".pgw", ".wld", ".prj",
    # editors
    "~", ".swp", ".swo", ".bak", ".orig", ".old",
    *_UNFINISHED,
)  # fmt: skip

_NAMES = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "icon\r")
)

_COPY = re.compile(
    r"(copy|kopie) (\(\d+\) )?(of|von) .*|.* - (copy|kopie)( \(\d+\))?(\.\w+)?|.* \(\d+\)(\.\w+)?"
)
"""Names that file managers and browsers give to copies."""


def is_side_file(path: PurePath) -> bool:
    """Tell whether a file or folder is not part of a product, by its name.

    Parameters
    ----------
    path : PurePath
        Relative to the product: each folder in it counts.
    """
    return any(_is_side_name(part.lower()) for part in path.parts)


def is_copy(name: str) -> bool:
    """Tell whether a file manager or browser named the file or folder as a copy of another one."""
    return _COPY.fullmatch(name.lower()) is not None


def is_unfinished_download(name: str) -> bool:
    """Tell whether a name is that of an unfinished download."""
    return name.lower().endswith(_UNFINISHED)


def _is_side_name(name: str) -> bool:
    return name.startswith((".", "~$", "#")) or name in _NAMES or name.endswith(_ENDINGS)
