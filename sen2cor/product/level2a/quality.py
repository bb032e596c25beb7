"""Shares of the scene classes in a tile and in a product of several tiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CLASS_COUNT = 12
_CLOUD_CLASSES = (8, 9, 10)


@dataclass(frozen=True)
class QualityPercentages:
    """Areas of the 12 scene classes, and the percentages that the metadata carry.

    Attributes
    ----------
    areas : tuple of 12 int
        Square metres of the classes 0..11; tiles classified at different resolutions can be added.
    """

    areas: tuple[int, ...] = (0,) * CLASS_COUNT

    @classmethod
    def of(cls, scene_class: npt.NDArray[Any], resolution: int) -> QualityPercentages:
        """Count the classes of a map.

        Parameters
        ----------
        scene_class : ndarray of uint8, shape (rows, cols)
            Class codes 0..11; 0 is no data.
        resolution : int
            Pixel size in metres.
        """
        counts = np.bincount(scene_class.ravel(), minlength=CLASS_COUNT)[:CLASS_COUNT]
        return cls(tuple(int(count) * resolution**2 for count in counts))

    @classmethod
    def combine(cls, tiles: Iterable[QualityPercentages]) -> QualityPercentages:
        """Add up tiles, each with the weight of its pixels."""
        rows = [tile.areas for tile in tiles]
        return cls(tuple(sum(column) for column in zip(*rows, strict=True))) if rows else cls()

    @property
    def percentages(self) -> tuple[float, ...]:
        """Percentages of the classes: no data of all pixels, the others of the valid ones.

        Rounded to the six decimals that are written.
        """
        total = sum(self.areas)
        valid = total - self.areas[0]
        no_data = round(100.0 * self.areas[0] / total, 6) if total else 0.0
        return (
            no_data,
            *(round(100.0 * area / valid, 6) if valid else 0.0 for area in self.areas[1:]),
        )

    @property
    def cloud_coverage(self) -> float:
        """Medium and high probability clouds and thin cirrus, percent of the valid pixels."""
        shares = self.percentages
        return min(100.0, round(sum(shares[code] for code in _CLOUD_CLASSES), 6))
