"""Repair 9.3: water among dark features and what is not classified.

Source: behaviour of Sen2Cor 2.2 and later; the Level-2A ATBD does not describe it.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance, ratio
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.raster.array_types import BoolArray, UInt8Array


def dark_water(
    classes: UInt8Array,
    reflectance: Reflectance,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
    rules: ClassificationRules,
) -> BoolArray:
    """Dark features and unclassified pixels with the spectrum of water.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B03, B04, B8A, B11.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants
    rules : ClassificationRules

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    nir = reflectance["B8A"]
    candidates: BoolArray = classes == NOT_CLASSIFIED
    candidates &= nir < np.float32(constants.unclassified_water_b8a_max)
    candidates |= classes == SceneClass.DARK_FEATURES
    red = reflectance["B04"]
    falling = nir < red
    if rules.clear_water_by_green:
        falling |= (nir < reflectance["B03"]) & (red < np.float32(constants.dark_b04_max))
    candidates &= falling
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    least = thresholds.t21_r_b02_b11 if rules.clear_water_by_green else thresholds.t22_r_b02_b11
    candidates &= blue_swir > np.float32(least)
    return candidates
