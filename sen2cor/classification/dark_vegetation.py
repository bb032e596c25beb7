"""Repair 9.2: vegetation among dark features and what is not classified.

Source: behaviour of Sen2Cor 2.2 and later; the Level-2A ATBD does not describe it.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance, normalised_difference, ratio
from sen2cor.classification.thresholds import ClassificationThresholds
from sen2cor.raster.array_types import BoolArray


def dark_vegetation(reflectance: Reflectance, thresholds: ClassificationThresholds) -> BoolArray:
    """Pixels with the spectrum of vegetation, however dark.

    Parameters
    ----------
    reflectance : mapping
        B03, B04, B8A.
    thresholds : ClassificationThresholds

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    nir = reflectance["B8A"]
    found = normalised_difference(nir, reflectance["B04"]) > np.float32(thresholds.t2_ndvi)
    found |= ratio(nir, reflectance["B03"]) > np.float32(thresholds.t2_r_b8a_b03)
    return found
