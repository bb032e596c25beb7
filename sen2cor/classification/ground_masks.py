"""Ground masks: which pixels of a coarser grid the retrieval of the atmosphere may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, auto

import numpy as np
from scipy.ndimage import maximum_filter

from sen2cor.classification.scene_class import SceneClass
from sen2cor.raster.array_types import BoolArray, UInt8Array

_CLOUD_MARGIN = 5
"""Coarse pixels around clouds and their shadows that are not aerosol reference pixels."""

_MIN_SNOW_FRACTION = 0.001
"""Of the valid pixels; with more snow, reference pixels may contain snow."""

_MAJORITY = 0.5
"""A coarse pixel is mostly of a class if more than this fraction of its pixels is."""


class _Role(IntFlag):
    """Role of a class in the retrieval; a class may have several roles, or none."""

    GAP = auto()
    CLOUDY = auto()
    LAND = auto()
    REFERENCE = auto()
    VEGETATION = auto()
    WATER = auto()
    SNOW = auto()


_ROLES_BY_CLASS = {
    SceneClass.NO_DATA: _Role.GAP,
    SceneClass.SATURATED_DEFECTIVE: _Role.GAP,
    # land or water: shaded slopes are dark, whatever covers them
    SceneClass.DARK_FEATURES: _Role(0),
    SceneClass.CLOUD_SHADOWS: _Role.CLOUDY,
    SceneClass.VEGETATION: _Role.LAND | _Role.REFERENCE | _Role.VEGETATION,
    SceneClass.BARE_SOILS: _Role.LAND | _Role.REFERENCE,
    SceneClass.WATER: _Role.WATER,
    SceneClass.LOW_PROBA_CLOUDS: _Role.LAND,
    SceneClass.MEDIUM_PROBA_CLOUDS: _Role.CLOUDY,
    SceneClass.HIGH_PROBA_CLOUDS: _Role.CLOUDY,
    # land or water: the ground is visible, and the cirrus correction uses it
    SceneClass.THIN_CIRRUS: _Role(0),
    SceneClass.SNOW_ICE: _Role.LAND | _Role.SNOW,
}
_ROLES = np.zeros(256, np.uint8)
_ROLES[list(_ROLES_BY_CLASS)] = list(_ROLES_BY_CLASS.values())


@dataclass(frozen=True)
class GroundMasks:
    """Masks of the pixels of a coarser grid (60 m in the processor), derived from the class map.

    Thin cirrus counts as ground but neither as land nor as water; reference pixels may be next to
    it.

    Attributes
    ----------
    clear_land : ndarray of bool, shape (rows, cols)
        All of it clear land: vegetation, soil, snow or unclassified.
    water : ndarray of bool, same shape
        Mostly water.
    ground : ndarray of bool, same shape
        No part of it cloud other than thin cirrus, cloud shadow, no data or defective.
    valid : ndarray of bool, same shape
        No part of it no data, saturated or defective.
    vegetation : ndarray of bool, same shape
        Mostly vegetation.
    reference : ndarray of bool, same shape
        Candidates for aerosol reference pixels: all of it vegetation or bare soil, and at a
        distance from clouds and their shadows.
    snow : ndarray of bool, same shape
        Some of it snow.
    """

    clear_land: BoolArray
    water: BoolArray
    ground: BoolArray
    valid: BoolArray
    vegetation: BoolArray
    reference: BoolArray
    snow: BoolArray

    @property
    def snowy(self) -> bool:
        """Whether the scene has so much snow that vegetation pixels may contain some."""
        return bool(self.snow.sum() > _MIN_SNOW_FRACTION * self.valid.sum())

    @classmethod
    def from_classes(cls, classes: UInt8Array, factor: int, shape: tuple[int, int]) -> GroundMasks:
        """Derive the masks from a class map.

        Parameters
        ----------
        classes : ndarray of uint8, shape (rows, cols)
        factor : int
            Pixels of the class map along one side of a pixel of the coarser grid; 1: same grid.
        shape : (int, int)
            Of the coarser grid.
        """
        missing = [size * factor - have for size, have in zip(shape, classes.shape, strict=True)]
        padded = np.pad(classes, [(0, max(0, number)) for number in missing], mode="edge")
        blocks = padded[: shape[0] * factor, : shape[1] * factor].reshape(
            shape[0], factor, shape[1], factor
        )
        roles = _ROLES[blocks]
        some = np.bitwise_or.reduce(np.bitwise_or.reduce(roles, axis=3), axis=1)
        whole = np.bitwise_and.reduce(np.bitwise_and.reduce(roles, axis=3), axis=1)

        def most(role: _Role) -> BoolArray:
            number = np.count_nonzero(roles & role, axis=(1, 3))
            return np.asarray(number > _MAJORITY * factor**2)

        cloudy = some & _Role.CLOUDY > 0
        valid = some & _Role.GAP == 0
        near_cloud = maximum_filter(cloudy, 2 * _CLOUD_MARGIN + 1, mode="nearest")
        return cls(
            clear_land=whole & _Role.LAND > 0,
            water=most(_Role.WATER),
            ground=valid & ~cloudy,
            valid=valid,
            vegetation=most(_Role.VEGETATION),
            reference=(whole & _Role.REFERENCE > 0) & ~near_cloud,
            snow=some & _Role.SNOW > 0,
        )
