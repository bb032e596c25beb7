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
import numpy.typing as npt
from scipy import ndimage

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
    pixels : ndarray of int64, shape (n,)
        Cloud pixels: indices into the flattened image.
    piece : ndarray of int32, shape (n,)
        Cloud, or cell of a large cloud, of each pixel.
    possible : ndarray of bool, shape (pieces, heights)
        Whether a cloud may have a height.
    confirmed : ndarray of bool, shape (pieces,)
        Whether it is a cloud: by its width, by B10, or by dark ground at a height at which other
        clouds of the image match dark ground too.
    common : ndarray of bool, shape (heights,)
        Heights at which the clouds of the image as a whole match dark ground.
    shifts : list of (int, int)
        Rows and columns by which the shadow of each height is shifted.
    shape : (int, int)
        Of the image.
    """

    pixels: npt.NDArray[np.int64]
    piece: npt.NDArray[np.int32]
    possible: BoolArray
    confirmed: BoolArray
    common: BoolArray
    shifts: list[tuple[int, int]]
    shape: tuple[int, int]

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
        pixels, piece, wide = _cut_into_pieces(clouds, sun.pixel_size)
        pieces = int(piece.max()) + 1 if piece.size else 0
        sure = np.bincount(piece, (wide | high).ravel()[pixels], pieces) > 0
        shifts = list(compute_height_shifts(sun))
        similarity, contrast, seen = _compare(pixels, piece, sure, dark, visible, shifts, sun)
        common = _find_common_heights(contrast, seen, _MIN_COMMON)
        contrast[~sure] = np.where(common, contrast[~sure], -1.0)
        best = contrast.max(axis=1, initial=-1.0)
        matched = best >= _MIN_CONTRAST
        possible = (contrast >= _NEAR_BEST * best[:, None]) & (similarity >= _MIN_SIMILARITY)
        possible &= matched[:, None]
        confirmed = matched | sure
        possible[confirmed] |= _find_common_heights(contrast[sure], seen[sure], _MIN_CONTRAST)
        possible[confirmed & ~possible.any(axis=1)] = True
        return cls(pixels, piece, possible, confirmed, common, shifts, _shape_of(clouds))

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
        shadow = np.zeros(self.shape, np.bool_)
        row, col = np.divmod(self.pixels, self.shape[1])
        for height, shift in enumerate(self.shifts):
            chosen = self.possible[self.piece, height]
            if chosen.any():
                index, inside = _shifted(row[chosen], col[chosen], shift, self.shape)
                shadow.ravel()[index[inside]] = True
            if beyond_edges and self.common[height]:
                for axis, by in enumerate(shift):
                    edge = slice(0, by) if by > 0 else slice(min(by, 0), None if by else 0)
                    np.moveaxis(shadow, axis, 0)[edge] = True
        return shadow

    def find_unconfirmed(self) -> BoolArray:
        """Pixels of narrow bright objects without a shadow; bool, shape (rows, cols)."""
        return self._paint(~self.confirmed)

    def _paint(self, pieces: BoolArray) -> BoolArray:
        painted = np.zeros(self.shape, np.bool_)
        painted.ravel()[self.pixels[pieces[self.piece]]] = True
        return painted


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


def _cut_into_pieces(
    clouds: BoolArray, pixel_size: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], BoolArray]:
    """Pixels of the clouds, the piece of each, and the wide parts of the clouds."""
    labels, _ = ndimage.label(clouds, np.ones((3, 3)))
    pixels = np.flatnonzero(clouds)
    cell = max(2, round(_CELL / pixel_size))
    row, col = np.divmod(pixels, clouds.shape[1])
    cells = (row // cell) * (clouds.shape[1] // cell + 1) + col // cell
    key = labels.ravel()[pixels] * (int(cells.max(initial=0)) + 1) + cells
    piece = np.unique(key, return_inverse=True)[1].astype(np.int32)
    width = max(1, round(_NARROW / pixel_size))
    core = ndimage.minimum_filter(clouds.view(np.uint8), width, mode="nearest")
    return pixels, piece, core > 0


def _find_common_heights(
    contrast: npt.NDArray[np.float64], seen: npt.NDArray[np.int64], minimum: float
) -> BoolArray:
    """Heights at which the clouds of the image as a whole match dark ground.

    A single bright object matches some dark ground at some height by chance; all together do so
    only if they are clouds.
    """
    total = np.sum(contrast * seen, axis=0, where=seen > 0)
    mean = ndimage.uniform_filter1d(total, 3) / np.maximum(
        ndimage.uniform_filter1d(seen.sum(axis=0).astype(np.float64), 3), 1.0
    )
    common: BoolArray = mean >= max(minimum, _NEAR_COMMON * mean.max(initial=0.0))
    return common


def _compare(
    pixels: npt.NDArray[np.int64],
    piece: npt.NDArray[np.int32],
    sure: BoolArray,
    dark: BoolArray,
    visible: BoolArray,
    shifts: list[tuple[int, int]],
    sun: SunGeometry,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Dark fraction of the visible ground below each piece at each height, its contrast with the
    surroundings, and pixels of visible ground; -1, -1 and 0 where too little ground is visible.
    """
    shape = _shape_of(dark)
    weight = visible.astype(np.float32)
    dark, flat_visible, pieces = dark & visible, visible.ravel(), len(sure)
    around_wide, around_narrow = (
        _compute_dark_fraction(dark, weight, max(3, round(window / sun.pixel_size))).ravel()
        for window in (_SURROUNDINGS, _NEAR_SURROUNDINGS)
    )
    flat_dark = dark.ravel()
    row, col = np.divmod(pixels, shape[1])
    size = np.bincount(piece, minlength=pieces)
    similarity = np.full((pieces, len(shifts)), -1.0)
    contrast, visible_pixels = similarity.copy(), np.zeros(similarity.shape, np.int64)
    for height, shift in enumerate(shifts):
        index, inside = _shifted(row, col, shift, shape)
        inside &= flat_visible[np.where(inside, index, 0)]
        at, of = index[inside], piece[inside]
        seen = np.bincount(of, minlength=pieces)
        enough = seen > _MIN_VISIBLE * size
        visible_pixels[enough, height] = seen[enough]
        found = flat_dark[at]
        surplus = found - np.where(sure[of], around_wide[at], around_narrow[at])
        for table, values in ((similarity, found), (contrast, surplus)):
            total = np.bincount(of, values, pieces)
            table[enough, height] = total[enough] / seen[enough]
    return similarity, contrast, visible_pixels


def _compute_dark_fraction(dark: BoolArray, visible: Float32Array, window: int) -> Float32Array:
    """Dark fraction of the visible ground in a window around each pixel."""
    ground = ndimage.uniform_filter(visible, window, mode="constant")
    around = ndimage.uniform_filter(dark.astype(np.float32), window, mode="constant")
    fraction: Float32Array = around / np.maximum(ground, np.float32(1e-6))
    return fraction


def _shifted(
    row: npt.NDArray[np.int64],
    col: npt.NDArray[np.int64],
    shift: tuple[int, int],
    shape: tuple[int, int],
) -> tuple[npt.NDArray[np.int64], BoolArray]:
    """Flat indices of shifted pixels, and whether they are within the image."""
    down, right = row + shift[0], col + shift[1]
    inside = (down >= 0) & (down < shape[0]) & (right >= 0) & (right < shape[1])
    return down * shape[1] + right, inside


def _shape_of(image: BoolArray) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
