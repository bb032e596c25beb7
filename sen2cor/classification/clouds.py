"""Step 7: clouds of low, medium and high probability.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification".
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.thresholds import ClassificationThresholds
from sen2cor.raster.array_types import Float32Array, UInt8Array


def cloud_classes(cloud: Float32Array, thresholds: ClassificationThresholds) -> UInt8Array:
    """Cloud class by probability.

    Parameters
    ----------
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability, 0..1.
    thresholds : ClassificationThresholds

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
        Classes 7, 8, 9; `NOT_CLASSIFIED` where there is no cloud.
    """
    classes = np.full(cloud.shape, NOT_CLASSIFIED, np.uint8)
    for code, least in (
        (SceneClass.LOW_PROBA_CLOUDS, cloud > np.float32(thresholds.t_cloud_lp)),
        (SceneClass.MEDIUM_PROBA_CLOUDS, cloud >= np.float32(thresholds.t_cloud_mp)),
        (SceneClass.HIGH_PROBA_CLOUDS, cloud >= np.float32(thresholds.t_cloud_hp)),
    ):
        np.putmask(classes, least, code)
    return classes
