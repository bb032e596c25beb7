from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sen2cor.classification.spectral_indices import (
    linear_limit,
    linear_probability,
    normalised_difference,
    ratio,
)

NUMBERS = st.floats(-10, 10, width=32)


@given(values=st.lists(NUMBERS, min_size=1), t1=NUMBERS, t2=NUMBERS)
def test_probability_is_exactly_0_and_1_outside_its_thresholds(
    values: list[float], t1: float, t2: float
) -> None:
    array = np.array(values, np.float32)
    probability = linear_probability(array, t1, t2)
    assert probability.dtype == np.float32
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (probability[array >= t2] == 1).all()
    assert (probability[(array <= t1) & (array < t2)] == 0).all()


def test_probability_is_one_at_a_threshold_that_float32_cannot_hold() -> None:
    values = np.array([0.42, 0.5], np.float32)
    assert linear_probability(values, 0.36, 0.42).tolist() == [1, 1]


@given(a=NUMBERS, b=NUMBERS)
def test_ratios_are_finite(a: float, b: float) -> None:
    first, second = np.array([a], np.float32), np.array([b], np.float32)
    for value in (ratio(first, second), normalised_difference(first, second)):
        assert value.dtype == np.float32
        assert np.isfinite(value).all()


def test_limit_keeps_its_bounds() -> None:
    values = np.array([-5, 0.5, 5], np.float32)
    result = linear_limit(values, -0.4, 0.46, 0.15, 0.32)
    np.testing.assert_allclose(result, [0.32, 0.26, 0.15], rtol=1e-6)
    assert result.dtype == np.float32
