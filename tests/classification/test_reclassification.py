"""What shadow and reclassification make of the classes by spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import (
    NOT_CLASSIFIED,
    ClassificationParameters,
    ClassificationScene,
    SceneClass,
    SunGeometry,
    TerrainIllumination,
    classify,
    reclassify,
)
from sen2cor.classification.cloud_shadow_geometry import NEAR_CLOUDS
from sen2cor.classification.reclassification import detect_unclassified_vegetation
from tests.classification.spectra import SEN2COR_2_3, Image, all_valid, make_image

SUN = SunGeometry(40.0, 150.0, 20.0)
LOW_SUN = SunGeometry(75.0, 150.0, 20.0)
U = NOT_CLASSIFIED

GREY_SOIL = (0.150, 0.132, 0.145, 0.150, 0.177, 0.001, 0.172, 0.167)
"""Dark soil below a low sun, in the order of `CLASSIFICATION_BANDS`."""

CHAR = (0.100, 0.080, 0.075, 0.075, 0.105, 0.001, 0.125, 0.100)
SALT = (0.400, 0.430, 0.500, 0.500, 0.580, 0.001, 0.660, 0.440)


def reclassified(
    classes: list[int],
    image: Image,
    *,
    shadow: list[bool] | None = None,
    terrain: TerrainIllumination | None = None,
    sun: SunGeometry = SUN,
    parameters: ClassificationParameters | None = None,
) -> list[int]:
    no_data = np.zeros((1, len(classes)), np.bool_)
    found = reclassify(
        np.array([classes], np.uint8),
        image,
        no_data if shadow is None else np.array([shadow]),
        ClassificationScene(no_data, sun=sun, terrain=terrain),
        parameters or ClassificationParameters(),
    )
    return [int(code) for code in found[0]]


def _row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_shadow_of_sen2cor_2_3_overwrites_all_but_no_data() -> None:
    classes = list(range(12))
    image = make_image(*["dark"] * 12, B11=0.06)
    assert (
        reclassified(classes, image, shadow=[True] * 12, parameters=SEN2COR_2_3) == [0] + [3] * 11
    )


def test_shadow_leaves_clouds_and_cirrus_alone() -> None:
    image = make_image(*["dark"] * 5, B11=0.06)
    assert reclassified([7, 8, 9, 10, 11], image, shadow=[True] * 5) == [3, 8, 9, 10, 3]


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
def test_dark_features_and_unclassified_pixels_are_reclassified(
    before: int, spectrum: str, after: SceneClass
) -> None:
    assert reclassified([before], make_image(spectrum)) == [after]


def test_clear_water_falls_from_green_but_snow_in_shade_is_no_water() -> None:
    water = make_image("water", B04=0.03, B8A=0.032)
    shaded_snow = make_image("snow", B02=0.30, B03=0.25, B04=0.20, B8A=0.22, B11=0.03)
    assert reclassified([U], water) == [SceneClass.WATER]
    assert reclassified([U], water, parameters=SEN2COR_2_3) == [SceneClass.LOW_PROBA_CLOUDS]
    assert reclassified([U], shaded_snow) == [SceneClass.LOW_PROBA_CLOUDS]


def test_edge_of_snow_is_snow_within_three_pixels() -> None:
    image = make_image("snow", *["haze"] * 5, B03=0.18)
    expected = [11, 11, 11, 11, 7, 7]
    assert reclassified([11, U, U, U, U, U], image) == expected
    image["B11"][0, 2] = 0.19
    assert reclassified([11, U, U, U, U, U], image) == [11, 11, 7, 11, 7, 7]


def test_water_on_a_dark_slope_is_topographic_shadow() -> None:
    terrain = TerrainIllumination(slope=_row(20, 20, 10), illumination_ratio=_row(0.3, 0.7, 0.3))
    assert reclassified([6, 6, 6], make_image(*["water"] * 3), terrain=terrain) == [2, 6, 6]


def test_cloud_shadow_where_no_sun_falls_is_topographic_shadow() -> None:
    terrain = TerrainIllumination(
        illumination_ratio=_row(0.05, 0.2, np.nan), cast_shadow=np.array([[False, False, True]])
    )
    image = make_image(*["dark"] * 3, B11=0.06)
    assert reclassified([3, 3, 3], image, terrain=terrain) == [2, 3, 2]


def test_dark_forest_in_self_shadow_stays_dark() -> None:
    terrain = TerrainIllumination(illumination_ratio=_row(0.05, 0.5))
    image = make_image("vegetation", "vegetation")
    assert reclassified([2, 2], image, terrain=terrain) == [2, 4]
    assert reclassified([2, 2], image, terrain=terrain, parameters=SEN2COR_2_3) == [4, 4]


def test_water_below_haze_is_found_among_dark_features() -> None:
    image = make_image("water", B02=0.105, B03=0.078, B04=0.061, B8A=0.074, B11=0.030)
    assert reclassified([2], image) == [SceneClass.WATER]
    assert reclassified([2], image, parameters=SEN2COR_2_3) == [SceneClass.DARK_FEATURES]


def test_under_a_low_sun_flat_ground_is_not_in_the_shade() -> None:
    """The limit of Sen2Cor 2.3, a fixed illumination, calls flat ground shaded below 30 degrees
    of sun elevation.
    """
    image = make_image("snow", "snow", B02=0.30, B04=0.24, B8A=0.20)
    terrain = TerrainIllumination(illumination_ratio=_row(1.0, 0.4))
    assert reclassified([8, 8], image, terrain=terrain, sun=LOW_SUN) == [8, 2]
    assert reclassified([8, 8], image, terrain=terrain, sun=LOW_SUN, parameters=SEN2COR_2_3) == [
        2,
        2,
    ]


def _image(values: tuple[float, ...], rows: int = 6, cols: int = 120) -> Image:
    bands = make_image("cloud")
    return {
        band: np.full((rows, cols), value, np.float32)
        for band, value in zip(bands, values, strict=True)
    }


def _classes(image: Image, parameters: ClassificationParameters | None = None) -> np.ndarray:
    return classify(image, all_valid(image), sun=SUN, parameters=parameters).scene_class


@pytest.mark.parametrize("spectrum", [GREY_SOIL, CHAR, SALT])
def test_ground_is_detected_by_its_infrared_but_not_by_sen2cor_2_3(
    spectrum: tuple[float, ...],
) -> None:
    image = _image(spectrum)
    assert (_classes(image) == SceneClass.BARE_SOILS).all()
    compatible = _classes(image, SEN2COR_2_3)
    assert (compatible != SceneClass.BARE_SOILS).all()


def test_near_a_cloud_grey_soil_stays_unclassified() -> None:
    image = _image(GREY_SOIL)
    for band, values in make_image("cloud").items():
        image[band][:, :20] = values[0]
    row = _classes(image)[3]
    far = np.arange(120) >= 20 + NEAR_CLOUDS / SUN.pixel_size + 3
    assert (row[far] == SceneClass.BARE_SOILS).all()
    assert (row[24:30] == SceneClass.LOW_PROBA_CLOUDS).all()


def test_below_cirrus_grey_soil_stays_unclassified() -> None:
    image = _image((*GREY_SOIL[:5], 0.009, *GREY_SOIL[6:]))
    assert (_classes(image) == SceneClass.LOW_PROBA_CLOUDS).all()


def test_vegetation_below_a_long_path_through_the_air_is_no_cloud() -> None:
    image = make_image("vegetation", "haze", "cloud", "soil", B10=0.001)
    image["B02"] = image["B02"] + np.float32(0.09)
    image["B04"] = image["B04"] + np.float32(0.04)
    classes = np.full((1, 4), SceneClass.LOW_PROBA_CLOUDS, np.uint8)
    parameters = ClassificationParameters()
    found = detect_unclassified_vegetation(classes, image, parameters)
    np.testing.assert_array_equal(found, [[True, False, False, False]])
    image["B10"] = np.full_like(image["B10"], 0.01)
    assert not detect_unclassified_vegetation(classes, image, parameters).any()
    classes[:] = SceneClass.MEDIUM_PROBA_CLOUDS
    image["B10"][:] = 0.001
    assert not detect_unclassified_vegetation(classes, image, parameters).any()
