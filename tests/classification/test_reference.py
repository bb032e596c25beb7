"""Pixel for pixel what the original gives, over the pixels in which no band is 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from sen2cor.classification import ClassificationRules, SceneClass
from tests.validation.classification import FINISHED, RULES, Case, case_paths

NAMES = (
    "barbellino_20170703_20m",
    "berlin_20m",
    "cloudref_20m",
    "l1c_55JEJ_20m",
    "pair_433D_20m_dem",
    "pair_609U_20m",
    "slovenia_2_2017-01-11_20m",
    "synth_a_20m",
    "synth_dem_b_60m",
)


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest, reference_data: Path) -> Case:
    paths = {path.stem: path for path in case_paths(reference_data)}
    if request.param not in paths:
        pytest.skip(f"reference case {request.param} not found below {reference_data}")
    return Case.load(paths[request.param])


@pytest.mark.parametrize("rules", RULES)
def test_classes_and_probabilities_before_shadows_are_those_of_the_original(
    case: Case, rules: str
) -> None:
    for name, (ours, theirs) in case.pairs(rules).items():
        np.testing.assert_array_equal(ours, theirs, err_msg=f"{case.name}: {name}")


LEAST_EQUAL = 0.998
"""Share of equal pixels; clouds cast their shadow on a coarser grid than the original's."""


def test_finished_map_is_that_of_the_original_but_for_pixels_beside_shadow(case: Case) -> None:
    valid = ~case.no_data
    result = case.classify(ClassificationRules.compatible())
    for ours, name in (
        (result.cloud_probability, "cloud_v221"),
        (result.snow_probability, "snow_v221"),
    ):
        np.testing.assert_array_equal(ours[valid], case.expected[name][valid], err_msg=name)
    ours, theirs = result.scene_class, case.expected[FINISHED]
    shadow = (ours == SceneClass.CLOUD_SHADOWS) | (theirs == SceneClass.CLOUD_SHADOWS)
    # The edge of snow begins where the shadow on the snow ends.
    beside = ndimage.binary_dilation(shadow, iterations=3)
    np.testing.assert_array_equal(ours[valid & ~beside], theirs[valid & ~beside])
    assert np.mean((ours == theirs)[valid]) >= LEAST_EQUAL
