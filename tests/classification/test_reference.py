"""Pixel for pixel what the original gives, over the pixels in which no band is 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.validation.classification import RULES, Case, case_paths

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
