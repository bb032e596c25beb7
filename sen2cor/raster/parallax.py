"""Parallax: a cloud appears at another place in each band, since each looks in its own direction.

The bands of a detector observe a point of the ground one after the other, from other points of the
orbit; in odd and even detectors the order is reversed (ESA, Sentinel-2 User Handbook, 2015,
section 2.4). What is at a height above the ground is displaced by the height times the difference
of the horizontal components of the lines of sight. Within one detector this difference is nearly
constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array, Float64Array, UInt8Array


@dataclass(frozen=True)
class Parallax:
    """Displacement of what is above the ground from a reference band to another band.

    Attributes
    ----------
    detectors : ndarray of uint8, shape (rows, cols)
        Number of the detector that sees a pixel in the band; 0: none.
    per_height : mapping of int to tuple of float
        East and north component of the displacement in metres per metre of height, by detector;
        a detector that is not given displaces nothing.
    pixel_size : float
        Metres.
    """

    detectors: UInt8Array
    per_height: Mapping[int, tuple[float, float]]
    pixel_size: float

    def displacement(self, height: float, pixels: npt.NDArray[np.intp]) -> Float64Array:
        """Displacement at pixels.

        Parameters
        ----------
        height : float
            Above the ground, metres.
        pixels : ndarray of intp, shape (number,)
            Flat indices.

        Returns
        -------
        ndarray of float64, shape (2, number)
            Rows and columns from a pixel of the band to where the reference band shows the same
            cloud.
        """
        table = np.zeros((2, 256))
        for number in self.per_height:
            table[:, number] = self._rows_and_cols(number, height)
        displacement: Float64Array = table[:, self.detectors.ravel()[pixels]]
        return displacement

    def project(self, image: Float32Array, height: float) -> Float32Array:
        """Show what is at a height as the band sees it.

        Parameters
        ----------
        image : ndarray of float32, shape (rows, cols)
            As seen by the reference band; beyond its edge the nearest pixel counts.
        height : float
            Above the ground, metres.

        Returns
        -------
        ndarray of float32, same shape
            Interpolated bilinearly.
        """
        result = image.copy()
        for number in self.per_height:
            seen = self.detectors == number
            if seen.any():
                here = tuple(
                    slice(int(where[0]), int(where[-1]) + 1)
                    for where in (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
                )
                moved = _shift(image, here, self._rows_and_cols(number, height))
                np.copyto(result[here], moved, where=seen[here])
        return result

    def _rows_and_cols(self, number: int, height: float) -> tuple[float, float]:
        east, north = self.per_height[number]
        return -north * height / self.pixel_size, east * height / self.pixel_size


def _shift(
    image: Float32Array, part: tuple[slice, ...], shift: tuple[float, float]
) -> Float32Array:
    """Interpolate a part of an image at its pixels plus a constant shift."""
    indices, weights = [], []
    for within, move, size in zip(part, shift, image.shape, strict=True):
        whole = int(np.floor(move))
        first = np.arange(within.start, within.stop) + whole
        indices.append([np.clip(first + step, 0, size - 1) for step in (0, 1)])
        weights.append((np.float32(1.0 - (move - whole)), np.float32(move - whole)))
    upper, lower = (
        image[rows][:, indices[1][0]] * weights[1][0]
        + image[rows][:, indices[1][1]] * weights[1][1]
        for rows in indices[0]
    )
    moved: Float32Array = upper * weights[0][0] + lower * weights[0][1]
    return moved
