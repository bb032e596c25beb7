"""Quality mask (MSK_QA): what to exclude, from the class map with clouds and shadows dilated.

Clouds and shadows have soft edges, and clouds scatter radiance onto the ground next to them. Unlike
a class, a set of bits can describe several properties of a pixel.

Source: the user sets the distances; dilation of cloud masks is usual for Sentinel-2, see Baetens et
al. 2019, Remote Sensing 11, 433.
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np

from sen2cor.classification.morphology import dilate_euclidean
from sen2cor.classification.scene_class import SceneClass
from sen2cor.raster.array_types import BoolArray, UInt8Array, UInt16Array


class QualityBit(IntFlag):
    """Bits of the mask."""

    NO_DATA = 1
    SATURATED_DEFECTIVE = 2
    CLOUD = 4
    CLOUD_SHADOW = 8
    CIRRUS = 16
    SNOW = 32
    WATER = 64
    TOPOGRAPHIC_SHADOW = 128
    AOT_INTERPOLATED = 256


_CLASSES = {
    QualityBit.NO_DATA: (SceneClass.NO_DATA,),
    QualityBit.SATURATED_DEFECTIVE: (SceneClass.SATURATED_DEFECTIVE,),
    QualityBit.CLOUD: (SceneClass.MEDIUM_PROBA_CLOUDS, SceneClass.HIGH_PROBA_CLOUDS),
    QualityBit.CLOUD_SHADOW: (SceneClass.CLOUD_SHADOWS,),
    QualityBit.CIRRUS: (SceneClass.THIN_CIRRUS,),
    QualityBit.SNOW: (SceneClass.SNOW_ICE,),
    QualityBit.WATER: (SceneClass.WATER,),
}


def compute_quality_mask(
    scene_class: UInt8Array,
    pixel_size: float,
    *,
    cloud_dilation: float = 0.0,
    shadow_dilation: float = 0.0,
    topographic_shadow: BoolArray | None = None,
    aot_interpolated: BoolArray | None = None,
) -> UInt16Array:
    """Compute the mask.

    Parameters
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`.
    pixel_size, cloud_dilation, shadow_dilation : float
        Metres. Distances by which clouds and cirrus, and cloud shadows, are dilated.
    topographic_shadow, aot_interpolated : ndarray of bool, shape (rows, cols), optional
        Pixels in topographic shadow, and those with interpolated aerosol.

    Returns
    -------
    ndarray of uint16, shape (rows, cols)
        Sums of `QualityBit`; no-data pixels have no other bit.
    """
    distances = {
        QualityBit.CLOUD: cloud_dilation,
        QualityBit.CIRRUS: cloud_dilation,
        QualityBit.CLOUD_SHADOW: shadow_dilation,
    }
    mask = np.zeros(scene_class.shape, np.uint16)
    for bit, classes in _CLASSES.items():
        members = np.isin(scene_class, classes)
        _set(mask, dilate_euclidean(members, distances.get(bit, 0.0) / pixel_size), bit)
    for bit, members_or_none in (
        (QualityBit.TOPOGRAPHIC_SHADOW, topographic_shadow),
        (QualityBit.AOT_INTERPOLATED, aot_interpolated),
    ):
        if members_or_none is not None:
            _set(mask, members_or_none, bit)
    np.putmask(mask, scene_class == SceneClass.NO_DATA, QualityBit.NO_DATA)
    return mask


def _set(mask: UInt16Array, members: BoolArray, bit: QualityBit) -> None:
    np.bitwise_or(mask, np.uint16(bit), out=mask, where=members)
