"""Equality with the class maps of Sen2Cor, over the pixels in which no band is 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from sen2cor.classification import SceneClass
from tests.classification.spectra import SEN2COR_2_3
from tests.validation.classification import FINISHED, VERSIONS, Case, case_paths

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


@pytest.mark.parametrize("version", VERSIONS)
def test_classes_and_probabilities_before_shadows_are_those_of_sen2cor(
    case: Case, version: str
) -> None:
    for name, (ours, theirs) in case.pairs(version).items():
        np.testing.assert_array_equal(ours, theirs, err_msg=f"{case.name}: {name}")


MIN_EQUAL_FRACTION = 0.998
"""Fraction of equal pixels; clouds cast their shadow on a coarser grid than in Sen2Cor."""


def test_finished_map_is_that_of_sen2cor_but_for_pixels_beside_shadow(case: Case) -> None:
    valid = ~case.no_data
    result = case.classify(SEN2COR_2_3)
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
    assert np.mean((ours == theirs)[valid]) >= MIN_EQUAL_FRACTION
