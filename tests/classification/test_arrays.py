from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from sen2cor.classification.arrays import line, normalised_difference, ramp, ratio
from sen2cor.classification.neighbourhood import dilate, majority

NUMBERS = st.floats(-10, 10, width=32)


@given(values=st.lists(NUMBERS, min_size=1), t1=NUMBERS, t2=NUMBERS)
def test_ramp_is_exactly_0_and_1_outside_its_thresholds(
    values: list[float], t1: float, t2: float
) -> None:
    array = np.array(values, np.float32)
    score = ramp(array, t1, t2)
    assert score.dtype == np.float32
    assert ((score >= 0) & (score <= 1)).all()
    assert (score[array >= t2] == 1).all()
    assert (score[(array <= t1) & (array < t2)] == 0).all()


def test_ramp_is_one_at_a_threshold_that_float32_cannot_hold() -> None:
    values = np.array([0.42, 0.5], np.float32)
    assert ramp(values, 0.36, 0.42).tolist() == [1, 1]


@given(a=NUMBERS, b=NUMBERS)
def test_quotients_are_finite(a: float, b: float) -> None:
    first, second = np.array([a], np.float32), np.array([b], np.float32)
    for quotient in (ratio(first, second), normalised_difference(first, second)):
        assert quotient.dtype == np.float32
        assert np.isfinite(quotient).all()


def test_line_keeps_its_bounds() -> None:
    values = np.array([-5, 0.5, 5], np.float32)
    result = line(values, -0.4, 0.46, 0.15, 0.32)
    np.testing.assert_allclose(result, [0.32, 0.26, 0.15], rtol=1e-6)
    assert result.dtype == np.float32


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
