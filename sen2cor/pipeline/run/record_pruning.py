"""Remove old records of runs from a work folder."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

logger = logging.getLogger(__name__)

_RECORD = re.compile(r".+_\d{8}T\d{6}_(?:report\.xml|report\.html|run\.json)")

_DAY = 86400.0


def prune_records(folder: Path, days: float) -> int:
    """Remove the records in a folder that were last written more than some days ago.

    Other files, and folders, are kept. What cannot be removed is logged as a warning.

    Parameters
    ----------
    folder : Path
        Work folder, existing or not.
    days : float

    Returns
    -------
    int
        Number of files removed.
    """
    limit = time.time() - days * _DAY
    removed = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _RECORD.fullmatch(path.name) is None:
            continue
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # another run removed it
        except OSError as error:
            logger.warning("old record not removed: %s", error)
    if removed:
        logger.info("%d records older than %g days removed from %s", removed, days, folder)
    return removed
