"""What the pipeline makes of classes and settings before the physics sees them."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.pipeline.atmosphere_retrieval import _odd_window
from sen2cor.pipeline.ground_masks import GroundMasks


@pytest.mark.parametrize(
    ("size", "pixels"), [(0.0, 1), (100.0, 1), (120.0, 3), (200.0, 3), (300.0, 5)]
)
def test_smoothing_box_is_centred(size: float, pixels: int) -> None:
    assert _odd_window(size, 60.0) == pixels


def test_masks_are_those_of_whole_blocks() -> None:
    classes = np.full((6, 9), 4, np.uint8)
    classes[0, 0] = 9  # one cloudy pixel spoils its block
    classes[0:3, 3:6] = 6
    classes[3, 3] = 3
    classes[3:6, 6:9] = 10
    masks = GroundMasks.of_classes(classes, 3, (2, 3))
    np.testing.assert_array_equal(masks.clear_land, [[False, False, True], [True, False, False]])
    np.testing.assert_array_equal(masks.water, [[False, True, False], [False, False, False]])
    np.testing.assert_array_equal(masks.ground, [[False, True, True], [True, False, True]])


def test_masks_of_an_image_that_does_not_fill_its_blocks() -> None:
    masks = GroundMasks.of_classes(np.full((5, 7), 4, np.uint8), 3, (2, 3))
    assert masks.clear_land.all()
