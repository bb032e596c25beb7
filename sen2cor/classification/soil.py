"""Step 5.1: bare soil.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 5.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Evidence, Reflectance, line, ramp, ratio
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds


def soil(
    reflectance: Reflectance,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> Evidence:
    """Bare soil: little blue beside the reflectance at 1.6 um.

    Parameters
    ----------
    reflectance : mapping
        B02, B11.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    Evidence
    """
    blue = reflectance["B02"]
    blue_swir = ratio(blue, reflectance["B11"])
    limit = line(
        blue_swir,
        thresholds.t11_b02,
        thresholds.t12_b02,
        constants.soil_b02_lowest,
        constants.soil_b02_highest,
    )
    dim = blue < limit
    low = np.float32(thresholds.t11_r_b02_b11)
    cloud_factor = ramp(blue_swir, thresholds.t11_r_b02_b11, thresholds.t12_r_b02_b11)
    np.copyto(cloud_factor, 1, where=~dim | (blue_swir <= low))
    return Evidence(dim & (blue_swir < low), cloud_factor)
