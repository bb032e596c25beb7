"""Voids of an elevation model: sea, interpolated land, and areas that remain unknown.

Sea becomes 0 m before resampling (SIIMPC-550).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from sen2cor.dem.mosaic import Mosaic
from sen2cor.dem.tile_schemes import Bounds
from sen2cor.raster.array_types import BoolArray, Float32Array

_MIN_LAND_ELEVATION = 1.0
"""Metres above or below sea level beyond which a pixel beside a missing tile is land."""

_MIN_LAND_FRACTION = 0.01
"""Fraction of such pixels beyond which the missing tile should exist."""

_MAX_SHORE_ELEVATION = 10.0
"""Metres; a void is sea if the lowest tenth of its rim lies below."""


@dataclass(frozen=True)
class VoidCounts:
    """Void pixels of an elevation model: set to sea level, and interpolated."""

    sea: int
    inland: int


def fill_as_sea(mosaic: Mosaic, bounds: Bounds) -> bool:
    """Set an area without a file to sea level, unless the pixels around it are land.

    Parameters
    ----------
    mosaic : Mosaic
        Changed: the area becomes 0 m and counts as covered.
    bounds : (float, float, float, float)
        West, south, east and north.

    Returns
    -------
    bool
        False if land borders the area: then nothing is changed.
    """
    rows, cols = mosaic.window(bounds)
    around = (
        slice(max(rows.start - 2, 0), rows.stop + 2),
        slice(max(cols.start - 2, 0), cols.stop + 2),
    )
    elevation, covered = mosaic.elevation[around], mosaic.covered[around]
    gap = ~covered
    edge = elevation[ndimage.binary_dilation(gap) & covered]
    if (
        edge.size
        and np.count_nonzero(np.abs(edge) > _MIN_LAND_ELEVATION) > _MIN_LAND_FRACTION * edge.size
    ):
        return False
    elevation[gap] = 0.0
    covered[:] = True
    return True


def fill_voids(mosaic: Mosaic) -> VoidCounts:
    """Set the voids of files to sea level or interpolate them.

    A void is sea if it touches the edge of the mosaic or an area without a file and its rim is as
    low as a shore.  All others are interpolated linearly between the pixels around them.

    Parameters
    ----------
    mosaic : Mosaic
        Changed: NaN remains only where there is no file.

    Returns
    -------
    VoidCounts
        How many pixels were filled.
    """
    elevation = mosaic.elevation
    void = np.isnan(elevation)
    void &= mosaic.covered
    total = int(np.count_nonzero(void))
    if not total:
        return VoidCounts(0, 0)
    labels, _ = ndimage.label(void)
    windows = ndimage.find_objects(labels)
    for label in _labels_at_edges(labels, mosaic.covered):
        rows, cols = (slice(max(part.start - 1, 0), part.stop + 1) for part in windows[label - 1])
        part = labels[rows, cols] == label
        around = elevation[rows, cols][ndimage.binary_dilation(part) & ~part]
        rim = around[~np.isnan(around)]
        if not rim.size or np.quantile(rim, 0.1) < _MAX_SHORE_ELEVATION:
            elevation[rows, cols][part] = 0.0
            void[rows, cols][part] = False
    inland = int(np.count_nonzero(void))
    if inland:
        elevation[void] = _interpolate_voids(elevation, void)
    return VoidCounts(total - inland, inland)


def _labels_at_edges(labels: npt.NDArray[np.int32], covered: BoolArray) -> list[int]:
    """Labels of the voids at the edge of the mosaic or beside an area without a file."""
    found = [labels[0], labels[-1], labels[:, 0], labels[:, -1]]
    if not covered.all():
        found.append(labels[ndimage.binary_dilation(~covered)])
    return [int(label) for label in np.unique(np.concatenate(found)) if label]


def _interpolate_voids(elevation: Float32Array, void: BoolArray) -> Float32Array:
    """Elevation of void pixels, interpolated between the known pixels around all voids."""
    rim = ndimage.binary_dilation(void, np.ones((3, 3)))
    rim &= ~np.isnan(elevation)
    where, values = np.argwhere(rim), elevation[rim]
    wanted = np.argwhere(void)
    if not values.size:
        return np.zeros(len(wanted), np.float32)
    try:
        result = np.asarray(LinearNDInterpolator(where, values)(wanted), np.float32)
    except RuntimeError:
        # all known pixels lie on one line
        result = np.full(len(wanted), np.nan, np.float32)
    outside = np.isnan(result)
    if outside.any():
        result[outside] = NearestNDInterpolator(where, values)(wanted[outside])
    return result


def extrapolate_nearest(elevation: Float32Array) -> None:
    """Replace NaN by the nearest known elevation along the column, else along the row, in place.

    This prevents a step at the edge of the unknown area from shading known pixels.
    """
    for view in (elevation, elevation.T):
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
