"""Cloud shadow, geometric part: where clouds of likely heights cast their shadow.

The cloud mask is moved along the ground, away from the sun, by the distances that belong to the
heights of clouds, and added up with the likelihood of each height. That happens on a grid of 60 m,
since neither heights nor sun are known better than that.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", cloud shadow; height
distribution as of Sen2Cor 2.2. High clouds: Gao, Goetz and Wiscombe 1993, Geophysical Research
Letters 20, 301-304 (B10 shows what stands above most of the water vapour).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sen2cor.classification.geometry import SunGeometry
from sen2cor.classification.neighbourhood import dilate, majority
from sen2cor.raster.array_types import BoolArray, Float32Array

_HEIGHT_STEP = 30.0
_RISE, _FALL = 51, 150
_LEAST_WEIGHT = 0.01
_PART_BEYOND = 4
_TOP = _HEIGHT_STEP * (_RISE + _FALL)
_HIGH_BASE, _TROPOPAUSE = 4000.0, 13000.0


def height_weight(height: float) -> float:
    """How likely a cloud is at a height, relative to the likeliest.

    Parameters
    ----------
    height : float
        Metres above the ground.

    Returns
    -------
    float
        0..1: 1 between about 1 and 3 km, 0 above 6 km.
    """
    number = height / _HEIGHT_STEP
    if number < _RISE:
        return 1.0 / (1.0 + (max(_RISE - 1 - number, 0.0) / 30.0) ** 10)
    if number > _RISE + _FALL - 1:
        return 0.0
    return 1.0 / (1.0 + ((number - _RISE) / 90.0) ** 10)


@dataclass(frozen=True)
class CloudHeights:
    """How high clouds may stand.

    Attributes
    ----------
    weight : callable
        How likely a height in metres is, 0..1.
    top : float
        Metres above the ground; there are no clouds above.
    """

    weight: Callable[[float], float]
    top: float


ANY_CLOUD = CloudHeights(height_weight, _TOP)
HIGH_CLOUD = CloudHeights(lambda height: float(height >= _HIGH_BASE), _TROPOPAUSE)
"""Heights of clouds that show in B10; of their lower parts hold those of any cloud."""


def shadow_casting_clouds(clouds: BoolArray) -> BoolArray:
    """Mask of the clouds that cast shadows: without single pixels, grown by one.

    Parameters
    ----------
    clouds : ndarray of bool, shape (rows, cols)

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    return dilate(majority(clouds), 1)


def shadow_likelihood(
    clouds: Float32Array,
    sun: SunGeometry,
    smoothing: float,
    *,
    heights: CloudHeights = ANY_CLOUD,
    beyond: bool = False,
) -> Float32Array:
    """Likelihood that the shadow of a cloud lies on a pixel.

    Parameters
    ----------
    clouds : ndarray of float32, shape (rows, cols)
        Share of a pixel that is under clouds.
    sun : SunGeometry
        With the pixel size of ``clouds``.
    smoothing : float
        Standard deviation of a Gaussian, pixels.
    heights : CloudHeights, optional
        Those of any cloud by default.
    beyond : bool
        Whether the sky beyond the edges, up to a quarter of the image, is taken for the mirror
        image of that within, instead of clear.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1; low under the clouds themselves.
    """
    likelihood = np.zeros_like(clouds)
    if not clouds.any():
        return likelihood
    moves = list(_moves(sun, heights))
    margin = 0
    if beyond:
        farthest = max((abs(by) for _, move in moves for by in move), default=0)
        margin = min(farthest, min(clouds.shape) // _PART_BEYOND)
    sky = np.pad(clouds, margin, mode="symmetric")
    for weight, move in moves:
        _add_moved(likelihood, sky, margin, move, weight)
    np.minimum(likelihood, 1, out=likelihood)
    likelihood -= clouds
    np.maximum(likelihood, 0, out=likelihood)
    smooth: Float32Array = ndimage.gaussian_filter(likelihood, smoothing, mode="reflect")
    return smooth


def _moves(sun: SunGeometry, heights: CloudHeights) -> Iterator[tuple[float, tuple[int, int]]]:
    """Weights of heights, and by how many rows and columns a shadow from there lies off."""
    azimuth = math.radians(sun.azimuth)
    reach = heights.top * math.tan(math.radians(sun.zenith)) / sun.pixel_size
    for step in range(int(reach) + 1):
        weight = heights.weight(heights.top * step / reach if step else 0.0)
        if weight > _LEAST_WEIGHT:
            yield weight, (round(step * math.cos(azimuth)), round(-step * math.sin(azimuth)))


def _add_moved(
    total: Float32Array, image: Float32Array, margin: int, move: tuple[int, int], weight: float
) -> None:
    """Add an image with a margin that is moved by rows and columns, times a weight."""
    source, target = [], []
    for by, size in zip(move, total.shape, strict=True):
        first, last = max(by - margin, 0), min(size + by + margin, size)
        if first >= last:
            return
        target.append(slice(first, last))
        source.append(slice(first - by + margin, last - by + margin))
    total[tuple(target)] += image[tuple(source)] * np.float32(weight)
