"""Classes by spectrum, elevation and snow climatology."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import ClassificationParameters, SceneClass, classify
from tests.classification.spectra import SEN2COR_2_3, all_valid, make_image


def find_class(name: str, **changes: float) -> int:
    image = make_image(name, **changes)
    return int(classify(image, all_valid(image)).scene_class[0, 0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vegetation", SceneClass.VEGETATION),
        ("soil", SceneClass.BARE_SOILS),
        ("sand", SceneClass.BARE_SOILS),
        ("water", SceneClass.WATER),
        ("dark", SceneClass.DARK_FEATURES),
        ("snow", SceneClass.SNOW_ICE),
        ("cloud", SceneClass.HIGH_PROBA_CLOUDS),
        ("haze", SceneClass.MEDIUM_PROBA_CLOUDS),
    ],
)
def test_typical_spectra_get_their_class(name: str, expected: SceneClass) -> None:
    assert find_class(name) == expected


def test_cirrus_overwrites_the_ground_but_no_thick_cloud() -> None:
    assert find_class("vegetation", B10=0.02) == SceneClass.THIN_CIRRUS
    assert find_class("vegetation", B10=0.04) == SceneClass.MEDIUM_PROBA_CLOUDS
    assert find_class("cloud", B10=0.04) == SceneClass.HIGH_PROBA_CLOUDS


def test_thin_cirrus_is_not_looked_for_on_high_ground_but_where_elevation_is_unknown() -> None:
    image = make_image("vegetation", "vegetation", "vegetation", B10=0.02)
    elevation = np.array([[1499, 1500, np.nan]], np.float32)
    classes = classify(image, all_valid(image), elevation=elevation).scene_class
    assert classes.tolist() == [
        [SceneClass.THIN_CIRRUS, SceneClass.VEGETATION, SceneClass.THIN_CIRRUS]
    ]


def test_dark_soil_is_released_from_dark_features_by_its_infrared() -> None:
    assert find_class("dark", B11=0.30) == SceneClass.BARE_SOILS


def test_without_snow_in_the_climatology_there_is_no_snow() -> None:
    image = make_image("snow")
    result = classify(image, all_valid(image), snow_possible=False)
    assert result.scene_class[0, 0] != SceneClass.SNOW_ICE
    assert result.snow_probability[0, 0] == 0


def test_ring_of_snow_takes_no_cloud() -> None:
    """Pixels within 3 pixels of snow and dark at 2.2 um are no cloud, those farther away are."""
    image = make_image("snow", *["haze"] * 5)
    result = classify(image, all_valid(image))
    assert result.cloud_probability[0].astype(bool).tolist() == [False] * 4 + [True] * 2
    assert result.scene_class[0, 3] == SceneClass.LOW_PROBA_CLOUDS


def test_no_data_that_look_like_snow_have_no_ring() -> None:
    image = make_image("snow", *["haze"] * 5)
    no_data = np.array([[True] + [False] * 5])
    result = classify(image, no_data)
    assert result.scene_class[0, 0] == SceneClass.NO_DATA
    assert (result.cloud_probability[0, 1:] > 0).all()


def test_thick_cirrus_leaves_high_snow_alone_but_not_in_sen2cor_2_3() -> None:
    image = make_image("snow", "snow", B10=0.04)
    elevation = np.array([[1400, 1600]], np.float32)
    for parameters, expected in (
        (ClassificationParameters(), SceneClass.SNOW_ICE),
        (SEN2COR_2_3, SceneClass.MEDIUM_PROBA_CLOUDS),
    ):
        result = classify(image, all_valid(image), elevation=elevation, parameters=parameters)
        assert result.scene_class.tolist() == [[SceneClass.MEDIUM_PROBA_CLOUDS, expected]]
