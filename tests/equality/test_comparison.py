"""The comparison finds what differs, and takes no time for a difference."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from PIL import Image

from tests.equality.cases import CASES, SCENES, SIMULATED
from tests.equality.comparison import Result, compare
from tests.equality.runs import ROOT, Code, RunError

BAND = "IMG_DATA/T33UUU_B02_10m.tif"
METADATA = "MTD_MSIL2A.xml"
RUN = "S2A_MSIL2A_X_20200101T000000_run.json"
SETTINGS = "AUX_DATA/GIP_TL.xml"
STAC = "S2A_MSIL2A_X.json"


def write_band(path: Path, pixels: np.ndarray, left: float = 300000.0) -> None:
    image = gdal.GetDriverByName("GTiff").Create(str(path), 64, 64, 1, gdal.GDT_UInt16)
    image.SetGeoTransform((left, 10.0, 0.0, 5900040.0, 0.0, -10.0))
    image.GetRasterBand(1).WriteArray(pixels)


def pixels() -> np.ndarray:
    return np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of the same content."""
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "IMG_DATA").mkdir(parents=True)
    (old / "AUX_DATA").mkdir()
    write_band(old / BAND, pixels())
    (old / METADATA).write_text(
        '<P xmlns="urn:p"><Info><GENERATION_TIME>2020-01-01</GENERATION_TIME>'
        '<Level unit="none">Level-2A</Level></Info></P>'
    )
    (old / SETTINGS).write_text("<G><A>1</A><B>2</B></G>")
    (old / STAC).write_text(json.dumps({"id": "X", "properties": {"created": "now", "gsd": 10}}))
    (old / RUN).write_text(
        json.dumps({"seconds": 1.5, "tiles": {"33UUU": {"aot": 0.2, "text": "a", "wvp": "1.0"}}})
    )
    shutil.copytree(old, new)
    return old, new


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def found(folders: tuple[Path, Path]) -> list[str]:
    return compare(*folders).differences


def test_nothing_differs(folders: tuple[Path, Path]) -> None:
    assert compare(*folders) == Result(images=1, documents=4)


def test_pixel_is_found(folders: tuple[Path, Path]) -> None:
    changed = pixels()
    changed[5, 7] += 1
    write_band(folders[1] / BAND, changed)
    assert found(folders) == [f"{BAND}: 1 of 4096 values differ, by at most 1"]


def test_another_place_is_found(folders: tuple[Path, Path]) -> None:
    write_band(folders[1] / BAND, pixels(), left=300010.0)
    (difference,) = found(folders)
    assert difference.startswith(f"{BAND}: cornerCoordinates/center/0 was 300320.0, is 300330.0")


def test_another_type_is_found(tmp_path: Path) -> None:
    for name, kind in (("old", np.float32), ("new", np.float64)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.zeros(3, kind))
    assert compare(tmp_path / "old", tmp_path / "new").differences == [
        "a.npy: dtype was float32, is float64"
    ]


def test_sign_of_zero_is_found(tmp_path: Path) -> None:
    for name, value in (("old", 0.0), ("new", -0.0)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.array([value, np.nan]))
    (difference,) = compare(tmp_path / "old", tmp_path / "new").differences
    assert difference.startswith("a.npy: 1 of 2 values differ")


def test_other_bytes_of_the_same_image_are_told(tmp_path: Path) -> None:
    for name, level in (("old", 1), ("new", 9)):
        (tmp_path / name).mkdir()
        Image.fromarray(np.ones((64, 64), np.uint8)).save(
            tmp_path / name / "a.png", compress_level=level
        )
    assert compare(tmp_path / "old", tmp_path / "new") == Result(images=1, other_bytes=["a.png"])


@pytest.mark.parametrize(
    ("name", "old", "new", "difference"),
    [
        (METADATA, "Level-2A", "Level-2B", "P/Info/Level was Level-2A, is Level-2B"),
        (METADATA, "none", "m", "P/Info/Level@unit was none, is m"),
        (METADATA, "urn:p", "urn:q", "P was {urn:p}P, is {urn:q}P"),
        (METADATA, "<Info>", "<Info><More/>", "P/Info/*[1] was GENERATION_TIME, is More"),
        (METADATA, "2020-01-01", "", "P/Info/GENERATION_TIME was 2020-01-01, is missing"),
        (SETTINGS, "<B>2</B>", "", "G/*[2] was B, is missing"),
        (SETTINGS, "1", "3", "G/A was 1, is 3"),
        (STAC, "10", "20", "properties/gsd was 10, is 20"),
        (STAC, '"gsd"', '"gds"', "properties/gds was missing, is 10 (and 1 more)"),
        (RUN, "0.2", "0.3", "tiles/33UUU/aot was 0.2, is 0.3"),
        (RUN, '"1.0"', '"2"', "tiles/33UUU/wvp was 1.0, is 2.0"),
    ],
)
def test_change_in_a_document_is_found(
    folders: tuple[Path, Path], name: str, old: str, new: str, difference: str
) -> None:
    replace(folders[1] / name, old, new)
    shown = name.replace("_20200101T000000", "")
    assert found(folders) == [f"{shown}: {difference}"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (METADATA, "2020-01-01", "2021-01-01"),
        (METADATA, "<Info>", "<!-- told --><Info>\n "),
        (SETTINGS, "<A>1</A><B>2</B>", "<B>2</B><A>1</A>"),
        (STAC, "now", "then"),
        (RUN, "1.5", "2.5"),
        (RUN, '"a"', '"b"'),
        (RUN, '"text"', '"prose"'),
    ],
)
def test_change_that_does_not_count(
    folders: tuple[Path, Path], name: str, old: str, new: str
) -> None:
    replace(folders[1] / name, old, new)
    assert found(folders) == []


def test_missing_and_new_files_are_found(folders: tuple[Path, Path]) -> None:
    (folders[1] / BAND).unlink()
    (folders[1] / "more.xml").write_text("<a/>")
    assert found(folders) == [f"{BAND}: missing", "more.xml: not made before"]


def test_time_in_the_name_of_a_record_does_not_count(folders: tuple[Path, Path]) -> None:
    (folders[1] / RUN).rename(folders[1] / RUN.replace("20200101", "20210101"))
    assert found(folders) == []


def test_cases_name_scenes_and_settings_that_exist() -> None:
    settings = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    assert {case.scene for case in CASES.values()} | {*SIMULATED} <= {*SCENES}
    for case in CASES.values():
        assert all(re.search(f"<{name}>", settings) for name in case.settings)


def test_code_is_that_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    (folder / "sen2cor").mkdir(parents=True)
    (folder / "sen2cor" / "__init__.py").touch()
    (folder / "sen2cor" / "cli.py").write_text("import sys; sys.exit(3)")
    code = Code(folder, tmp_path)
    with pytest.raises(RunError, match=r"sen2cor\.cli ended with 3"):
        code.run("sen2cor.cli")
    command = [sys.executable, ROOT / "tests/equality/run_module.py", folder, "sen2cor.cli"]
    for path, ending in ((folder, 3), (ROOT, 1)):
        environment = {**os.environ, "PYTHONPATH": str(path)}
        done = subprocess.run(
            [*command, "--version"], env=environment, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == ending, done.stderr
    assert f"not of {folder}" in done.stderr
