"""Snow and ice: snow probability, the ring and the edge of mixed pixels, ice and sun glint.

Snow is bright in the visible and the near infrared and dark at 1.6 um.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", step 2. The snow edge and the
test of ice and glint: behaviour of Sen2Cor 2.2 and later, which the ATBD does not describe.
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.morphology import dilate
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.spectral_indices import (
    Reflectance,
    linear_probability,
    normalised_difference,
    ratio,
)
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array


def compute_snow_probability(
    reflectance: Reflectance, cloud: Float32Array, parameters: ClassificationParameters
) -> Float32Array:
    """Step 2: snow probability of possible cloud that is dark at 1.6 um and has no red edge.

    Parameters
    ----------
    reflectance : mapping
        B02, B03, B04, B05, B8A, B11.
    cloud : ndarray of float32, shape (rows, cols)
        Cloud probability after step 1; where it is 0 there is no snow.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1.
    """
    thresholds = parameters.thresholds
    blue, nir = reflectance["B02"], reflectance["B8A"]
    ndsi = normalised_difference(reflectance["B03"], reflectance["B11"])
    snow = linear_probability(ndsi, thresholds.t1_ndsi_snw, thresholds.t2_ndsi_snw)
    possible = cloud > 0
    possible &= snow > 0
    if not possible.any():
        snow.fill(0)
        return snow
    red_edge = ratio(reflectance["B05"], nir)
    possible &= red_edge >= np.float32(parameters.constants.snow_red_edge_ratio_min)
    snow *= possible
    snow *= linear_probability(nir, thresholds.t1_b8a, thresholds.t2_b8a)
    snow *= linear_probability(blue, thresholds.t1_b02, thresholds.t2_b02)
    blue_red = ratio(blue, reflectance["B04"])
    snow *= linear_probability(blue_red, thresholds.t1_r_b02_b04, thresholds.t2_r_b02_b04)
    return snow


def detect_snow_and_ring(
    reflectance: Reflectance, snow: Float32Array, parameters: ClassificationParameters
) -> tuple[BoolArray, BoolArray]:
    """Snow, and the ring of pixels next to it that are too dark at 2.2 um to be cloud.

    Parameters
    ----------
    reflectance : mapping
        B12.
    snow : ndarray of float32, shape (rows, cols)
        Snow probability, 0..1.
    parameters : ClassificationParameters

    Returns
    -------
    members, ring : ndarray of bool, shape (rows, cols)
    """
    members = snow > np.float32(parameters.thresholds.t1_snow)
    ring = dilate(members, parameters.constants.snow_ring_width)
    ring &= ~members
    ring &= reflectance["B12"] < np.float32(parameters.thresholds.t2_snow)
    return members, ring


def compute_ice_and_glint_factor(
    reflectance: Reflectance, parameters: ClassificationParameters
) -> Float32Array:
    """Step 6b: factor of the cloud probability, 0 on ice and sun glint.

    Cold snow, ice and sun glint are bright in red and dark at 1.6 um.

    Parameters
    ----------
    reflectance : mapping
        B04, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1.
    """
    constants = parameters.constants
    red_swir = ratio(reflectance["B04"], reflectance["B11"])
    probability = linear_probability(red_swir, constants.t1_r_b04_b11, constants.t2_r_b04_b11)
    return np.subtract(1, probability, out=probability)


def detect_snow_edge(
    classes: UInt8Array, reflectance: Reflectance, parameters: ClassificationParameters
) -> BoolArray:
    """Step 9.5: unclassified pixels near snow that are darker at 1.6 um than in green.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B03, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    edge = dilate(classes == SceneClass.SNOW_ICE, parameters.constants.snow_ring_width)
    edge &= classes == NOT_CLASSIFIED
    edge &= reflectance["B11"] < reflectance["B03"]
    return edge
