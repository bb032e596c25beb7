"""What shadow and repairs make of classes that the spectra alone have given."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import (
    NOT_CLASSIFIED,
    ClassificationConstants,
    ClassificationRules,
    ClassificationThresholds,
    SceneClass,
    SunGeometry,
    TerrainIllumination,
    finished_classes,
)
from sen2cor.classification.shadow_radiometry import SHADOW_REFERENCE, spectral_shadow_match
from tests.classification.spectra import Image, image_of

SUN = SunGeometry(40.0, 150.0, 20.0)
LOW_SUN = SunGeometry(75.0, 150.0, 20.0)
U = NOT_CLASSIFIED


def finished(
    classes: list[int],
    image: Image,
    *,
    shadow: list[bool] | None = None,
    relief: TerrainIllumination | None = None,
    sun: SunGeometry = SUN,
    rules: ClassificationRules | None = None,
) -> list[int]:
    found = finished_classes(
        np.array([classes], np.uint8),
        image,
        np.array([shadow or [False] * len(classes)]),
        thresholds=ClassificationThresholds(),
        constants=ClassificationConstants(),
        rules=rules or ClassificationRules(),
        sun=sun,
        relief=relief,
    )
    return [int(code) for code in found[0]]


def _row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_shadow_of_the_original_overwrites_all_but_no_data() -> None:
    classes = list(range(12))
    image = image_of(*["dark"] * 12, B11=0.06)
    rules = ClassificationRules.compatible()
    assert finished(classes, image, shadow=[True] * 12, rules=rules) == [0] + [3] * 11


def test_shadow_leaves_clouds_and_cirrus_alone() -> None:
    image = image_of(*["dark"] * 5, B11=0.06)
    assert finished([7, 8, 9, 10, 11], image, shadow=[True] * 5) == [3, 8, 9, 10, 3]


@pytest.mark.parametrize(
    ("before", "spectrum", "after"),
    [
        (2, "vegetation", SceneClass.VEGETATION),
        (U, "vegetation", SceneClass.VEGETATION),
        (5, "vegetation", SceneClass.BARE_SOILS),
        (2, "water", SceneClass.WATER),
        (U, "water", SceneClass.WATER),
        (8, "water", SceneClass.MEDIUM_PROBA_CLOUDS),
        (2, "soil", SceneClass.BARE_SOILS),
        (U, "soil", SceneClass.LOW_PROBA_CLOUDS),
        (2, "dark", SceneClass.DARK_FEATURES),
        (U, "cloud", SceneClass.LOW_PROBA_CLOUDS),
    ],
)
def test_repairs_look_at_dark_features_and_at_what_is_not_classified(
    before: int, spectrum: str, after: SceneClass
) -> None:
    assert finished([before], image_of(spectrum)) == [after]


def test_clear_water_falls_from_green_but_snow_in_shade_is_no_water() -> None:
    water = image_of("water", B04=0.03, B8A=0.032)
    shaded_snow = image_of("snow", B02=0.30, B03=0.25, B04=0.20, B8A=0.22, B11=0.03)
    compatible = ClassificationRules.compatible()
    assert finished([U], water) == [SceneClass.WATER]
    assert finished([U], water, rules=compatible) == [SceneClass.LOW_PROBA_CLOUDS]
    assert finished([U], shaded_snow) == [SceneClass.LOW_PROBA_CLOUDS]


def test_edge_of_snow_is_snow_within_three_pixels() -> None:
    image = image_of("snow", *["haze"] * 5, B03=0.18)
    expected = [11, 11, 11, 11, 7, 7]
    assert finished([11, U, U, U, U, U], image) == expected
    image["B11"][0, 2] = 0.19
    assert finished([11, U, U, U, U, U], image) == [11, 11, 7, 11, 7, 7]


def test_water_on_a_dark_slope_is_shade() -> None:
    relief = TerrainIllumination(slope=_row(20, 20, 10), illumination=_row(0.3, 0.7, 0.3))
    assert finished([6, 6, 6], image_of(*["water"] * 3), relief=relief) == [2, 6, 6]


def test_cloud_shadow_where_no_sun_falls_is_shade_of_the_relief() -> None:
    relief = TerrainIllumination(
        illumination=_row(0.05, 0.2, np.nan), shadow=np.array([[False, False, True]])
    )
    image = image_of(*["dark"] * 3, B11=0.06)
    assert finished([3, 3, 3], image, relief=relief) == [2, 3, 2]


def test_dark_forest_that_the_relief_keeps_the_sun_from_stays_dark() -> None:
    relief = TerrainIllumination(illumination=_row(0.05, 0.5))
    image = image_of("vegetation", "vegetation")
    assert finished([2, 2], image, relief=relief) == [2, 4]
    compatible = ClassificationRules.compatible()
    assert finished([2, 2], image, relief=relief, rules=compatible) == [4, 4]


def test_water_below_haze_is_found_among_dark_features() -> None:
    image = image_of("water", B02=0.105, B03=0.078, B04=0.061, B8A=0.074, B11=0.030)
    assert finished([2], image) == [SceneClass.WATER]
    compatible = ClassificationRules.compatible()
    assert finished([2], image, rules=compatible) == [SceneClass.DARK_FEATURES]


def test_under_a_low_sun_flat_ground_is_not_in_the_shade() -> None:
    """The limit of the original, a fixed illumination, calls flat ground shaded below 30 degrees
    of sun elevation.
    """
    image = image_of("snow", "snow", B02=0.30, B04=0.24, B8A=0.20)
    relief = TerrainIllumination(illumination=_row(1.0, 0.4))
    assert finished([8, 8], image, relief=relief, sun=LOW_SUN) == [8, 2]
    compatible = ClassificationRules.compatible()
    assert finished([8, 8], image, relief=relief, sun=LOW_SUN, rules=compatible) == [2, 2]


def test_spectra_near_or_below_the_reference_resemble_a_shadow() -> None:
    levels = np.array(list(SHADOW_REFERENCE.values()), np.float32)
    for offset, expected in ((0.015, True), (0.03, False), (-0.02, True)):
        image = {
            band: np.full((3, 3), level + offset, np.float32)
            for band, level in zip(SHADOW_REFERENCE, levels, strict=True)
        }
        found = spectral_shadow_match(
            image, np.zeros((3, 3), bool), ClassificationThresholds(), ClassificationConstants()
        )
        assert found.all() == found.any() == expected
    image["B11"] /= 10
    found = spectral_shadow_match(
        image, np.zeros((3, 3), bool), ClassificationThresholds(), ClassificationConstants()
    )
    assert not found.any()
