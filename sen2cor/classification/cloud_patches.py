"""Clouds as patches: single bright pixels are none, and the rims of clouds belong to them.

Roofs, gravel and the like are as bright as clouds, but mostly smaller; the rim of a cloud is as
thin as haze, but lies beside it.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.neighbourhood import dilate, majority
from sen2cor.classification.scene_class import SceneClass
from sen2cor.raster.array_types import UInt8Array


def cloud_patches(classes: UInt8Array, cloud: UInt8Array, least: float) -> UInt8Array:
    """Sort clouds by whether their neighbours are clouds.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    cloud : ndarray of uint8, shape (rows, cols)
        Cloud probability, percent.
    least : float
        Least probability, 0..1, of the rim of a cloud.

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
        Clouds of medium and high probability that do not touch a patch of them get low
        probability, those of low probability that touch one get medium.
    """
    clouds = classes == SceneClass.MEDIUM_PROBA_CLOUDS
    clouds |= classes == SceneClass.HIGH_PROBA_CLOUDS
    patches = dilate(majority(clouds), 1)
    rim = patches & (classes == SceneClass.LOW_PROBA_CLOUDS)
    rim &= cloud >= np.float32(100 * least)
    sorted_ = classes.copy()
    np.putmask(sorted_, clouds & ~patches, SceneClass.LOW_PROBA_CLOUDS)
    np.putmask(sorted_, rim, SceneClass.MEDIUM_PROBA_CLOUDS)
    return sorted_
