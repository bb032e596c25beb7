"""What the settings of the scene classification mean beyond their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from sen2cor.classification import (
    ClassificationParameters,
    ClassificationRules,
    ClassificationThresholds,
)
from sen2cor.settings import Settings
from sen2cor.settings.l2a_cal_sc_gipp import ClassificationSettings


@pytest.mark.parametrize("folder", ["", "aux_data", "lib"])
def test_snow_map_is_found_in_the_home(folder: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.snow_map is None
    path = tmp_path / folder / settings.classification.snow_map
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert settings.snow_map == path


def test_parameters_have_the_thresholds_of_the_file() -> None:
    thresholds = ClassificationThresholds(t_cloud_hp=0.7)
    settings = ClassificationSettings(thresholds=thresholds)
    assert settings.parameters == ClassificationParameters(thresholds)


def test_rules_of_the_classification_are_chosen_by_name() -> None:
    assert ClassificationSettings().parameters.rules == ClassificationRules()
    sen2cor_2_3 = ClassificationSettings(rule_set="SEN2COR_2.3")
    assert sen2cor_2_3.parameters.rules == ClassificationRules.compatible()
