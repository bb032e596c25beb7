"""What a given path is, its metadata say: renamed, nested, linked and other products."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sen2cor.cli import main
from tests.command import hidden
from tests.product.level1c_builder import Recipe, build

pytestmark = pytest.mark.many_cases

FAST = ("--cr_only",)


@pytest.fixture
def level1c(small_product: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_product, tmp_path / "in" / small_product.name))


def derive_level2a(name: str) -> str:
    return name.replace("MSIL1C", "MSIL2A")


def products(folder: Path) -> list[str]:
    """Return the names of the Level-2A products in a folder."""
    return sorted(path.parent.name for path in folder.glob("*/MTD_MSIL2A.xml"))


@pytest.mark.parametrize(
    "name", ["L1C_for_L2A", "L2A", "my_L2A_input.SAFE", "MSIL2A", "S2A_MSIL2A_todo.SAFE"]
)
def test_a_level1c_product_with_l2a_in_its_name(name: str, level1c: Path, tmp_path: Path) -> None:
    renamed = level1c.rename(level1c.with_name(name))
    assert main([*FAST, str(renamed)]) == 0
    assert products(tmp_path / "in") == [derive_level2a(level1c.name)]


def test_a_level1c_product_that_is_named_as_a_level2a_product(
    level1c: Path, tmp_path: Path
) -> None:
    renamed = level1c.rename(level1c.with_name(derive_level2a(level1c.name)))
    out = tmp_path / "out"
    assert main([*FAST, "--output_dir", str(out), str(renamed)]) == 0
    assert products(out) == [derive_level2a(level1c.name)]
    assert main([*FAST, str(renamed)]) == 6
    assert (renamed / "MTD_MSIL1C.xml").is_file()


@pytest.mark.parametrize(
    "form",
    ["toL2A_{}.SAFE", "{}_DTERRENGDATA.SAFE", "{}_DTERRENGDATA", "{} (1).SAFE", "{}.SAFE (1)",
     "L1C_{}_from_L1C.SAFE"],
)  # fmt: skip
def test_what_users_add_to_a_name_stays_in_the_output(
    form: str, level1c: Path, tmp_path: Path
) -> None:
    renamed = Path(shutil.copytree(level1c, level1c.with_name(form.format(level1c.stem))))
    assert main([*FAST, str(level1c)]) == 0
    assert main([*FAST, str(renamed)]) == 0
    stem = form.format(derive_level2a(level1c.stem)).replace(".SAFE", "")
    assert products(tmp_path / "in") == sorted([derive_level2a(level1c.name), f"{stem}.SAFE"])
    second = tmp_path / "in" / f"{stem}.SAFE"
    assert f"<PRODUCT_URI_2A>{second.name}<" in (second / "MTD_MSIL2A.xml").read_text()
    # the Level-2A product finds its own Level-1C product again
    assert main(["--refresh", *FAST, str(second)]) == 0
    assert f'"{renamed}"' in max(second.glob("*_run.json")).read_text()


def test_a_level2a_product_is_not_completed_from_another_one(level1c: Path) -> None:
    renamed = Path(shutil.copytree(level1c, level1c.with_name(f"{level1c.stem}_x.SAFE")))
    assert main([*FAST, str(renamed)]) == 0
    shutil.rmtree(renamed)
    assert main(["--refresh", *FAST, str(level1c.with_name(derive_level2a(renamed.name)))]) == 3


def test_long_names_keep_what_users_add(tmp_path: Path) -> None:
    recipe = Recipe(namespace="psd-13", baseline="02.04", tiles=("53HLA",))
    root = build(tmp_path, recipe)
    renamed = root.rename(root.with_name(f"x_{root.stem}_y.SAFE"))
    assert main([*FAST, str(renamed)]) == 0
    expected = renamed.name.replace("MSIL1C", "MSIL2A").replace("_OPER_", "_USER_")
    assert (tmp_path / expected).is_dir()


def test_a_level2a_product_in_a_renamed_folder(level1c: Path, tmp_path: Path) -> None:
    assert main([*FAST, str(level1c)]) == 0
    level2a = tmp_path / "in" / derive_level2a(level1c.name)
    renamed = level2a.rename(level2a.with_name("result"))
    assert main(["--refresh", *FAST, str(renamed)]) == 0
    assert products(tmp_path / "in") == ["result"]
    level1c.rename(level1c.with_name("source"))
    assert main(["--refresh", *FAST, str(renamed)]) == 0
    assert products(tmp_path / "in") == ["result"]


def test_a_level2a_product_without_its_level1c(
    finished_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (finished_product.name, "renamed"):
        copy = Path(shutil.copytree(finished_product, tmp_path / name / name))
        assert main([str(copy)]) == 3
        line = capsys.readouterr().err
        assert "is a Level-2A product" in line
        assert finished_product.name.replace("MSIL2A", "MSIL1C") in line


@pytest.mark.parametrize("around", ["{0}/{0}", "order/{0}", "order/part/{0}", "order.SAFE/{0}"])
def test_a_folder_around_one_product_is_entered(around: str, level1c: Path, tmp_path: Path) -> None:
    moved = tmp_path / "nested" / around.format(level1c.name)
    moved.parent.mkdir(parents=True)
    level1c.rename(moved)
    (moved.parent / "__MACOSX").mkdir()
    given = tmp_path / "nested" / around.split("/")[0].format(level1c.name)
    for _ in range(2):
        assert main([*FAST, str(given)]) == 0
    (found,) = (path for path in (tmp_path / "nested").rglob("*MSIL2A*.SAFE") if path.is_dir())
    # beside the product, and never inside another folder .SAFE
    assert found.parent == (moved.parent if ".SAFE" not in moved.parent.name else given.parent)


def test_a_folder_around_several_products_is_refused(
    level1c: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(level1c, level1c.with_name("second"))
    assert main([*FAST, str(level1c.parent)]) == 3
    line = capsys.readouterr().err
    assert "around 2 products" in line and level1c.name in line and "second" in line


def test_links_to_products_and_tiles(level1c: Path, tmp_path: Path) -> None:
    view = tmp_path / "view"
    view.mkdir()
    link = view / level1c.name
    link.symlink_to(level1c)
    assert main([*FAST, str(link)]) == 0
    assert products(view) == [derive_level2a(level1c.name)]
    tile = view / "tile"
    tile.symlink_to(next((level1c / "GRANULE").iterdir()))
    assert main([*FAST, str(tile)]) == 0
    assert products(level1c.parent) == [derive_level2a(level1c.name)]


def test_a_link_that_leads_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    assert main([str(link)]) == 3
    assert f"link to {tmp_path / 'gone'}, which does not exist" in capsys.readouterr().err


OTHERS = {
    "SENTINEL2A_20170616-102101-123_L2A_T33UUU_D_V1-4": ("X_MTD_ALL.xml", "Theia / MAJA"),
    "maja": ("SENTINEL2B_20180101-104500-456_L2A_T31TCJ_C_V2-2_MTD_ALL.xml", "Theia / MAJA"),
    "S2A_OPER_SSC_L2VALD_33UUU____20170616.DBL.DIR": ("x", "MAJA"),
    "LC08_L1TP_193024_20170616_20170629_01_T1": ("x", "Landsat"),
    "landsat": ("LC09_L2SP_193024_20220616_20220629_02_T1_MTL.txt", "Landsat"),
    "S3A_OL_1_EFR____20170616T095333.SEN3": ("xfdumanifest.xml", "Sentinel-3"),
    "S1A_IW_GRDH_1SDV_20170616T052400.SAFE": ("manifest.safe", "Sentinel-1"),
    "S2A_MSIL1B_20170616.SAFE": ("MTD_MSIL1B.xml", "Level-1B"),
    "renamed level 1b": ("S2A_OPER_MTD_SAFL1B_PDMC_2016.xml", "Level-1B"),
    "S2A_OPER_PRD_MSIL0__PDMC_2016.SAFE": ("x", "Level-0"),
    "renamed level 0": ("S2A_OPER_MTD_SAFL0_PDMC_2016.xml", "Level-0"),
    "renamed level 1a": ("S2A_OPER_MTD_SAFL1A_PDMC_2016.xml", "Level-1A"),
    "sen2like": ("MTD_MSIL2F.xml", "Level-2F"),
    "S2A_MSIL1C_20240616.zarr": (".zattrs", "Zarr"),
    "aws": ("tileInfo.json", "AWS"),
    "HLS.S30.T33UUU.2017167T102021.v2.0": ("x", "Harmonized Landsat"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_products_are_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, what = OTHERS[name]
    folder = tmp_path / "in" / name
    folder.mkdir(parents=True)
    (folder / file).write_text("<x/>")
    out = tmp_path / "out"
    assert main(["--output_dir", str(out), str(folder)]) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "Error:" in line]
    assert str(folder) in line and what in line
    assert "give the" in line or "only Sentinel-2" in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "what"),
    [("product.7z", "unpack it first"), ("product.rar", "unpack it first"),
     ("S2A.zip.crdownload", "fetch it again"), ("S2A.zip.part", "fetch it again"),
     ("S2A.zip.filepart", "fetch it again"), ("S5P_OFFL_L2.nc", "Sentinel-5P"),
     ("LC08_L1TP_193024_B4.TIF", "Landsat")],
)  # fmt: skip
def test_other_files_are_named(
    name: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4" if name.startswith("S2A") else b"something else")
    assert main([str(tmp_path / name)]) == 3
    line = capsys.readouterr().err
    assert name in line and what in line
    assert hidden(tmp_path) == []


def test_folders_inside_a_product_name_it(
    level1c: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (level1c / "GRANULE", level1c / "DATASTRIP", next(level1c.rglob("IMG_DATA"))):
        assert main([str(folder)]) == 3
        assert f"is a folder of the product {level1c}" in capsys.readouterr().err
