"""Bare ground among what is not clearly classified.

Dark soil is as grey as thin cloud in the visible. But droplets and ice absorb at 2.2 um, where a
cloud keeps some two thirds of its light in the visible, so what is brighter there than in red, and
not much darker at 1.6 um than in the near infrared, is soil; or soil below the thin rim of a cloud
or below cirrus, but rims are near clouds, and cirrus shows in B10.

Source: Nakajima and King 1990, Journal of the Atmospheric Sciences 47, 1878-1893 (clouds at
2.2 um).
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.scene_class import SceneClass
from sen2cor.classification.thresholds import ClassificationThresholds
from sen2cor.raster.array_types import BoolArray, UInt8Array


def unclear_ground(
    classes: UInt8Array,
    reflectance: Reflectance,
    near_clouds: BoolArray,
    thresholds: ClassificationThresholds,
) -> BoolArray:
    """Pixels of low cloud probability that have the spectrum of soil and are far from clouds.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B04, B8A, B10 (if there is one), B11, B12.
    near_clouds : ndarray of bool, shape (rows, cols)
    thresholds : ClassificationThresholds

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    found: BoolArray = (classes == SceneClass.LOW_PROBA_CLOUDS) & ~near_clouds
    steep = np.float32(thresholds.t2_r_b8a_b11) * reflectance["B11"]
    found &= reflectance["B8A"] < steep
    if "B10" in reflectance:
        found &= reflectance["B10"] < np.float32(0.5 * thresholds.t1_b10)
    found &= reflectance["B12"] > reflectance["B04"]
    return found
