"""Masks of coarse pixels from the classes of finer ones."""

from __future__ import annotations

import numpy as np

from sen2cor.classification import GroundMasks


def test_masks_are_those_of_whole_blocks() -> None:
    classes = np.full((6, 9), 4, np.uint8)
    classes[0, 0] = 9  # one cloudy pixel spoils its block
    classes[0:3, 3:6] = 6
    classes[3, 3] = 3
    classes[3:6, 6:9] = 10
    masks = GroundMasks.from_classes(classes, 3, (2, 3))
    np.testing.assert_array_equal(masks.clear_land, [[False, False, True], [True, False, False]])
    np.testing.assert_array_equal(masks.water, [[False, True, False], [False, False, False]])
    np.testing.assert_array_equal(masks.ground, [[False, True, True], [True, False, True]])


def test_masks_of_an_image_that_does_not_fill_its_blocks() -> None:
    masks = GroundMasks.from_classes(np.full((5, 7), 4, np.uint8), 3, (2, 3))
    assert masks.clear_land.all()


def test_reference_pixels_keep_away_from_clouds_and_snow_is_known() -> None:
    classes = np.full((60, 60), 4, np.uint8)
    classes[:2, :2] = 9
    classes[30, 30] = 11
    classes[50, 50] = 7
    masks = GroundMasks.from_classes(classes, 2, (30, 30))
    assert not masks.reference[:6, :6].any()
    assert masks.reference[6, 6]
    assert masks.snow[15, 15]
    assert masks.snow.sum() == 1
    assert not masks.reference[15, 15]
    assert masks.clear_land[25, 25]
    assert not masks.reference[25, 25]


def test_gaps_are_not_valid() -> None:
    classes = np.full((4, 4), 5, np.uint8)
    classes[0, 0], classes[3, 3], classes[0, 3] = 0, 1, 8
    masks = GroundMasks.from_classes(classes, 2, (2, 2))
    np.testing.assert_array_equal(masks.valid, [[False, True], [True, False]])
    np.testing.assert_array_equal(masks.ground, [[False, False], [True, False]])


def test_cirrus_and_dark_features_are_ground_but_neither_land_nor_water() -> None:
    classes = np.array([[10, 2, 4]], np.uint8)
    masks = GroundMasks.from_classes(classes, 1, (1, 3))
    assert masks.ground.all()
    assert not masks.water.any()
    np.testing.assert_array_equal(masks.clear_land, [[False, False, True]])
    np.testing.assert_array_equal(masks.reference, [[False, False, True]])


def test_a_scene_is_snowy_from_a_thousandth_of_its_pixels_on() -> None:
    classes = np.full((100, 100), 4, np.uint8)
    classes[0, :10] = 11
    assert not GroundMasks.from_classes(classes, 1, (100, 100)).snowy
    classes[0, 10] = 11
    assert GroundMasks.from_classes(classes, 1, (100, 100)).snowy
