"""Classification of an image by blocks of rows that fit the cache.

Most steps look at single pixels; blocks that read a few rows of their neighbours leave no seam.
Shadows reach far, but only need the mask of the clouds, so the image is gone through twice: for
what the spectra tell, and, once all clouds are known, for shadows and repairs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.chain import finished_classes, spectral_classes
from sen2cor.classification.cloud_patches import cloud_patches
from sen2cor.classification.dry_air import dry_air_of
from sen2cor.classification.geometry import SunGeometry, TerrainIllumination
from sen2cor.classification.haze import haze_of
from sen2cor.classification.lit_ground import GroundSample, shadow_by_contrast_of
from sen2cor.classification.neighbourhood import widen
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.scene_class import SceneClass
from sen2cor.classification.shadow_geometry import (
    ANY_CLOUD,
    HIGH_CLOUD,
    shadow_casting_clouds,
    shadow_likelihood,
)
from sen2cor.classification.shadow_radiometry import spectral_shadow_match
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.classification.unclear_ground import unclear_ground
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.grids import BLOCK_ROWS, Run, row_blocks
from sen2cor.raster.resampling import bilinear, block_fraction, positions

CLASSIFICATION_BANDS = ("B02", "B03", "B04", "B05", "B8A", "B10", "B11", "B12")
"""Bands that the classification looks at; it can do without B10."""

SHADOW_GRID = 60.0
"""Metres: pixel size of the grid on which clouds cast their shadow."""
NEAR_CLOUDS = 500.0
"""Metres: beyond, what is thin and bright is no rim of a cloud."""
GROUND_GRID = 120.0
GROUND_WINDOW = 3000.0
"""Metres: distance of the samples of the ground, and the window of which lit ground is the mean."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Classification:
    """A finished classification.

    Attributes
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`, 0..11.
    cloud_probability, snow_probability : ndarray of uint8, shape (rows, cols)
        Percent; 0 where there are no data.
    """

    scene_class: UInt8Array
    cloud_probability: UInt8Array
    snow_probability: UInt8Array


def classify(
    reflectance: Reflectance,
    no_data: BoolArray,
    *,
    sun: SunGeometry | None = None,
    thresholds: ClassificationThresholds | None = None,
    constants: ClassificationConstants | None = None,
    rules: ClassificationRules | None = None,
    snow_possible: bool = True,
    elevation: Float32Array | None = None,
    relief: TerrainIllumination | None = None,
    defective: BoolArray | None = None,
) -> Classification:
    """Classify an image held in memory; see `classify_rows`.

    Parameters
    ----------
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of `CLASSIFICATION_BANDS`, on one grid.
    no_data, sun, thresholds, constants, rules, snow_possible, elevation, relief, defective
        As of `classify_rows`.

    Returns
    -------
    Classification

    Raises
    ------
    ValueError
        A band other than B10 is missing.
    """
    return classify_rows(
        lambda rows: {name: band[rows] for name, band in reflectance.items()},
        no_data,
        sun=sun,
        thresholds=thresholds,
        constants=constants,
        rules=rules,
        snow_possible=snow_possible,
        elevation=elevation,
        relief=relief,
        defective=defective,
    )


