"""Gaps of an elevation model: what is sea, what is interpolated, what remains unknown.

Sea becomes 0 m before anything is resampled (SIIMPC-550).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from sen2cor.dem.mosaic import Mosaic
from sen2cor.dem.tiles import Bounds
from sen2cor.raster.array_types import BoolArray, Float32Array

_LAND = 1.0
"""Metres above or below sea level from which a pixel beside a tile without a file is land."""

_LAND_SHARE = 0.01
"""Share of such pixels from which that tile should exist."""

_SHORE = 10.0
"""Metres below which the lowest tenth of the rim of a void is a shore."""


@dataclass(frozen=True)
class Filled:
    """Pixels of the elevation model that were void: made sea, and interpolated."""

    sea: int
    inland: int


def flood(mosaic: Mosaic, bounds: Bounds) -> bool:
    """Make an area without a file sea, unless the pixels around it are land.

    Parameters
    ----------
    mosaic : Mosaic
        Changed: the area becomes 0 m and covered.
    bounds : (float, float, float, float)
        West, south, east and north.

    Returns
    -------
    bool
        False if there is land at the edge of the area: then nothing is changed.
    """
    rows, cols = mosaic.window(bounds)
    around = (
        slice(max(rows.start - 2, 0), rows.stop + 2),
        slice(max(cols.start - 2, 0), cols.stop + 2),
    )
    heights, covered = mosaic.heights[around], mosaic.covered[around]
    gap = ~covered
    edge = heights[ndimage.binary_dilation(gap) & covered]
    if edge.size and np.count_nonzero(np.abs(edge) > _LAND) > _LAND_SHARE * edge.size:
        return False
    heights[gap] = 0.0
    covered[:] = True
    return True


def fill_voids(mosaic: Mosaic) -> Filled:
    """Make voids of files sea or interpolate them.

    A void that reaches the frame of the mosaic or an area without a file, and whose rim lies low
    enough for a shore, is sea.  All others are interpolated linearly between the pixels around
    them.

    Parameters
    ----------
    mosaic : Mosaic
        Changed: NaN remains only where no file lies.

    Returns
    -------
    Filled
        How many pixels were filled.
    """
    heights = mosaic.heights
    void = np.isnan(heights)
    void &= mosaic.covered
    total = int(np.count_nonzero(void))
    if not total:
        return Filled(0, 0)
    labels, _ = ndimage.label(void)
    places = ndimage.find_objects(labels)
    for label in _open_labels(labels, mosaic.covered):
        rows, cols = (slice(max(part.start - 1, 0), part.stop + 1) for part in places[label - 1])
        part = labels[rows, cols] == label
        around = heights[rows, cols][ndimage.binary_dilation(part) & ~part]
        rim = around[~np.isnan(around)]
        if not rim.size or np.quantile(rim, 0.1) < _SHORE:
            heights[rows, cols][part] = 0.0
            void[rows, cols][part] = False
    inland = int(np.count_nonzero(void))
    if inland:
        heights[void] = _interpolated(heights, void)
    return Filled(total - inland, inland)


def _open_labels(labels: npt.NDArray[np.int32], covered: BoolArray) -> list[int]:
    """Labels of the voids at the frame or beside an area without a file."""
    found = [labels[0], labels[-1], labels[:, 0], labels[:, -1]]
    if not covered.all():
        found.append(labels[ndimage.binary_dilation(~covered)])
    return [int(label) for label in np.unique(np.concatenate(found)) if label]


def _interpolated(heights: Float32Array, void: BoolArray) -> Float32Array:
    """Heights at void pixels from the known ones around all voids."""
    rim = ndimage.binary_dilation(void, np.ones((3, 3)))
    rim &= ~np.isnan(heights)
    where, values = np.argwhere(rim), heights[rim]
    wanted = np.argwhere(void)
    if not values.size:
        return np.zeros(len(wanted), np.float32)
    try:
        result = np.asarray(LinearNDInterpolator(where, values)(wanted), np.float32)
    except RuntimeError:
        # All pixels around on one line.
        result = np.full(len(wanted), np.nan, np.float32)
    outside = np.isnan(result)
    if outside.any():
        result[outside] = NearestNDInterpolator(where, values)(wanted[outside])
    return result


def extrapolate_nearest(heights: Float32Array) -> None:
    """Replace NaN by the nearest known height along the column, else along the row, in place.

    So the unknown does not begin with a cliff that would shade the known.
    """
    for view in (heights, heights.T):
        unknown = np.isnan(view)
        lines = unknown.any(axis=0) & ~unknown.all(axis=0)
        if not lines.any():
            continue
        part = view[:, lines]
        known = ~unknown[:, lines]
        index = np.arange(len(part), dtype=np.int32)[:, np.newaxis]
        before = np.maximum.accumulate(np.where(known, index, np.int32(-1)))
        after = np.minimum.accumulate(np.where(known, index, np.int32(len(part)))[::-1])[::-1]
        take_after = (before < 0) | ((after < len(part)) & (after - index < index - before))
        view[:, lines] = np.take_along_axis(part, np.where(take_after, after, before), axis=0)
