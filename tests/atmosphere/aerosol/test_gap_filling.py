"""Maps from scattered values: no gap, no step, no trace of outliers."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.atmosphere.aerosol.gap_filling import DISTANCE, MEAN, fill_gaps, robust_mean

SHAPE = (30, 40)


def counts(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), 100.0, np.nan).astype(np.float32)


def test_mean_leaves_outliers_out() -> None:
    values = np.random.default_rng(1).normal(0.03, 0.002, SHAPE).astype(np.float32)
    values[:2] = 0.2
    limited, mean = robust_mean(values, counts(values))
    assert mean == pytest.approx(0.03, abs=0.002)
    assert limited.max() < 0.06


def test_many_pixels_weigh_more_than_few() -> None:
    values = np.array([[0.02, 0.03]], np.float32)
    _, mean = robust_mean(values, np.array([[1000.0, 1.0]], np.float32))
    assert mean < 0.023


def test_mean_fills_gaps_alone() -> None:
    values = np.full(SHAPE, np.nan, np.float32)
    values[5, 5], values[20, 30] = 0.02, 0.04
    filled = fill_gaps(values, counts(values), 0.03, MEAN, 1.0)
    assert filled[5, 5] == np.float32(0.02)
    assert filled[0, 0] == np.float32(0.03)


def test_far_from_all_values_is_the_mean_and_nothing_steps() -> None:
    values = np.full(SHAPE, np.nan, np.float32)
    values[:, :6] = 0.05
    filled = fill_gaps(values, counts(values), 0.03, DISTANCE, 1.0)
    np.testing.assert_allclose(filled[:, :4], 0.05, atol=0.003)
    np.testing.assert_allclose(filled[:, 25:], 0.03, atol=0.001)
    assert np.abs(np.diff(filled, axis=1)).max() < 0.005


def test_a_slope_comes_through_where_values_are_sure() -> None:
    slope = np.linspace(0.02, 0.05, SHAPE[1], dtype=np.float32)
    truth = np.repeat(slope[np.newaxis], SHAPE[0], axis=0)
    values = truth.copy()
    values[np.random.default_rng(2).random(SHAPE) < 0.5] = np.nan
    filled = fill_gaps(values, counts(values), 0.035, DISTANCE, 1.0)
    np.testing.assert_allclose(filled[5:-5, 4:-4], truth[5:-5, 4:-4], atol=0.0015)


def test_scatter_is_damped() -> None:
    truth = 0.03
    values = np.random.default_rng(3).normal(truth, 0.006, SHAPE).astype(np.float32)
    filled = fill_gaps(values, counts(values), truth, DISTANCE, 1.0)
    assert np.std(filled - truth) < 0.2 * 0.006


def test_a_single_value_is_enough() -> None:
    values = np.full(SHAPE, np.nan, np.float32)
    values[3, 3] = 0.02
    filled = fill_gaps(values, counts(values), 0.02, DISTANCE, 1.0)
    np.testing.assert_allclose(filled, 0.02, rtol=1e-5)
