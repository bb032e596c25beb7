"""Cloud objects: the height at which the shadow of a cloud matches dark ground.

A cloud casts a shadow of its own shape, so each cloud is shifted away from the sun by the
distances that belong to possible heights, and compared with the dark ground. At the height of the
cloud, the shifted cloud covers more dark ground than there is around. Where it covers no dark
ground at any height, or all the ground around is as dark, nothing shows that it is a cloud. Water
is dark in the infrared with and without sun and tells nothing, nor does ground below other clouds.

Large clouds are cut into cells, since their parts may differ in height. Bright objects as narrow as
beaches, surf, roads and roofs that do not show in B10 are clouds only if they match dark ground at
a height that is common in the image. A small object matches some dark ground at some height by
chance; clouds of one image form layers.

Source: Zhu and Woodcock 2012, Remote Sensing of Environment 118, 83-94, and Qiu, Zhu and He 2019,
Remote Sensing of Environment 231, 111205 (Fmask): match of cloud objects with dark ground, and its
minimum similarity; here the similarity is relative to the surroundings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sen2cor.classification.pixel_runs import PixelRuns, accumulate
from sen2cor.classification.scene import SunGeometry
from sen2cor.raster.array_types import BoolArray, Float32Array

MIN_HEIGHT, MAX_HEIGHT = 200.0, 12000.0
"""Metres above ground: range of cloud bases (Zhu and Woodcock 2012)."""
_HEIGHT_STEP = 100.0
"""Metres: difference of the heights that are compared."""
_MAX_SPACING = 3.0
"""Pixels: greatest distance of the shadows of two such heights."""

_CELL = 3000.0
"""Metres: larger clouds are cut into cells."""
_SURROUNDINGS, _NEAR_SURROUNDINGS = 5000.0, 1500.0
"""Metres: windows of the surroundings that dark ground below wide and narrow objects is compared
with."""
_NARROW = 250.0
"""Metres: beaches, surf, roads and most roofs are narrower."""

_MIN_SIMILARITY = 0.3
"""Dark fraction of the ground below the shifted cloud (Zhu and Woodcock 2012)."""
_MIN_CONTRAST = 0.15
"""That fraction minus the dark fraction of the surroundings."""
_NEAR_BEST = 0.5
"""Heights with more than this fraction of the best contrast are possible too."""
_MIN_VISIBLE = 0.25
"""Fraction of the shifted cloud that must lie on visible ground."""
_MIN_COMMON = 0.25
"""Mean contrast of all clouds at a height that is common in the image. Chance gives 0.18 on a coast
without cloud (T18SVG), the shadows of a sky with many clouds 0.5 (cloud reference)."""
_NEAR_COMMON = 0.3
"""Other heights with more than this fraction of the greatest mean contrast are common too."""


@dataclass(frozen=True)
class CloudObjects:
    """Clouds of an image, and the possible heights of each.

    Attributes
    ----------
    runs : PixelRuns
        Pixels of the clouds. A piece is a cloud, or a cell of a large one.
    possible : ndarray of bool, shape (pieces, heights)
        Whether a cloud may have a height.
    confirmed : ndarray of bool, shape (pieces,)
        Whether it is a cloud: by its width, by B10, or by dark ground at a height at which other
        clouds of the image match dark ground too.
    common : ndarray of bool, shape (heights,)
        Heights at which the clouds of the image as a whole match dark ground.
    shifts : list of (int, int)
        Rows and columns by which the shadow of each height is shifted.
    """

    runs: PixelRuns
    possible: BoolArray
    confirmed: BoolArray
    common: BoolArray
    shifts: list[tuple[int, int]]

    @classmethod
    def match(
        cls,
        clouds: BoolArray,
        high: BoolArray,
        dark: BoolArray,
        visible: BoolArray,
        sun: SunGeometry,
    ) -> CloudObjects:
        """Match the clouds of an image with its dark ground.

        Parameters
        ----------
        clouds, high : ndarray of bool, shape (rows, cols)
            All clouds, and those that show in B10.
        dark : ndarray of bool, shape (rows, cols)
            Ground as dark as a shadow.
        visible : ndarray of bool, shape (rows, cols)
            Ground that would show a shadow: neither cloud, water nor no data.
        sun : SunGeometry
            With the pixel size of the image.
        """
        runs = PixelRuns.find(clouds, max(2, round(_CELL / sun.pixel_size)))
        wide = _find_wide(clouds, max(1, round(_NARROW / sun.pixel_size)))
        sure = runs.sum_pieces(accumulate(wide | (high & clouds)))[:, 0] > 0
        shifts = list(compute_height_shifts(sun))
        similarity, contrast, seen = _compare(runs, sure, dark & visible, visible, shifts, sun)
        common = _find_common_heights(contrast, seen, _MIN_COMMON)
        contrast[~sure] = np.where(common, contrast[~sure], -1.0)
        best = contrast.max(axis=1, initial=-1.0)
        matched = best >= _MIN_CONTRAST
        possible = (contrast >= _NEAR_BEST * best[:, None]) & (similarity >= _MIN_SIMILARITY)
        possible &= matched[:, None]
        confirmed = matched | sure
        possible[confirmed] |= _find_common_heights(contrast[sure], seen[sure], _MIN_CONTRAST)
        possible[confirmed & ~possible.any(axis=1)] = True
        return cls(runs, possible, confirmed, common, shifts)

    def project(self, *, beyond_edges: bool = False) -> BoolArray:
        """Pixels on which a cloud of a possible height casts its shadow.

        Parameters
        ----------
        beyond_edges : bool
            Whether there may be clouds at the common heights anywhere beyond the edges. Otherwise
            the sky beyond is clear.

        Returns
        -------
        ndarray of bool, shape (rows, cols)
        """
        shadow = self.runs.paint(zip(self.shifts, self.possible.T, strict=True))
        if beyond_edges:
            for height in np.flatnonzero(self.common):
                for axis, by in enumerate(self.shifts[height]):
                    edge = slice(0, by) if by > 0 else slice(min(by, 0), None if by else 0)
                    np.moveaxis(shadow, axis, 0)[edge] = True
        return shadow

    def find_unconfirmed(self) -> BoolArray:
        """Pixels of narrow bright objects without a shadow; bool, shape (rows, cols)."""
        return self.runs.paint([((0, 0), ~self.confirmed)])


def compute_height_shifts(sun: SunGeometry) -> Iterator[tuple[int, int]]:
    """Rows and columns by which the shadow of each height is shifted.

    Parameters
    ----------
    sun : SunGeometry
        Heights that differ by less than a pixel of shadow are not compared.

    Yields
    ------
    (int, int)
        Positive down and to the right.
    """
    azimuth, slope = math.radians(sun.azimuth), math.tan(math.radians(sun.zenith))
    pixel = sun.pixel_size / max(slope, 1e-3)
    step = max(pixel, min(_HEIGHT_STEP, _MAX_SPACING * pixel))
    for number in range(int((MAX_HEIGHT - MIN_HEIGHT) / step) + 1):
        length = (MIN_HEIGHT + number * step) * slope / sun.pixel_size
        yield round(length * math.cos(azimuth)), round(-length * math.sin(azimuth))


def _find_wide(clouds: BoolArray, width: int) -> BoolArray:
    """Upper left corners of the squares of a width that clouds fill; the edges are repeated."""
    wide = np.pad(clouds, (0, width - 1), mode="edge")
    for axis in (0, 1):
        corners = np.moveaxis(wide, axis, 0)
        size = len(corners) - width + 1
        filled = corners[:size].copy()
        for step in range(1, width):
            filled &= corners[step : step + size]
        wide = np.moveaxis(filled, 0, axis)
    return wide


def _find_common_heights(contrast: Float32Array, seen: Float32Array, minimum: float) -> BoolArray:
    """Heights at which the clouds of the image as a whole match dark ground.

    A single bright object matches some dark ground at some height by chance; all together do so
    only if they are clouds.
    """
    total = np.sum(contrast * seen, axis=0, where=seen > 0)
    mean = ndimage.uniform_filter1d(total, 3) / np.maximum(
        ndimage.uniform_filter1d(seen.sum(axis=0), 3), 1.0
    )
    common: BoolArray = mean >= max(minimum, _NEAR_COMMON * mean.max(initial=0.0))
    return common


def _compare(
    runs: PixelRuns,
    sure: BoolArray,
    dark: BoolArray,
    visible: BoolArray,
    shifts: list[tuple[int, int]],
    sun: SunGeometry,
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Dark fraction of the visible ground below each piece at each height, its contrast with the
    surroundings, and pixels of visible ground; -1, -1 and 0 where too little ground is visible.
    """
    around = (
        _compute_dark_fraction(dark, visible, max(3, round(window / sun.pixel_size)))
        for window in (_SURROUNDINGS, _NEAR_SURROUNDINGS)
    )
    ground = accumulate(visible, dark, *around)
    size = runs.sum_pieces(accumulate(np.ones_like(dark)))[:, 0]
    similarity = np.full((len(sure), len(shifts)), -1.0, np.float32)
    contrast, visible_pixels = similarity.copy(), np.zeros_like(similarity)
    for height, shift in enumerate(shifts):
        seen, found, wide, narrow = runs.sum_pieces(ground, shift).T
        enough = seen > _MIN_VISIBLE * size
        expected = np.where(sure, wide, narrow)
        visible_pixels[enough, height] = seen[enough]
        similarity[enough, height] = (found / np.maximum(seen, 1))[enough]
        contrast[enough, height] = ((found - expected) / np.maximum(seen, 1))[enough]
    return similarity, contrast, visible_pixels


def _compute_dark_fraction(dark: BoolArray, visible: BoolArray, window: int) -> Float32Array:
    """Dark fraction of the visible ground in a window around each visible pixel; 0 elsewhere."""
    ground, around = (
        ndimage.uniform_filter(mask.astype(np.float32), window, mode="constant")
        for mask in (visible, dark)
    )
    around /= np.maximum(ground, np.float32(1e-6))
    fraction: Float32Array = np.multiply(around, visible, out=around)
    return fraction
