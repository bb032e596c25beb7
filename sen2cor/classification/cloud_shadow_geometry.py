"""Cloud shadow, geometric part: where clouds at likely heights cast their shadow.

The cloud mask is shifted along the ground, away from the sun, by the distances that belong to the
heights of clouds. The shifted masks are summed, weighted by the likelihood of each height. This
happens on a grid of 60 m, since neither cloud heights nor sun angles are known more precisely.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", cloud shadow; height
distribution as of Sen2Cor 2.2. High clouds: Gao, Goetz and Wiscombe 1993, Geophysical Research
Letters 20, 301-304 (clouds in B10 are above most of the water vapour).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from sen2cor.classification.cloud_objects import CloudObjects
from sen2cor.classification.morphology import dilate, dilate_euclidean, majority
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.scene import ClassificationScene, SunGeometry
from sen2cor.classification.shadow_offset import ShadowOffset
from sen2cor.classification.sunlit_reference import InfraredSample, SunlitReference
from sen2cor.classification.sunlit_water import SunlitWater
from sen2cor.classification.veils import Veils
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import bilinear, block_fraction, positions, repeat_rows

SHADOW_GRID = 60.0
"""Metres: pixel size of the grid on which clouds cast their shadow."""

NEAR_CLOUDS = 240.0
"""Metres: a thin bright pixel farther from clouds is not the rim of a cloud."""

_HEIGHT_STEP = 30.0
"""Metres: unit of the height distribution of Sen2Cor 2.2, whose numbers follow."""
_RISING_STEPS, _FALLING_STEPS = 51, 150
"""Steps below and above the likeliest height."""
_RISE_SCALE, _FALL_SCALE = 30.0, 90.0
"""Steps from the likeliest height to half its weight, below and above."""
_STEEPNESS = 10
"""Exponent of the rise and the fall."""

_MAX_HEIGHT = _HEIGHT_STEP * (_RISING_STEPS + _FALLING_STEPS)
"""Metres above ground: upper end of that distribution."""
_HIGH_CLOUD_BASE = 4000.0
"""Metres above ground: lower clouds do not show in B10."""
_TROPOPAUSE = 13000.0
"""Metres above ground: upper limit of high clouds, between mid-latitudes and tropics."""

_MIN_CLOUD_FRACTION = 0.3
"""Of a pixel of the coarse grid that casts a shadow; isolated pixels of clouds cast none."""
_MIN_WEIGHT = 0.01
"""Heights of less weight are left out."""
_MAX_MARGIN_DIVISOR = 4
"""The sky beyond the edges is mirrored up to this part of the image."""


def compute_height_weight(height: float) -> float:
    """Likelihood of a cloud height relative to the likeliest.

    Parameters
    ----------
    height : float
        Metres above ground.

    Returns
    -------
    float
        0..1: 1 between about 1 and 3 km, 0 above 6 km.
    """
    steps = height / _HEIGHT_STEP
    if steps < _RISING_STEPS:
        below = max(_RISING_STEPS - 1 - steps, 0.0)
        return 1.0 / (1.0 + (below / _RISE_SCALE) ** _STEEPNESS)
    if steps > _RISING_STEPS + _FALLING_STEPS - 1:
        return 0.0
    return 1.0 / (1.0 + ((steps - _RISING_STEPS) / _FALL_SCALE) ** _STEEPNESS)


@dataclass(frozen=True)
class CloudHeights:
    """Distribution of cloud heights.

    Attributes
    ----------
    weight : callable
        Likelihood of a height in metres above ground, 0..1.
    maximum : float
        Metres above ground; there are no higher clouds.
    """

    weight: Callable[[float], float]
    maximum: float


ANY_CLOUD = CloudHeights(compute_height_weight, _MAX_HEIGHT)
HIGH_CLOUD = CloudHeights(lambda height: float(height >= _HIGH_CLOUD_BASE), _TROPOPAUSE)
"""Heights of clouds that show in B10; their lower parts have the heights of any cloud."""


def find_shadow_casting_clouds(clouds: BoolArray) -> BoolArray:
    """Remove isolated pixels from a cloud mask and dilate it by one pixel.

    Parameters
    ----------
    clouds : ndarray of bool, shape (rows, cols)

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    return dilate(majority(clouds), 1)


