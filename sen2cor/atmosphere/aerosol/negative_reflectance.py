"""Visibility raised until dark surfaces are no longer negative.

An optical thickness that is too large takes more path radiance away than dark pixels have. Where
too many vegetation pixels come out with a negative red, or water pixels with a negative near
infrared reflectance, the visibility of the scene is raised step by step (R. Richter and D.
Schlaepfer, ATCOR user guide, DLR-IB 565-01).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

_STEP = 1.05
_STEPS = 65
"""From the least to the greatest visibility."""

_WATER_SHARE = 0.01


@dataclass(frozen=True)
class NegativeFractions:
    """Shares of dark pixels that are negative.

    Attributes
    ----------
    vegetation : float
        Vegetation pixels with a red reflectance below 0, of all of them.
    water : float
        Water pixels below the limit in the near infrared, of all of them.
    """

    vegetation: float
    water: float


def find_visibility_factor(
    shares: Callable[[float], NegativeFractions], vegetation_limit: float
) -> float | None:
    """Find by how much the visibility is to be raised.

    Parameters
    ----------
    shares : callable
        Shares with the visibility multiplied by a factor.
    vegetation_limit : float
        Greatest share of negative vegetation pixels.

    Returns
    -------
    float or None
        Factor, 1 and more; None where none helps, for then the cause is not the aerosol.
    """

    def suffices(step: int) -> bool:
        found = shares(_STEP**step)
        return found.vegetation <= vegetation_limit and found.water <= _WATER_SHARE

    if suffices(0):
        return 1.0
    if suffices(_STEPS):
        # the shares fall from step to step
        return float(_STEP ** bisect_left(range(_STEPS), True, key=suffices))
    return None
