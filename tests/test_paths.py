"""``~``, ``$NAME``, ``${NAME}`` and ``%NAME%`` in paths are expanded or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sen2cor import process
from sen2cor.arguments import parse_arguments
from sen2cor.cli import main
from sen2cor.errors import ConfigurationError, UsageError
from sen2cor.paths import expand_address, expand_path
from sen2cor.settings import load_settings
from tests.command import configuration, product_in

FAST = ("--cr_only",)
UNKNOWN = ("$NO_SUCH/x", "${NO_SUCH}/x", "%NO_SUCH%/x", "~no_such_user/x", "a/${}/x", "$EMPTY/x")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Home, a variable, an empty one, and a working folder that has to stay empty."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATA", str(tmp_path))
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NO_SUCH", raising=False)


@pytest.mark.parametrize("form", ["~", "$HOME", "${HOME}", "%HOME%", "$DATA", "${DATA}", "%DATA%"])
def test_known_forms(form: str, tmp_path: Path) -> None:
    assert expand_path(form) == tmp_path
    assert expand_path(f"{form}/a b/c") == tmp_path / "a b" / "c"
    environ = {"HOME": "/other", "DATA": "/other"}
    assert expand_path(f"{form}/x", environ) == Path("/other/x")


def test_a_user_and_names_in_the_middle(tmp_path: Path) -> None:
    assert expand_path("~root/x") == Path("/root/x")
    assert expand_path("/a/${DATA}_1") == Path(f"/a/{tmp_path}_1")


@pytest.mark.parametrize(
    "text", ["/a/100%", "50%/60%", "a~b", "./~a", "/a/b$", "cost-5$", "a%20b%20"]
)
def test_other_paths_stay(text: str) -> None:
    assert expand_path(text) == Path(text)


def test_addresses_keep_their_percent_signs(tmp_path: Path) -> None:
    assert expand_address("https://host/%C3%A9%7Ea/$HOME") == f"https://host/%C3%A9%7Ea/{tmp_path}"
    with pytest.raises(ValueError, match="NO_SUCH"):
        expand_address("file://${NO_SUCH}/dem")


@pytest.mark.parametrize("form", ["~", "$DATA", "${HOME}", "%DATA%"])
def test_options_and_products(form: str, small_product: Path, tmp_path: Path) -> None:
    level1c = shutil.copytree(small_product, tmp_path / small_product.name)
    gipp = configuration(tmp_path)
    arguments = [
        f"--output_dir={form}/out",
        f"--work_dir={form}/log",
        f"--GIP_L2A={form}/{gipp.name}",
    ]
    assert main([*FAST, *arguments, f"{form}/{level1c.name}"]) == 0
    assert product_in(tmp_path / "out")
    assert list((tmp_path / "log").glob("*_run.json"))
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("text", UNKNOWN)
@pytest.mark.parametrize("option", ["--output_dir", "--work_dir", "--GIP_L2A", "--setup"])
def test_what_is_unknown_is_refused(
    option: str, text: str, small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*FAST, option, text, str(small_product)]) == 2
    line = capsys.readouterr().err
    assert option in line and text in line
    assert list((tmp_path / "work").iterdir()) == []


def test_a_product_whose_name_looks_like_a_variable(
    small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("$NO_SUCH", "~tilde", "%A% done"):
        shutil.copytree(small_product, tmp_path / "work" / name)
        assert main([*FAST, "--output_dir", str(tmp_path / "out"), name]) == 0
    assert main([*FAST, "$NO_SUCH_EITHER"]) == 2
    assert "NO_SUCH_EITHER" in capsys.readouterr().err


ELEMENTS = ("Target_Directory", "DEM_Directory", "DEM_Reference")


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("text", ["$NO_SUCH/x", "${NO_SUCH}/x"])
def test_unknown_variables_in_a_configuration_file(
    element: str, text: str, small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gipp = configuration(tmp_path, **{element: text})
    assert main([*FAST, "--GIP_L2A", str(gipp), str(small_product)]) == 4
    line = capsys.readouterr().err
    for words in (gipp.name, "line", element, text, "NO_SUCH is not set"):
        assert words in line
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("form", ["~", "$DATA", "${HOME}", "%DATA%"])
def test_folders_in_configuration_files(form: str, tmp_path: Path) -> None:
    gipp = configuration(tmp_path, Target_Directory=f"{form}/a", DEM_Directory=f"{form}/b")
    settings = load_settings(gipp)
    assert settings.target_directory == tmp_path / "a"
    assert settings.dem_directory == tmp_path / "b"
    # the copy in the product names what the user wrote
    assert f"<Target_Directory>{form}/a<".encode() in settings.effective_gipp_xml()


@pytest.mark.parametrize("form", ["~", "$DATA", "${HOME}", "%DATA%"])
def test_the_configuration_home(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["--setup", f"{form}/home"]) == 0
    assert (tmp_path / "home" / "cfg" / "L2A_GIPP.xml").is_file()
    monkeypatch.setenv("SEN2COR_HOME", f"{form}/home")
    assert load_settings().home == tmp_path / "home"
    assert load_settings().sources["L2A_GIPP"].parent == tmp_path / "home" / "cfg"


@pytest.mark.parametrize("variable", ["SEN2COR_HOME", "SEN2COR_BIN"])
def test_unknown_variables_in_environment_variables(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "$NO_SUCH/home")
    with pytest.raises(ConfigurationError, match=f"{variable} = .*NO_SUCH is not set"):
        load_settings()


def test_the_python_function(small_product: Path, tmp_path: Path) -> None:
    outcome = process(small_product, layout_only=True, output_directory="$DATA/out")
    assert outcome.product.parent == tmp_path / "out"
    with pytest.raises(UsageError, match=r"output_directory .*NO_SUCH"):
        process(small_product, output_directory="$NO_SUCH/out")


@pytest.mark.parametrize(
    "option", ["--sc_classic", "--sc_cog", "--mode", "--tile", "--raw", "--tif", "--GIP_L2A_PB"]
)
def test_options_of_later_versions_get_advice(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} belongs to a later version of Sen2Cor: .+"):
        parse_arguments([option, "product"])
