"""The interface for callers: output lines, names, exit codes, repeated runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from sen2cor.imagery import jpeg2000
from tests.command import configuration, file_states, run, run_process

ROOT = Path(__file__).resolve().parents[1]


def test_run_succeeds_and_ends_with_the_line_that_wrappers_look_for(finished_run) -> None:
    result, product, _ = finished_run
    lines = result.stdout.splitlines()
    assert result.returncode == 0, result.stderr
    assert lines[-1] == "Progress[%]: 100.00 : Application terminated successfully."
    assert lines[-2] == f"L2A product: {product}"
    assert "CRITICAL" not in result.stdout


def test_banner_and_progress_lines(finished_run) -> None:
    result, _, _ = finished_run
    assert result.stdout.splitlines()[0] == (
        "Sentinel-2 Level 2A Processor (Sen2Cor). Version: 2.03.00, created: 2016.11.25, "
        "supporting Level-1C product version: 13.1 - 15."
    )
    values = [int(v) for v in re.findall(r"Progress\[%\]: (\d{1,3})\.(?:.+)", result.stdout)]
    assert len(values) > 6
    assert values == sorted(values)
    assert values.count(100) == 1


def test_name_is_what_the_snap_adapter_expects(finished_run, small_product: Path) -> None:
    _, product, _ = finished_run
    stem = small_product.name[:27].replace("L1C", "L2A").replace("OPER", "USER")
    assert product.name.startswith(stem)


def test_siimpc_599_input_is_only_read(finished_run, small_product: Path) -> None:
    """Level-1C is never rewritten (SIIMPC-599)."""
    _, _, before = finished_run
    assert file_states(small_product) == before


def test_siimpc_558_images_lie_on_the_grid_of_level1c(finished_run, small_product: Path) -> None:
    """Georeference as in Level-1C, tile size too (SIIMPC-558, SIIMPC-687)."""
    _, product, _ = finished_run
    inputs = {
        name: jpeg2000.read_info(next(small_product.glob(f"GRANULE/*/IMG_DATA/*_{name}.jp2")))
        for name in ("B01", "B02", "B05")
    }
    grids = {60: inputs["B01"].grid, 20: inputs["B05"].grid, 10: inputs["B02"].grid}
    images = [path for path in product.rglob("*.jp2") if path.name.endswith("0m.jp2")]
    assert len(images) == 17 + 15 + 7
    for path in images:
        resolution = int(path.stem[-3:-1])
        assert jpeg2000.read_info(path).grid == grids[resolution], path.name


def test_classes_and_maps_are_plausible(finished_run, small_product: Path) -> None:
    """Fields are vegetation and soil; path reflectance is removed, absorption corrected."""
    _, product, _ = finished_run
    classes = jpeg2000.read(next(product.rglob("*_SCL_20m.jp2")))
    assert {4, 5} <= set(np.unique(classes)) <= {4, 5, 7}
    water = jpeg2000.read(next(product.rglob("*_WVP_20m.jp2")))
    assert 0.5 < water.mean() / 1000 < 5
    for band, least, most in (("B02", -0.08, -0.03), ("B04", -0.03, 0.0), ("B08", 0.0, 0.04)):
        toa = jpeg2000.read(next(small_product.glob(f"GRANULE/*/IMG_DATA/*_{band}.jp2")))
        boa = jpeg2000.read(next(product.rglob(f"*_{band}_10m.jp2")))
        assert least < boa.mean() / 10000 - toa.mean() / 10000 < most, band
        assert np.corrcoef(boa.ravel(), toa.ravel())[0, 1] > 0.99, band


def test_second_run_does_nothing(finished_run, small_product: Path) -> None:
    _, product, _ = finished_run
    before = file_states(product)
    again = run_process("--output_dir", product.parent, small_product)
    lines = again.stdout.splitlines()
    assert again.returncode == 0
    assert lines[-3:] == [
        "Product already processed.",
        f"L2A product: {product}",
        "Progress[%]: 100.00 : Application terminated successfully.",
    ]
    assert file_states(product) == before


def test_resolutions_one_by_one_give_the_same_images(
    finished_run, small_product: Path, tmp_path: Path
) -> None:
    _, whole, _ = finished_run
    for resolution in (60, 20, 10):
        result = run("--resolution", resolution, small_product, "--output_dir", tmp_path)
        assert result.returncode == 0, result.stderr
    stepwise = next(tmp_path.glob("*.SAFE"))
    images = sorted(path.relative_to(whole) for path in whole.rglob("*_?0m.jp2"))
    assert len(images) == 17 + 15 + 7
    assert images == sorted(path.relative_to(stepwise) for path in stepwise.rglob("*_?0m.jp2"))
    for image in images:
        np.testing.assert_array_equal(
            jpeg2000.read(stepwise / image), jpeg2000.read(whole / image), err_msg=image.name
        )


def test_ten_metres_alone_makes_twenty_first(small_product: Path, tmp_path: Path) -> None:
    assert run(small_product, "--resolution", "10", "--output_dir", tmp_path).returncode == 0
    product = next(tmp_path.glob("*.SAFE"))
    folders = sorted(path.name for path in product.glob("GRANULE/*/IMG_DATA/*"))
    assert folders == ["R10m", "R20m"]


def test_classification_only(small_product: Path, tmp_path: Path) -> None:
    assert run("--sc_only", small_product, "--output_dir", tmp_path).returncode == 0
    product = next(tmp_path.glob("*.SAFE"))
    kinds = sorted(path.stem[-7:] for path in product.rglob("*_?0m.jp2"))
    assert kinds == [f"{kind}_{res}m" for kind in ("CLD", "SCL", "SNW") for res in (20, 60)]
    full = run(small_product, "--output_dir", tmp_path)
    assert full.returncode == 0 and "already processed" not in full.stdout
    assert next(product.rglob("*_B04_10m.jp2"), None) is not None


def test_layout_only(small_product: Path, tmp_path: Path) -> None:
    assert run("--cr_only", small_product, "--output_dir", tmp_path).returncode == 0
    product = next(tmp_path.glob("*.SAFE"))
    assert (product / "MTD_MSIL2A.xml").is_file()
    assert list(product.rglob("*_?0m.jp2")) == []


def test_refresh_redoes(finished_run, small_product: Path, tmp_path: Path) -> None:
    _, whole, _ = finished_run
    copy = tmp_path / whole.name
    shutil.copytree(whole, copy)
    before = file_states(copy)
    assert run("--refresh", small_product, "--output_dir", tmp_path).returncode == 0
    after = file_states(copy)
    image = next(name for name in after if name.endswith("B04_10m.jp2"))
    assert after[image][0] == before[image][0] and after[image][1] > before[image][1]


def test_beside_the_input_by_default_and_from_anywhere(small_product: Path, tmp_path: Path) -> None:
    copy = tmp_path / small_product.name
    shutil.copytree(small_product, copy)
    result = run_process("--resolution", "60", f"{copy.name}/", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(list(tmp_path.glob("*MSIL2A*.SAFE"))) == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_tile_folder_and_level2a_product_as_input(small_product: Path, tmp_path: Path) -> None:
    copy = tmp_path / small_product.name
    shutil.copytree(small_product, copy)
    tile = next((copy / "GRANULE").iterdir())
    assert run(tile, "--resolution", "60").returncode == 0
    level2a = next(tmp_path.glob("*MSIL2A*.SAFE"))
    assert run(level2a, "--resolution", "20").returncode == 0
    assert {path.name for path in level2a.glob("GRANULE/*/IMG_DATA/*")} == {"R60m", "R20m"}


def test_bare_product_of_a_cloud_archive_is_processed(small_product: Path, tmp_path: Path) -> None:
    """Archives drop empty folders; only metadata and images are required."""
    bare = tmp_path / small_product.name
    kept = [small_product / "MTD_MSIL1C.xml", *small_product.glob("GRANULE/*/MTD_TL.xml")]
    kept += small_product.glob("GRANULE/*/IMG_DATA/*.jp2")
    for path in kept:
        target = bare / path.relative_to(small_product)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    result = run(bare, "--output_dir", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "WARNING" in result.stderr


def test_several_products_in_one_call_the_bad_one_does_not_stop_the_good(
    small_product: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "S2A_MSIL1C_bad.SAFE"
    bad.mkdir()
    result = run("--resolution", "60", bad, small_product, "--output_dir", tmp_path / "out")
    assert result.returncode == 3
    assert len(list((tmp_path / "out").glob("*.SAFE"))) == 1
    assert result.stdout.splitlines()[-1].endswith(
        "Application terminated with at least one error."
    )


def test_read_only_home_and_input(small_product: Path, tmp_path: Path) -> None:
    copy = tmp_path / small_product.name
    shutil.copytree(small_product, copy)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    result = run_process(copy, "--output_dir", tmp_path / "out", HOME=str(home))
    assert result.returncode == 0, result.stderr
    product = next((tmp_path / "out").glob("*.SAFE"))
    assert all(path.stat().st_mode & 0o200 for path in product.rglob("*"))
    assert list(home.iterdir()) == []


def test_manifest_of_the_result_lists_what_is_there(finished_run) -> None:
    _, product, _ = finished_run
    text = (product / "manifest.safe").read_text()
    listed = set(re.findall(r'href="\./([^"]+)"', text))
    present = {
        str(path.relative_to(product))
        for path in product.rglob("*")
        if path.is_file() and path.name != "manifest.safe"
    }
    assert present == listed


def test_gdal_opens_the_metadata_and_lists_its_parts(finished_run) -> None:
    gdal = pytest.importorskip("osgeo.gdal")
    _, product, _ = finished_run
    if gdal.GetDriverByName("SENTINEL2") is None:
        pytest.skip("this GDAL has no SENTINEL2 driver")
    parts = [name for name, _ in gdal.Open(str(product / "MTD_MSIL2A.xml")).GetSubDatasets()]
    assert [part.split(":")[-2] for part in parts] == ["10m", "20m", "60m", "TCI"]
    twenty = gdal.Open(parts[1])
    assert twenty.GetGeoTransform() == (300000.0, 20.0, 0.0, 5900040.0, 0.0, -20.0)


def test_true_colour_can_be_left_out(small_product: Path, tmp_path: Path) -> None:
    """Neither images nor metadata hold it, and a second run does not miss it."""
    plain = configuration(tmp_path, Generate_TCI_Output="FALSE")
    for _ in range(2):
        result = run("--GIP_L2A", plain, small_product, "--output_dir", tmp_path)
        assert result.returncode == 0, result.stderr
    assert "Product already processed." in result.stdout
    assert list(tmp_path.rglob("*TCI*")) == []
    documents = [*tmp_path.rglob("MTD_*.xml"), *tmp_path.rglob("manifest.safe")]
    assert len(documents) > 3
    assert not [path for path in documents if "TCI" in path.read_text()]
    assert run("--check", next(tmp_path.glob("*MSIL2A*"))).returncode == 0


def test_noisy_images_have_the_arithmetic_bypass(
    small_product: Path, tmp_path: Path, finished_run
) -> None:
    _, product, _ = finished_run
    kinds = {
        path.stem.split("_")[-2]: jpeg2000.read_info(path).arithmetic_bypass
        for path in product.rglob("IMG_DATA/*/*.jp2")
    }
    assert {kind for kind, bypass in kinds.items() if not bypass} == {"AOT", "WVP", "SCL"}
    assert {"B02", "B08", "B12", "TCI"} <= kinds.keys()
    plain = configuration(tmp_path, JPEG2000_Bypass="FALSE")
    options = ("--resolution", "60", "--output_dir", tmp_path)
    assert run("--GIP_L2A", plain, small_product, *options).returncode == 0
    images = [*tmp_path.rglob("IMG_DATA/*/*.jp2")]
    assert len(images) == 15
    assert not any(jpeg2000.read_info(path).arithmetic_bypass for path in images)
    for path in images:
        same = next(product.rglob(path.name))
        np.testing.assert_array_equal(jpeg2000.read(path), jpeg2000.read(same))


def test_configuration_changes_the_result(
    small_product: Path, tmp_path: Path, finished_run
) -> None:
    _, whole, _ = finished_run
    text = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    sooty = tmp_path / "sooty.xml"
    sooty.write_text(re.sub("<Aerosol_Model>.*?<", "<Aerosol_Model>URBAN<", text))
    assert run("--GIP_L2A", sooty, small_product, "--output_dir", tmp_path).returncode == 0
    product = next(tmp_path.glob("*.SAFE"))
    blue = [jpeg2000.read(next(root.rglob("*_B02_10m.jp2"))).mean() for root in (whole, product)]
    assert abs(blue[1] - blue[0]) > 5


def test_ten_metres_belong_to_twenty_whatever_else_is_made(
    finished_run, small_product: Path, tmp_path: Path
) -> None:
    """60 and 10 m added to a product with 20 m are identical to those of a whole run."""
    _, whole, _ = finished_run
    assert run("--resolution", "20", small_product, "--output_dir", tmp_path).returncode == 0
    assert run(small_product, "--output_dir", tmp_path).returncode == 0
    product = next(tmp_path.glob("*.SAFE"))
    for ending in ("B02_10m", "B08_10m", "WVP_10m", "B12_60m"):
        pair = [jpeg2000.read(next(root.rglob(f"*_{ending}.jp2"))) for root in (whole, product)]
        np.testing.assert_array_equal(*pair, err_msg=ending)
