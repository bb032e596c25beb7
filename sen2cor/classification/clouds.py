"""Clouds: classes by cloud probability, cirrus in B10, and the filter of isolated cloud pixels.

Water vapour absorbs the signal of the ground in B10 (1.375 um), so a pixel that is bright in this
band shows cirrus, or another cloud above most of the water vapour.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 7; Gao, Goetz and
Wiscombe 1993, Geophysical Research Letters 20, 301-304.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.morphology import dilate, majority
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.spectral_indices import Reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array


def assign_cloud_classes(cloud: Float32Array, parameters: ClassificationParameters) -> UInt8Array:
    """Cloud class by probability.

    Parameters
    ----------
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability, 0..1.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
        Classes 7, 8, 9; `NOT_CLASSIFIED` where there is no cloud.
    """
    thresholds = parameters.thresholds
    classes = np.full(cloud.shape, NOT_CLASSIFIED, np.uint8)
    for code, members in (
        (SceneClass.LOW_PROBA_CLOUDS, cloud > np.float32(thresholds.t_cloud_lp)),
        (SceneClass.MEDIUM_PROBA_CLOUDS, cloud >= np.float32(thresholds.t_cloud_mp)),
        (SceneClass.HIGH_PROBA_CLOUDS, cloud >= np.float32(thresholds.t_cloud_hp)),
    ):
        np.putmask(classes, members, code)
    return classes


def detect_thin_cirrus(
    reflectance: Reflectance,
    cloud: Float32Array,
    parameters: ClassificationParameters,
    elevation: Float32Array | None = None,
) -> BoolArray:
    """Pixels under thin cirrus.

    Parameters
    ----------
    reflectance : mapping
        B02, B10.
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability, 0..1.
    parameters : ClassificationParameters
    elevation : ndarray of float32, shape (rows, cols), optional
        Metres; NaN where unknown. High ground is visible in B10 and is left out.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    thresholds, constants = parameters.thresholds, parameters.constants
    cirrus = reflectance["B10"]
    thin = cirrus > np.float32(thresholds.t1_b10)
    thin &= cirrus < np.float32(thresholds.t2_b10)
    if not parameters.rules.detect_cirrus_over_snow:
        thin &= reflectance["B02"] < np.float32(constants.cirrus_b02_max)
    thin &= cloud < np.float32(thresholds.t_cloud_mp)
    if elevation is not None:
        thin &= ~(elevation >= np.float32(constants.cirrus_elevation_max))
    return thin


def detect_thick_cirrus(
    reflectance: Reflectance, cloud: Float32Array, parameters: ClassificationParameters
) -> BoolArray:
    """Pixels under cirrus so thick that they count as clouds of medium probability.

    Parameters
    ----------
    reflectance : mapping
        B10.
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability, 0..1.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    thick = find_high_clouds(reflectance, parameters)
    thick &= cloud < np.float32(parameters.thresholds.t_cloud_hp)
    return thick


def find_high_clouds(reflectance: Reflectance, parameters: ClassificationParameters) -> BoolArray:
    """Pixels whose B10 is that of thick cirrus or of a cloud as high; bool, shape (rows, cols)."""
    high: BoolArray = reflectance["B10"] >= np.float32(parameters.thresholds.t2_b10)
    return high


def filter_cloud_patches(
    classes: UInt8Array, cloud: UInt8Array, parameters: ClassificationParameters
) -> UInt8Array:
    """Lower isolated cloud pixels to low probability, and raise the rims of clouds to medium.

    Roofs and gravel are as bright as clouds but mostly smaller. The rim of a cloud is as thin as
    haze but adjoins the cloud. Therefore a pixel of medium or high probability that does not adjoin
    a patch of such pixels gets low probability, and a pixel of low probability that adjoins one
    gets medium.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    cloud : ndarray of uint8, shape (rows, cols)
        Cloud probability, percent.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
    """
    clouds = classes == SceneClass.MEDIUM_PROBA_CLOUDS
    clouds |= classes == SceneClass.HIGH_PROBA_CLOUDS
    patches = dilate(majority(clouds), 1)
    rim = patches & (classes == SceneClass.LOW_PROBA_CLOUDS)
    rim &= cloud >= np.float32(100 * parameters.constants.cloud_rim_probability_min)
    filtered = classes.copy()
    np.putmask(filtered, clouds & ~patches, SceneClass.LOW_PROBA_CLOUDS)
    np.putmask(filtered, rim, SceneClass.MEDIUM_PROBA_CLOUDS)
    return filtered


def lower_unconfirmed_clouds(
    classes: UInt8Array,
    unconfirmed: BoolArray,
    reflectance: Reflectance,
    parameters: ClassificationParameters,
) -> UInt8Array:
    """Lower bright objects that are no clouds to low probability, except where B10 shows a cloud.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    unconfirmed : ndarray of bool, shape (rows, cols)
        As of `sen2cor.classification.cloud_objects.CloudObjects`.
    reflectance : mapping
        B10 (optional).
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
    """
    lowered = unconfirmed & (
        (classes == SceneClass.MEDIUM_PROBA_CLOUDS) | (classes == SceneClass.HIGH_PROBA_CLOUDS)
    )
    if "B10" in reflectance:
        lowered &= ~find_high_clouds(reflectance, parameters)
    result = classes.copy()
    np.putmask(result, lowered, SceneClass.LOW_PROBA_CLOUDS)
    return result
