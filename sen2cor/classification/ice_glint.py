"""Step 6b: cold snow, ice and sun glint, which are bright in red and dark at 1.6 um.

Source: behaviour of Sen2Cor 2.2 and later; the Level-2A ATBD does not describe it.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.arrays import Reflectance, ramp, ratio
from sen2cor.classification.thresholds import ClassificationConstants
from sen2cor.raster.array_types import Float32Array


def ice_and_glint(reflectance: Reflectance, constants: ClassificationConstants) -> Float32Array:
    """Factor of the cloud probability: 0 on ice and sun glint.

    Parameters
    ----------
    reflectance : mapping
        B04, B11.
    constants : ClassificationConstants

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1.
    """
    red_swir = ratio(reflectance["B04"], reflectance["B11"])
    score = ramp(red_swir, constants.t1_r_b04_b11, constants.t2_r_b04_b11)
    return np.subtract(1, score, out=score)
