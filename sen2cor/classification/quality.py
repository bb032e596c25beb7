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
        Pixels of each class, by its code; maps that are combined have one pixel size.
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
    def percentages(self) -> tuple[float, ...]:
        """Percentages by class code: of no data among all pixels, of the others among the valid."""
        no_data = _percentage(self.counts[SceneClass.NO_DATA], sum(self.counts))
        return (no_data, *(_percentage(count, self._valid) for count in self.counts[1:]))

    @property
    def cloud_coverage(self) -> float:
        """Percentage of medium and high probability clouds and thin cirrus among valid pixels."""
        return _percentage(sum(self.counts[code] for code in _CLOUDS), self._valid)

    @property
    def _valid(self) -> int:
        return sum(self.counts) - self.counts[SceneClass.NO_DATA]


def _percentage(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
