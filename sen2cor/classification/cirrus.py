"""Step 7: cirrus by its reflectance in B10, where water vapour hides the ground.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification"; Gao, Goetz and Wiscombe 1993,
Geophysical Research Letters 20, 301-304.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.raster.array_types import BoolArray, Float32Array


def thin_cirrus(
    reflectance: Reflectance,
    cloud: Float32Array,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
    rules: ClassificationRules,
    elevation: Float32Array | None = None,
) -> BoolArray:
    """Pixels under thin cirrus.

    Parameters
    ----------
    reflectance : mapping
        B02, B10.
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability, 0..1.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants
    rules : ClassificationRules
    elevation : ndarray of float32, shape (rows, cols), optional
        Metres; NaN where unknown. High ground shines through in B10 and is left out.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    cirrus = reflectance["B10"]
    thin = cirrus > np.float32(thresholds.t1_b10)
    thin &= cirrus < np.float32(thresholds.t2_b10)
    if not rules.cirrus_over_snow:
        thin &= reflectance["B02"] < np.float32(constants.cirrus_b02_max)
    thin &= cloud < np.float32(thresholds.t_cloud_mp)
    if elevation is not None:
        thin &= ~(elevation >= np.float32(constants.cirrus_elevation_max))
    return thin


def thick_cirrus(
    reflectance: Reflectance, cloud: Float32Array, thresholds: ClassificationThresholds
) -> BoolArray:
    """Pixels under cirrus so thick that they count as clouds of medium probability.

    Parameters
    ----------
    reflectance : mapping
        B10.
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability, 0..1.
    thresholds : ClassificationThresholds

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    thick = reflectance["B10"] >= np.float32(thresholds.t2_b10)
    thick &= cloud < np.float32(thresholds.t_cloud_hp)
    return thick
