"""Cloud shadow, radiometric part: pixels as dark as a shadow.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", cloud shadow; behaviour of
Sen2Cor 2.2 and later.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance, ratio
from sen2cor.classification.neighbourhood import majority
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
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
    reflectance: Reflectance,
    no_data: BoolArray,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> BoolArray:
    """Pixels near the reference spectrum of a shadow, or darker in all of its bands.

    Parameters
    ----------
    reflectance : mapping
        B02, B03, B04, B8A, B11, B12.
    no_data : ndarray of bool, shape (rows, cols)
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Smoothed by the median of 3 by 3 pixels; water is left out.
    """
    distance = np.zeros(no_data.shape, np.float32)
    darker = ~no_data
    for band, level in SHADOW_REFERENCE.items():
        difference = reflectance[band] - np.float32(level)
        darker &= difference < 0
        distance += np.abs(difference, out=difference)
    distance /= np.float32(len(SHADOW_REFERENCE))
    near = distance <= np.float32(thresholds.t_b02_b12)
    near &= ~no_data
    found = majority(near)
    found |= majority(darker)
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    found &= blue_swir <= np.float32(constants.shadow_b02_b11_max)
    return found
