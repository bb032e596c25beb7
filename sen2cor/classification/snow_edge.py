"""Repair 9.5: mixed pixels at the edge of snow.

Source: behaviour of Sen2Cor 2.2 and later; the Level-2A ATBD does not describe it.
"""

from __future__ import annotations

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.neighbourhood import dilate
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.thresholds import ClassificationConstants
from sen2cor.raster.array_types import BoolArray, UInt8Array


def snow_edge(
    classes: UInt8Array, reflectance: Reflectance, constants: ClassificationConstants
) -> BoolArray:
    """Unclassified pixels near snow that are darker at 1.6 um than in green.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B03, B11.
    constants : ClassificationConstants

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    near = dilate(classes == SceneClass.SNOW_ICE, constants.snow_ring)
    near &= classes == NOT_CLASSIFIED
    near &= reflectance["B11"] < reflectance["B03"]
    return near
