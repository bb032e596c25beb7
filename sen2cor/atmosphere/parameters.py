"""Parameters of the retrievals and corrections, with their defaults.

Reflectances are 0..1. `sen2cor.settings.l2a_cal_ac_gipp` makes these from the elements of
L2A_CAL_AC_GIPP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReferencePixelParameters:
    """Criteria for pixels whose surface reflectance is known.

    Attributes
    ----------
    min_area : float
        Minimum area of reference pixels, % of the valid pixels.
    margin : float
        Part of the rows and columns at the edges that is left out, %.
    min_swir : float
        Lower bound of the reflectance at 2.2 um (at 1.6 um where B11 replaces B12).
    swir_22_thresholds, swir_16_thresholds : (float, float, float)
        Upper bounds of the reflectance at 2.2 um and at 1.6 um, tried in this order.
    min_ndvi : float
        Minimum NDVI of dark vegetation.
    min_nir_to_red : float
        Ratio of near infrared to red that separates soil from vegetation.
    red_to_swir, blue_to_red : float
        Reflectance ratios of dark vegetation: red to 2.2 um, blue to red.
    bright_min_nir, bright_min_ndvi : float
        Minimum near infrared reflectance and NDVI of dense bright vegetation.
    bright_red : float
        Red reflectance assumed for dense bright vegetation.
    """

    min_area: float = 2.0
    margin: float = 0.0
    min_swir: float = 0.01
    swir_22_thresholds: tuple[float, float, float] = (0.05, 0.10, 0.12)
    swir_16_thresholds: tuple[float, float, float] = (0.10, 0.15, 0.18)
    min_ndvi: float = 0.10
    min_nir_to_red: float = 3.0
    red_to_swir: float = 0.5
    blue_to_red: float = 0.5
    bright_min_nir: float = 0.35
    bright_min_ndvi: float = 0.66
    bright_red: float = 0.02


@dataclass(frozen=True)
class NegativeReflectanceParameters:
    """Test for negative reflectance of dark pixels.

    Attributes
    ----------
    min_ndvi, max_red : float
        Minimum NDVI and maximum red reflectance of the vegetation that is tested.
    max_vegetation_fraction : float
        Maximum fraction of this vegetation with a negative red reflectance, 0..1.
    min_water_nir : float
        Near infrared reflectance below which a water pixel counts as negative.
    """

    min_ndvi: float = 0.40
    max_red: float = 0.15
    max_vegetation_fraction: float = 0.01
    min_water_nir: float = -0.005


@dataclass(frozen=True)
class PathRadianceParameters:
    """Rescaling of the blue path radiance.

    Attributes
    ----------
    rescale : bool
        Whether the path radiance is rescaled.
    limit : bool
        Whether the factor is limited to ``min_factor..max_factor``.
    min_factor, max_factor : float
    min_land_percent : float
        Minimum number of reference pixels, % of the land.
    min_scene_permille : float
        Minimum number of reference pixels, per mille of the valid pixels.
    """

    rescale: bool = False
    limit: bool = False
    min_factor: float = 0.9
    max_factor: float = 1.1
    min_land_percent: float = 0.25
    min_scene_permille: float = 0.3


@dataclass(frozen=True)
class OptimalEstimationParameters:
    """Aerosol retrieval by optimal estimation.

    Attributes
    ----------
    median_aot : float
        Median of the prior of the optical thickness at 550 nm at sea level without a forecast.
    spread : float
        Geometric standard deviation of this prior.
    forecast_spread : float
        Geometric standard deviation about a forecast.
    weight : float
        Exponent of the likelihoods, 0..1: the surface types of a block are not fully independent.
    model_error, constant_error : float
        Standard deviation that the aerosol model and the radiative transfer add to the optical
        thickness: relative and constant part, added in quadrature.
    first_odds : float
        Ratio of the prior probability of the first candidate of aerosol (rural) to that of others.
    """

    median_aot: float = 0.10
    spread: float = 2.5
    forecast_spread: float = 1.7
    weight: float = 1.0
    model_error: float = 0.07
    constant_error: float = 0.01
    first_odds: float = 10.0


@dataclass(frozen=True)
class AerosolParameters:
    """Aerosol retrieval.

    Attributes
    ----------
    method : {"OE", "DDV"}
        Optimal estimation, or dark dense vegetation.
    optimal_estimation : OptimalEstimationParameters
    reference_pixels : ReferencePixelParameters
    negative_reflectance : NegativeReflectanceParameters
    path_radiance : PathRadianceParameters
    double_ratio_tolerance : float
        Difference of the double ratios of two seasons within which date and latitude decide.
    variable : bool
        Whether the aerosol varies over the scene; otherwise its mean is used everywhere.
    gap_filling : {"MEAN", "DISTANCE"}
        Between reference pixels: their mean, or an interpolation that relaxes to the mean with
        distance.
    smoothing_window : float
        Width of the window over which the map is smoothed, km.
    """

    method: str = "OE"
    optimal_estimation: OptimalEstimationParameters = OptimalEstimationParameters()
    reference_pixels: ReferencePixelParameters = ReferencePixelParameters()
    negative_reflectance: NegativeReflectanceParameters = NegativeReflectanceParameters()
    path_radiance: PathRadianceParameters = PathRadianceParameters()
    double_ratio_tolerance: float = 0.05
    variable: bool = True
    gap_filling: str = "DISTANCE"
    smoothing_window: float = 1.0


@dataclass(frozen=True)
class WaterVapourParameters:
    """Water vapour retrieval.

    Attributes
    ----------
    retrieve : bool
        Whether the column is retrieved; otherwise the first guess is used everywhere.
    start_column : mapping of season to float
        Column at which the iteration starts, cm.
    over_water : int
        Column over water: 0 as retrieved, 1 mean of the clear land, 2 mean of the clear land in
        the same row.
    smoothing : float
        Width of the box over which the map is averaged, m.
    """

    retrieve: bool = True
    start_column: Mapping[str, float] = field(
        default_factory=lambda: {"SUMMER": 1.0, "WINTER": 0.4}
    )
    over_water: int = 1
    smoothing: float = 100.0


@dataclass(frozen=True)
class CirrusParameters:
    """Cirrus correction.

    Attributes
    ----------
    min_water_vapour : float
        Column in cm below which the surface is visible in B10 and cirrus is not corrected.
    thin_reflectance : float
        Reflectance in B10 above which a pixel counts as thin cirrus.
    """

    min_water_vapour: float = 0.25
    thin_reflectance: float = 0.012


@dataclass(frozen=True)
class TerrainParameters:
    """Correction of slopes.

    Attributes
    ----------
    start_reflectance : float
        Reflectance of the surrounding terrain at the start of the iteration.
    max_iterations : int
        The iteration stops earlier once the mean change is below 0.001.
    half_width : int
        Pixels from the centre to the edge of the neighbourhood that illuminates a slope.
    max_factor : float
        Maximum ratio of terrain-corrected to flat-terrain signal. Values below 1 act as 1, so that
        flat terrain keeps its reflectance.
    """

    start_reflectance: float = 0.1
    max_iterations: int = 3
    half_width: int = 8
    max_factor: float = 5.0
