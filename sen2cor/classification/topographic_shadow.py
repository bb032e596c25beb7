"""Repair 9.4: dark slopes that have been taken for water, cloud shadow or thin cloud.

Source: behaviour of Sen2Cor 2.2 and later; the Level-2A ATBD does not describe it.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.geometry import SunGeometry, TerrainIllumination
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.thresholds import ClassificationConstants
from sen2cor.raster.array_types import BoolArray, UInt8Array

_PALE = (NOT_CLASSIFIED, SceneClass.LOW_PROBA_CLOUDS, SceneClass.MEDIUM_PROBA_CLOUDS)


def topographic_shadow(
    classes: UInt8Array,
    reflectance: Reflectance,
    relief: TerrainIllumination,
    sun: SunGeometry,
    constants: ClassificationConstants,
    rules: ClassificationRules,
) -> BoolArray:
    """Pixels in the shade of the relief that are no water, no cloud shadow and no cloud.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B04, B8A.
    relief : TerrainIllumination
    sun : SunGeometry
    constants : ClassificationConstants
    rules : ClassificationRules

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        New members of the dark features.
    """
    limit = constants.shaded_illumination_max
    if rules.relief_against_flat:
        limit = min(limit, constants.shaded_illumination_of_flat * sun.cosine)
    shaded = _darker(relief, limit / sun.cosine, classes.shape)
    blue = reflectance["B02"]
    found = shaded & (blue > np.float32(constants.shaded_snow_b02_min))
    found &= blue - reflectance["B04"] > np.float32(constants.blue_water_difference)
    found &= reflectance["B8A"] < reflectance["B04"]
    found &= np.isin(classes, _PALE)
    if relief.slope is not None:
        slopes = relief.slope > np.float32(constants.water_slope_max)
        found |= slopes & shaded & (classes == SceneClass.WATER)
    found |= self_shadow(relief, sun, classes.shape, constants) & (
        classes == SceneClass.CLOUD_SHADOWS
    )
    return found


def self_shadow(
    relief: TerrainIllumination,
    sun: SunGeometry,
    shape: tuple[int, ...],
    constants: ClassificationConstants,
) -> BoolArray:
    """Pixels that the relief keeps the sun from: what is dark there is a dark feature.

    Parameters
    ----------
    relief : TerrainIllumination
    sun : SunGeometry
    shape : (int, int)
        Of the relief.
    constants : ClassificationConstants

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    return _darker(relief, constants.unlit_illumination_max / sun.cosine, shape)


def _darker(relief: TerrainIllumination, illumination: float, shape: tuple[int, ...]) -> BoolArray:
    shaded = np.zeros(shape, np.bool_) if relief.shadow is None else relief.shadow.copy()
    if relief.illumination is not None:
        shaded |= relief.illumination < np.float32(illumination)
    return shaded
