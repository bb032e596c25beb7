"""The chain of the classification: which step comes when, and which class beats which.

Each step is a function in a file of its own. A pixel keeps the class of the first step that claims
it, in the order dark features, snow, vegetation, soil, water, rock and sand, clouds; only cirrus
overwrites others. The cloud probability is the product of what all steps say. Then cloud shadow
overwrites what is no cloud, the repairs look at dark features and at what is not classified once
more, and what is left counts as cloud of low probability. No-data pixels stay no data and take
part in nothing.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification"; Louis et al. 2016, ESA SP-740.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.cirrus import thick_cirrus, thin_cirrus
from sen2cor.classification.clouds import cloud_classes
from sen2cor.classification.dark_bright import bright_probability, dark_features
from sen2cor.classification.dark_soil import dark_soil
from sen2cor.classification.dark_vegetation import dark_vegetation
from sen2cor.classification.dark_water import dark_water
from sen2cor.classification.geometry import SunGeometry, TerrainIllumination
from sen2cor.classification.ice_glint import ice_and_glint
from sen2cor.classification.rock_sand import rock_and_sand
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.snow import snow_and_ring, snow_probability
from sen2cor.classification.snow_edge import snow_edge
from sen2cor.classification.soil import soil
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds
from sen2cor.classification.topographic_shadow import self_shadow, topographic_shadow
from sen2cor.classification.vegetation import vegetation
from sen2cor.classification.water import water
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array

_CLOUDS = (
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)

_DRY_LAND = (SceneClass.VEGETATION, SceneClass.BARE_SOILS)


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


def spectral_classes(
    reflectance: Reflectance,
    no_data: BoolArray,
    *,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
    rules: ClassificationRules,
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
    claimed = _claim(classes, green.members, SceneClass.VEGETATION)
    if rules.vegetation_is_no_cloud:
        np.copyto(cloud, 0, where=claimed)
    cloud *= green.cloud_factor

    ground = soil(reflectance, thresholds, constants)
    np.copyto(cloud, 0, where=_claim(classes, ground.members, SceneClass.BARE_SOILS))
    np.multiply(cloud, ground.cloud_factor, out=cloud, where=classes == NOT_CLASSIFIED)

    wet = water(reflectance, thresholds, constants)
    np.copyto(cloud, 0, where=_claim(classes, wet.members, SceneClass.WATER))
    cloud *= wet.cloud_factor

    rock = rock_and_sand(reflectance, thresholds, constants, rules)
    np.copyto(cloud, 0, where=_claim(classes, rock.members, SceneClass.BARE_SOILS))
    np.multiply(cloud, rock.cloud_factor, out=cloud, where=classes == NOT_CLASSIFIED)

    glint = ice_and_glint(reflectance, constants)
    np.multiply(cloud, glint, out=cloud, where=(classes == NOT_CLASSIFIED) | (glint > 0))

    np.copyto(cloud, 0, where=no_data)
    np.copyto(classes, cloud_classes(cloud, thresholds), where=classes == NOT_CLASSIFIED)
    if "B10" in reflectance:
        thin = thin_cirrus(reflectance, cloud, thresholds, constants, rules, elevation)
        np.putmask(classes, thin & ~no_data, SceneClass.THIN_CIRRUS)
        thick = thick_cirrus(reflectance, cloud, thresholds)
        if rules.cirrus_spares_high_snow and elevation is not None:
            high = elevation >= np.float32(constants.cirrus_elevation_max)
            thick &= ~(high & (classes == SceneClass.SNOW_ICE))
        np.putmask(classes, thick & ~no_data, SceneClass.MEDIUM_PROBA_CLOUDS)
    return SpectralClasses(classes, cloud, snow)


def finished_classes(
    classes: UInt8Array,
    reflectance: Reflectance,
    shadow: BoolArray,
    *,
    thresholds: ClassificationThresholds,
    constants: ClassificationConstants,
    rules: ClassificationRules,
    sun: SunGeometry | None = None,
    relief: TerrainIllumination | None = None,
) -> UInt8Array:
    """Cloud shadow, and the repairs after it.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
        As of `spectral_classes`.
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
    shadow : ndarray of bool, shape (rows, cols)
        Pixels that look like cloud shadow and lie where clouds may cast it.
    thresholds, constants, rules, sun, relief
        As of `classify_rows`.

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`.
    """
    finished = classes.copy()
    spared: tuple[int, ...] = (SceneClass.NO_DATA,)
    if rules.shadow_spares_clouds:
        spared += _CLOUDS
    np.putmask(finished, shadow & ~np.isin(classes, spared), SceneClass.CLOUD_SHADOWS)

    doubtful = (finished == SceneClass.DARK_FEATURES) | (finished == NOT_CLASSIFIED)
    doubtful &= dark_vegetation(reflectance, thresholds)
    np.putmask(finished, doubtful, SceneClass.VEGETATION)
    wet = dark_water(finished, reflectance, thresholds, constants, rules)
    np.putmask(finished, wet, SceneClass.WATER)
    if relief is not None and sun is not None:
        shaded = topographic_shadow(finished, reflectance, relief, sun, constants, rules)
        np.putmask(finished, shaded, SceneClass.DARK_FEATURES)
    edge = snow_edge(finished, reflectance, constants)
    np.putmask(finished, edge, SceneClass.SNOW_ICE)
    bare = dark_soil(finished, reflectance, constants, rules)
    np.putmask(finished, bare, SceneClass.BARE_SOILS)
    if rules.relief_against_flat and relief is not None and sun is not None:
        dark = self_shadow(relief, sun, classes.shape, constants) & np.isin(finished, _DRY_LAND)
        dark &= classes == SceneClass.DARK_FEATURES
        np.putmask(finished, dark, SceneClass.DARK_FEATURES)
    np.putmask(finished, finished == NOT_CLASSIFIED, SceneClass.LOW_PROBA_CLOUDS)
    return finished


def _claim(classes: UInt8Array, members: BoolArray, code: SceneClass) -> BoolArray:
    """Give a class to its members among the pixels that have none yet, and say which they are."""
    taken: BoolArray = members & (classes == NOT_CLASSIFIED)
    np.putmask(classes, taken, code)
    return taken
