"""True colour and preview: the range of bytes, no data, the grid."""

from __future__ import annotations

import numpy as np

from sen2cor.imagery.preview import make_preview, preview_grid, scale_to_byte, true_colour
from sen2cor.raster.grids import Grid


def test_reflectance_takes_one_to_255_and_no_data_zero() -> None:
    reflectance = np.array([-0.1, 0.0, 0.125, 0.25, 1.2, 0.1], np.float32)
    no_data = np.array([False] * 5 + [True])
    np.testing.assert_array_equal(scale_to_byte(reflectance, no_data), [1, 1, 128, 255, 255, 0])


def test_preview_has_343_pixels_and_keeps_colour_and_gaps() -> None:
    shape = (183, 183)
    no_data = np.zeros(shape, bool)
    no_data[:, :60] = True
    bands = [np.full(shape, value, np.float32) for value in (0.05, 0.1, 0.2)]
    image = make_preview(true_colour(bands, no_data))
    assert image.shape == (343, 343, 3)
    assert (image[:, :100] == 0).all()
    assert tuple(image[170, 300]) == (52, 103, 204)


def test_preview_of_a_tile_has_pixels_of_320_metres() -> None:
    assert preview_grid(Grid(32633, 3e5, 5.9e6, 10.0, 10980, 10980)).pixel_size == 320.0
    small = preview_grid(Grid(32633, 3e5, 5.9e6, 60.0, 100, 100))
    assert small.pixel_size * small.cols == 6000.0
