"""Each parameter that is used changes the map."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from sen2cor.classification import (
    ClassificationConstants,
    ClassificationParameters,
    ClassificationRules,
    SunGeometry,
    TerrainIllumination,
    classify,
)
from sen2cor.settings.l2a_cal_sc_gipp import THRESHOLDS, thresholds_from
from tests.classification.spectra import SEN2COR_2_3, Image, all_valid, stack_maps

ELEMENTS = {parameter.name: parameter.default_value for parameter in THRESHOLDS}
CONSTANTS = sorted(field.name for field in fields(ClassificationConstants))
OF_SEN2COR_2_3 = {
    "cirrus_b02_max",
    "shadow_cloud_probability_min",
    "shadow_likelihood_min",
    "shadow_smoothing_sigma",
}
"""Constants that only the rules of Sen2Cor 2.3 use."""

RULES = sorted({field.name for field in fields(ClassificationRules)} - {"detect_veils"})
"""A mixture of pixels holds no wide veil: `test_veils` tests that rule."""
OF_ALL_HEIGHTS = ("mirror_cloud_edges", "use_exact_sun_angles")
SUN = SunGeometry(60.4, 150.6, 20.0)
LOW_SUN = SunGeometry(76.4, 150.6, 20.0)
HIGH_SUN = SunGeometry(20.0, 270.0, 20.0)


def _maps(
    image: Image, parameters: ClassificationParameters | None = None, sun: SunGeometry = SUN
) -> np.ndarray:
    shape = image["B02"].shape
    random = np.random.default_rng(5)
    result = classify(
        image,
        all_valid(image),
        parameters=parameters,
        sun=sun,
        elevation=random.uniform(1000, 3000, shape).astype(np.float32),
        terrain=TerrainIllumination(
            slope=random.uniform(0, 40, shape).astype(np.float32),
            illumination_ratio=random.uniform(0, 1, shape).astype(np.float32),
        ),
    )
    return stack_maps(result)


def _neighbours(value: float) -> tuple[float, ...]:
    if isinstance(value, int):
        return value - 1, value + 1
    step = abs(value) or 0.2
    return tuple(value + factor * step for factor in (-1.0, -0.5, 0.5, 1.0))


@pytest.fixture(scope="module")
def before(mixture: Image) -> np.ndarray:
    return _maps(mixture)


@pytest.mark.parametrize("name", ELEMENTS)
def test_each_element_of_the_calibration_file_changes_the_map(
    name: str, mixture: Image, before: np.ndarray
) -> None:
    assert any(
        (_maps(mixture, ClassificationParameters(thresholds_from({name: value}))) != before).any()
        for value in _neighbours(ELEMENTS[name])
    )


@pytest.mark.parametrize("name", CONSTANTS)
def test_each_constant_changes_the_map(name: str, mixture: Image, before: np.ndarray) -> None:
    default = ClassificationConstants()
    others = [replace(default, **{name: value}) for value in _neighbours(getattr(default, name))]
    parameters = ClassificationParameters()
    if name in OF_SEN2COR_2_3:
        parameters = SEN2COR_2_3
        before = _maps(mixture, parameters)
    assert any(
        (_maps(mixture, replace(parameters, constants=other)) != before).any() for other in others
    )


@pytest.mark.parametrize("name", RULES)
def test_each_rule_changes_the_map(name: str, mixture: Image) -> None:
    hazy = {band: image + np.float32(0.04) for band, image in mixture.items() if band != "B10"}
    image = {**mixture, **hazy}
    image["B10"] = np.where(image["B02"] > 0.4, np.float32(0.05), image["B10"])
    # without its clouds matched with dark ground, the mixture has shadows from all heights
    rules = ClassificationRules(match_cloud_shadow=name not in OF_ALL_HEIGHTS)
    given = ClassificationParameters(rules=rules)
    without = ClassificationParameters(rules=replace(rules, **{name: False}))
    assert any(
        (_maps(image, without, sun) != _maps(image, given, sun)).any()
        for sun in (LOW_SUN, HIGH_SUN)
    )
