"""Cloud shadow, radiometric part: pixels with the spectrum of a shadow.

A pixel matches if its mean distance to a reference spectrum is small, or if it is darker in all
bands of that spectrum.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", cloud shadow; behaviour of
Sen2Cor 2.2 and later.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.morphology import majority
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.spectral_indices import Reflectance, ratio
from sen2cor.raster.array_types import BoolArray

SHADOW_REFERENCE = {
    "B02": 0.12,
    "B03": 0.08,
    "B04": 0.06,
    "B8A": 0.10,
    "B11": 0.0545,
    "B12": 0.0255,
}
"""Top-of-atmosphere reflectance of vegetation in the shadow of a cloud."""


def spectral_shadow_match(
    reflectance: Reflectance, no_data: BoolArray, parameters: ClassificationParameters
) -> BoolArray:
    """Pixels near the reference spectrum of a shadow, or darker in all of its bands.

    Parameters
    ----------
    reflectance : mapping
        B02, B03, B04, B8A, B11, B12.
    no_data : ndarray of bool, shape (rows, cols)
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Smoothed by the median of 3 by 3 pixels; without water.
    """
    distance = np.zeros(no_data.shape, np.float32)
    darker = ~no_data
    for band, level in SHADOW_REFERENCE.items():
        difference = reflectance[band] - np.float32(level)
        darker &= difference < 0
        distance += np.abs(difference, out=difference)
    distance /= np.float32(len(SHADOW_REFERENCE))
    near = distance <= np.float32(parameters.thresholds.t_b02_b12)
    near &= ~no_data
    matching = majority(near)
    matching |= majority(darker)
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    matching &= blue_swir <= np.float32(parameters.constants.shadow_b02_b11_max)
    return matching
