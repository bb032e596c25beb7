from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    ClassificationConstants,
    ClassificationParameters,
    ClassificationRules,
    ClassificationScene,
    SceneClass,
    SunGeometry,
    TerrainIllumination,
    classify,
    classify_rows,
)
from sen2cor.settings.cal_sc_gipp import THRESHOLDS, thresholds_from
from tests.classification.spectra import SEN2COR_2_3, Image, all_valid, image_of, random_image

UNUSED = {
    *("t1_b12", "t2_b12", "t_sdw", "t1_r_b8a_b03"),
    *("rv_b2", "rv_b3", "rv_b4", "rv_b8", "rv_b11", "rv_b12"),
}
ELEMENTS = {parameter.name: parameter.default_value for parameter in THRESHOLDS}
USED = sorted(name for name in ELEMENTS if name.lower() not in UNUSED)
CONSTANTS = sorted(field.name for field in fields(ClassificationConstants))
OF_SEN2COR_2_3 = {"cirrus_b02_max"}
"""Constants that only the rules of Sen2Cor 2.3 use."""

RULES = sorted(field.name for field in fields(ClassificationRules))
SUN = SunGeometry(60.4, 150.6, 20.0)
LOW_SUN = SunGeometry(76.4, 150.6, 20.0)
HIGH_SUN = SunGeometry(20.0, 270.0, 20.0)


def maps_of(classification: Classification) -> np.ndarray:
    return np.stack(
        [
            classification.scene_class,
            classification.cloud_probability,
            classification.snow_probability,
        ]
    )


def class_of(name: str, **changes: float) -> int:
    image = image_of(name, **changes)
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
    assert class_of(name) == expected


def test_cirrus_overwrites_the_ground_but_no_thick_cloud() -> None:
    assert class_of("vegetation", B10=0.02) == SceneClass.THIN_CIRRUS
    assert class_of("vegetation", B10=0.04) == SceneClass.MEDIUM_PROBA_CLOUDS
    assert class_of("cloud", B10=0.04) == SceneClass.HIGH_PROBA_CLOUDS


def test_thin_cirrus_is_not_looked_for_on_high_ground_but_where_elevation_is_unknown() -> None:
    image = image_of("vegetation", "vegetation", "vegetation", B10=0.02)
    elevation = np.array([[1499, 1500, np.nan]], np.float32)
    classes = classify(image, all_valid(image), elevation=elevation).scene_class
    assert classes.tolist() == [
        [SceneClass.THIN_CIRRUS, SceneClass.VEGETATION, SceneClass.THIN_CIRRUS]
    ]


def test_dark_soil_is_released_from_dark_features_by_its_infrared() -> None:
    assert class_of("dark", B11=0.30) == SceneClass.BARE_SOILS


def test_without_snow_in_the_climatology_there_is_no_snow() -> None:
    image = image_of("snow")
    result = classify(image, all_valid(image), snow_possible=False)
    assert result.scene_class[0, 0] != SceneClass.SNOW_ICE
    assert result.snow_probability[0, 0] == 0


def test_ring_of_snow_takes_no_cloud() -> None:
    """Pixels within 3 pixels of snow and dark at 2.2 um are no cloud, those farther away are."""
    image = image_of("snow", *["haze"] * 5)
    result = classify(image, all_valid(image))
    assert result.cloud_probability[0].astype(bool).tolist() == [False] * 4 + [True] * 2
    assert result.scene_class[0, 3] == SceneClass.LOW_PROBA_CLOUDS


def test_no_data_that_look_like_snow_have_no_ring() -> None:
    image = image_of("snow", *["haze"] * 5)
    no_data = np.array([[True] + [False] * 5])
    result = classify(image, no_data)
    assert result.scene_class[0, 0] == SceneClass.NO_DATA
    assert (result.cloud_probability[0, 1:] > 0).all()


def test_defective_pixels_get_class_1_but_no_data_stay() -> None:
    image = image_of("cloud", "cloud", "snow")
    no_data = np.array([[False, True, False]])
    defective = np.array([[True, True, False]])
    classes = classify(image, no_data, defective=defective).scene_class
    assert classes.tolist() == [
        [SceneClass.SATURATED_DEFECTIVE, SceneClass.NO_DATA, SceneClass.SNOW_ICE]
    ]


