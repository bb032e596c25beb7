"""The chain of the classification: which step comes when, and which class beats which.

Each step is a function of the reflectance alone, in a file of its own. A pixel keeps the class of
the first step that claims it, in the order dark features, snow, vegetation, soil, water, rock and
sand, clouds; only cirrus overwrites others. The cloud probability is the product of what all steps
say. No-data pixels stay no data and take part in nothing.

All but the ring around snow works on single pixels, so an image is classified in blocks of rows
that fit the cache, each with `ClassificationConstants.snow_ring` rows of its neighbours.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification"; Louis et al. 2016, ESA SP-740.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from sen2cor.classification.arrays import (
    BoolArray,
    Float32Array,
    Reflectance,
    UInt8Array,
)
from sen2cor.classification.cirrus import thick_cirrus, thin_cirrus
from sen2cor.classification.clouds import cloud_classes
from sen2cor.classification.dark_bright import bright_probability, dark_features
from sen2cor.classification.ice_glint import ice_and_glint
from sen2cor.classification.rock_sand import rock_and_sand
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.snow import snow_and_ring, snow_probability
from sen2cor.classification.soil import soil
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.classification.vegetation import vegetation
from sen2cor.classification.water import water

CLASSIFICATION_BANDS = ("B02", "B03", "B04", "B05", "B8A", "B10", "B11", "B12")
"""Bands that the classification looks at; it can do without B10."""

BLOCK_ROWS = 64

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


@dataclass(frozen=True)
class SpectralClasses:
    """What the spectrum of each pixel tells, before shadows are looked for.

    Attributes
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`; `NOT_CLASSIFIED` where no step has claimed the pixel.
    cloud, snow : ndarray of float32, shape (rows, cols)
        Probabilities 0..1; 0 where there are no data.
    """

    scene_class: UInt8Array
    cloud: Float32Array
    snow: Float32Array


def classify(
    reflectance: Reflectance,
    no_data: BoolArray,
    *,
    thresholds: ClassificationThresholds | None = None,
    constants: ClassificationConstants | None = None,
    snow_possible: bool = True,
    elevation: Float32Array | None = None,
    defective: BoolArray | None = None,
) -> Classification:
    """Classify an image held in memory; see `classify_rows`.

    Parameters
    ----------
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of `CLASSIFICATION_BANDS`, on one grid.
    no_data, thresholds, constants, snow_possible, elevation, defective
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
        thresholds=thresholds,
        constants=constants,
        snow_possible=snow_possible,
        elevation=elevation,
        defective=defective,
    )


def _in_turn(work: Callable[[slice], None], blocks: Iterable[slice]) -> None:
    for rows in blocks:
        work(rows)


def classify_rows(
    read_reflectance: Callable[[slice], Reflectance],
    no_data: BoolArray,
    *,
    thresholds: ClassificationThresholds | None = None,
    constants: ClassificationConstants | None = None,
    snow_possible: bool = True,
    elevation: Float32Array | None = None,
    defective: BoolArray | None = None,
    block_rows: int = BLOCK_ROWS,
    run: Callable[[Callable[[slice], None], Iterable[slice]], object] = _in_turn,
) -> Classification:
    """Classify an image by blocks of rows; the result does not depend on their size.

    Parameters
    ----------
    read_reflectance : callable
        Gives the top-of-atmosphere reflectance (by band name, float32) of a slice of rows, for
        `CLASSIFICATION_BANDS`. Blocks overlap by a few rows. Without B10 there is no cirrus.
    no_data : ndarray of bool, shape (rows, cols)
        Pixels that get class 0.
    thresholds : ClassificationThresholds, optional
    constants : ClassificationConstants, optional
    snow_possible : bool
        Whether the climatology allows snow here; without, there is no class 11.
    elevation : ndarray of float32, shape (rows, cols), optional
        Metres above sea level; NaN where unknown.
    defective : ndarray of bool, shape (rows, cols), optional
        Saturated or defective pixels, which get class 1.
    block_rows : int
        Rows of a block; a choice of speed and memory only.
    run : callable
        Calls a function for all blocks, in any order or side by side; one after another by default.

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
    rows = no_data.shape[0]
    overlap = constants.snow_ring if snow_possible else 0
    result = Classification(*(np.zeros(no_data.shape, np.uint8) for _ in range(3)))
    if rows:
        _check_bands(read_reflectance(slice(0, 1)))

    def classify_block(core: slice) -> None:
        padded = slice(max(core.start - overlap, 0), min(core.stop + overlap, rows))
        inner = slice(core.start - padded.start, core.stop - padded.start)
        spectral = spectral_classes(
            read_reflectance(padded),
            no_data[padded],
            thresholds=thresholds,
            constants=constants,
            snow_possible=snow_possible,
            elevation=None if elevation is None else elevation[padded],
        )
        classes = result.scene_class[core]
        classes[:] = spectral.scene_class[inner]
        np.putmask(classes, classes == NOT_CLASSIFIED, SceneClass.LOW_PROBA_CLOUDS)
        if defective is not None:
            bad = defective[core] & ~no_data[core]
            np.putmask(classes, bad, SceneClass.SATURATED_DEFECTIVE)
        result.cloud_probability[core] = percent(spectral.cloud[inner])
        result.snow_probability[core] = percent(spectral.snow[inner])

    blocks = (slice(top, min(top + block_rows, rows)) for top in range(0, rows, block_rows))
    run(classify_block, blocks)
    return result


def spectral_classes(
    reflectance: Reflectance,
    no_data: BoolArray,
    *,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
    snow_possible: bool = True,
    elevation: Float32Array | None = None,
) -> SpectralClasses:
    """Steps 1 to 7: all that is known of a pixel from its spectrum (and, for snow, its neighbours).

    Parameters are those of `classify_rows`; ``reflectance`` is a mapping of band name to ndarray.

    Returns
    -------
    SpectralClasses
    """
    classes = np.full(no_data.shape, NOT_CLASSIFIED, np.uint8)
    np.putmask(classes, no_data, SceneClass.NO_DATA)

    cloud = bright_probability(reflectance, thresholds)
    np.copyto(cloud, 0, where=no_data)
    dark = dark_features(reflectance, thresholds, constants)
    np.copyto(cloud, 0, where=_claim(classes, dark.members, SceneClass.DARK_FEATURES))
    cloud *= dark.cloud_factor

    if snow_possible:
        snow = snow_probability(reflectance, cloud, thresholds, constants)
        np.copyto(snow, 0, where=no_data)
        members, ring = snow_and_ring(reflectance, snow, thresholds, constants)
        _claim(classes, members, SceneClass.SNOW_ICE)
        np.copyto(cloud, 0, where=members | ring)
    else:
        snow = np.zeros_like(cloud)

    green = vegetation(reflectance, thresholds, constants)
    _claim(classes, green.members, SceneClass.VEGETATION)
    cloud *= green.cloud_factor

    ground = soil(reflectance, thresholds, constants)
    np.copyto(cloud, 0, where=_claim(classes, ground.members, SceneClass.BARE_SOILS))
    np.multiply(cloud, ground.cloud_factor, out=cloud, where=classes == NOT_CLASSIFIED)

    wet = water(reflectance, thresholds, constants)
    np.copyto(cloud, 0, where=_claim(classes, wet.members, SceneClass.WATER))
    cloud *= wet.cloud_factor

    rock = rock_and_sand(reflectance, thresholds, constants)
    np.copyto(cloud, 0, where=_claim(classes, rock.members, SceneClass.BARE_SOILS))
    np.multiply(cloud, rock.cloud_factor, out=cloud, where=classes == NOT_CLASSIFIED)

    glint = ice_and_glint(reflectance, constants)
    np.multiply(cloud, glint, out=cloud, where=(classes == NOT_CLASSIFIED) | (glint > 0))

    np.copyto(cloud, 0, where=no_data)
    np.copyto(classes, cloud_classes(cloud, thresholds), where=classes == NOT_CLASSIFIED)
    if "B10" in reflectance:
        thin = thin_cirrus(reflectance, cloud, thresholds, constants, elevation)
        np.putmask(classes, thin & ~no_data, SceneClass.THIN_CIRRUS)
        thick = thick_cirrus(reflectance, cloud, thresholds)
        np.putmask(classes, thick & ~no_data, SceneClass.MEDIUM_PROBA_CLOUDS)
    return SpectralClasses(classes, cloud, snow)


def percent(probability: Float32Array) -> UInt8Array:
    """Probability 0..1 as whole percent, halves rounded up; uint8."""
    return (probability * np.float32(100) + np.float32(0.5)).astype(np.uint8)


def _claim(classes: UInt8Array, members: BoolArray, code: SceneClass) -> BoolArray:
    """Give a class to its members among the pixels that have none yet, and say which they are."""
    taken: BoolArray = members & (classes == NOT_CLASSIFIED)
    np.putmask(classes, taken, code)
    return taken


def _check_bands(reflectance: Reflectance) -> None:
    missing = [name for name in CLASSIFICATION_BANDS if name not in reflectance]
    if missing == ["B10"]:
        logger.warning("B10 is missing: cirrus is not looked for")
    elif missing:
        raise ValueError(f"the classification needs the bands {', '.join(missing)}")
