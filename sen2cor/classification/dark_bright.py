"""Step 1: dark features, and the first score of what is bright enough to be a cloud.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 1; square of the red
score as of Sen2Cor 2.2.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Evidence, Reflectance, normalised_difference, ramp
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.raster.array_types import Float32Array


def bright_probability(
    reflectance: Reflectance, thresholds: ClassificationThresholds
) -> Float32Array:
    """Score of a cloud from red alone.

    Parameters
    ----------
    reflectance : mapping
        B04.
    thresholds : ClassificationThresholds

    Returns
    -------
    ndarray of float32
        0..1.
    """
    score = ramp(reflectance["B04"], thresholds.t1_b04, thresholds.t2_b04)
    score *= score
    return score


def dark_features(
    reflectance: Reflectance,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> Evidence:
    """Dark features, and how far the snow index speaks against a cloud.

    Soil and vegetation that reflect much more at 1.6 um than in green are neither.

    Parameters
    ----------
    reflectance : mapping
        B03, B04, B8A, B11.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    Evidence
    """
    red, nir = reflectance["B04"], reflectance["B8A"]
    ndsi = normalised_difference(reflectance["B03"], reflectance["B11"])
    cloud_factor = ramp(ndsi, thresholds.t1_ndsi_cld, thresholds.t2_ndsi_cld)
    members = red < np.float32(constants.dark_b04_max)
    members &= nir > np.float32(constants.dark_b8a_min)
    members &= nir < np.float32(constants.dark_b8a_max)
    members &= cloud_factor > 0
    return Evidence(members, cloud_factor)
