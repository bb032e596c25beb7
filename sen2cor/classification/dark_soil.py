"""Repair 9.6: soil among dark features, and burnt ground.

Source: behaviour of Sen2Cor 2.3 and later; the Level-2A ATBD does not describe it. Burnt ground:
Key and Benson 2006, USDA Forest Service RMRS-GTR-164-CD (loss in the near infrared, rise in the
short-wave infrared).
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance, ratio
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.scene_class import SceneClass
from sen2cor.classification.thresholds import ClassificationConstants
from sen2cor.raster.array_types import BoolArray, UInt8Array


def dark_soil(
    classes: UInt8Array,
    reflectance: Reflectance,
    constants: ClassificationConstants,
    rules: ClassificationRules,
) -> BoolArray:
    """Dark features with little blue beside the reflectance at 1.6 um, and burnt ground.

    Burnt ground rises from the near infrared to 1.6 um; water and what the sky alone lights fall.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B8A, B11.
    constants : ClassificationConstants
    rules : ClassificationRules

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    found: BoolArray = blue_swir < np.float32(constants.dark_soil_b02_b11_max)
    if rules.ground_by_infrared:
        found |= reflectance["B11"] > reflectance["B8A"]
    found &= classes == SceneClass.DARK_FEATURES
    return found
