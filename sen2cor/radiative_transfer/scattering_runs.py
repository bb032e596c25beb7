"""Many runs of 6SV: in parallel, restartable, with an estimate of the time left."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from sen2cor.radiative_transfer import sixs
from sen2cor.radiative_transfer.aerosol import properties_file
from sen2cor.radiative_transfer.sixs import Scattering, State

LOGGER = logging.getLogger(__name__)

_CHUNK = 20
_REPORT_INTERVAL = 15.0


def _run(state: State, mie_path: Path) -> tuple[State, Scattering]:
    return state, sixs.run(state, mie_path)


def _read(path: Path) -> dict[State, Scattering]:
    """Read the runs of an interrupted start; remove an incomplete last line."""
    finished: dict[State, Scattering] = {}
    if not path.exists():
        return finished
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole)
    split = len(State._fields)
    for line in whole.splitlines():
        numbers = [float(number) for number in line.split()]
        finished[State(*numbers[:split])] = Scattering(*numbers[split:])
    return finished


def run_all(
    states: Sequence[State], aerosol: str, work: Path, processes: int
) -> Mapping[State, Scattering]:
    """Run 6SV for all states.

    Finished runs are kept in a file of the work folder and not repeated. Its name depends on the
    aerosol and the version of 6SV.

    Parameters
    ----------
    states : sequence of State
    aerosol : str
        One of `aerosol.AEROSOLS`.
    work : Path
        Folder for files that can be deleted afterwards.
    processes : int

    Raises
    ------
    AuxiliaryDataError
        If 6SV cannot be run.
    """
    properties = properties_file(aerosol)
    digest = hashlib.sha256(f"{sixs.version()}\n{properties}".encode()).hexdigest()[:12]
    work.mkdir(parents=True, exist_ok=True)
    # 6SV takes no longer names
    mie_path = work / f"{digest}.mie"
    mie_path.write_text(properties)
    journal = work / f"{aerosol}-{digest}.runs"
    finished = _read(journal)
    left = [state for state in states if state not in finished]
    LOGGER.info(
        "%s: %d runs of 6SV, %d of them done before", aerosol, len(states), len(states) - len(left)
    )
    start = last_report = time.monotonic()
    with Pool(processes) as pool, journal.open("a") as stream:
        results = pool.imap_unordered(partial(_run, mie_path=mie_path), left, _CHUNK)
        for count, (state, result) in enumerate(results, 1):
            finished[state] = result
            stream.write(" ".join(repr(number) for number in (*state, *result)) + "\n")
            now = time.monotonic()
            if now - last_report > _REPORT_INTERVAL or count == len(left):
                stream.flush()
                last_report = now
                seconds = (now - start) / count * (len(left) - count)
                LOGGER.info(
                    "%s: %d of %d runs, %.1f min left", aerosol, count, len(left), seconds / 60.0
                )
    return finished
