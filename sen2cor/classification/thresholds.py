"""Thresholds and constants of the scene classification.

`ClassificationThresholds` holds what the calibration file (L2A_CAL_SC_GIPP) sets, under the names
of its elements; `ClassificationConstants` what that file has no element for.

Source: Level-2A Algorithm Theoretical Basis Document (S2-PDGS-MPC-ATBD-L2A), chapter "Scene
Classification"; Louis et al. 2016, ESA SP-740; defaults as of Sen2Cor 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassificationThresholds:
    """Thresholds of the calibration file, with the defaults of Sen2Cor 2.3.

    Reflectances and ratios are plain numbers. Where two fields ``t1_x`` and ``t2_x`` bound a ramp,
    a score rises (or falls) linearly from one to the other. Elements marked "not used" stand in the
    file, but no step of Sen2Cor 2.3 looks at them.

    Attributes
    ----------
    t1_b02, t2_b02 : float
        Snow: ramp of B02.
    t1_b04, t2_b04 : float
        Cloud: ramp of B04.
    t1_b8a, t2_b8a : float
        Snow: ramp of B8A.
    t1_b10, t2_b10 : float
        B10 of thin and of thick cirrus.
    t1_b12, t2_b12 : float
        Not used.
    t_b02_b12 : float
        Greatest mean distance of a spectrum to the reference of cloud shadow.
    t_cloud_lp, t_cloud_mp, t_cloud_hp : float
        Least cloud probability of the three cloud classes; low probability needs more than its
        threshold.
    t1_ndsi_cld, t2_ndsi_cld : float
        Cloud: ramp of the normalised difference of B03 and B11.
    t1_ndsi_snw, t2_ndsi_snw : float
        Snow: ramp of the normalised difference of B03 and B11.
    t1_ndvi, t2_ndvi : float
        Vegetation: ramp of the normalised difference of B8A and B04.
    t1_snow : float
        A pixel of more snow probability is snow.
    t2_snow : float
        Next to snow, a pixel of less B12 is no cloud.
    t1_r_b02_b04, t2_r_b02_b04 : float
        Snow: ramp of B02/B04.
    t1_r_b8a_b03 : float
        Not used.
    t2_r_b8a_b03 : float
        B8A/B03 of dark vegetation.
    t1_r_b8a_b11, t2_r_b8a_b11 : float
        Sand and rock: ramp of B8A/B11.
    t11_b02, t12_b02 : float
        Soil: slope and offset of the limit of B02 as a function of B02/B11.
    t11_r_b02_b11, t12_r_b02_b11 : float
        Soil: ramp of B02/B11.
    t21_r_b02_b11, t22_r_b02_b11 : float
        Water: ramp of B02/B11.
    t21_b12, t22_b12 : float
        Water: slope and offset of the limit of B12 as a function of B02/B11.
    rv_b2, rv_b3, rv_b4, rv_b8, rv_b11, rv_b12 : float
        Percent. Not used.
    t_sdw : float
        Not used.
    """

    t1_b02: float = 0.18
    t2_b02: float = 0.22
    t1_b04: float = 0.06
    t2_b04: float = 0.25
    t1_b8a: float = 0.15
    t2_b8a: float = 0.35
    t1_b10: float = 0.012
    t2_b10: float = 0.035
    t1_b12: float = 0.25
    t2_b12: float = 0.12
    t_b02_b12: float = 0.018
    t_cloud_lp: float = 0.0
    t_cloud_mp: float = 0.20
    t_cloud_hp: float = 0.80
    t1_ndsi_cld: float = -0.24
    t2_ndsi_cld: float = -0.16
    t1_ndsi_snw: float = 0.35
    t2_ndsi_snw: float = 0.50
    t1_ndvi: float = 0.36
    t2_ndvi: float = 0.42
    t1_snow: float = 0.12
    t2_snow: float = 0.25
    t1_r_b02_b04: float = 0.85
    t2_r_b02_b04: float = 0.95
    t1_r_b8a_b03: float = 1.50
    t2_r_b8a_b03: float = 2.50
    t1_r_b8a_b11: float = 0.90
    t2_r_b8a_b11: float = 1.10
    t11_b02: float = -0.40
    t12_b02: float = 0.46
    t11_r_b02_b11: float = 0.70
    t12_r_b02_b11: float = 1.0
    t21_r_b02_b11: float = 2.0
    t22_r_b02_b11: float = 4.0
    t21_b12: float = 0.1
    t22_b12: float = -0.09
    rv_b2: float = 6.96
    rv_b3: float = 5.26667
    rv_b4: float = 5.37708
    rv_b8: float = 7.52
    rv_b11: float = 5.45
    rv_b12: float = 2.55
    t_sdw: float = 0.75


@dataclass(frozen=True)
class ClassificationConstants:
    """Limits that the calibration file has no element for.

    Where Sen2Cor 2.3 has the limit, its value.

    Attributes
    ----------
    dark_b04_max, dark_b8a_min, dark_b8a_max : float
        Dark features: B04 and B8A lie strictly between.
    snow_red_edge_ratio : float
        Snow: least B05/B8A. Sen2Cor 2.8 takes 0.85 and finds more snow, 2.2 takes 1.0.
    snow_ring : int
        Pixels, city-block distance, next to snow that are no cloud.
    vegetation_b02_max : float
        What is brighter in B02 is not called vegetation.
    soil_b02_lowest, soil_b02_highest : float
        Bounds of the limit of B02 for soil.
    water_b12_lowest, water_b12_highest : float
        Bounds of the limit of B12 for water.
    water_b02_max : float
        What is brighter in B02 is not called water.
    blue_water_difference : float
        B02 - B04 of blue water.
    rock_b02_slope, rock_b02_offset, rock_b02_lowest, rock_b02_highest : float
        Sand and rock: limit of B02 as a function of B8A/B11, and its bounds.
    rock_b02_b11_max : float
        Sand and rock: greatest B02/B11.
    t1_r_b04_b11, t2_r_b04_b11 : float
        Ice and sun glint: ramp of B04/B11.
    cirrus_b02_max : float
        What is brighter in B02 is not called thin cirrus.
    cirrus_elevation_max : float
        Metres; above, too little water vapour is left to hide the ground in B10.
    shadow_cloud_min : float
        Cloud probability of clouds that cast a shadow.
    shadow_b02_b11_max : float
        What has a greater ratio B02/B11 is water, not shadow.
    shadow_likelihood_min : float
        Least likelihood of a cloud shadow by the position of the clouds.
    shadow_smoothing : float
        Standard deviation in pixels of the Gaussian that smooths that likelihood.
    shadow_b8a_share, shadow_b11_share : float
        A shadow reflects less than these shares of the lit ground around it.
    shadow_b8a_least_share : float
        What reflects a smaller share and falls from green to near infrared is water.
    shadow_b11_to_b8a_min : float
        Least share in B11 over share in B8A of a shadow; less is water.
    lit_ground_min : float
        Ground that reflects a smaller share of the mean of all ground in B8A is not lit.
    cloud_rim_min : float
        Least cloud probability of the rim of a cloud.
    unclassified_water_b8a_max : float
        What is brighter in B8A and not classified is not called water.
    shaded_illumination_max, shaded_illumination_of_flat : float
        Relief lies in the shade below this cosine of incidence, or below this share of that of
        flat ground.
    unlit_illumination_max : float
        Relief below this cosine of incidence is shadowed by itself, not by a cloud.
    water_slope_max : float
        Degrees; there is no water in the shade on steeper ground.
    shaded_snow_b02_min : float
        Snow in the shade of the relief is brighter in B02.
    dark_soil_b02_b11_max : float
        B02/B11 of dark soil is less.
    """

    dark_b04_max: float = 0.10
    dark_b8a_min: float = 0.04
    dark_b8a_max: float = 0.15
    snow_red_edge_ratio: float = 1.0
    snow_ring: int = 3
    vegetation_b02_max: float = 0.15
    soil_b02_lowest: float = 0.15
    soil_b02_highest: float = 0.32
    water_b12_lowest: float = 0.07
    water_b12_highest: float = 0.21
    water_b02_max: float = 0.20
    blue_water_difference: float = 0.034
    rock_b02_slope: float = -0.25
    rock_b02_offset: float = 0.475
    rock_b02_lowest: float = 0.16
    rock_b02_highest: float = 0.35
    rock_b02_b11_max: float = 0.8
    t1_r_b04_b11: float = 3.0
    t2_r_b04_b11: float = 6.0
    cirrus_b02_max: float = 0.50
    cirrus_elevation_max: float = 1500.0
    shadow_cloud_min: float = 0.33
    shadow_b02_b11_max: float = 6.0
    shadow_likelihood_min: float = 0.05
    shadow_smoothing: float = 3.0
    shadow_b8a_share: float = 0.65
    shadow_b11_share: float = 0.5
    shadow_b8a_least_share: float = 0.15
    shadow_b11_to_b8a_min: float = 0.35
    lit_ground_min: float = 0.6
    cloud_rim_min: float = 0.05
    unclassified_water_b8a_max: float = 0.30
    shaded_illumination_max: float = 0.5
    shaded_illumination_of_flat: float = 0.6
    unlit_illumination_max: float = 0.122
    water_slope_max: float = 15.0
    shaded_snow_b02_min: float = 0.20
    dark_soil_b02_b11_max: float = 0.65
