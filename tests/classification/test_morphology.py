from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from sen2cor.classification.morphology import (
    dilate,
    dilate_euclidean,
    majority,
    median_filter,
)


def _class_map_with_spot() -> np.ndarray:
    classes = np.full((7, 7), 4, np.uint8)
    classes[3, 3] = 9
    return classes


@pytest.mark.parametrize("window", [0, 1])
def test_small_windows_change_nothing(window: int) -> None:
    classes = _class_map_with_spot()
    np.testing.assert_array_equal(median_filter(classes, window), classes)


@pytest.mark.parametrize("window", [2, 3, 5])
def test_lone_pixel_goes(window: int) -> None:
    filtered = median_filter(_class_map_with_spot(), window)
    assert filtered.dtype == np.uint8
    assert (filtered == 4).all()


def test_no_data_stay_and_do_not_spread() -> None:
    classes = np.zeros((8, 8), np.uint8)
    classes[4:] = 5
    classes[0, 0] = 6
    classes[6, 6] = 0
    np.testing.assert_array_equal(median_filter(classes, 5) == 0, classes == 0)


@pytest.mark.parametrize("distance", [0, 1, 3])
def test_dilation_is_by_city_block_distance(distance: int) -> None:
    mask = np.random.default_rng(2).random((40, 50)) < 0.01
    mask[0, 0] = mask[-1, -1] = True
    expected = mask
    if distance:
        expected = ndimage.binary_dilation(mask, iterations=distance)
    np.testing.assert_array_equal(dilate(mask, distance), expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (30, 41)])
def test_majority_is_the_median_of_nine(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(3).random(shape) < 0.5
    expected = ndimage.median_filter(mask.astype(np.uint8), 3, mode="reflect")
    np.testing.assert_array_equal(majority(mask), expected)


@settings(max_examples=80)
@given(
    mask=arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))),
    distance=st.floats(0, 15),
)
def test_euclidean_dilation_is_by_distance_of_pixel_centres(
    mask: np.ndarray, distance: float
) -> None:
    expected = mask
    if mask.any():
        expected = ndimage.distance_transform_edt(~mask) <= distance
    near = np.abs(ndimage.distance_transform_edt(~mask) - distance) < 1e-5
    np.testing.assert_array_equal(dilate_euclidean(mask, distance)[~near], expected[~near])
