"""Dry air: how much of the light from the ground is left in B10.

Water vapour hides the ground in B10, but not all of it in cold and dry air, where snow shines
through. Snow is about as bright at 1.38 um as it is at 0.86 um, or darker, so the darkest of it in
B10 tells which share of its light the air lets through. That much is taken off, so that cirrus
above snow can be told.

Source: Gao, Goetz and Wiscombe 1993, Geophysical Research Letters 20, 301-304; Gao et al. 1998,
Journal of Geophysical Research 103, 32169-32176 (scatter of cirrus against another band).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.row_sample import sampled_rows, snow
from sen2cor.raster.array_types import BoolArray, Float32Array

_BRIGHT = 0.3
"""B8A of snow that is not mistaken for cirrus above water."""

_PERCENTILE = 10
_LEAST_PIXELS = 100
_GREATEST_SHARE = 0.03
"""What is more comes from cirrus that covers all of the image."""


@dataclass(frozen=True)
class DryAirSurfaceSignal:
    """Air that lets light from the ground through in B10.

    Attributes
    ----------
    share : float
        B10 over B8A of clear snow.
    """

    share: float

    def cleared(self, reflectance: Reflectance) -> Reflectance:
        """Take the light of the ground off B10.

        Parameters
        ----------
        reflectance : mapping of band name to ndarray of float32
            Left alone.

        Returns
        -------
        mapping of band name to ndarray of float32
        """
        cirrus = reflectance["B10"] - np.float32(self.share) * reflectance["B8A"]
        return {**reflectance, "B10": cirrus}


def dry_air_of(
    read_reflectance: Callable[[slice], Reflectance], no_data: BoolArray
) -> DryAirSurfaceSignal | None:
    """Estimate from a sample of its rows what the snow of an image shows in B10.

    Parameters
    ----------
    read_reflectance : callable
        As of `sen2cor.classification.classify_rows`.
    no_data : ndarray of bool, shape (rows, cols)

    Returns
    -------
    DryAirSurfaceSignal or None
        None without B10, and where there is too little snow to tell.
    """
    found: list[Float32Array] = []
    for line, data in sampled_rows(read_reflectance, no_data):
        if "B10" not in line:
            return None
        white = snow(line) & data & (line["B8A"] > np.float32(_BRIGHT))
        found.append(line["B10"][white] / line["B8A"][white])
    if sum(values.size for values in found) < _LEAST_PIXELS:
        return None
    share = float(np.percentile(np.concatenate(found), _PERCENTILE))
    return DryAirSurfaceSignal(min(max(share, 0.0), _GREATEST_SHARE))
