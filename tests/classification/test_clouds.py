from __future__ import annotations

import numpy as np

from sen2cor.classification import (
    ClassificationConstants,
    ClassificationParameters,
    SceneClass,
)
from sen2cor.classification.clouds import filter_cloud_patches

PARAMETERS = ClassificationParameters(
    constants=ClassificationConstants(cloud_rim_probability_min=0.05)
)


def test_single_bright_pixels_are_no_clouds() -> None:
    classes = np.full((9, 9), SceneClass.BARE_SOILS, np.uint8)
    classes[4, 4] = SceneClass.HIGH_PROBA_CLOUDS
    classes[0, 3:5] = SceneClass.MEDIUM_PROBA_CLOUDS
    found = filter_cloud_patches(classes, np.full((9, 9), 50, np.uint8), PARAMETERS)
    assert found[4, 4] == SceneClass.LOW_PROBA_CLOUDS
    assert not np.isin(found, (8, 9)).any()


def test_rim_of_a_cloud_belongs_to_it_unless_it_is_too_thin() -> None:
    classes = np.full((9, 9), SceneClass.LOW_PROBA_CLOUDS, np.uint8)
    classes[3:6, 3:6] = SceneClass.HIGH_PROBA_CLOUDS
    classes[2, 4] = SceneClass.WATER
    cloud = np.full((9, 9), 10, np.uint8)
    cloud[:, 6:] = 4
    found = filter_cloud_patches(classes, cloud, PARAMETERS)
    assert (found[3:6, 3:6] == SceneClass.HIGH_PROBA_CLOUDS).all()
    assert found[4, 2] == found[6, 4] == SceneClass.MEDIUM_PROBA_CLOUDS
    assert found[4, 6] == found[4, 0] == SceneClass.LOW_PROBA_CLOUDS
    assert found[2, 4] == SceneClass.WATER
