"""Decision tree of the classification: the order of the tests, and which class prevails.

A pixel keeps the class of the first test that it passes, in the order dark features, snow,
vegetation, soil, water, rock and sand, clouds; only cirrus overwrites other classes. The cloud
probability is the product of the factors of all tests. Then cloud shadow overwrites everything but
cloud, dark features and unclassified pixels are reclassified, and the remaining unclassified pixels
become clouds of low probability. No-data pixels stay no data and affect no other pixel. If a cloud
detector gives the cloud probability, its clouds of medium and high probability prevail over all
classes but no data.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification"; Louis et al. 2016, ESA SP-740.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.classification.clouds import (
    assign_cloud_classes,
    detect_thick_cirrus,
    detect_thin_cirrus,
)
from sen2cor.classification.land_cover import (
    compute_bright_probability,
    detect_dark_features,
    detect_rock_and_sand,
    detect_soil,
    detect_vegetation,
    detect_water,
)
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.reclassification import (
    detect_dark_soil,
    detect_dark_vegetation,
    detect_dark_water,
    detect_self_and_cast_shadow,
    detect_topographic_shadow,
)
from sen2cor.classification.scene import ClassificationScene
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass, has_class
from sen2cor.classification.snow import (
    compute_ice_and_glint_factor,
    compute_snow_probability,
    detect_snow_and_ring,
    detect_snow_edge,
)
from sen2cor.classification.spectral_indices import Reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array

_CLOUDS = (
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)

_DRY_LAND = (SceneClass.VEGETATION, SceneClass.BARE_SOILS)


@dataclass(frozen=True)
class SpectralClasses:
    """Classes by spectrum, before the shadow step.

    Attributes
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`; `NOT_CLASSIFIED` for pixels that pass no test.
    cloud, snow : ndarray of float32, shape (rows, cols)
        Probabilities 0..1; 0 where there are no data.
    """

    scene_class: UInt8Array
    cloud: Float32Array
    snow: Float32Array


def classify_spectra(
    reflectance: Reflectance, scene: ClassificationScene, parameters: ClassificationParameters
) -> SpectralClasses:
    """Steps 1 to 7: classes by spectrum; for snow also by the neighbours.

    Parameters
    ----------
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
    scene : ClassificationScene
        Of the same pixels.
    parameters : ClassificationParameters

    Returns
    -------
    SpectralClasses
    """
    no_data, rules = scene.no_data, parameters.rules
    classes = np.full(no_data.shape, NOT_CLASSIFIED, np.uint8)
    np.putmask(classes, no_data, SceneClass.NO_DATA)

    cloud = compute_bright_probability(reflectance, parameters)
    np.copyto(cloud, 0, where=no_data)
    dark = detect_dark_features(reflectance, parameters)
    np.copyto(cloud, 0, where=_assign(classes, dark.members, SceneClass.DARK_FEATURES))
    cloud *= dark.cloud_factor

    if scene.snow_possible:
        snow = compute_snow_probability(reflectance, cloud, parameters)
        np.copyto(snow, 0, where=no_data)
        members, ring = detect_snow_and_ring(reflectance, snow, parameters)
        _assign(classes, members, SceneClass.SNOW_ICE)
        np.copyto(cloud, 0, where=members | ring)
    else:
        snow = np.zeros_like(cloud)

    vegetation = detect_vegetation(reflectance, parameters)
    assigned = _assign(classes, vegetation.members, SceneClass.VEGETATION)
    if rules.exclude_vegetation_from_clouds:
        np.copyto(cloud, 0, where=assigned)
    cloud *= vegetation.cloud_factor

    soil = detect_soil(reflectance, parameters)
    np.copyto(cloud, 0, where=_assign(classes, soil.members, SceneClass.BARE_SOILS))
    np.multiply(cloud, soil.cloud_factor, out=cloud, where=classes == NOT_CLASSIFIED)

    water = detect_water(reflectance, parameters)
    np.copyto(cloud, 0, where=_assign(classes, water.members, SceneClass.WATER))
    cloud *= water.cloud_factor

    rock = detect_rock_and_sand(reflectance, parameters)
    np.copyto(cloud, 0, where=_assign(classes, rock.members, SceneClass.BARE_SOILS))
    np.multiply(cloud, rock.cloud_factor, out=cloud, where=classes == NOT_CLASSIFIED)

    glint = compute_ice_and_glint_factor(reflectance, parameters)
    np.multiply(cloud, glint, out=cloud, where=(classes == NOT_CLASSIFIED) | (glint > 0))

    if scene.cloud_probability is None:
        undecided = classes == NOT_CLASSIFIED
    else:
        cloud = scene.cloud_probability * np.float32(0.01)
        undecided = (cloud >= np.float32(parameters.thresholds.t_cloud_mp)) & ~no_data
    np.copyto(cloud, 0, where=no_data)
    clouds = assign_cloud_classes(cloud, parameters)
    np.copyto(classes, clouds, where=undecided)
    if "B10" in reflectance:
        _assign_cirrus(classes, reflectance, cloud, scene, parameters)
    return SpectralClasses(classes, cloud, snow)


def reclassify(
    classes: UInt8Array,
    reflectance: Reflectance,
    cloud_shadow: BoolArray,
    scene: ClassificationScene,
    parameters: ClassificationParameters,
) -> UInt8Array:
    """Steps 8 to 10: cloud shadow, and the reclassification after it.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
        As of `classify_spectra`.
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
    cloud_shadow : ndarray of bool, shape (rows, cols)
        Pixels that are dark enough for a cloud shadow and lie where clouds may cast it.
    scene : ClassificationScene
        Of the same pixels.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`.
    """
    rules, terrain, sun = parameters.rules, scene.terrain, scene.sun
    result = classes.copy()
    kept: tuple[int, ...] = (SceneClass.NO_DATA,)
    if rules.keep_clouds_over_shadow:
        kept += _CLOUDS
    np.putmask(result, cloud_shadow & ~has_class(classes, kept), SceneClass.CLOUD_SHADOWS)

    vegetation = (result == SceneClass.DARK_FEATURES) | (result == NOT_CLASSIFIED)
    vegetation &= detect_dark_vegetation(reflectance, parameters)
    np.putmask(result, vegetation, SceneClass.VEGETATION)
    water = detect_dark_water(result, reflectance, parameters)
    np.putmask(result, water, SceneClass.WATER)
    if terrain is not None and sun is not None:
        shaded = detect_topographic_shadow(result, reflectance, terrain, sun, parameters)
        np.putmask(result, shaded, SceneClass.DARK_FEATURES)
    edge = detect_snow_edge(result, reflectance, parameters)
    np.putmask(result, edge, SceneClass.SNOW_ICE)
    soil = detect_dark_soil(result, reflectance, parameters)
    np.putmask(result, soil, SceneClass.BARE_SOILS)
    if rules.use_illumination_ratio and terrain is not None and sun is not None:
        dark = detect_self_and_cast_shadow(terrain, sun, classes.shape, parameters)
        dark &= has_class(result, _DRY_LAND)
        dark &= classes == SceneClass.DARK_FEATURES
        np.putmask(result, dark, SceneClass.DARK_FEATURES)
    np.putmask(result, result == NOT_CLASSIFIED, SceneClass.LOW_PROBA_CLOUDS)
    return result


def _assign(classes: UInt8Array, members: BoolArray, code: SceneClass) -> BoolArray:
    """Assign a class to its members among the unclassified pixels, and return these."""
    assigned: BoolArray = members & (classes == NOT_CLASSIFIED)
    np.putmask(classes, assigned, code)
    return assigned


def _assign_cirrus(
    classes: UInt8Array,
    reflectance: Reflectance,
    cloud: Float32Array,
    scene: ClassificationScene,
    parameters: ClassificationParameters,
) -> None:
    """Overwrite the classes under thin and thick cirrus."""
    elevation, valid = scene.elevation, ~scene.no_data
    thin = detect_thin_cirrus(reflectance, cloud, parameters, elevation)
    np.putmask(classes, thin & valid, SceneClass.THIN_CIRRUS)
    thick = detect_thick_cirrus(reflectance, cloud, parameters)
    if parameters.rules.keep_snow_above_cirrus_limit and elevation is not None:
        high = elevation >= np.float32(parameters.constants.cirrus_elevation_max)
        thick &= ~(high & (classes == SceneClass.SNOW_ICE))
    np.putmask(classes, thick & valid, SceneClass.MEDIUM_PROBA_CLOUDS)
