from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import QualityBit, SceneClass, compute_quality_mask


@pytest.mark.parametrize(
    ("code", "bit"),
    [
        (SceneClass.SATURATED_DEFECTIVE, QualityBit.SATURATED_DEFECTIVE),
        (SceneClass.CLOUD_SHADOWS, QualityBit.CLOUD_SHADOW),
        (SceneClass.WATER, QualityBit.WATER),
        (SceneClass.MEDIUM_PROBA_CLOUDS, QualityBit.CLOUD),
        (SceneClass.HIGH_PROBA_CLOUDS, QualityBit.CLOUD),
        (SceneClass.THIN_CIRRUS, QualityBit.CIRRUS),
        (SceneClass.SNOW_ICE, QualityBit.SNOW),
        (SceneClass.NO_DATA, QualityBit.NO_DATA),
        (SceneClass.VEGETATION, 0),
        (SceneClass.LOW_PROBA_CLOUDS, 0),
    ],
)
def test_each_class_has_its_bit(code: SceneClass, bit: int) -> None:
    mask = compute_quality_mask(np.full((3, 4), code, np.uint8), 20.0)
    assert mask.dtype == np.uint16
    assert (mask == bit).all()


@pytest.mark.parametrize("pixel_size", [10.0, 20.0, 60.0])
def test_clouds_and_shadows_are_dilated_by_metres(pixel_size: float) -> None:
    classes = np.full((60, 180), SceneClass.VEGETATION, np.uint8)
    classes[30, 30] = SceneClass.HIGH_PROBA_CLOUDS
    classes[30, 90] = SceneClass.CLOUD_SHADOWS
    classes[30, 150] = SceneClass.THIN_CIRRUS
    mask = compute_quality_mask(classes, pixel_size, cloud_dilation=120.0, shadow_dilation=60.0)
    rows, cols = np.indices(classes.shape)
    for col, bit, distance in (
        (30, QualityBit.CLOUD, 120),
        (90, QualityBit.CLOUD_SHADOW, 60),
        (150, QualityBit.CIRRUS, 120),
    ):
        expected = np.hypot(rows - 30, cols - col) * pixel_size <= distance
        np.testing.assert_array_equal((mask & bit) != 0, expected)


def test_bits_add_up_and_no_data_have_no_other() -> None:
    classes = np.full((5, 5), SceneClass.WATER, np.uint8)
    classes[0, 0] = SceneClass.HIGH_PROBA_CLOUDS
    classes[0, 1] = SceneClass.NO_DATA
    everywhere = np.ones((5, 5), np.bool_)
    mask = compute_quality_mask(
        classes,
        20.0,
        cloud_dilation=20.0,
        topographic_shadow=everywhere,
        aot_interpolated=everywhere,
    )
    both = QualityBit.TOPOGRAPHIC_SHADOW | QualityBit.AOT_INTERPOLATED
    assert mask[1, 0] == QualityBit.WATER | QualityBit.CLOUD | both
    assert mask[4, 4] == QualityBit.WATER | both
    assert mask[0, 1] == QualityBit.NO_DATA
