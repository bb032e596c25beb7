"""What a given path stands for: a Level-2A product, and the Level-1C product beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.errors import InputError
from sen2cor.pipeline.run import input_path
from sen2cor.pipeline.run.options import Options
from sen2cor.settings import Settings
from tests.command import configuration, product_in
from tests.product.level1c_builder import build


@pytest.fixture
def level2a(small_product: Path, tmp_path: Path) -> Path:
    """Laid out beside its Level-1C product."""
    folder = tmp_path / "archive"
    shutil.copytree(small_product, folder / small_product.name)
    assert main([str(folder / small_product.name), "--cr_only"]) == 0
    return product_in(folder)


def test_a_level2a_product_is_added_to_where_it_stands(level2a: Path, tmp_path: Path) -> None:
    gipp = configuration(tmp_path, Target_Directory=tmp_path / "elsewhere")
    assert main([str(level2a), "--resolution", "60", "--GIP_L2A", str(gipp)]) == 0
    assert not (tmp_path / "elsewhere").exists()
    assert list(level2a.glob("GRANULE/*/IMG_DATA/R60m"))


def test_a_level2a_product_and_another_folder_exclude_each_other(
    level2a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(level2a), "--resolution", "60", "--output_dir"]
    assert main([*arguments, str(tmp_path / "elsewhere")]) == 2
    assert "--output_dir" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
    assert main([*arguments, f"{level2a.parent}/."]) == 0


def test_a_product_of_the_ground_segment_finds_its_level1c(level2a: Path) -> None:
    """Its last field is the time of its processing."""
    official = level2a.with_name(f"{level2a.stem[:-15]}20201010T101010.SAFE")
    level2a.rename(official)
    assert main([str(official), "--resolution", "60"]) == 0
    assert list(official.glob("GRANULE/*/IMG_DATA/R60m"))
    assert product_in(official.parent) == official


def opened_name(path: Path) -> str:
    with input_path.open_input(path, Options((path,)), Settings()) as level1c:
        return level1c.root.name


def test_of_several_siblings_the_one_of_the_same_baseline(tmp_path: Path) -> None:
    level1c = build(tmp_path)
    name = level1c.stem.replace("L1C", "L2A")
    level2a = tmp_path / f"{name[:-15]}20201010T101010.SAFE"
    level2a.mkdir()
    other = tmp_path / level1c.name.replace("_N0205_", "_N0100_")
    shutil.copytree(level1c, tmp_path / level1c.name.replace("_T56JKT_", "_T56JLT_"))
    assert opened_name(level2a) == level1c.name
    shutil.copytree(level1c, other)
    assert opened_name(level2a) == level1c.name
    shutil.rmtree(level1c)
    assert opened_name(level2a) == other.name
    shutil.copytree(other, tmp_path / f"{other.stem[:-15]}20180101T000000.SAFE")
    with pytest.raises(InputError, match="several Level-1C products beside it"):
        opened_name(level2a)
