"""Resampling: means, alignment, gaps, block independence."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sen2cor.raster.resampling import (
    bilinear,
    bilinear_pixels,
    block_fraction,
    block_mean,
    block_mean_pixels,
    block_sum,
    masked_mean,
    positions,
    repeat_pixels,
)


def test_block_mean_pixels_rounds_half_up_and_leaves_no_data_out() -> None:
    pixels = np.array([[1, 2, 0, 9], [2, 2, 9, 0], [0, 0, 5, 0], [0, 7, 0, 0]], np.uint16)
    np.testing.assert_array_equal(block_mean_pixels(pixels, 2, (2, 2)), [[2, 9], [0, 0]])


def test_block_mean_pixels_of_a_block_beyond_the_edge_uses_what_is_there() -> None:
    pixels = np.full((5, 5), 100, np.uint16)
    assert (block_mean_pixels(pixels, 3, (2, 2)) == [[100, 100], [100, 0]]).all()


@settings(max_examples=30)
@given(factor=st.sampled_from([2, 3, 6]), seed=st.integers(0, 1000))
def test_mean_of_a_full_image_is_kept(factor: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(1, 20000, (12 * factor, 7 * factor))
    mean = block_mean_pixels(pixels.astype(np.uint16), factor, (12, 7))
    assert abs(mean.mean() - pixels.mean()) < 0.5


def test_a_ramp_keeps_its_place_downward_and_upward() -> None:
    rows, cols = np.mgrid[0:60, 0:60]
    fine = (1000 + 12 * rows + 7 * cols).astype(np.uint16)
    coarse = block_mean_pixels(fine, 6, (10, 10))
    again = bilinear_pixels(coarse, 6, slice(0, 60), 60)
    inner = (slice(6, -6), slice(6, -6))
    assert np.abs(again[inner].astype(int) - fine[inner]).max() <= 1


def test_interpolation_is_the_same_in_any_portion_of_rows() -> None:
    source = np.random.default_rng(3).integers(0, 9000, (20, 15)).astype(np.uint16)
    source[4:7, 3:9] = 0
    whole = bilinear_pixels(source, 3, slice(0, 60), 45)
    parts = [
        bilinear_pixels(source, 3, slice(top, min(top + 7, 60)), 45) for top in range(0, 60, 7)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_gaps_stay_gaps_and_do_not_darken_their_neighbours() -> None:
    source = np.full((10, 10), 4000, np.uint16)
    source[3:5, 3:5] = 0
    fine = bilinear_pixels(source, 3, slice(0, 30), 30)
    assert set(np.unique(fine)) == {0, 4000}
    np.testing.assert_array_equal(fine == 0, np.kron(source == 0, np.ones((3, 3), bool)))


def test_bilinear_is_constant_beyond_the_outermost_centres() -> None:
    source = np.array([[1.0, 3.0], [5.0, 7.0]], np.float32)
    result = bilinear(source, positions(4, 2), positions(4, 2))
    np.testing.assert_allclose(result[0], [1.0, 1.5, 2.5, 3.0])
    np.testing.assert_allclose(result[-1], [5.0, 5.5, 6.5, 7.0])


@pytest.mark.parametrize("first_axis", [0, 1])
def test_block_mean_is_unknown_where_any_pixel_is(first_axis: Literal[0, 1]) -> None:
    values = np.arange(48, dtype=np.float32).reshape(6, 8)
    values[0, 0] = np.nan
    mean = block_mean(values, 2, first_axis=first_axis)
    assert mean.dtype == np.float32
    assert np.isnan(mean[0, 0])
    np.testing.assert_allclose(mean[1:], values.reshape(3, 2, 4, 2).mean(axis=(1, 3))[1:])


def test_block_mean_by_columns_sums_as_numpy_does() -> None:
    values = np.random.default_rng(5).random((60, 66)).astype(np.float32)
    for factor in (2, 3, 6):
        blocks = values.reshape(60 // factor, factor, 66 // factor, factor)
        expected = blocks.mean(axis=(1, 3), dtype=np.float32)
        np.testing.assert_array_equal(block_mean(values, factor, first_axis=1), expected)


def test_edge_blocks_count_the_pixels_that_they_have() -> None:
    mask = np.zeros((5, 7), bool)
    mask[4, 6] = mask[0, :2] = True
    np.testing.assert_array_equal(block_sum(mask, 3, np.intp), [[2, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(block_fraction(mask, 3), [[2 / 9, 0, 0], [0, 0, 1 / 2]], rtol=1e-6)
    np.testing.assert_array_equal(block_fraction(mask, 1), mask)


def test_repeated_pixels_average_to_the_original() -> None:
    values = np.random.default_rng(6).random((4, 5)).astype(np.float32)
    fine = repeat_pixels(values, 3)
    assert fine.shape == (12, 15)
    np.testing.assert_allclose(block_mean(fine, 3), values, rtol=1e-6)


def test_masked_mean_ignores_other_pixels_and_falls_back_far_from_the_mask() -> None:
    values = np.full((20, 20), 9.0, np.float32)
    mask = np.zeros(values.shape, bool)
    mask[:5, :5] = True
    values[mask] = 2.0
    mean = masked_mean(values, mask, 3, min_fraction=0.01, fallback=7.0)
    np.testing.assert_allclose(mean[:6, :6][:5, :5], 2.0)
    assert (mean[10:, 10:] == 7.0).all()
