"""Where files are found, what is refused in them, and that they are only read."""

from __future__ import annotations

import hashlib
import logging
import pickle
import subprocess
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sen2cor.errors import ConfigurationError, OutputError
from sen2cor.settings import Settings, load_settings, packaged_configuration_folder, write_home
from sen2cor.settings.documents import CLASSIFICATION, CORRECTION, DOCUMENTS, USER
from tests.settings.conftest import Load, wrap

BILLION_LAUGHS = (
    "<!DOCTYPE lolz [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(12))
    + f"]><{USER.root}><Common_Section><Log_Level>&a12;</Log_Level></Common_Section></{USER.root}>"
)


@pytest.mark.parametrize(
    "text",
    [
        f"<!DOCTYPE x><{USER.root}/>",
        f"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'><{USER.root}/>",
        f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><{USER.root}>"
        f"<Common_Section><Log_Level>&e;</Log_Level></Common_Section></{USER.root}>",
        BILLION_LAUGHS,
        f"<!DOCTYPE x><{USER.root}/>".encode("utf-16"),
    ],
    ids=["doctype", "external", "file", "billion laughs", "utf-16"],
)
def test_document_types_and_entities_are_refused(load: Load, text: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"L2A_GIPP\.xml"):
        load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not well-formed"),
        (f"<{USER.root}>\n<a>", "line 2: not well-formed"),
        (f"<{USER.root}>&e;</{USER.root}>", "line 1: not well-formed"),
        (b"\xff\xfe\xfd", "not well-formed"),
        ("<other/>", f"line 1: root element is other, expected {USER.root}"),
        (f"<{CLASSIFICATION.root}/>", "--GIP_L2A_SC takes it"),
        (
            wrap(USER, "Common_Section", "<Log_Level>INFO</Log_Level><Log_Level>INFO</Log_Level>"),
            "line 2: element Log_Level (Log_Level) appears twice",
        ),
        (
            wrap(USER, "Common_Section", "<Log_Level><b/></Log_Level>"),
            "line 2: Log_Level contains the element b",
        ),
    ],
)
def test_broken_files(load: Load, text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    assert message in str(caught.value)
    assert "L2A_GIPP.xml" in str(caught.value)


def test_comments_inside_a_value_do_not_matter(load: Load) -> None:
    settings = load(wrap(USER, "Common_Section", "<Log_Level>DE<!-- x -->BUG</Log_Level>"))
    assert settings.common.log_level == "DEBUG"


def home_with(folder: Path, *names: str) -> dict[str, str]:
    """Make a home whose files have a visibility of their own."""
    (folder / "cfg").mkdir(parents=True)
    content = wrap(
        USER, "Atmospheric_Correction/Calibration", "<Visibility>11</Visibility>"
    ).encode()
    for name in names:
        (folder / "cfg" / name).write_bytes(content)
    return {"SEN2COR_HOME": str(folder)}


def test_home_beats_package_and_the_option_beats_both(tmp_path: Path) -> None:
    environ = home_with(tmp_path, "L2A_GIPP.xml")
    settings = load_settings(environ=environ)
    assert settings.calibration.visibility == 11.0
    assert settings.sources["L2A_GIPP"] == tmp_path / "cfg" / "L2A_GIPP.xml"
    assert settings.sources["L2A_CAL_SC_GIPP"].parent == packaged_configuration_folder()
    shipped = packaged_configuration_folder() / "L2A_GIPP.xml"
    assert load_settings(shipped, environ=environ).calibration.visibility == 40.0


def test_named_file_is_looked_for_as_given_then_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = home_with(tmp_path / "home", "mine.xml")
    monkeypatch.chdir(tmp_path)
    named = Path("mine.xml")
    in_home = load_settings(named, environ=environ).sources["L2A_GIPP"]
    assert in_home == tmp_path / "home" / "cfg" / "mine.xml"
    named.write_bytes(in_home.read_bytes())
    assert load_settings(named, environ=environ).sources["L2A_GIPP"] == named


@pytest.mark.parametrize("argument", ["gipp", "sc", "ac"])
def test_named_file_that_does_not_exist(tmp_path: Path, argument: str) -> None:
    environ = {"SEN2COR_HOME": str(tmp_path)}
    with pytest.raises(ConfigurationError, match=r"absent\.xml.*file does not exist") as caught:
        load_settings(**{argument: Path("absent.xml")}, environ=environ)
    assert caught.value.exit_code == 4
    with pytest.raises(ConfigurationError, match="file does not exist"):
        load_settings(**{argument: tmp_path}, environ=environ)


def test_package_side_of_the_environment(tmp_path: Path) -> None:
    shipped = packaged_configuration_folder()
    assert packaged_configuration_folder({"SEN2COR_BIN": str(tmp_path)}) == shipped
    home_with(tmp_path, "L2A_GIPP.xml")
    assert packaged_configuration_folder({"SEN2COR_BIN": str(tmp_path)}) == tmp_path / "cfg"
    settings = load_settings(environ={"SEN2COR_BIN": str(tmp_path)})
    assert settings.calibration.visibility == 11.0
    assert settings.sources["L2A_CAL_SC_GIPP"].parent == shipped


def test_home_that_is_not_a_folder_is_said(tmp_path: Path) -> None:
    settings = load_settings(environ={"SEN2COR_HOME": str(tmp_path / "absent")})
    (warning,) = settings.warnings
    assert "SEN2COR_HOME" in warning
    assert settings.sources["L2A_GIPP"].parent == packaged_configuration_folder()


def test_dem_folder_is_relative_to_the_home(tmp_path: Path) -> None:
    settings = load_settings(environ={"SEN2COR_HOME": str(tmp_path)})
    assert settings.dem_directory is None
    relative = replace(settings, common=replace(settings.common, dem_directory="dem/srtm"))
    assert relative.dem_directory == tmp_path / "dem" / "srtm"
    absolute = replace(settings, common=replace(settings.common, dem_directory="/data/dem"))
    assert absolute.dem_directory == Path("/data/dem")


def test_dem_unit_in_metres() -> None:
    for number, metres in enumerate((1.0, 0.1, 0.01)):
        settings = Settings(calibration=replace(Settings().calibration, dem_unit=number))
        assert settings.dem_unit == pytest.approx(metres)


def test_files_are_only_read(tmp_path: Path) -> None:
    write_home(tmp_path)
    folder = tmp_path / "cfg"
    files = sorted(folder.iterdir())
    for file in files:
        file.chmod(0o444)
    folder.chmod(0o555)
    before = [
        (hashlib.sha256(file.read_bytes()).digest(), file.stat().st_mtime_ns) for file in files
    ]
    try:
        load_settings(environ={"SEN2COR_HOME": str(tmp_path)}).effective_gipp_xml()
    finally:
        folder.chmod(0o755)
    assert sorted(folder.iterdir()) == files
    assert before == [
        (hashlib.sha256(file.read_bytes()).digest(), file.stat().st_mtime_ns) for file in files
    ]


def test_setup_writes_configuration_and_shell_file(tmp_path: Path) -> None:
    home = tmp_path / "my home"
    written = write_home(home)
    names = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    expected = {f"cfg/{document.name}{end}" for document in DOCUMENTS for end in (".xml", ".xsd")}
    assert names == expected | {"L2A_Bashrc"}
    assert {path.relative_to(home) for path in written} == {Path(name) for name in names}
    script = '. "$1" && printf "%s\\n" "$SEN2COR_HOME" "$SEN2COR_BIN" && export -p'
    shell = subprocess.run(
        ["sh", "-c", script, "sh", str(home / "L2A_Bashrc")],
        capture_output=True, text=True, check=True, env={"GDAL_DATA": "/gdal data"},
    )  # fmt: skip
    first, second, *exports = shell.stdout.splitlines()
    assert first == str(home)
    assert Path(second) == packaged_configuration_folder().parent
    for name in ("SEN2COR_HOME", "SEN2COR_BIN", "GDAL_DATA"):
        assert any(f"{name}=" in line for line in exports)
    settings = load_settings(environ={"SEN2COR_HOME": first, "SEN2COR_BIN": second})
    assert settings.sources["L2A_CAL_AC_GIPP"].parent == home / "cfg"
    assert settings.differences() == ()


def test_setup_keeps_what_exists(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environ = home_with(tmp_path, "L2A_GIPP.xml")
    written = write_home(tmp_path)
    assert tmp_path / "cfg" / "L2A_GIPP.xml" not in written
    assert load_settings(environ=environ).calibration.visibility == 11.0
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "L2A_GIPP.xml exists and is kept" in record.getMessage()
    assert write_home(tmp_path) == ()


def test_setup_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught:
        write_home(tmp_path / "file")
    assert caught.value.exit_code == 6


def changed(load: Load) -> Settings:
    return load(
        wrap(USER, "Common_Section", "<Target_Directory>/a &lt;b&gt; --c---</Target_Directory>"),
        wrap(CLASSIFICATION, "Scene_Classification/Thresholds", "<T_B02_B12>0.5</T_B02_B12>"),
        wrap(CORRECTION, "", "<AC_Slope_Th>7</AC_Slope_Th><Scaling_Limiter>1</Scaling_Limiter>"),
    )


def test_changed_items_are_the_differences(load: Load) -> None:
    assert [str(entry) for entry in changed(load).differences()] == [
        "L2A_GIPP: Target_Directory = /a <b> --c--- (default DEFAULT)",
        "L2A_CAL_AC_GIPP: Scaling_Limiter = TRUE (default false)",
        "L2A_CAL_AC_GIPP: AC_Slope_Th = 7.0 (default 6.0)",
        "L2A_CAL_SC_GIPP: T_B02_B12 = 0.5 (default 0.018)",
    ]


def test_effective_file_gives_the_same_settings(load: Load) -> None:
    settings = changed(load)
    text = settings.effective_gipp_xml()
    again = load(text)
    assert user_values(again) == user_values(settings) != user_values(Settings())
    assert again.warnings == ()
    assert b"AC_Slope_Th = 7.0 (default 6.0)" in text
    schema = etree.parse(packaged_configuration_folder() / f"{USER.name}.xsd")
    etree.XMLSchema(schema).assertValid(etree.fromstring(text))


def user_values(settings: Settings) -> list[Any]:
    return [value for parameter, value in settings.values() if parameter.document == USER.name]


def test_digest_changes_with_what_changes_the_images_only() -> None:
    default = Settings()
    logged = replace(default, common=replace(default.common, log_level="DEBUG", processes=4))
    assert logged.digest() == default.digest()
    flags = replace(default.flags, cirrus_correction=False)
    assert replace(default, flags=flags).digest() != default.digest()


def test_settings_are_frozen_and_go_to_other_processes(load: Load) -> None:
    settings = changed(load)
    with pytest.raises(FrozenInstanceError):
        settings.calibration.visibility = 5.0  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_log_says_files_missing_unknown_and_different(
    load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(
        wrap(USER, "Common_Section", "<Nr_Processes>2</Nr_Processes><New_One>1</New_One>")
    )
    assert caplog.records == []
    caplog.set_level(logging.DEBUG)
    settings.log()
    messages = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert sum(level == "WARNING" for level, _ in messages) == 1
    for level, part in (
        ("INFO", "configuration L2A_GIPP: "),
        ("WARNING", "element New_One is unknown"),
        ("INFO", "default used for missing Log_Level"),
        ("INFO", "L2A_GIPP: Nr_Processes = 2 (default 1)"),
    ):
        assert any(level == found and part in text for found, text in messages), part
