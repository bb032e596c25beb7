"""What the class map says of coarser pixels: which ones the retrieval of the atmosphere may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, auto

import numpy as np
from scipy.ndimage import maximum_filter

from sen2cor.classification.scene_class import SceneClass
from sen2cor.raster.array_types import BoolArray, UInt8Array

_CLOUD_MARGIN = 5
"""Pixels about clouds and their shadows that are no reference for the aerosol."""

_SNOW_SHARE = 0.001
"""Of the valid pixels, from which on reference pixels are searched for snow."""


class _Mark(IntFlag):
    """What a class is to the retrieval; a class may bear several marks, or none."""

    GAP = auto()
    CLOUDY = auto()
    LAND = auto()
    REFERENCE = auto()
    VEGETATION = auto()
    WATER = auto()
    SNOW = auto()


_MARKS_OF = {
    SceneClass.NO_DATA: _Mark.GAP,
    SceneClass.SATURATED_DEFECTIVE: _Mark.GAP,
    # ground whose cover is not known: slopes in the shade are dark, be they land or water
    SceneClass.DARK_FEATURES: _Mark(0),
    SceneClass.CLOUD_SHADOWS: _Mark.CLOUDY,
    SceneClass.VEGETATION: _Mark.LAND | _Mark.REFERENCE | _Mark.VEGETATION,
    SceneClass.BARE_SOILS: _Mark.LAND | _Mark.REFERENCE,
    SceneClass.WATER: _Mark.WATER,
    SceneClass.LOW_PROBA_CLOUDS: _Mark.LAND,
    SceneClass.MEDIUM_PROBA_CLOUDS: _Mark.CLOUDY,
    SceneClass.HIGH_PROBA_CLOUDS: _Mark.CLOUDY,
    # likewise: the ground shows through, and the correction of cirrus looks for it
    SceneClass.THIN_CIRRUS: _Mark(0),
    SceneClass.SNOW_ICE: _Mark.LAND | _Mark.SNOW,
}
_MARKS = np.zeros(256, np.uint8)
_MARKS[list(_MARKS_OF)] = list(_MARKS_OF.values())


@dataclass(frozen=True)
class GroundMasks:
    """What the class map says of the pixels of a coarser grid, of 60 m in the processor.

    Thin cirrus counts as ground, without being land or water; reference pixels
    keep no distance from it.

    Attributes
    ----------
    clear_land : ndarray of bool, shape (rows, cols)
        Wholly clear land: vegetation, soil, snow, or not classified.
    water : ndarray of bool, same shape
        Mostly water.
    ground : ndarray of bool, same shape
        No part of it a cloud other than thin cirrus, cloud shadow or gap.
    valid : ndarray of bool, same shape
        No part of it a gap.
    vegetation : ndarray of bool, same shape
        Mostly vegetation.
    reference : ndarray of bool, same shape
        May serve as reference for the aerosol: wholly vegetation or bare soil, and some way from
        clouds and their shadows.
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
        """Whether so much snow lies in the scene that vegetation may have some in it."""
        return bool(self.snow.sum() > _SNOW_SHARE * self.valid.sum())

    @classmethod
    def from_classes(cls, classes: UInt8Array, factor: int, shape: tuple[int, int]) -> GroundMasks:
        """Summarise a class map.

        Parameters
        ----------
        classes : ndarray of uint8, shape (rows, cols)
        factor : int
            Its pixels along one side of a pixel of the coarser grid; 1 where both are the same.
        shape : (int, int)
            Of the coarser grid.
        """
        missing = [size * factor - have for size, have in zip(shape, classes.shape, strict=True)]
        padded = np.pad(classes, [(0, max(0, number)) for number in missing], mode="edge")
        blocks = padded[: shape[0] * factor, : shape[1] * factor].reshape(
            shape[0], factor, shape[1], factor
        )
        marks = _MARKS[blocks]
        some = np.bitwise_or.reduce(np.bitwise_or.reduce(marks, axis=3), axis=1)
        whole = np.bitwise_and.reduce(np.bitwise_and.reduce(marks, axis=3), axis=1)

        def most(mark: _Mark) -> BoolArray:
            number = np.count_nonzero(marks & mark, axis=(1, 3))
            return np.asarray(number > 0.5 * factor**2)

        cloudy = some & _Mark.CLOUDY > 0
        valid = some & _Mark.GAP == 0
        near_cloud = maximum_filter(cloudy, 2 * _CLOUD_MARGIN + 1, mode="nearest")
        return cls(
            clear_land=whole & _Mark.LAND > 0,
            water=most(_Mark.WATER),
            ground=valid & ~cloudy,
            valid=valid,
            vegetation=most(_Mark.VEGETATION),
            reference=(whole & _Mark.REFERENCE > 0) & ~near_cloud,
            snow=some & _Mark.SNOW > 0,
        )
