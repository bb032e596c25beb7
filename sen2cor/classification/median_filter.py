"""Median filter of the class map (``Median_Filter`` of the processing parameters)."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from sen2cor.classification.scene_class import SceneClass
from sen2cor.raster.array_types import UInt8Array


def median_filter(scene_class: UInt8Array, window: int) -> UInt8Array:
    """Replace each class code by the median of its window; the image is mirrored at its edges.

    No data stay where they are, and do not spread.

    Parameters
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`.
    window : int
        Side of the window in pixels; 0 and 1 change nothing.

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
    """
    if window < 2:
        return scene_class.copy()
    filtered: UInt8Array = ndimage.median_filter(scene_class, size=window, mode="reflect")
    no_data = int(SceneClass.NO_DATA)
    keep = (scene_class == no_data) | (filtered == no_data)
    np.copyto(filtered, scene_class, where=keep)
    return filtered
