"""Resampling: means, alignment, gaps, block independence."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sen2cor.raster.interpolation import bilinear, positions
from sen2cor.raster.resampling import bilinear_pixels, block_mean


def test_block_mean_rounds_half_up_and_leaves_no_data_out() -> None:
    pixels = np.array([[1, 2, 0, 9], [2, 2, 9, 0], [0, 0, 5, 0], [0, 7, 0, 0]], np.uint16)
    np.testing.assert_array_equal(block_mean(pixels, 2, (2, 2)), [[2, 9], [0, 0]])


def test_block_mean_of_a_block_beyond_the_edge_uses_what_is_there() -> None:
    pixels = np.full((5, 5), 100, np.uint16)
    assert (block_mean(pixels, 3, (2, 2)) == [[100, 100], [100, 0]]).all()


@settings(max_examples=30, deadline=None)
@given(factor=st.sampled_from([2, 3, 6]), seed=st.integers(0, 1000))
def test_mean_of_a_full_image_is_kept(factor: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(1, 20000, (12 * factor, 7 * factor))
    mean = block_mean(pixels.astype(np.uint16), factor, (12, 7))
    assert abs(mean.mean() - pixels.mean()) < 0.5


def test_a_ramp_keeps_its_place_downward_and_upward() -> None:
    rows, cols = np.mgrid[0:60, 0:60]
    fine = (1000 + 12 * rows + 7 * cols).astype(np.uint16)
    coarse = block_mean(fine, 6, (10, 10))
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
