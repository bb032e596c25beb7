"""AUTO: which aerosol and which season fit a scene.

Each candidate table is tried on the dark vegetation. The double ratio

    dp = (L_scene(blue) / L_scene(red)) / (L_table(blue) / L_table(red))

of path radiances tells how well the spectral slope of its aerosol is that of the scene: the
candidate whose ratio lies closest to 1 is taken (R. Richter and D. Schlaepfer, ATCOR user guide,
DLR-IB 565-01). The seasons differ in their profiles alone, which this ratio hardly sees: seasons
whose ratios are within the tolerance of each other are told apart by date and latitude.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable

_WINTER_MONTHS = (11, 12, 1, 2, 3)
_TROPICS = 30.0


@dataclass(frozen=True)
class Trial:
    """A candidate on the dark vegetation of a scene.

    Attributes
    ----------
    table : LookUpTable
    double_ratio : float
    """

    table: LookUpTable
    double_ratio: float

    @property
    def misfit(self) -> float:
        """Distance of the double ratio from 1."""
        return abs(self.double_ratio - 1.0)


def choose(trials: Sequence[Trial], season: str, tolerance: float) -> Trial:
    """Take the candidate that fits best.

    Parameters
    ----------
    trials : sequence of Trial
        At least one.
    season : str
        ``SUMMER`` or ``WINTER`` by date and latitude.
    tolerance : float
        Of the double ratio, within which seasons do not differ.

    Returns
    -------
    Trial
    """
    best = min(trials, key=lambda trial: trial.misfit)
    equal = [
        trial
        for trial in trials
        if _aerosol(trial) == _aerosol(best)
        and trial.table.season == season
        and trial.misfit - best.misfit <= tolerance
    ]
    return equal[0] if equal else best


def season_by_date(time: datetime, latitude: float) -> str:
    """Season by date and latitude: winter from November to March, in the south half a year later.

    Parameters
    ----------
    time : datetime
    latitude : float
        Degrees; within 30 degrees of the equator it is always summer.

    Returns
    -------
    str
        ``SUMMER`` or ``WINTER``.
    """
    month = time.month if latitude >= 0.0 else (time.month + 5) % 12 + 1
    return "WINTER" if abs(latitude) > _TROPICS and month in _WINTER_MONTHS else "SUMMER"


def described(trials: Sequence[Trial]) -> Mapping[str, float]:
    """Double ratios by the name of the table."""
    return {trial.table.name: trial.double_ratio for trial in trials}


def _aerosol(trial: Trial) -> str:
    return trial.table.aerosol
