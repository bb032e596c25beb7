"""Mid-latitude summer and winter: the standard atmospheres, their ozone, and when they apply.

Profiles are those of G. P. Anderson et al., AFGL Atmospheric Constituent Profiles, AFGL-TR-86-0110.
"""

from __future__ import annotations

from datetime import datetime

AEROSOLS = ("RURAL", "MARITIME")
"""Aerosol models that ``AUTO`` stands for, in order of preference."""

SEASONS = ("SUMMER", "WINTER")
"""Standard atmospheres that ``AUTO`` stands for, in order of preference."""

DEFAULT_OZONE = {"SUMMER": 331.0, "WINTER": 377.0}
"""Ozone column in Dobson units that is used if none is known."""

OZONE_COLUMNS = {
    "SUMMER": {"f": 250.0, "g": 290.0, "h": 331.0, "i": 370.0, "j": 410.0, "k": 450.0},
    "WINTER": {"t": 250.0, "u": 290.0, "v": 330.0, "w": 377.0, "x": 420.0, "y": 460.0},
}
"""Ozone columns in Dobson units by the letter that Sen2Cor gives them in options and file names."""

_WINTER_MONTHS = (11, 12, 1, 2, 3)
_TROPICS = 30.0
"""Latitude in degrees up to which there is no winter."""


def season_by_date(time: datetime, latitude: float) -> str:
    """Choose the standard atmosphere by date and latitude.

    Winter lasts from November to March in the north, from May to September in the south.

    Parameters
    ----------
    time : datetime
    latitude : float
        Degrees. Within 30 degrees of the equator the season is always summer.

    Returns
    -------
    str
        ``SUMMER`` or ``WINTER``.
    """
    month = time.month if latitude >= 0.0 else (time.month + 5) % 12 + 1
    return "WINTER" if abs(latitude) > _TROPICS and month in _WINTER_MONTHS else "SUMMER"
