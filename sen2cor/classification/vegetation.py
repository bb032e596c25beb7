"""Step 3: vegetation.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 3. Its step 4, senescent
vegetation by B8A/B03, is off since Sen2Cor 2.2.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Evidence, Reflectance, normalised_difference, ramp
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds


def vegetation(
    reflectance: Reflectance,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
) -> Evidence:
    """Vegetation by its NDVI; what is green but bright in blue may still be a cloud.

    Parameters
    ----------
    reflectance : mapping
        B02, B04, B8A.
    thresholds : ClassificationThresholds
    constants : ClassificationConstants

    Returns
    -------
    Evidence
    """
    ndvi = normalised_difference(reflectance["B8A"], reflectance["B04"])
    score = ramp(ndvi, thresholds.t1_ndvi, thresholds.t2_ndvi)
    dense = score == 1
    cloud_factor = np.subtract(1, score, out=score)
    np.copyto(cloud_factor, 1, where=dense)
    members = reflectance["B02"] < np.float32(constants.vegetation_b02_max)
    members &= dense
    return Evidence(members, cloud_factor)