def test_thick_cirrus_leaves_high_snow_alone_but_not_in_sen2cor_2_3() -> None:
    image = image_of("snow", "snow", B10=0.04)
    elevation = np.array([[1400, 1600]], np.float32)
    for parameters, expected in (
        (ClassificationParameters(), SceneClass.SNOW_ICE),
        (SEN2COR_2_3, SceneClass.MEDIUM_PROBA_CLOUDS),
    ):
        result = classify(image, all_valid(image), elevation=elevation, parameters=parameters)
        assert result.scene_class.tolist() == [[SceneClass.MEDIUM_PROBA_CLOUDS, expected]]


def test_without_cirrus_band_all_else_is_classified(caplog: pytest.LogCaptureFixture) -> None:
    image = image_of("vegetation", "cloud")
    del image["B10"]
    with caplog.at_level(logging.WARNING):
        classes = classify(image, all_valid(image)).scene_class
    assert classes.tolist() == [[SceneClass.VEGETATION, SceneClass.HIGH_PROBA_CLOUDS]]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "B10" in record.message


def test_missing_band_is_named() -> None:
    image = image_of("vegetation")
    del image["B11"]
    with pytest.raises(ValueError, match="B11"):
        classify(image, all_valid(image))


def test_input_is_left_alone() -> None:
    image = random_image(20, 20)
    before = {name: band.copy() for name, band in image.items()}
    classify(image, all_valid(image))
    for name, band in image.items():
        np.testing.assert_array_equal(band, before[name])


@pytest.fixture(scope="module")
def mixture() -> Image:
    """Mixtures in patches, clouds large enough to cast a shadow on clear ground, turbid water."""
    image = {
        name: np.kron(band, np.ones((3, 3), np.float32))
        for name, band in random_image(130, 130).items()
    }
    for name, band in image_of(
        "water", B02=0.19, B03=0.18, B04=0.17, B8A=0.12, B11=0.086, B12=0.135
    ).items():
        image[name][:5, :5] = band
    random = np.random.default_rng(6)
    clear = image_of("vegetation", "soil", "dark", "water")
    kinds = np.kron(random.choice(4, (65, 39), p=(0.4, 0.3, 0.2, 0.1)), np.ones((6, 6), int))
    haze = random.uniform(0, 0.15, kinds.shape) * (random.random(kinds.shape) < 0.3)
    for name, band in clear.items():
        image[name][:, -kinds.shape[1] :] = band[0, kinds] * random.normal(1, 0.1, kinds.shape)
        image[name][:, -kinds.shape[1] :] += haze if name != "B10" else 0
    return image


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
            relative_illumination=random.uniform(0, 1, shape).astype(np.float32),
        ),
    )
    return maps_of(result)


def _neighbours(value: float) -> tuple[float, ...]:
    if isinstance(value, int):
        return value - 1, value + 1
    step = abs(value) or 0.2
    return tuple(value + factor * step for factor in (-1.0, -0.5, 0.5, 1.0))


@pytest.fixture(scope="module")
def before(mixture: Image) -> np.ndarray:
    return _maps(mixture)


@pytest.mark.parametrize("name", USED)
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
    found = [_maps(mixture, replace(parameters, constants=other)) for other in others]
    assert any((maps != before).any() for maps in found)


@pytest.mark.parametrize("name", RULES)
def test_each_rule_changes_the_map(name: str, mixture: Image) -> None:
    hazy = {band: image + np.float32(0.04) for band, image in mixture.items() if band != "B10"}
    image = {**mixture, **hazy}
    image["B10"] = np.where(image["B02"] > 0.4, np.float32(0.05), image["B10"])
    without = ClassificationParameters(rules=replace(ClassificationRules(), **{name: False}))
    assert any(
        (_maps(image, without, sun) != _maps(image, sun=sun)).any() for sun in (LOW_SUN, HIGH_SUN)
    )


@pytest.mark.parametrize("name", sorted(UNUSED))
def test_unused_elements_change_nothing(name: str, mixture: Image, before: np.ndarray) -> None:
    changed = ClassificationParameters(thresholds_from({name: 0.5}))
    np.testing.assert_array_equal(_maps(mixture, changed), before)


@pytest.fixture(scope="module")
def whole(mixture: Image) -> tuple[Image, np.ndarray, np.ndarray]:
    image = {name: band[:121, :200] for name, band in mixture.items()}
    no_data = np.random.default_rng(4).random((121, 200)) < 0.02
    return image, no_data, maps_of(_in_blocks(image, no_data, 121))


