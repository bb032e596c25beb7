"""Reclassification after the shadow step: dark features, unclassified pixels and dark slopes.

The spectral tests leave dark features and unclassified pixels, and they take dark slopes for water,
cloud shadow or thin cloud. Each function here finds the pixels that get another class.

Clouds and bare ground differ at 2.2 um: droplets and ice absorb there, so that a cloud keeps about
two thirds of its visible reflectance, while dry soil is brighter than in red. Burnt ground rises
from the near infrared to 1.6 um; water and ground under skylight alone fall.

Source: behaviour of Sen2Cor 2.2 and later, which the Level-2A ATBD does not describe. Burnt ground:
Key and Benson 2006, USDA Forest Service RMRS-GTR-164-CD. Clouds at 2.2 um: Nakajima and King 1990,
Journal of the Atmospheric Sciences 47, 1878-1893.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.scene import SunGeometry, TerrainIllumination
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass, has_class
from sen2cor.classification.spectral_indices import Reflectance, normalised_difference, ratio
from sen2cor.raster.array_types import BoolArray, UInt8Array

_MAX_CLEAR_CIRRUS_FRACTION = 0.5
"""B10 of ground without cirrus is below this fraction of the limit of thin cirrus (T1_B10)."""

_SHADED_SNOW_CANDIDATES = (
    NOT_CLASSIFIED,
    SceneClass.LOW_PROBA_CLOUDS,
    SceneClass.MEDIUM_PROBA_CLOUDS,
)


def detect_dark_vegetation(
    reflectance: Reflectance, parameters: ClassificationParameters
) -> BoolArray:
    """Step 9.2: pixels with the spectrum of vegetation, however dark.

    Parameters
    ----------
    reflectance : mapping
        B03, B04, B8A.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    thresholds = parameters.thresholds
    nir = reflectance["B8A"]
    found = normalised_difference(nir, reflectance["B04"]) > np.float32(thresholds.t2_ndvi)
    found |= ratio(nir, reflectance["B03"]) > np.float32(thresholds.t2_r_b8a_b03)
    return found


def detect_dark_water(
    classes: UInt8Array, reflectance: Reflectance, parameters: ClassificationParameters
) -> BoolArray:
    """Step 9.3: dark features and unclassified pixels with the spectrum of water.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B03, B04, B8A, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    thresholds, constants = parameters.thresholds, parameters.constants
    by_green = parameters.rules.detect_clear_water_by_green
    nir = reflectance["B8A"]
    candidates: BoolArray = classes == NOT_CLASSIFIED
    candidates &= nir < np.float32(constants.unclassified_water_b8a_max)
    candidates |= classes == SceneClass.DARK_FEATURES
    red = reflectance["B04"]
    falling = nir < red
    if by_green:
        falling |= (nir < reflectance["B03"]) & (red < np.float32(constants.dark_b04_max))
    candidates &= falling
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    minimum = thresholds.t21_r_b02_b11 if by_green else thresholds.t22_r_b02_b11
    candidates &= blue_swir > np.float32(minimum)
    return candidates


def detect_topographic_shadow(
    classes: UInt8Array,
    reflectance: Reflectance,
    terrain: TerrainIllumination,
    sun: SunGeometry,
    parameters: ClassificationParameters,
) -> BoolArray:
    """Step 9.4: dark slopes that were taken for water, cloud shadow or thin cloud.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B04, B8A.
    terrain : TerrainIllumination
    sun : SunGeometry
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Pixels that become dark features.
    """
    constants = parameters.constants
    limit = constants.topographic_shadow_cosine_max
    if parameters.rules.use_illumination_ratio:
        limit = min(limit, constants.topographic_shadow_fraction_max * sun.cosine)
    shaded = _darker_than(limit / sun.cosine, terrain, classes.shape)
    blue = reflectance["B02"]
    found = shaded & (blue > np.float32(constants.shaded_snow_b02_min))
    found &= blue - reflectance["B04"] > np.float32(constants.blue_water_difference_min)
    found &= reflectance["B8A"] < reflectance["B04"]
    found &= has_class(classes, _SHADED_SNOW_CANDIDATES)
    if terrain.slope is not None:
        slopes = terrain.slope > np.float32(constants.water_slope_max)
        found |= slopes & shaded & (classes == SceneClass.WATER)
    found |= detect_self_and_cast_shadow(terrain, sun, classes.shape, parameters) & (
        classes == SceneClass.CLOUD_SHADOWS
    )
    return found


def detect_self_and_cast_shadow(
    terrain: TerrainIllumination,
    sun: SunGeometry,
    shape: tuple[int, ...],
    parameters: ClassificationParameters,
) -> BoolArray:
    """Pixels in self shadow or cast shadow: no direct sunlight reaches them.

    Parameters
    ----------
    terrain : TerrainIllumination
    sun : SunGeometry
    shape : (int, int)
        Rows and columns.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    limit = parameters.constants.self_shadow_cosine_max
    return _darker_than(limit / sun.cosine, terrain, shape)


