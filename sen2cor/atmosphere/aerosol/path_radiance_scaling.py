"""Rescaling of the blue path radiance: the Angstrom slope of the aerosol of the scene.

Over dark vegetation the path radiance in the blue that leaves the expected blue reflectance is
compared with that of the look-up table. The factor holds in B02, is 1 in B04, and lies on a line in
wavelength between and beyond them; other bands keep their path radiance.

Blue over red of green canopies is expected to be 0.5, and is found up to 0.9: a surplus that such a
canopy explains says nothing about the aerosol and is left alone.
"""

from __future__ import annotations

import numpy as np

from sen2cor.bands import BAND
from sen2cor.settings.cal_ac_gipp import CorrectionSettings

BLUE, RED = "B02", "B04"
_SCALED = ("B01", "B02", "B03")
_INSIGNIFICANT = 0.03

BLUEST_CANOPY = 0.9
"""Blue over red reflectance up to which dark vegetation is found."""


def applied_factor(raw: float, least: float, settings: CorrectionSettings) -> tuple[float, str]:
    """Factor that is applied, by the rules of the settings.

    Parameters
    ----------
    raw : float
        Path radiance of the scene over that of the table in the blue.
    least : float
        The same, were the vegetation as blue as it can be (`BLUEST_CANOPY`).
    settings : CorrectionSettings

    Returns
    -------
    factor : float
        1.0 where it is disabled, differs from 1 by no more than 3 %, or is explained by blue
        vegetation.
    reason : str
        For the log.
    """
    if settings.scaling_disabler:
        return 1.0, "rescaling has been disabled by configuration"
    if abs(raw - 1.0) <= _INSIGNIFICANT:
        return 1.0, "not rescaled"
    if least <= 1.0 < raw:
        return 1.0, "not rescaled, blue vegetation would make it so"
    if settings.scaling_limiter:
        limited = float(np.clip(raw, settings.min_sc_blu, settings.max_sc_blu))
        if limited != raw:
            return limited, f"rescaled by {raw:.3f} limited to {limited:.3f}"
    return raw, f"rescaled by {raw:.3f}"


def factors_by_band(factor: float) -> dict[str, float]:
    """Factors of the bands whose path radiance is rescaled.

    Parameters
    ----------
    factor : float
        Of B02.

    Returns
    -------
    dict of band to float
        Empty for a factor of 1.
    """
    if factor == 1.0:
        return {}
    blue, red = BAND[BLUE].wavelength, BAND[RED].wavelength
    slope = (factor - 1.0) / (red - blue)
    return {band: 1.0 + slope * (red - BAND[band].wavelength) for band in _SCALED}
