"""Samples taken while images are written are those of the finished images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.imagery import images
from sen2cor.imagery.picture_samples import PictureSamples, subsample
from sen2cor.raster.grids import Grid

GRID = Grid(32633, 3e5, 5.9e6, 20.0, 130, 90)


@pytest.mark.parametrize("shape", [(130, 90), (65, 45), (40, 31), (1, 1)])
@pytest.mark.parametrize("height", [1, 7, 64, 130])
def test_samples_by_blocks_are_those_of_the_whole_image(
    tmp_path: Path, shape: tuple[int, int], height: int
) -> None:
    image = np.arange(GRID.rows * GRID.cols, dtype=np.uint16).reshape(GRID.shape)
    samples = PictureSamples(shape)
    with images.open_writer(tmp_path / "B02.jp2", GRID, np.uint16, 64) as writer:
        writer.observe = samples.gather("B02", GRID, np.uint16)
        for top in range(0, GRID.rows, height):
            writer.write_rows(image[top : top + height])
    np.testing.assert_array_equal(samples.surface["B02"], subsample(image, shape))


def test_first_image_of_a_kind_counts_and_coarse_images_do_not() -> None:
    samples = PictureSamples((130, 90))
    assert samples.gather("B02", Grid(32633, 3e5, 5.9e6, 60.0, 44, 30), np.uint16) is None
    assert samples.gather("B02", GRID, np.uint16) is not None
    assert samples.gather("B02", Grid(32633, 3e5, 5.9e6, 10.0, 260, 180), np.uint16) is None
    samples.add_toa("B01", np.ones((44, 30), np.uint16))
    assert not samples.toa