def classify_rows(
    read_reflectance: Callable[[slice], Reflectance],
    no_data: BoolArray,
    *,
    sun: SunGeometry | None = None,
    thresholds: ClassificationThresholds | None = None,
    constants: ClassificationConstants | None = None,
    rules: ClassificationRules | None = None,
    snow_possible: bool = True,
    elevation: Float32Array | None = None,
    relief: TerrainIllumination | None = None,
    defective: BoolArray | None = None,
    block_rows: int = BLOCK_ROWS,
    run: Run = map,
) -> Classification:
    """Classify an image by blocks of rows; the result does not depend on their size.

    Parameters
    ----------
    read_reflectance : callable
        Gives the top-of-atmosphere reflectance (by band name, float32) of a slice of rows, for
        `CLASSIFICATION_BANDS`. Every row is asked for at least twice. Without B10 there is no
        cirrus.
    no_data : ndarray of bool, shape (rows, cols)
        Pixels that get class 0.
    sun : SunGeometry, optional
        Without, neither cloud shadow nor shaded relief is looked for.
    thresholds : ClassificationThresholds, optional
    constants : ClassificationConstants, optional
    rules : ClassificationRules, optional
    snow_possible : bool
        Whether the climatology allows snow here; without, there is no class 11.
    elevation : ndarray of float32, shape (rows, cols), optional
        Metres above sea level; NaN where unknown.
    relief : TerrainIllumination, optional
        Slopes and their light.
    defective : ndarray of bool, shape (rows, cols), optional
        Saturated or defective pixels, which get class 1.
    block_rows : int
        Rows of a block; a choice of speed and memory only.
    run : callable
        Calls a function for all blocks, in any order or side by side, as `map` does one by one.

    Returns
    -------
    Classification

    Raises
    ------
    ValueError
        A band other than B10 is missing.
    """
    thresholds = thresholds or ClassificationThresholds()
    constants = constants or ClassificationConstants()
    rules = rules or ClassificationRules()
    rows = no_data.shape[0]
    if rows:
        _check_bands(read_reflectance(slice(0, 1)))
    blocks = row_blocks(rows, block_rows)
    spectral, cloud, snow = (np.zeros(no_data.shape, np.uint8) for _ in range(3))
    clouds, high = (np.zeros(no_data.shape, np.bool_) for _ in range(2))
    haze = haze_of(read_reflectance, no_data) if rules.correct_haze else None
    dry_air = dry_air_of(read_reflectance, no_data) if rules.cirrus_over_snow else None
    sample = None
    if sun is not None and rules.shadow_by_contrast:
        sample = GroundSample.empty(no_data.shape, _grid_factor(GROUND_GRID, sun))

    def read(rows: slice) -> Reflectance:
        reflectance = read_reflectance(rows)
        for veil in (haze, dry_air):
            if veil is not None:
                reflectance = veil.cleared(reflectance)
        return reflectance

    def classify_spectra(core: slice) -> None:
        padded, inner = _with_overlap(core, constants.snow_ring, rows)
        reflectance = read(padded)
        found = spectral_classes(
            reflectance,
            no_data[padded],
            thresholds=thresholds,
            constants=constants,
            rules=rules,
            snow_possible=snow_possible,
            elevation=None if elevation is None else elevation[padded],
        )
        spectral[core] = found.scene_class[inner]
        cloud[core] = percent(found.cloud[inner])
        snow[core] = percent(found.snow[inner])
        clouds[core] = found.cloud[inner] > np.float32(constants.shadow_cloud_min)
        if rules.high_clouds_cast and "B10" in reflectance:
            cirrus = reflectance["B10"][inner] >= np.float32(thresholds.t2_b10)
            np.logical_and(clouds[core], cirrus, out=high[core])
        if sample is not None:
            inner_reflectance = {band: image[inner] for band, image in reflectance.items()}
            sample.fill(core.start, inner_reflectance, spectral[core])

    list(run(classify_spectra, blocks))
    lit = None
    if sample is not None and sun is not None:
        lit = sample.lit(GROUND_WINDOW / sun.pixel_size, constants)
    shaded = None if sun is None else _ShadowMap.cast(clouds, high, sun, constants, rules)
    scene_class = np.zeros(no_data.shape, np.uint8)

    def finish(core: slice) -> None:
        padded, inner = _with_overlap(core, constants.snow_ring + 1, rows)
        reflectance = read(padded)
        classes = spectral[padded]
        if rules.clouds_are_patches:
            classes = cloud_patches(classes, cloud[padded], constants.cloud_rim_min)
        shadow = np.zeros(no_data[padded].shape, np.bool_)
        if shaded is not None:
            shadow = shaded.rows(padded, no_data.shape[1])
            if shadow.any():
                dark = spectral_shadow_match(reflectance, no_data[padded], thresholds, constants)
                if lit is not None:
                    dark |= shadow_by_contrast_of(
                        reflectance, no_data[padded], lit, padded, constants
                    )
                shadow &= dark
        finished = finished_classes(
            classes,
            reflectance,
            shadow,
            thresholds=thresholds,
            constants=constants,
            rules=rules,
            sun=sun,
            relief=None if relief is None else relief.rows(padded),
        )
        if rules.ground_by_infrared and shaded is not None:
            near = shaded.near_clouds(padded, no_data.shape[1])
            ground = unclear_ground(finished, reflectance, near, thresholds)
            np.putmask(finished, ground, SceneClass.BARE_SOILS)
        scene_class[core] = finished[inner]
        if defective is not None:
            bad = defective[core] & ~no_data[core]
            np.putmask(scene_class[core], bad, SceneClass.SATURATED_DEFECTIVE)

    list(run(finish, blocks))
    return Classification(scene_class, cloud, snow)


