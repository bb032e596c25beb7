"""Classification of whole images: blocks, gaps, missing bands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    ClassificationScene,
    SceneClass,
    SunGeometry,
    classify,
    classify_rows,
)
from tests.classification.spectra import Image, all_valid, make_image, random_image, stack_maps

SUN = SunGeometry(60.4, 150.6, 20.0)


def test_defective_pixels_get_class_1_but_no_data_stay() -> None:
    image = make_image("cloud", "cloud", "snow")
    no_data = np.array([[False, True, False]])
    defective = np.array([[True, True, False]])
    classes = classify(image, no_data, defective=defective).scene_class
    assert classes.tolist() == [
        [SceneClass.SATURATED_DEFECTIVE, SceneClass.NO_DATA, SceneClass.SNOW_ICE]
    ]


def test_without_cirrus_band_all_else_is_classified(caplog: pytest.LogCaptureFixture) -> None:
    image = make_image("vegetation", "cloud")
    del image["B10"]
    with caplog.at_level(logging.WARNING):
        classes = classify(image, all_valid(image)).scene_class
    assert classes.tolist() == [[SceneClass.VEGETATION, SceneClass.HIGH_PROBA_CLOUDS]]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "B10" in record.message


def test_missing_band_is_named() -> None:
    image = make_image("vegetation")
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
def whole(mixture: Image) -> tuple[Image, np.ndarray, np.ndarray]:
    image = {name: band[:121, :200] for name, band in mixture.items()}
    no_data = np.random.default_rng(4).random((121, 200)) < 0.02
    return image, no_data, stack_maps(_in_blocks(image, no_data, 121))


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
    np.testing.assert_array_equal(stack_maps(_in_blocks(image, no_data, block_rows)), expected)


def test_blocks_may_be_classified_side_by_side(
    whole: tuple[Image, np.ndarray, np.ndarray],
) -> None:
    image, no_data, expected = whole
    with ThreadPoolExecutor(2) as pool:
        result = _in_blocks(
            image, no_data, 5, lambda work, blocks: list(pool.map(work, list(blocks)[::-1]))
        )
    np.testing.assert_array_equal(stack_maps(result), expected)


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


@settings(max_examples=150)
@given(scene=scenes(), block_rows=st.integers(1, 9), gap=st.sampled_from([0.0, -0.1, np.nan]))
def test_any_reflectance_gives_classes_and_percentages(
    scene: tuple[Image, np.ndarray], block_rows: int, gap: float
) -> None:
    image, no_data = scene
    for band in image.values():
        band[no_data] = gap
    result = _in_blocks(image, no_data, block_rows)
    maps = stack_maps(result)
    assert maps.dtype == np.uint8
    assert (result.scene_class <= max(SceneClass)).all()
    assert (maps[1:] <= 100).all()
    np.testing.assert_array_equal(result.scene_class == SceneClass.NO_DATA, no_data)
    assert not maps[:, no_data].any()
    np.testing.assert_array_equal(stack_maps(_in_blocks(image, no_data, 8)), maps)


@pytest.mark.parametrize("gap", [np.nan, 0.0, 2.0])
def test_gaps_do_not_disturb_the_shadows_around(gap: float, mixture: Image) -> None:
    no_data = np.zeros(mixture["B02"].shape, np.bool_)
    no_data[100:103, 200:220] = True
    image = {name: np.where(no_data, np.float32(gap), band) for name, band in mixture.items()}
    expected = classify(mixture, no_data, sun=SUN).scene_class
    assert (expected == SceneClass.CLOUD_SHADOWS).sum() > 300
    np.testing.assert_array_equal(classify(image, no_data, sun=SUN).scene_class, expected)


@settings(max_examples=50)
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
        stack_maps(classify(image, no_data)), stack_maps(classify(other, no_data))
    )


def test_image_without_rows_is_classified() -> None:
    image = random_image(0, 5)
    assert classify(image, all_valid(image)).scene_class.shape == (0, 5)