def _in_blocks(
    image: Image,
    no_data: np.ndarray,
    block_rows: int,
    run: Callable[[Callable[[slice], None], Iterable[slice]], object] | None = None,
) -> Classification:
    def read(rows: slice) -> Image:
        return {name: band[rows] for name, band in image.items()}

    more = {} if run is None else {"run": run}
    scene = ClassificationScene(no_data, sun=SUN)
    return classify_rows(read, scene, block_rows=block_rows, **more)


@pytest.mark.parametrize("block_rows", [1, 2, 3, 7, 60, 120, 1000])
def test_blocks_leave_no_seam(block_rows: int, whole: tuple[Image, np.ndarray, np.ndarray]) -> None:
    image, no_data, expected = whole
    assert {SceneClass.CLOUD_SHADOWS, SceneClass.SNOW_ICE} <= set(np.unique(expected[0]))
    np.testing.assert_array_equal(maps_of(_in_blocks(image, no_data, block_rows)), expected)


def test_blocks_may_be_classified_side_by_side(
    whole: tuple[Image, np.ndarray, np.ndarray],
) -> None:
    image, no_data, expected = whole
    with ThreadPoolExecutor(2) as pool:
        result = _in_blocks(
            image, no_data, 5, lambda work, blocks: list(pool.map(work, list(blocks)[::-1]))
        )
    np.testing.assert_array_equal(maps_of(result), expected)


SHAPES = st.tuples(st.integers(1, 8), st.integers(1, 8))
REFLECTANCE = st.floats(np.float32(-0.1), 2, width=32)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Image, np.ndarray]:
    shape = draw(SHAPES)
    stack = draw(
        arrays.arrays(np.float32, (len(CLASSIFICATION_BANDS), *shape), elements=REFLECTANCE)
    )
    no_data = draw(arrays.arrays(np.bool_, shape))
    return dict(zip(CLASSIFICATION_BANDS, stack, strict=True)), no_data


@settings(max_examples=150, deadline=None)
@given(scene=scenes(), block_rows=st.integers(1, 9), gap=st.sampled_from([0.0, -0.1, np.nan]))
def test_any_reflectance_gives_classes_and_percentages(
    scene: tuple[Image, np.ndarray], block_rows: int, gap: float
) -> None:
    image, no_data = scene
    for band in image.values():
        band[no_data] = gap
    result = _in_blocks(image, no_data, block_rows)
    maps = maps_of(result)
    assert maps.dtype == np.uint8
    assert (result.scene_class <= max(SceneClass)).all()
    assert (maps[1:] <= 100).all()
    np.testing.assert_array_equal(result.scene_class == SceneClass.NO_DATA, no_data)
    assert not maps[:, no_data].any()
    np.testing.assert_array_equal(maps_of(_in_blocks(image, no_data, 8)), maps)


@pytest.mark.parametrize("gap", [np.nan, 0.0, 2.0])
def test_gaps_do_not_disturb_the_shadows_around(gap: float, mixture: Image) -> None:
    no_data = np.zeros(mixture["B02"].shape, np.bool_)
    no_data[100:103, 200:220] = True
    image = {name: np.where(no_data, np.float32(gap), band) for name, band in mixture.items()}
    expected = classify(mixture, no_data, sun=SUN).scene_class
    assert (expected == SceneClass.CLOUD_SHADOWS).sum() > 1000
    np.testing.assert_array_equal(classify(image, no_data, sun=SUN).scene_class, expected)


@settings(max_examples=50, deadline=None)
@given(scene=scenes(), filler=st.integers(0, 2**16))
def test_what_lies_below_no_data_changes_nothing(
    scene: tuple[Image, np.ndarray], filler: int
) -> None:
    image, no_data = scene
    other = {name: band.copy() for name, band in image.items()}
    values = np.random.default_rng(filler).uniform(-0.1, 2, len(other))
    for band, value in zip(other.values(), values, strict=True):
        band[no_data] = value
    np.testing.assert_array_equal(
        maps_of(classify(image, no_data)), maps_of(classify(other, no_data))
    )


def test_image_without_rows_is_classified() -> None:
    image = random_image(0, 5)
    assert classify(image, all_valid(image)).scene_class.shape == (0, 5)
