"""Elements of L2A_CAL_AC_GIPP become parameters of the atmospheric correction."""

from __future__ import annotations

from dataclasses import replace

from sen2cor.atmosphere.parameters import (
    AerosolParameters,
    CirrusParameters,
    TerrainParameters,
    WaterVapourParameters,
)
from sen2cor.settings import Settings
from sen2cor.settings.l2a_cal_ac_gipp import CorrectionSettings

SETTINGS = Settings()


def test_defaults_of_files_and_science_agree() -> None:
    correction, flags = SETTINGS.correction, SETTINGS.flags
    assert correction.aerosol_parameters(variable=True) == AerosolParameters()
    assert correction.terrain_parameters(60.0) == TerrainParameters()
    water_vapour = correction.water_vapour_parameters(
        retrieve=bool(flags.wv_correction),
        over_water=flags.wv_watermask,
        smoothing=SETTINGS.calibration.smooth_wv_map,
    )
    assert water_vapour == WaterVapourParameters()
    cirrus = CirrusParameters(SETTINGS.calibration.wv_threshold_cirrus)
    assert cirrus == CirrusParameters()


def test_thresholds_are_in_the_order_of_the_tries() -> None:
    correction = replace(
        CorrectionSettings(), ddv_swir_refl_th2=0.08, ddv_16um_refl_th3=0.3, scaling_disabler=True
    )
    parameters = correction.aerosol_parameters(variable=False)
    assert parameters.reference_pixels.swir_22_thresholds == (0.05, 0.08, 0.12)
    assert parameters.reference_pixels.swir_16_thresholds == (0.10, 0.15, 0.3)
    assert not parameters.path_radiance.rescale
    assert not parameters.variable


def test_range_of_the_terrain_is_rounded_to_pixels() -> None:
    correction = replace(CorrectionSettings(), rng_nbhd_terrain_corr=1.0)
    assert correction.terrain_parameters(60.0).half_width == 17
