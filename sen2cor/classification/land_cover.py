"""Land cover from the spectrum: dark features, vegetation, bare soil, water, rock and sand.

Each test marks the pixels of its class and gives a factor by which the cloud probability of the
others is multiplied. The first estimate of the cloud probability is the brightness in red.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", steps 1 and 3 to 6; the square
of the red probability as in Sen2Cor 2.2, which also dropped step 4 (senescent vegetation by
B8A/B03). Bright sand: Irish 2000, Proceedings of SPIE 4049, 348-355 (droplets and ice absorb at
1.6 um, so a cloud is no brighter there than in the near infrared; desert sand is).
"""

from __future__ import annotations

import numpy as np

from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.spectral_indices import (
    ClassMembership,
    Reflectance,
    linear_limit,
    linear_probability,
    normalised_difference,
    ratio,
)
from sen2cor.raster.array_types import Float32Array


def compute_bright_probability(
    reflectance: Reflectance, parameters: ClassificationParameters
) -> Float32Array:
    """Step 1a: cloud probability from red alone.

    Parameters
    ----------
    reflectance : mapping
        B04.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1.
    """
    thresholds = parameters.thresholds
    probability = linear_probability(reflectance["B04"], thresholds.t1_b04, thresholds.t2_b04)
    probability *= probability
    return probability


def detect_dark_features(
    reflectance: Reflectance, parameters: ClassificationParameters
) -> ClassMembership:
    """Step 1b: dark features; the snow index (NDSI) lowers the cloud probability.

    Soil and vegetation that reflect much more at 1.6 um than in green are neither.

    Parameters
    ----------
    reflectance : mapping
        B03, B04, B8A, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ClassMembership
    """
    thresholds, constants = parameters.thresholds, parameters.constants
    red, nir = reflectance["B04"], reflectance["B8A"]
    ndsi = normalised_difference(reflectance["B03"], reflectance["B11"])
    cloud_factor = linear_probability(ndsi, thresholds.t1_ndsi_cld, thresholds.t2_ndsi_cld)
    members = red < np.float32(constants.dark_b04_max)
    members &= nir > np.float32(constants.dark_b8a_min)
    members &= nir < np.float32(constants.dark_b8a_max)
    members &= cloud_factor > 0
    return ClassMembership(members, cloud_factor)


def detect_vegetation(
    reflectance: Reflectance, parameters: ClassificationParameters
) -> ClassMembership:
    """Step 3: vegetation by NDVI; a green pixel that is bright in blue may still be cloud.

    Parameters
    ----------
    reflectance : mapping
        B02, B04, B8A.
    parameters : ClassificationParameters

    Returns
    -------
    ClassMembership
    """
    thresholds = parameters.thresholds
    ndvi = normalised_difference(reflectance["B8A"], reflectance["B04"])
    probability = linear_probability(ndvi, thresholds.t1_ndvi, thresholds.t2_ndvi)
    dense = probability == 1
    cloud_factor = np.subtract(1, probability, out=probability)
    np.copyto(cloud_factor, 1, where=dense)
    members = reflectance["B02"] < np.float32(parameters.constants.vegetation_b02_max)
    members &= dense
    return ClassMembership(members, cloud_factor)


def detect_soil(reflectance: Reflectance, parameters: ClassificationParameters) -> ClassMembership:
    """Step 5.1: bare soil, whose blue is low compared with 1.6 um.

    Parameters
    ----------
    reflectance : mapping
        B02, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ClassMembership
    """
    thresholds, constants = parameters.thresholds, parameters.constants
    blue = reflectance["B02"]
    blue_swir = ratio(blue, reflectance["B11"])
    limit = linear_limit(
        blue_swir,
        thresholds.t11_b02,
        thresholds.t12_b02,
        constants.soil_b02_limit_min,
        constants.soil_b02_limit_max,
    )
    dim = blue < limit
    low = np.float32(thresholds.t11_r_b02_b11)
    cloud_factor = linear_probability(blue_swir, thresholds.t11_r_b02_b11, thresholds.t12_r_b02_b11)
    np.copyto(cloud_factor, 1, where=~dim | (blue_swir <= low))
    return ClassMembership(dim & (blue_swir < low), cloud_factor)


def detect_water(reflectance: Reflectance, parameters: ClassificationParameters) -> ClassMembership:
    """Step 5.2: water, which is dark in the infrared and falls from red to the near infrared.

    Parameters
    ----------
    reflectance : mapping
        B02, B04, B8A, B11, B12.
    parameters : ClassificationParameters

    Returns
    -------
    ClassMembership
    """
    thresholds, constants = parameters.thresholds, parameters.constants
    blue, red = reflectance["B02"], reflectance["B04"]
    blue_swir = ratio(blue, reflectance["B11"])
    falling = reflectance["B8A"] < red
    falling &= blue < np.float32(constants.water_b02_max)
    limit = linear_limit(
        blue_swir,
        thresholds.t21_b12,
        thresholds.t22_b12,
        constants.water_b12_limit_min,
        constants.water_b12_limit_max,
    )
    dark = reflectance["B12"] < limit
    dark &= falling
    low = np.float32(thresholds.t21_r_b02_b11)
    high = np.float32(thresholds.t22_r_b02_b11)
    cloud_factor = linear_probability(blue_swir, thresholds.t21_r_b02_b11, thresholds.t22_r_b02_b11)
    np.subtract(1, cloud_factor, out=cloud_factor)
    np.copyto(cloud_factor, 1, where=~dark | (blue_swir < low) | (blue_swir >= high))
    dark &= blue_swir > high
    falling &= blue - red > np.float32(constants.blue_water_difference_min)
    return ClassMembership(dark | falling, cloud_factor)


def detect_rock_and_sand(
    reflectance: Reflectance, parameters: ClassificationParameters
) -> ClassMembership:
    """Step 6: rock and sand, brighter at 1.6 um than in the near infrared and much more than blue.

    Parameters
    ----------
    reflectance : mapping
        B02, B8A, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ClassMembership
    """
    thresholds, constants = parameters.thresholds, parameters.constants
    blue, swir = reflectance["B02"], reflectance["B11"]
    nir_swir = ratio(reflectance["B8A"], swir)
    limit = linear_limit(
        nir_swir,
        constants.rock_b02_limit_slope,
        constants.rock_b02_limit_offset,
        constants.rock_b02_limit_min,
        constants.rock_b02_limit_max,
    )
    dim = blue < limit
    low = np.float32(thresholds.t1_r_b8a_b11)
    cloud_factor = linear_probability(nir_swir, thresholds.t1_r_b8a_b11, thresholds.t2_r_b8a_b11)
    np.copyto(cloud_factor, 1, where=~dim | (nir_swir <= low))
    dim &= blue < np.float32(constants.rock_b02_b11_max) * swir
    dim &= nir_swir < low
    if parameters.rules.detect_ground_by_swir:
        dim |= (blue < np.float32(thresholds.t11_r_b02_b11) * swir) & (reflectance["B8A"] < swir)
    return ClassMembership(dim, cloud_factor)
