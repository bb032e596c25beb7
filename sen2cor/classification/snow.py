"""Step 2: snow and ice, and the ring of mixed pixels around them.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 2.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance, normalised_difference, ramp, ratio
from sen2cor.classification.neighbourhood import dilate
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.raster.array_types import BoolArray, Float32Array


def snow_probability(
    reflectance: Reflectance,
    cloud: Float32Array,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> Float32Array:
    """Score of snow: what might be cloud, dark at 1.6 um, bright and without a red edge.

    Parameters
    ----------
    reflectance : mapping
        B02, B03, B04, B05, B8A, B11.
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability after step 1; where it is 0 there is no snow.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1.
    """
    blue, nir = reflectance["B02"], reflectance["B8A"]
    ndsi = normalised_difference(reflectance["B03"], reflectance["B11"])
    snow = ramp(ndsi, thresholds.t1_ndsi_snw, thresholds.t2_ndsi_snw)
    possible = cloud > 0
    possible &= snow > 0
    if not possible.any():
        snow.fill(0)
        return snow
    possible &= ratio(reflectance["B05"], nir) >= np.float32(constants.snow_red_edge_ratio)
    snow *= possible
    snow *= ramp(nir, thresholds.t1_b8a, thresholds.t2_b8a)
    snow *= ramp(blue, thresholds.t1_b02, thresholds.t2_b02)
    red_ratio = ratio(blue, reflectance["B04"])
    snow *= ramp(red_ratio, thresholds.t1_r_b02_b04, thresholds.t2_r_b02_b04)
    return snow


def snow_and_ring(
    reflectance: Reflectance,
    snow: Float32Array,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> tuple[BoolArray, BoolArray]:
    """Pixels of snow, and pixels beside it that are dark enough at 2.2 um not to be a cloud.

    Parameters
    ----------
    reflectance : mapping
        B12.
    snow : ndarray of float32, shape (rows, cols)
        Snow probability.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    members, ring : ndarray of bool, shape (rows, cols)
    """
    members = snow > np.float32(thresholds.t1_snow)
    ring = dilate(members, constants.snow_ring)
    ring &= ~members
    ring &= reflectance["B12"] < np.float32(thresholds.t2_snow)
    return members, ring
