"""Step 5.2: water.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 5.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Evidence, Reflectance, line, ramp, ratio
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds


def water(
    reflectance: Reflectance,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> Evidence:
    """Water: dark in the infrared beside blue, and falling from red to near infrared.

    Parameters
    ----------
    reflectance : mapping
        B02, B04, B8A, B11, B12.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    Evidence
    """
    blue, red = reflectance["B02"], reflectance["B04"]
    blue_swir = ratio(blue, reflectance["B11"])
    falling = reflectance["B8A"] < red
    falling &= blue < np.float32(constants.water_b02_max)
    limit = line(
        blue_swir,
        thresholds.t21_b12,
        thresholds.t22_b12,
        constants.water_b12_lowest,
        constants.water_b12_highest,
    )
    dark = reflectance["B12"] < limit
    dark &= falling
    low = np.float32(thresholds.t21_r_b02_b11)
    high = np.float32(thresholds.t22_r_b02_b11)
    cloud_factor = ramp(blue_swir, thresholds.t21_r_b02_b11, thresholds.t22_r_b02_b11)
    np.subtract(1, cloud_factor, out=cloud_factor)
    np.copyto(cloud_factor, 1, where=~dark | (blue_swir < low) | (blue_swir >= high))
    dark &= blue_swir > high
    falling &= blue - red > np.float32(constants.blue_water_difference)
    return Evidence(dark | falling, cloud_factor)