def compute_shadow_likelihood(
    clouds: Float32Array,
    sun: SunGeometry,
    smoothing: float,
    *,
    heights: CloudHeights = ANY_CLOUD,
    mirror_edges: bool = False,
) -> Float32Array:
    """Likelihood that the shadow of a cloud lies on a pixel.

    Parameters
    ----------
    clouds : ndarray of float32, shape (rows, cols)
        Cloud fraction of each pixel.
    sun : SunGeometry
        With the pixel size of ``clouds``.
    smoothing : float
        Standard deviation of the Gaussian smoothing, pixels.
    heights : CloudHeights, optional
        Those of any cloud by default.
    mirror_edges : bool
        Whether the clouds within a quarter of the image are mirrored at its edges. Otherwise the
        sky beyond the edges is clear.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1; low under the clouds themselves.
    """
    likelihood = np.zeros_like(clouds)
    if not clouds.any():
        return likelihood
    shifts = list(_compute_shifts(sun, heights))
    margin = 0
    if mirror_edges:
        farthest = max((abs(by) for _, shift in shifts for by in shift), default=0)
        margin = min(farthest, min(clouds.shape) // _MAX_MARGIN_DIVISOR)
    sky = np.pad(clouds, margin, mode="symmetric")
    for weight, shift in shifts:
        _add_shifted(likelihood, sky, margin, shift, weight)
    np.minimum(likelihood, 1, out=likelihood)
    likelihood -= clouds
    np.maximum(likelihood, 0, out=likelihood)
    smooth: Float32Array = ndimage.gaussian_filter(likelihood, smoothing, mode="reflect")
    return smooth


@dataclass(frozen=True)
class CloudShadowMap:
    """Possible cloud shadow and the neighbourhood of clouds, on a grid of `SHADOW_GRID`.

    Attributes
    ----------
    likelihood : ndarray of float32 or bool, shape (ceil(rows / factor), ceil(cols / factor))
        Of cloud shadow, 0..1; bool: whether it is possible.
    near : ndarray of bool, same shape
        Pixels within `NEAR_CLOUDS` of a cloud.
    factor : int
        Image pixels along one side of a pixel of this grid.
    likelihood_min : float32
        Image pixels of a higher likelihood may lie in shadow.
    unconfirmed : ndarray of bool, same shape, or None
        Pixels that neither belong to a cloud nor adjoin one, see `CloudObjects`; None: not
        examined.
    likely : ndarray of bool, same shape, or None
        Pixels onto which clouds at the height that matches best cast their shadow; None: not
        known.
    water : SunlitWater or None
        Water outside of the likely shadows; None: not known.
    """

    likelihood: Float32Array | BoolArray
    near: BoolArray
    factor: int
    likelihood_min: np.float32
    unconfirmed: BoolArray | None = None
    likely: BoolArray | None = None
    water: SunlitWater | None = None

    @classmethod
    def project(
        cls,
        clouds: BoolArray,
        high_clouds: BoolArray,
        sun: SunGeometry,
        parameters: ClassificationParameters,
    ) -> CloudShadowMap:
        """Project the shadow of the clouds of an image onto the ground.

        Parameters
        ----------
        clouds, high_clouds : ndarray of bool, shape (rows, cols)
            All clouds, and those that show in B10.
        sun : SunGeometry
        parameters : ClassificationParameters
        """
        constants, rules = parameters.constants, parameters.rules
        factor = sun.coarsening_factor(SHADOW_GRID)
        coarse = replace(sun, pixel_size=factor * sun.pixel_size)
        fractions = [
            block_fraction(find_shadow_casting_clouds(mask), factor)
            for mask in (clouds, high_clouds)
        ]
        likelihoods = [
            compute_shadow_likelihood(
                fraction,
                coarse.limit_for_shadows(exact=rules.use_exact_sun_angles),
                constants.shadow_smoothing_sigma / factor,
                heights=heights,
                mirror_edges=rules.mirror_cloud_edges,
            )
            for fraction, heights in zip(fractions, (ANY_CLOUD, HIGH_CLOUD), strict=True)
        ]
        near = dilate_euclidean(fractions[0] > 0, NEAR_CLOUDS / coarse.pixel_size)
        likelihood_min = np.float32(constants.shadow_likelihood_min)
        return cls(np.maximum(*likelihoods), near, factor, likelihood_min)

    @classmethod
    def match(
        cls,
        clouds: BoolArray,
        high_clouds: BoolArray | None,
        infrared: InfraredSample,
        sunlit: SunlitReference,
        veils: Veils | None,
        scene: ClassificationScene,
        parameters: ClassificationParameters,
    ) -> CloudShadowMap:
        """Project the shadow of each cloud from the heights at which it matches dark ground.

        Parameters
        ----------
        clouds : ndarray of bool, shape (rows, cols)
        high_clouds : ndarray of bool, same shape, or None
            Clouds that show in B10; None without B10.
        infrared : InfraredSample
            On the grid of the shadows.
        sunlit : SunlitReference
        veils : Veils or None
            They cast a shadow, too.
        scene : ClassificationScene
            With the sun.
        parameters : ClassificationParameters
        """
        assert scene.sun is not None
        factor, rules = infrared.step, parameters.rules
        coarse = replace(scene.sun, pixel_size=factor * scene.sun.pixel_size)
        coarse = coarse.limit_for_shadows(exact=rules.use_exact_sun_angles)
        offset = ShadowOffset(coarse, scene.view, scene.convergence)
        dark, shaded = infrared.find_dark_ground(sunlit, parameters)
        if factor == 1:
            clouds = find_shadow_casting_clouds(clouds)
        casting = block_fraction(clouds, factor) > _MIN_CLOUD_FRACTION
        casting &= ~shaded
        if veils is not None:
            casting |= veils.sample_thick(factor, casting.shape)
        high = None if high_clouds is None else block_fraction(high_clouds, factor) > 0
        visible = (infrared.visible | shaded) & ~casting
        objects = CloudObjects.match(casting, high, dark, visible, offset)
        possible, likely = (
            objects.project(heights) & ~casting for heights in (objects.possible, objects.likely)
        )
        if rules.mirror_cloud_edges:
            possible |= objects.project_from_beyond(offset) & ~casting
        possible = dilate(possible, 1)
        confirmed = casting & ~objects.find_unconfirmed()
        unconfirmed = ~dilate(confirmed, 1)
        near = dilate_euclidean(confirmed, NEAR_CLOUDS / coarse.pixel_size)
        likelihood_min = np.float32(parameters.constants.shadow_likelihood_min)
        sunlit_water = infrared.water & ~(likely | casting)
        water = SunlitWater.average(
            infrared.green[::2, ::2], sunlit_water[::2, ::2], 2 * factor, scene.sun.pixel_size
        )
        return cls(possible, near, factor, likelihood_min, unconfirmed, likely, water)

    def find_possible_shadow(self, rows: slice, cols: int) -> BoolArray:
        """Image pixels of a block of rows that may lie in cloud shadow; bool, (rows, cols)."""
        if self.likelihood.dtype == np.bool_:
            return self._repeat(self.likelihood.view(np.bool_), rows, cols)
        row_at = positions(rows.stop - rows.start, self.factor, rows.start)
        coarse = self.likelihood.view(np.float32)
        likelihood = bilinear(coarse, row_at, positions(cols, self.factor))
        possible: BoolArray = likelihood > self.likelihood_min
        return possible

    def find_near_clouds(self, rows: slice, cols: int) -> BoolArray:
        """Image pixels of a block of rows that are near clouds; bool, (rows, cols)."""
        return self._repeat(self.near, rows, cols)

    def find_unconfirmed(self, rows: slice, cols: int) -> BoolArray:
        """Image pixels of a block of rows that are no clouds; bool, (rows, cols)."""
        return self._repeat(self.unconfirmed, rows, cols)

    def find_likely_shadow(self, rows: slice, cols: int) -> BoolArray:
        """Image pixels of a block of rows on which the shadow of a cloud lies, if its height is
        right; bool, (rows, cols).
        """
        return self._repeat(self.likely, rows, cols)

    def _repeat(self, mask: BoolArray | None, rows: slice, cols: int) -> BoolArray:
        if mask is None:
            return np.zeros((rows.stop - rows.start, cols), np.bool_)
        return repeat_rows(mask, self.factor, rows, cols)


def _compute_shifts(
    sun: SunGeometry, heights: CloudHeights
) -> Iterator[tuple[float, tuple[int, int]]]:
    """Weight of each height, and the rows and columns by which its shadow is shifted."""
    azimuth = math.radians(sun.azimuth)
    reach = heights.maximum * math.tan(math.radians(sun.zenith)) / sun.pixel_size
    for step in range(int(reach) + 1):
        weight = heights.weight(heights.maximum * step / reach if step else 0.0)
        if weight > _MIN_WEIGHT:
            yield weight, (round(step * math.cos(azimuth)), round(-step * math.sin(azimuth)))


def _add_shifted(
    total: Float32Array, image: Float32Array, margin: int, shift: tuple[int, int], weight: float
) -> None:
    """Add an image with a margin, shifted by rows and columns and multiplied by a weight."""
    source, target = [], []
    for by, size in zip(shift, total.shape, strict=True):
        first, last = max(by - margin, 0), min(size + by + margin, size)
        if first >= last:
            return
        target.append(slice(first, last))
        source.append(slice(first - by + margin, last - by + margin))
    total[tuple(target)] += image[tuple(source)] * np.float32(weight)
