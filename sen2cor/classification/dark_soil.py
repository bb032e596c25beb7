"""Repair 9.6: soil among dark features.

Source: behaviour of Sen2Cor 2.3 and later; the Level-2A ATBD does not describe it.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import BoolArray, Reflectance, UInt8Array, ratio
from sen2cor.classification.scene_class import SceneClass
from sen2cor.classification.thresholds import ClassificationConstants


def dark_soil(
    classes: UInt8Array, reflectance: Reflectance, constants: ClassificationConstants
) -> BoolArray:
    """Dark features with little blue beside the reflectance at 1.6 um.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B11.
    constants : ClassificationConstants

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    found: BoolArray = classes == SceneClass.DARK_FEATURES
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    found &= blue_swir < np.float32(constants.dark_soil_b02_b11_max)
    return found
