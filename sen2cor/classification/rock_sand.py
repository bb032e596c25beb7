"""Step 6: rock and sand.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 6. Bright sand: Irish
2000, Proceedings of SPIE 4049, 348-355 (a cloud is no brighter at 1.6 um than in the near infrared,
since droplets and ice absorb there; desert is).
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Evidence, Reflectance, line, ramp, ratio
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds


def rock_and_sand(
    reflectance: Reflectance,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
    rules: ClassificationRules,
) -> Evidence:
    """Rock and sand: brighter at 1.6 um than in the near infrared, and much more than in blue.

    Parameters
    ----------
    reflectance : mapping
        B02, B8A, B11.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants
    rules : ClassificationRules

    Returns
    -------
    Evidence
    """
    blue, swir = reflectance["B02"], reflectance["B11"]
    nir_swir = ratio(reflectance["B8A"], swir)
    limit = line(
        nir_swir,
        constants.rock_b02_slope,
        constants.rock_b02_offset,
        constants.rock_b02_lowest,
        constants.rock_b02_highest,
    )
    dim = blue < limit
    low = np.float32(thresholds.t1_r_b8a_b11)
    cloud_factor = ramp(nir_swir, thresholds.t1_r_b8a_b11, thresholds.t2_r_b8a_b11)
    np.copyto(cloud_factor, 1, where=~dim | (nir_swir <= low))
    dim &= blue < np.float32(constants.rock_b02_b11_max) * swir
    if rules.ground_by_infrared:
        dim |= blue < np.float32(thresholds.t11_r_b02_b11) * swir
    dim &= nir_swir < low
    return Evidence(dim, cloud_factor)