@dataclass(frozen=True)
class _ShadowMap:
    """Where clouds are near and may cast shadow, on a grid that is coarser by a factor."""

    likelihood: Float32Array
    near: BoolArray
    factor: int
    least: np.float32

    @classmethod
    def cast(
        cls,
        clouds: BoolArray,
        high: BoolArray,
        sun: SunGeometry,
        constants: ClassificationConstants,
        rules: ClassificationRules,
    ) -> _ShadowMap:
        factor = _grid_factor(SHADOW_GRID, sun)
        coarse = replace(sun, pixel_size=factor * sun.pixel_size)
        shares = [block_fraction(shadow_casting_clouds(mask), factor) for mask in (clouds, high)]
        likelihoods = [
            shadow_likelihood(
                share,
                coarse.for_shadows(exact=rules.exact_sun),
                constants.shadow_smoothing / factor,
                heights=heights,
                beyond=rules.mirror_cloud_edges,
            )
            for share, heights in zip(shares, (ANY_CLOUD, HIGH_CLOUD), strict=True)
        ]
        near = widen(shares[0] > 0, NEAR_CLOUDS / coarse.pixel_size)
        least = np.float32(constants.shadow_likelihood_min)
        return cls(np.maximum(*likelihoods), near, factor, least)

    def rows(self, rows: slice, cols: int) -> BoolArray:
        """Pixels of a block of rows of the fine grid that may lie in shadow."""
        row_at = positions(rows.stop - rows.start, self.factor, rows.start)
        likelihood = bilinear(self.likelihood, row_at, positions(cols, self.factor))
        found: BoolArray = likelihood > self.least
        return found

    def near_clouds(self, rows: slice, cols: int) -> BoolArray:
        """Pixels of a block of rows of the fine grid that are near clouds."""
        row_at, col_at = (
            np.arange(part.start, part.stop) // self.factor for part in (rows, slice(0, cols))
        )
        near: BoolArray = self.near[np.ix_(row_at, col_at)]
        return near


def _grid_factor(size: float, sun: SunGeometry) -> int:
    """Pixels of the image along a pixel of a coarser grid."""
    return max(1, round(size / sun.pixel_size))


def _with_overlap(core: slice, overlap: int, rows: int) -> tuple[slice, slice]:
    """Widen a block of rows within the image, and say where in it the block lies."""
    padded = slice(max(core.start - overlap, 0), min(core.stop + overlap, rows))
    return padded, slice(core.start - padded.start, core.stop - padded.start)


def percent(probability: Float32Array) -> UInt8Array:
    """Probability 0..1 as whole percent, halves rounded up; uint8."""
    return (probability * np.float32(100) + np.float32(0.5)).astype(np.uint8)


def _check_bands(reflectance: Reflectance) -> None:
    missing = [name for name in CLASSIFICATION_BANDS if name not in reflectance]
    if missing == ["B10"]:
        logger.warning("B10 is missing: cirrus is not looked for")
    elif missing:
        raise ValueError(f"the classification needs the bands {', '.join(missing)}")
