"""What is released: source archive and wheel, installed in an empty environment and used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sen2cor

ROOT = Path(__file__).resolve().parents[1]
NEEDED = (
    "L2A_Bashrc.template",
    "cfg/L2A_CAL_AC_GIPP.xml",
    "cfg/L2A_CAL_SC_GIPP.xml",
    "cfg/L2A_GIPP.xml",
    "cfg/L2A_GIPP.xsd",
    "sen2cor/atmosphere/look_up_tables/data/S2A_rural.nc",
    "sen2cor/atmosphere/look_up_tables/data/S2B_summer.nc",
    "sen2cor/data/spectral_response_s2c.csv",
    "sen2cor/reporting/templates/report.html",
    "sen2cor/simulation/data/states_summer.npz",
)


def test_the_conda_recipe_wants_what_the_wheel_wants() -> None:
    tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
    jinja2, yaml = pytest.importorskip("jinja2"), pytest.importorskip("yaml")

    def load_file_regex(load_file: str, regex_pattern: str, from_recipe_dir: bool) -> object:
        assert from_recipe_dir
        return re.search(regex_pattern, (ROOT / "conda" / load_file).read_text())

    template = jinja2.Template((ROOT / "conda" / "meta.yaml").read_text())
    recipe = yaml.safe_load(template.render(load_file_regex=load_file_regex, PYTHON="python"))
    assert recipe["package"]["version"] == sen2cor.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {*project["dependencies"], f"python{project['requires-python']}"}
    assert {name.replace(" ", "") for name in recipe["requirements"]["run"]} == wanted
    commands = {f"{name}={target}" for name, target in project["scripts"].items()}
    assert set(recipe["build"]["entry_points"]) == commands


def test_the_version_stands_in_one_place() -> None:
    for name in ("setup.py", "conda/meta.yaml", "Dockerfile", "mkdocs.yml", "pyproject.toml"):
        assert f'"{sen2cor.__version__}"' not in (ROOT / name).read_text(), name


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source archive, and the wheel built from it, of the files under version control."""
    pytest.importorskip("build")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a clone: what belongs to a release is not known")
    source = tmp_path_factory.mktemp("source")
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    target = tmp_path_factory.mktemp("release")
    command = [sys.executable, "-m", "build", "--outdir", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def installed(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Scripts folder of an environment with only the wheel and its requirements."""
    folder = tmp_path_factory.mktemp("environment")
    base = Path(sys.base_prefix) / "bin" / "python3"
    subprocess.run([base, "-m", "venv", "--system-site-packages", folder], check=True)
    (wheel,) = release.glob("*.whl")
    pip = [folder / "bin" / "pip", "install", "--quiet", "numpy>=1.26.4,<2", wheel]
    subprocess.run(pip, check=True, capture_output=True)
    yield folder / "bin"


def run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_source_archive_and_wheel_hold_tables_configuration_and_schemas(release: Path) -> None:
    (wheel,), (archive,) = release.glob("*.whl"), release.glob("*.tar.gz")
    assert f"-{sen2cor.__version__}-" in wheel.name
    with tarfile.open(archive) as tar, zipfile.ZipFile(wheel) as packed:
        sources = {name.partition("/")[2] for name in tar.getnames()}
        parts = packed.namelist()
    assert set(NEEDED) <= sources
    assert {"README.md", "CHANGELOG.md", "LICENSE", "tests/conftest.py", "Makefile"} <= sources
    for name in NEEDED:
        assert any(part.endswith(name) for part in parts), name
    assert not [part for part in parts if part.startswith("tests")]


@pytest.mark.slow
def test_the_wheel_makes_and_processes_the_sample(installed: Path, tmp_path: Path) -> None:
    made = run(installed / "L2A_Simulate", "--size", "6", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    level1c = made.stdout.strip()
    result = run(installed / "L2A_Process", level1c, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].endswith("Application terminated successfully.")
    (product,) = tmp_path.glob("*MSIL2A*.SAFE")
    assert len(list(product.glob("GRANULE/*/IMG_DATA/R10m/*_B0?_10m.jp2"))) == 4
    setup = run(installed / "L2A_Process", "--setup", "home", cwd=tmp_path)
    assert setup.returncode == 0, setup.stderr
    assert (tmp_path / "home" / "L2A_Bashrc").is_file()

    # what needs an extra names it
    for extra, arguments in {
        "report": ("--report",),
        "stac": ("--stac",),
        "dask": ("--scheduler", "tcp://127.0.0.1:1", "--refresh"),
    }.items():
        refused = run(installed / "L2A_Process", *arguments, level1c, cwd=tmp_path)
        assert refused.returncode != 0
        assert f"pip install 'sen2cor[{extra}]'" in refused.stderr
    tables = ("-m", "sen2cor.radiative_transfer", "--output", "tables", "--work", "work")
    refused = run(installed / "python", *tables, cwd=tmp_path)
    assert refused.returncode == 5
    assert "extra 'luts'" in refused.stderr
