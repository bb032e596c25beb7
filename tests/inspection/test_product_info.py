"""``--info``: what products of both levels are, whole, damaged, archived or of other processors."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sen2cor.errors import InputError
from sen2cor.inspection.product_info import format_size, read_product_info
from tests.command import file_states, run
from tests.small_product import write_tiles


def test_level1c(small_product: Path) -> None:
    before = file_states(small_product)
    info = read_product_info(small_product)
    assert (info.level, info.psd, info.baseline, info.tiles) == ("1C", "14", "02.05", ("33UUU",))
    assert info.spacecraft == "Sentinel-2A" and info.sensing_time.startswith("2017-06-16T10:21:01")
    assert {size: len(tiles["33UUU"]) for size, tiles in info.images.items()} == {
        10: 5,
        20: 6,
        60: 3,
    }
    assert info.size == sum(p.stat().st_size for p in small_product.rglob("*") if p.is_file())
    assert info.incomplete == ()
    assert read_product_info(next((small_product / "GRANULE").iterdir())) == info
    assert file_states(small_product) == before


def test_level2a_of_this_and_of_another_processor(finished_product: Path, tmp_path: Path) -> None:
    info = read_product_info(finished_product)
    assert info.level == "2A" and info.origin.endswith("(this processor)")
    assert {"AOT", "B8A", "SCL", "WVP"} <= set(info.images[20]["33UUU"])
    assert "SCL" not in info.images[10]["33UUU"] and sorted(info.images) == [10, 20, 60]
    assert info.incomplete == () and info.cloud_cover is not None
    foreign = tmp_path / finished_product.name
    shutil.copytree(finished_product, foreign)
    for path in [*foreign.glob("*run.json"), *foreign.glob("GRANULE/*/AUX_DATA/*GIP*")]:
        path.unlink()
    metadata = foreign / "MTD_MSIL2A.xml"
    text = metadata.read_text()
    metadata.write_text(text.replace('version="0', 'version="2'))
    found = read_product_info(foreign)
    assert found.origin == "another processor"
    assert found.incomplete is not None and len(found.incomplete) >= 2


def test_damage_and_several_tiles(tmp_path: Path) -> None:
    product = write_tiles(tmp_path, ("33UUU", "33UVU"), 1200)
    band = next(product.glob("GRANULE/*33UVU*/IMG_DATA/*_B05.jp2"))
    band.write_bytes(band.read_bytes()[:-1])
    next(product.glob("GRANULE/*33UUU*/IMG_DATA/*_B09.jp2")).unlink()
    info = read_product_info(product)
    assert info.tiles == ("33UUU", "33UVU") and info.psd == "13"
    assert info.incomplete is not None
    assert any("B05.jp2 has" in problem for problem in info.incomplete)
    assert any("B09" in problem for problem in info.incomplete)
    result = run("--info", product)
    assert result.returncode == 0
    assert "60 m         B01, B09, B10 (not all in 33UUU)" in result.stdout
    (product / "manifest.safe").unlink()
    problems = read_product_info(product).incomplete
    assert problems is not None and len(problems) == 1 and "B09" in problems[0]


def test_archives_are_not_unpacked(small_product: Path, tmp_path: Path) -> None:
    name = str(tmp_path / small_product.stem)
    archive = Path(shutil.make_archive(name, "zip", small_product.parent, small_product.name))
    info, folder = read_product_info(archive), read_product_info(small_product)
    assert (info.tiles, info.images, info.size) == (folder.tiles, folder.images, folder.size)
    assert list(tmp_path.iterdir()) == [archive]
    assert "archive" in run("--info", archive).stdout


def test_other_paths_are_errors(small_product: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty folder"):
        read_product_info(tmp_path)
    result = run("--info", tmp_path / "absent", small_product)
    assert result.returncode == 3
    assert "no such file or folder" in result.stderr and small_product.name in result.stdout


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 kB"), (358_500, "358.5 kB"), (1.44e6, "1.4 MB"), (8e9, "8.0 GB")]
)
def test_sizes(size: float, text: str) -> None:
    assert format_size(size) == text
