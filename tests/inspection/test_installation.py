"""``--doctor``: a sound installation, and each part that can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sen2cor.atmosphere.look_up_tables import sixs_tables
from sen2cor.errors import AuxiliaryDataError
from sen2cor.inspection import installation
from sen2cor.inspection.installation import FAILURE, GOOD, NOTE, WARNING, check_installation
from sen2cor.optional_packages import EXTRAS
from sen2cor.settings import Settings, load_settings
from tests.command import run


def test_a_sound_installation_is_ready() -> None:
    result = run("--doctor")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[-1] == "Ready."
    for name in ("OpenJPEG", "GDAL", "PROJ", "Look-up tables", "Self test"):
        (line,) = [line for line in lines if line.strip().startswith(f"{name} ")]
        assert " ok " in line
    assert sum("Extra " in line for line in lines) == len(EXTRAS)


def test_broken_codec_and_tables_fail_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_codec() -> None:
        raise AuxiliaryDataError("OpenJPEG was not found: install it")

    monkeypatch.setattr(installation, "load_glymur", no_codec)
    monkeypatch.setattr(
        installation,
        "load_table",
        lambda *names: sixs_tables.load_table(*names, folder=Path("/none")),
    )
    result = run("--doctor")
    assert result.returncode == 5
    assert "Not ready: OpenJPEG, Look-up tables." in result.stdout
    assert "install it" in result.stdout and "install the package again" in result.stdout


def test_a_codec_that_changes_pixels_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    read = installation.jpeg2000.read
    monkeypatch.setattr(installation.jpeg2000, "read", lambda path: read(path) + 1)
    checks = {check.name: check for check in check_installation(Settings)}
    assert checks["Self test"].state == FAILURE
    assert "install OpenJPEG again" in checks["Self test"].detail


def test_settings_home_and_auxiliary_data(tmp_path: Path) -> None:
    def checks(*assignments: str, **environ: str) -> dict[str, installation.Check]:
        found = check_installation(lambda: load_settings(environ=environ).assign(assignments))
        return {check.name: check for check in found}

    assert checks()["SEN2COR_HOME"].state == NOTE
    assert checks(SEN2COR_HOME=str(tmp_path))["SEN2COR_HOME"].state == GOOD
    assert checks(SEN2COR_HOME=str(tmp_path / "absent"))["Settings"].state == WARNING
    elevation = checks(f"DEM_Directory={tmp_path / 'absent'}")["Elevation"]
    assert elevation.state == FAILURE and "DEM_Reference" in elevation.remedy
    assert checks(f"DEM_Directory={tmp_path}")["Elevation"].state == GOOD
    assert checks("Visibility=2")["Settings"].state == FAILURE


def test_missing_extras_are_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "is_available", lambda extra: extra != "report")
    monkeypatch.setattr(installation.metadata, "version", lambda package: "1")
    checks = {check.name: check for check in check_installation(Settings)}
    assert checks["Extra report"].state == NOTE
    assert checks["Extra report"].remedy == "pip install 'sen2cor[report]'"
