"""Parameters of the scene classification: thresholds, constants and rules.

`ClassificationThresholds` holds the thresholds of the calibration file (L2A_CAL_SC_GIPP), named as
its elements, `ClassificationConstants` the constants that the file does not contain, and
`ClassificationRules` the rules that differ from Sen2Cor 2.3. `ClassificationParameters` combines
them.

Source: Level-2A Algorithm Theoretical Basis Document (S2-PDGS-MPC-ATBD-L2A), chapter "Scene
Classification"; Louis et al. 2016, ESA SP-740; defaults as of Sen2Cor 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

RULES, S2CLOUDLESS = "RULES", "S2CLOUDLESS"
"""What decides on clouds: the rules of this package, or a learned detector."""


@dataclass(frozen=True)
class ClassificationThresholds:
    """Thresholds of the calibration file, with the defaults of Sen2Cor 2.3.

    Reflectances and ratios are dimensionless. Between ``t1_x`` and ``t2_x`` a probability rises (or
    falls) linearly from 0 to 1. Elements marked "not used" are in the file, but no step of Sen2Cor
    2.3 uses them.

    Attributes
    ----------
    t1_b02, t2_b02 : float
        Snow: range of B02.
    t1_b04, t2_b04 : float
        Cloud: range of B04.
    t1_b8a, t2_b8a : float
        Snow: range of B8A.
    t1_b10, t2_b10 : float
        Minimum B10 of thin and of thick cirrus.
    t_b02_b12 : float
        Cloud shadow: maximum mean distance of a spectrum to the reference spectrum.
    t_cloud_lp, t_cloud_mp, t_cloud_hp : float
        Minimum cloud probability of the three cloud classes; low probability must exceed its
        threshold.
    t1_ndsi_cld, t2_ndsi_cld : float
        Cloud: range of NDSI, the normalised difference of B03 and B11.
    t1_ndsi_snw, t2_ndsi_snw : float
        Snow: range of NDSI.
    t1_ndvi, t2_ndvi : float
        Vegetation: range of NDVI, the normalised difference of B8A and B04.
    t1_snow : float
        A pixel with a higher snow probability is snow.
    t2_snow : float
        Next to snow, a pixel with a lower B12 is not cloud.
    t1_r_b02_b04, t2_r_b02_b04 : float
        Snow: range of B02/B04.
    t2_r_b8a_b03 : float
        Minimum B8A/B03 of dark vegetation.
    t1_r_b8a_b11, t2_r_b8a_b11 : float
        Rock and sand: range of B8A/B11.
    t11_b02, t12_b02 : float
        Soil: slope and offset of the limit of B02 as a linear function of B02/B11.
    t11_r_b02_b11, t12_r_b02_b11 : float
        Soil: range of B02/B11.
    t21_r_b02_b11, t22_r_b02_b11 : float
        Water: range of B02/B11.
    t21_b12, t22_b12 : float
        Water: slope and offset of the limit of B12 as a linear function of B02/B11.
    """

    t1_b02: float = 0.18
    t2_b02: float = 0.22
    t1_b04: float = 0.06
    t2_b04: float = 0.25
    t1_b8a: float = 0.15
    t2_b8a: float = 0.35
    t1_b10: float = 0.012
    t2_b10: float = 0.035
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


@dataclass(frozen=True)
class ClassificationConstants:
    """Constants that the calibration file does not contain.

    Values are those of Sen2Cor 2.3 where it has the constant.

    Attributes
    ----------
    dark_b04_max, dark_b8a_min, dark_b8a_max : float
        Dark features: B04 and B8A lie strictly within.
    snow_red_edge_ratio_min : float
        Snow: minimum B05/B8A. Sen2Cor 2.8 takes 0.85 and finds more snow, 2.2 takes 1.0.
    snow_ring_width : int
        City-block distance in pixels; so near to snow a pixel dark at 2.2 um is not cloud.
    vegetation_b02_max : float
        Vegetation: maximum B02.
    soil_b02_limit_min, soil_b02_limit_max : float
        Soil: range of the linear limit of B02.
    water_b12_limit_min, water_b12_limit_max : float
        Water: range of the linear limit of B12.
    water_b02_max : float
        Water: maximum B02.
    blue_water_difference_min : float
        Blue water: minimum B02 - B04.
    rock_b02_limit_slope, rock_b02_limit_offset : float
        Rock and sand: limit of B02 as a linear function of B8A/B11.
    rock_b02_limit_min, rock_b02_limit_max : float
        Rock and sand: range of that limit.
    rock_b02_b11_max : float
        Rock and sand: maximum B02/B11.
    t1_r_b04_b11, t2_r_b04_b11 : float
        Ice and sun glint: range of B04/B11.
    cirrus_b02_max : float
        Thin cirrus: maximum B02.
    cirrus_elevation_max : float
        Metres; above, too little water vapour is left to absorb the signal of the ground in B10.
    shadow_cloud_probability_min : float
        Minimum cloud probability of clouds that cast a shadow. With match_cloud_shadow it is that
        of medium probability, T_CLOUD_MP.
    shadow_b02_b11_max : float
        Cloud shadow: maximum B02/B11; a higher ratio is water.
    shadow_likelihood_min : float
        Cloud shadow: minimum likelihood by the position of the clouds. Not used with
        match_cloud_shadow.
    shadow_smoothing_sigma : float
        Standard deviation in pixels of the Gaussian that smooths that likelihood. Not used with
        match_cloud_shadow.
    shadow_b8a_fraction_max, shadow_b11_fraction_max : float
        Cloud shadow by contrast: maximum reflectance as a fraction of that of the sunlit ground
        around.
    shadow_b8a_fraction_min : float
        A pixel with a smaller fraction that decreases from green to the near infrared is water.
    shadow_b11_to_b8a_min : float
        Minimum ratio of the fraction in B11 to that in B8A; a lower ratio is water.
    sunlit_b8a_fraction_min : float
        Ground with a smaller fraction of the mean B8A of all ground is not sunlit.
    cloud_rim_probability_min : float
        Minimum cloud probability of the rim of a cloud.
    unclassified_water_b8a_max : float
        Water among unclassified pixels: maximum B8A.
    topographic_shadow_cosine_max, topographic_shadow_fraction_max : float
        Topographic shadow: maximum cosine of the incidence angle, and that cosine as a fraction of
        that of flat terrain.
    self_shadow_cosine_max : float
        Below this cosine of the incidence angle, terrain is in its own shadow, not in that of a
        cloud.
    water_slope_max : float
        Degrees; steeper shaded terrain is not water.
    shaded_snow_b02_min : float
        Minimum B02 of snow in topographic shadow.
    dark_soil_b02_b11_max : float
        Dark soil: maximum B02/B11.
    """

    dark_b04_max: float = 0.10
    dark_b8a_min: float = 0.04
    dark_b8a_max: float = 0.15
    snow_red_edge_ratio_min: float = 1.0
    snow_ring_width: int = 3
    vegetation_b02_max: float = 0.15
    soil_b02_limit_min: float = 0.15
    soil_b02_limit_max: float = 0.32
    water_b12_limit_min: float = 0.07
    water_b12_limit_max: float = 0.21
    water_b02_max: float = 0.20
    blue_water_difference_min: float = 0.034
    rock_b02_limit_slope: float = -0.25
    rock_b02_limit_offset: float = 0.475
    rock_b02_limit_min: float = 0.16
    rock_b02_limit_max: float = 0.35
    rock_b02_b11_max: float = 0.8
    t1_r_b04_b11: float = 3.0
    t2_r_b04_b11: float = 6.0
    cirrus_b02_max: float = 0.50
    cirrus_elevation_max: float = 1500.0
    shadow_cloud_probability_min: float = 0.33
    shadow_b02_b11_max: float = 6.0
    shadow_likelihood_min: float = 0.05
    shadow_smoothing_sigma: float = 3.0
    shadow_b8a_fraction_max: float = 0.65
    shadow_b11_fraction_max: float = 0.5
    shadow_b8a_fraction_min: float = 0.15
    shadow_b11_to_b8a_min: float = 0.35
    sunlit_b8a_fraction_min: float = 0.6
    cloud_rim_probability_min: float = 0.05
    unclassified_water_b8a_max: float = 0.30
    topographic_shadow_cosine_max: float = 0.5
    topographic_shadow_fraction_max: float = 0.6
    self_shadow_cosine_max: float = 0.122
    water_slope_max: float = 15.0
    shaded_snow_b02_min: float = 0.20
    dark_soil_b02_b11_max: float = 0.65


@dataclass(frozen=True)
class ClassificationRules:
    """Rules that differ between Sen2Cor 2.3 (all False) and this processor (all True).

    Attributes
    ----------
    exclude_vegetation_from_clouds : bool
        Set the cloud probability of vegetation to 0, so that it casts no cloud shadow.
    keep_snow_above_cirrus_limit : bool
        Keep snow above cirrus_elevation_max, even where B10 is as high as in thick cirrus.
    detect_cirrus_over_snow : bool
        Detect thin cirrus over bright ground too, after removing the surface signal in B10.
    detect_ground_by_swir : bool
        Classify pixels as ground that are too bright in the short-wave infrared for cloud or
        shadow: bright sand, burnt ground, dark soil far from clouds.
    cast_shadow_of_high_clouds : bool
        Let clouds that show in B10 cast their shadow from up to the tropopause.
    correct_haze : bool
        Remove the path reflectance of haze and of a long path from the visible bands.
    detect_veils : bool
        Detect wide veils over land by the excess of blue over red, also after the correction of
        haze; they get low cloud probability.
    filter_cloud_patches : bool
        Lower isolated cloud pixels to low probability, and add the rims of clouds to the clouds.
    detect_shadow_by_contrast : bool
        Detect cloud shadow also where a pixel is much darker than the sunlit ground around it.
    match_cloud_shadow : bool
        Detect cloud shadow only where a cloud at a height that matches dark ground casts it, and
        keep narrow bright objects without a shadow out of the clouds.
    keep_clouds_over_shadow : bool
        Keep cirrus and clouds of medium and high probability where cloud shadow is detected.
    detect_clear_water_by_green : bool
        Let the spectrum of water that is dark in red decrease from green, instead of from red, to
        the near infrared.
    mirror_cloud_edges : bool
        Mirror the clouds at the edges of the image, instead of taking the sky beyond as clear; with
        match_cloud_shadow, let clouds of the common heights be anywhere beyond the edges.
    use_exact_sun_angles : bool
        Project shadows with the sun angles as given, not rounded to whole degrees and with a zenith
        angle of at most 70 degrees.
    use_illumination_ratio : bool
        Limit topographic shadow by the illumination ratio (relative to flat terrain), not by a
        fixed cosine, and keep dark features in self shadow or cast shadow as they are.
    """

    exclude_vegetation_from_clouds: bool = True
    keep_snow_above_cirrus_limit: bool = True
    detect_cirrus_over_snow: bool = True
    detect_ground_by_swir: bool = True
    cast_shadow_of_high_clouds: bool = True
    correct_haze: bool = True
    detect_veils: bool = True
    filter_cloud_patches: bool = True
    detect_shadow_by_contrast: bool = True
    match_cloud_shadow: bool = True
    keep_clouds_over_shadow: bool = True
    detect_clear_water_by_green: bool = True
    mirror_cloud_edges: bool = True
    use_exact_sun_angles: bool = True
    use_illumination_ratio: bool = True

    @classmethod
    def compatible(cls) -> ClassificationRules:
        """Return the rules of Sen2Cor 2.3."""
        return cls(**{entry.name: False for entry in fields(cls)})


@dataclass(frozen=True)
class ClassificationParameters:
    """All parameters of the scene classification.

    Attributes
    ----------
    thresholds : ClassificationThresholds
    constants : ClassificationConstants
    rules : ClassificationRules
    """

    thresholds: ClassificationThresholds = field(default_factory=ClassificationThresholds)
    constants: ClassificationConstants = field(default_factory=ClassificationConstants)
    rules: ClassificationRules = field(default_factory=ClassificationRules)
