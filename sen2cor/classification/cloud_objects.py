"""Cloud objects: the height at which the shadow of a cloud matches dark ground.

A cloud casts a shadow of its own shape, so each cloud is shifted to where its shadow would lie for
possible heights, and compared with the dark ground. At the height of the cloud, the shifted cloud
covers more dark ground than there is around. Clouds of one image form layers, so the heights that
the clouds of the image have in common count too, the more the smaller the cloud; they alone give
the height of a cloud whose shadow cannot be seen. Water is dark in the infrared with and without
sun and tells nothing, nor does ground below other clouds.

Large clouds are cut into cells, since their parts may differ in height. Bright objects as narrow as
beaches, surf, roads and roofs that do not show in B10 are clouds only if they match dark ground at
a height that is common in the image: a small object matches some dark ground at some height by
chance.

Source: Zhu and Woodcock 2012, Remote Sensing of Environment 118, 83-94, and Qiu, Zhu and He 2019,
Remote Sensing of Environment 231, 111205 (Fmask): match of cloud objects with dark ground, and
heights of neighbouring clouds; here the similarity is relative to the surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sen2cor.classification.pixel_runs import PixelRuns, Shift, accumulate
from sen2cor.classification.shadow_offset import ShadowOffset
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import block_fraction, repeat_rows

_CELL = 3000.0
"""Metres: larger clouds are cut into cells."""
_SURROUNDINGS, _NEAR_SURROUNDINGS = 5000.0, 1500.0
"""Metres: windows of the surroundings that dark ground below wide and narrow objects is compared
with."""
_WINDOW_STEP = 3
"""Pixels: blocks of the grid on which these windows are averaged."""
_NARROW = 250.0
"""Metres: beaches, surf, roads and most roofs are narrower."""
_MAX_LOW_HEIGHT = 6000.0
"""Metres above ground: higher clouds are above nearly all water vapour and show in B10 (Gao, Goetz
and Wiscombe 1993)."""

_MIN_CONTRAST = 0.15
"""Dark fraction of the ground below the shifted cloud, minus that of the surroundings."""
_NEAR_BEST = 0.7
"""Heights with more than this fraction of the best score are possible too."""
_MIN_SCORE = 0.05
"""Clouds without a higher score may have any height."""
_MIN_VISIBLE = 0.25
"""Fraction of the shifted cloud that must lie on visible ground."""
_MIN_COMMON = 0.25
"""Mean contrast of all clouds at a height that is common in the image. Chance gives 0.18 on a coast
without cloud (T18SVG), the shadows of a sky with many clouds 0.5 (cloud reference)."""
_NEAR_COMMON = 0.3
"""Other heights with more than this fraction of the greatest mean contrast are common too."""

_SMALL = 70000.0
"""Square metres: a cloud of this visible shadow counts half by its own contrast."""
_COMMON_WEIGHT = 2.0
"""Weight of the mean contrast of all clouds relative to the contrast of one."""
_UNSEEN = 0.25
"""Fraction of all clouds by whose shadow a height must be seen to keep half of its mean
contrast."""
_LIKELY_STEPS = 1
"""Steps of height above and below the best one at which the shadow of a cloud is likely."""


@dataclass(frozen=True)
class CloudObjects:
    """Clouds of an image, and the possible heights of each.

    Attributes
    ----------
    runs : PixelRuns
        Pixels of the clouds. A piece is a cloud, or a cell of a large one.
    possible : ndarray of bool, shape (pieces, heights)
        Whether a cloud may have a height.
    likely : ndarray of bool, shape (pieces, heights)
        Whether it is the height that matches best.
    confirmed : ndarray of bool, shape (pieces,)
        Whether it is a cloud: by its width, by B10, or by dark ground at a height at which other
        clouds of the image match dark ground too.
    common : ndarray of bool, shape (heights,)
        Heights at which the clouds of the image as a whole match dark ground.
    shifts : list of (ndarray, ndarray) of int32, shape (pieces,)
        Rows and columns by which the shadow of each height is shifted.
    """

    runs: PixelRuns
    possible: BoolArray
    likely: BoolArray
    confirmed: BoolArray
    common: BoolArray
    shifts: list[Shift]

    @classmethod
    def match(
        cls,
        clouds: BoolArray,
        high: BoolArray | None,
        dark: BoolArray,
        visible: BoolArray,
        offset: ShadowOffset,
    ) -> CloudObjects:
        """Match the clouds of an image with its dark ground.

        Parameters
        ----------
        clouds : ndarray of bool, shape (rows, cols)
        high : ndarray of bool, same shape, or None
            Clouds that show in B10; None: not known.
        dark : ndarray of bool, same shape
            Ground as dark as a shadow.
        visible : ndarray of bool, same shape
            Ground that would show a shadow: neither cloud, water nor no data.
        offset : ShadowOffset
            With the pixel size of the image.
        """
        pixel_size = offset.sun.pixel_size
        runs = PixelRuns.find(clouds, max(2, round(_CELL / pixel_size)))
        wide = _find_wide(clouds, max(1, round(_NARROW / pixel_size)))
        cirrus = np.zeros_like(clouds) if high is None else clouds & high
        size, core, top = runs.sum_pieces(accumulate(clouds, wide, cirrus)).T
        sure = (core > 0) | (top > 0)
        heights = offset.heights()
        shifts = _compute_shifts(runs, heights, offset)
        ground = _accumulate_ground(dark & visible, visible, pixel_size)
        contrast, seen = _compare(runs, size, sure, ground, shifts)
        reachable = np.ones(contrast.shape, np.bool_)
        if high is not None:
            reachable = np.logical_or.outer(top > 0, heights <= _MAX_LOW_HEIGHT)
        contrast[~reachable], seen[~reachable] = -1.0, 0.0
        score = _score_heights(contrast, seen, size.sum(), pixel_size)
        score[~reachable] = -1.0
        common = _find_common_heights(contrast, seen)
        best = np.where(common, contrast, -1.0).max(axis=1, initial=-1.0)
        confirmed = sure | (best >= _MIN_CONTRAST)
        likely = _find_best_heights(score) & confirmed[:, None]
        best = score.max(axis=1, initial=-1.0, keepdims=True)
        possible = (score >= np.maximum(_NEAR_BEST * best, _MIN_SCORE)) & confirmed[:, None]
        possible[confirmed & ~possible.any(axis=1)] = True
        possible &= reachable
        return cls(runs, possible | likely, likely, confirmed, common, shifts)

    def project(self, heights: BoolArray) -> BoolArray:
        """Pixels on which clouds cast their shadow.

        Parameters
        ----------
        heights : ndarray of bool, shape (pieces, heights)
            Heights of each cloud.

        Returns
        -------
        ndarray of bool, shape (rows, cols)
        """
        return self.runs.paint(zip(self.shifts, heights.T, strict=True))

    def project_from_beyond(self, offset: ShadowOffset) -> BoolArray:
        """Pixels that may lie in the shadow of a cloud beyond the edges, at a common height.

        Parameters
        ----------
        offset : ShadowOffset

        Returns
        -------
        ndarray of bool, shape (rows, cols)
        """
        shadow = np.zeros(self.runs.shape, np.bool_)
        middle = [np.array([size // 2]) for size in shadow.shape]
        slopes = [slope.item() for slope in offset.per_metre(*middle)]
        for height in offset.heights()[self.common]:
            for axis, slope in enumerate(slopes):
                by = round(float(height) * slope)
                edge = slice(0, by) if by > 0 else slice(min(by, 0), None if by else 0)
                np.moveaxis(shadow, axis, 0)[edge] = True
        return shadow

    def find_unconfirmed(self) -> BoolArray:
        """Pixels of narrow bright objects without a shadow; bool, shape (rows, cols)."""
        return self.runs.paint([(self.runs.unshifted(), ~self.confirmed)])


def _compute_shifts(runs: PixelRuns, heights: Float32Array, offset: ShadowOffset) -> list[Shift]:
    """Rows and columns from each piece to its shadow, by height."""
    down, right = offset.per_metre(runs.row[runs.first], runs.start[runs.first])
    return [
        (np.rint(height * down).astype(np.int32), np.rint(height * right).astype(np.int32))
        for height in heights
    ]


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


def _compute_mean_contrast(
    contrast: Float32Array, seen: Float32Array, unseen: float = 0.0
) -> Float32Array:
    """Mean contrast of the clouds of an image by height, over three heights.

    A single bright object matches some dark ground at some height by chance; all together do so
    only if they are clouds.
    """
    total = np.sum(contrast * seen, axis=0, where=seen > 0)
    number = ndimage.uniform_filter1d(seen.sum(axis=0), 3)
    mean: Float32Array = ndimage.uniform_filter1d(total, 3) / np.maximum(number + unseen, 1.0)
    return mean


def _find_common_heights(contrast: Float32Array, seen: Float32Array) -> BoolArray:
    """Heights at which the clouds of the image as a whole match dark ground."""
    mean = _compute_mean_contrast(contrast, seen)
    common: BoolArray = mean >= max(_MIN_COMMON, _NEAR_COMMON * mean.max(initial=0.0))
    return common


def _score_heights(
    contrast: Float32Array, seen: Float32Array, cloud_pixels: float, pixel_size: float
) -> Float32Array:
    """How well a height suits a piece and all clouds of the image."""
    mean = _compute_mean_contrast(contrast, seen, _UNSEEN * cloud_pixels)
    own = contrast * (seen / (seen + np.float32(_SMALL / pixel_size**2)))
    own += np.float32(_COMMON_WEIGHT) * mean
    return own


def _find_best_heights(score: Float32Array) -> BoolArray:
    """Height of the highest score of each piece, and the next ones."""
    likely = np.zeros(score.shape, np.bool_)
    if not score.size:
        return likely
    best = np.argmax(score, axis=1)
    for step in range(-_LIKELY_STEPS, _LIKELY_STEPS + 1):
        height = np.clip(best + step, 0, score.shape[1] - 1)
        likely[np.arange(len(likely)), height] = True
    return likely


def _accumulate_ground(dark: BoolArray, visible: BoolArray, pixel_size: float) -> Float32Array:
    """Cumulative sums of visible ground, dark ground, and its fraction in two windows."""
    around = (
        _compute_dark_fraction(dark, visible, max(3, round(window / (_WINDOW_STEP * pixel_size))))
        for window in (_SURROUNDINGS, _NEAR_SURROUNDINGS)
    )
    return accumulate(visible, dark, *around)


def _compare(
    runs: PixelRuns, size: Float32Array, sure: BoolArray, ground: Float32Array, shifts: list[Shift]
) -> tuple[Float32Array, Float32Array]:
    """Dark fraction of the visible ground below each piece at each height minus that of the
    surroundings, and pixels of visible ground; -1 and 0 where too little ground is visible.
    """
    contrast = np.full((len(sure), len(shifts)), -1.0, np.float32)
    visible_pixels = np.zeros_like(contrast)
    for height, shift in enumerate(shifts):
        seen, found, wide, narrow = runs.sum_pieces(ground, shift).T
        enough = seen > _MIN_VISIBLE * size
        expected = np.where(sure, wide, narrow)
        visible_pixels[enough, height] = seen[enough]
        contrast[enough, height] = ((found - expected) / np.maximum(seen, 1))[enough]
    return contrast, visible_pixels


def _compute_dark_fraction(dark: BoolArray, visible: BoolArray, window: int) -> Float32Array:
    """Dark fraction of the visible ground in a window around each visible pixel; 0 elsewhere."""
    ground, around = (
        ndimage.uniform_filter(block_fraction(mask, _WINDOW_STEP), window, mode="constant")
        for mask in (visible, dark)
    )
    around /= np.maximum(ground, np.float32(1e-6))
    rows, cols = dark.shape
    fraction = repeat_rows(around, _WINDOW_STEP, slice(0, rows), cols)
    return np.multiply(fraction, visible, out=fraction)