def detect_dark_soil(
    classes: UInt8Array, reflectance: Reflectance, parameters: ClassificationParameters
) -> BoolArray:
    """Step 9.6: dark features that are soil (little blue compared with 1.6 um) or burnt ground.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B8A, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    blue_swir = ratio(reflectance["B02"], reflectance["B11"])
    found: BoolArray = blue_swir < np.float32(parameters.constants.dark_soil_b02_b11_max)
    if parameters.rules.detect_ground_by_swir:
        found |= reflectance["B11"] > reflectance["B8A"]
    found &= classes == SceneClass.DARK_FEATURES
    return found


def detect_unclassified_ground(
    classes: UInt8Array,
    reflectance: Reflectance,
    near_clouds: BoolArray,
    parameters: ClassificationParameters,
) -> BoolArray:
    """Bare ground among unclassified pixels (low cloud probability) far from clouds.

    Dark soil is as grey as thin cloud in the visible. A pixel that is brighter at 2.2 um than in
    red, and not much darker at 1.6 um than in the near infrared, is soil, or soil under the rim of
    a cloud or under cirrus. Rims are near clouds, and cirrus is visible in B10; both are left out.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B04, B8A, B10 (optional), B11, B12.
    near_clouds : ndarray of bool, shape (rows, cols)
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    thresholds = parameters.thresholds
    found: BoolArray = (classes == SceneClass.LOW_PROBA_CLOUDS) & ~near_clouds
    max_nir = np.float32(thresholds.t2_r_b8a_b11) * reflectance["B11"]
    found &= reflectance["B8A"] < max_nir
    if "B10" in reflectance:
        max_cirrus = np.float32(_MAX_CLEAR_CIRRUS_FRACTION * thresholds.t1_b10)
        found &= reflectance["B10"] < max_cirrus
    found &= reflectance["B12"] > reflectance["B04"]
    return found


def detect_unclassified_vegetation(
    classes: UInt8Array, reflectance: Reflectance, parameters: ClassificationParameters
) -> BoolArray:
    """Vegetation among unclassified pixels (low cloud probability).

    A long path through the air makes vegetation brighter in blue than the limit of vegetation
    (vegetation_b02_max), and brighter in red than a dark feature. Its NDVI is still that of dense
    vegetation; any cloud that could be seen would lower it.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B04, B8A, B10 (optional).
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    found: BoolArray = classes == SceneClass.LOW_PROBA_CLOUDS
    nir, red = reflectance["B8A"][found], reflectance["B04"][found]
    green = normalised_difference(nir, red) > np.float32(parameters.thresholds.t2_ndvi)
    if "B10" in reflectance:
        max_cirrus = np.float32(_MAX_CLEAR_CIRRUS_FRACTION * parameters.thresholds.t1_b10)
        green &= reflectance["B10"][found] < max_cirrus
    found[found] = green
    return found


def _darker_than(
    illumination_ratio: float, terrain: TerrainIllumination, shape: tuple[int, ...]
) -> BoolArray:
    """Pixels in cast shadow or with a smaller illumination ratio."""
    shadow = terrain.cast_shadow
    shaded = np.zeros(shape, np.bool_) if shadow is None else shadow.copy()
    if terrain.illumination_ratio is not None:
        shaded |= terrain.illumination_ratio < np.float32(illumination_ratio)
    return shaded
