"""Shares of the classes in a class map, and in several together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sen2cor.classification.arrays import UInt8Array
from sen2cor.classification.scene_class import SceneClass

_CLOUDS = (
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)


@dataclass(frozen=True)
class ClassPercentages:
    """Percentages of the classes of one or more maps.

    Attributes
    ----------
    counts : tuple of int
        Pixels of each class, by its code. Maps of several resolutions need weights before they can
        be combined; maps of one resolution do not.
    """

    counts: tuple[int, ...] = (0,) * len(SceneClass)

    @classmethod
    def of(cls, scene_class: UInt8Array) -> ClassPercentages:
        """Count the classes of a map.

        Parameters
        ----------
        scene_class : ndarray of uint8
            Codes of `SceneClass`.

        Raises
        ------
        ValueError
            A code is not one of `SceneClass`.
        """
        counts = np.bincount(scene_class.ravel(), minlength=len(SceneClass))
        if len(counts) > len(SceneClass):
            raise ValueError(f"{len(counts) - 1} is not a class code")
        return cls(tuple(int(count) for count in counts))

    @classmethod
    def combine(cls, parts: Iterable[ClassPercentages]) -> ClassPercentages:
        """Put maps together, each with the weight of its pixels."""
        return cls(
            tuple(map(sum, zip(cls().counts, *(part.counts for part in parts), strict=True)))
        )

    @property
    def valid(self) -> int:
        """Pixels with data."""
        return sum(self.counts) - self.counts[SceneClass.NO_DATA]

    @property
    def no_data(self) -> float:
        """Percentage of no data among all pixels; 0 if there are none."""
        return _percentage(self.counts[SceneClass.NO_DATA], sum(self.counts))

    @property
    def cloud_coverage(self) -> float:
        """Percentage of medium and high probability clouds and thin cirrus among valid pixels."""
        return _percentage(sum(self.counts[code] for code in _CLOUDS), self.valid)

    def __getitem__(self, code: SceneClass) -> float:
        """Percentage of a class: of no data among all pixels, of the others among the valid."""
        if code == SceneClass.NO_DATA:
            return self.no_data
        return _percentage(self.counts[code], self.valid)


def _percentage(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
