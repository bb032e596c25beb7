"""Settings of the command line: the checks of a file, and their record in run and product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sen2cor.errors import ConfigurationError, UsageError
from sen2cor.settings import Settings, load_settings
from sen2cor.settings.documents import CORRECTION, USER
from tests.command import product_in, run
from tests.settings.conftest import Load, wrap


def test_assignments_replace_values_of_any_file() -> None:
    settings = Settings().assign(
        ["Visibility=23", "T1_B04 = 0.05", "Cirrus_Correction=FALSE", "AC_Swir_Refl_Lower_Th=0.02"]
    )
    assert settings.calibration.visibility == 23.0
    assert settings.classification.thresholds.t1_b04 == 0.05
    assert settings.classification.thresholds.t2_b04 == Settings().classification.thresholds.t2_b04
    assert settings.flags.cirrus_correction is False
    assert len(settings.differences()) == 4
    assert settings.digest() != Settings().digest()
    assert settings.digest() == settings.assign([]).digest()


def test_later_assignments_replace_earlier_ones_and_elements_of_other_versions_are_translated() -> (
    None
):
    settings = Settings().assign(["Visibility=23"]).assign(["Visibility=30"])
    assert settings.calibration.visibility == 30.0
    assert settings.assigned == ("Visibility",)
    assert Settings().assign(["Force_Exit_On_DEM_Error=FALSE"]).common.dem_missing == "FLAT"


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("Visibility=2", "Visibility = '2' is not allowed; allowed: a number 5..120"),
        ("Visibility=", "Visibility = '' is not allowed"),
        ("WV_Correction=3", "not for Sentinel-2"),
        ("visibility=23", "unknown; similar: Visibility"),
        ("Quatsch=1", "--show-settings lists all"),
        ("RV_B2=6.96", "RV_B2 has no effect"),
        ("NO_DATA=1", "NO_DATA = '1' is not allowed"),
        ("Target_Directory=$NO_SUCH_VARIABLE", "NO_SUCH_VARIABLE"),
    ],
)
def test_values_are_checked_as_in_a_file(assignment: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings().assign([assignment])
    assert says in str(caught.value) and str(caught.value).startswith("--set")


def test_messages_are_those_of_the_file(load: Load) -> None:
    with pytest.raises(ConfigurationError) as of_file:
        load(wrap(USER, "", "<Visibility>2</Visibility>"))
    with pytest.raises(ConfigurationError) as of_command:
        Settings().assign(["Visibility=2"])
    texts = [str(error.value).split(": ", 1)[1] for error in (of_file, of_command)]
    assert texts[0] == texts[1]


def test_an_element_is_given_once_and_has_a_value() -> None:
    with pytest.raises(ConfigurationError, match="appears twice"):
        Settings().assign(["Visibility=23", "Visibility=24"])
    for text in ("Visibility", "=23", ""):
        with pytest.raises(UsageError, match="NAME=VALUE"):
            Settings().assign([text])


def test_origins(load: Load) -> None:
    text = wrap(USER, "", "<Visibility>40.0</Visibility><Adj_Km>2</Adj_Km>")
    settings = load(text).assign(["Adj_Km=3"])
    origins = {
        parameter.name: settings.find_origin(parameter, value)
        for parameter, value in settings.values()
    }
    assert origins.pop("Visibility") == "L2A_GIPP.xml"
    assert origins.pop("Adj_Km") == "command line"
    assert set(origins.values()) == {"default"}
    user = load(ac=wrap(CORRECTION, "", "<AC_Swir_Refl_Lower_Th>0.02</AC_Swir_Refl_Lower_Th>"))
    assert "L2A_CAL_AC_GIPP.xml" in {user.find_origin(*entry) for entry in user.values()}


def test_run_and_product_record_what_the_command_line_set(
    small_product: Path, tmp_path: Path
) -> None:
    result = run(
        "--cr_only", "--set", "Visibility=23", "--output_dir", tmp_path, small_product,
        "--set=Cirrus_Correction=FALSE",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    product = product_in(tmp_path)
    (record,) = product.glob("*_run.json")
    recorded = json.loads(record.read_text())["settings"]
    assert recorded["command_line"] == ["Visibility", "Cirrus_Correction"]
    assert recorded["values"]["L2A_GIPP"]["Visibility"] == "23.0"
    same = load_settings(environ={}).assign(["Visibility=23", "Cirrus_Correction=FALSE"])
    assert recorded["digest"] == same.digest()
    (gipp,) = product.glob("GRANULE/*/AUX_DATA/*GIP*.xml")
    assert "Set on the command line: Visibility, Cirrus_Correction" in gipp.read_text()
    assert load_settings(gipp, environ={}).calibration.visibility == 23.0


def test_invalid_settings_end_before_any_product(tmp_path: Path) -> None:
    result = run("--set", "Visibility=2", tmp_path / "absent")
    assert (result.returncode, len(result.stderr.splitlines())) == (4, 1)
    assert run("--set", "Visibility", tmp_path / "absent").returncode == 2
