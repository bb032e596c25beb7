"""Life of a Level-2A product: begun, filled, finished, added to, given up."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from lxml import etree

from sen2cor.errors import ConfigurationError, LockedError, OutputError
from sen2cor.imagery import images
from sen2cor.product.level2a.content import (
    Provenance,
    QualityPercentages,
    TileOutcome,
    TileRetrieval,
)
from sen2cor.product.level2a.writer import Level2ATile, Level2AWriter, locate_level2a
from sen2cor.raster.grids import Grid
from tests.product.level1c_samples import TILES, stand_in, write_level1c

RUN = Provenance("1.0.0", datetime(2020, 1, 1, tzinfo=timezone.utc), b"<Level-2A_GIPP/>")


OUTCOME = TileOutcome(
    QualityPercentages((0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0)), TileRetrieval(mean_aot=0.1)
)


def _fill(
    product: Level2AWriter,
    level1c_tile: Any,
    resolutions: Sequence[int] = (60,),
    content: bytes = b"jp2",
) -> Level2ATile:
    tile = product.add_tile(level1c_tile)
    for resolution in resolutions:
        for kind in tile.list_kinds(resolution):
            tile.image_path(kind, resolution).write_bytes(content)
    product.set_outcome(level1c_tile, OUTCOME)
    return tile


def _make(level1c: Any, target: Path, resolutions: Sequence[int] = (60,)) -> Path:
    with Level2AWriter.begin(level1c, target) as product:
        for level1c_tile in level1c.tiles:
            _fill(product, level1c_tile, resolutions)
        return product.finish(RUN)


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def level1c(tmp_path: Path) -> Any:
    return stand_in(write_level1c(tmp_path, "14.2"), "14.2")


def test_a_product_appears_only_when_it_is_finished(level1c: Any, tmp_path: Path) -> None:
    target = tmp_path / "out" / "deeper"
    product = Level2AWriter.begin(level1c, target)
    assert product.path == locate_level2a(level1c, target)
    assert product.path.name == level1c.name.replace("MSIL1C", "MSIL2A")
    assert not product.existed
    tile = product.add_tile(level1c.tiles[0])
    assert product.add_tile(level1c.tiles[0]) is tile
    _fill(product, level1c.tiles[0])
    assert not product.path.exists()
    assert product.finish(RUN) == product.path
    assert list(target.iterdir()) == [product.path]


def test_contents_of_a_compact_product(level1c: Any, tmp_path: Path) -> None:
    names = _names(_make(level1c, tmp_path / "out"))
    tile = "GRANULE/L2A_T32TQM_A009300_20170403T105022"
    assert {
        "MTD_MSIL2A.xml",
        "INSPIRE.xml",
        "manifest.safe",
        "AUX_DATA/note.txt",
        "HTML/UserProduct_index.html",
        "DATASTRIP/DS_SGS__20170403T160402_S20170403T105022/MTD_DS.xml",
        "DATASTRIP/DS_SGS__20170403T160402_S20170403T105022/QI_DATA/SENSOR_QUALITY.xml",
        "rep_info/S2_User_Product_Level-2A_Metadata.xsd",
        f"{tile}/MTD_TL.xml",
        f"{tile}/AUX_DATA/AUX_ECMWFT",
        f"{tile}/AUX_DATA/GIP_TL.xml",
        f"{tile}/QI_DATA/MSK_CLOUDS_B00.gml",
        f"{tile}/QI_DATA/L2A_T32TQM_20170403T105021_CLD_60m.jp2",
        f"{tile}/IMG_DATA/R60m/L2A_T32TQM_20170403T105021_TCI_60m.jp2",
    } <= names
    assert not any("L1C" in name or name.endswith(".part") for name in names)
    assert f"{tile}/QI_DATA/T32TQM_20170403T105021_PVI.jp2" not in names


def test_contents_of_a_product_of_format_13(tmp_path: Path) -> None:
    level1c = stand_in(write_level1c(tmp_path, "13.1", TILES), "13.1")
    root = _make(level1c, tmp_path / "out")
    names = _names(root)
    for mgrs in TILES:
        stem = f"S2A_USER_MSI_L2A_TL_SGS__20170403T160402_A009300_T{mgrs}"
        tile = f"GRANULE/{stem}_N02.04"
        assert {
            f"{tile}/{stem.replace('_MSI_', '_MTD_')}.xml",
            f"{tile}/AUX_DATA/{stem.replace('_MSI_', '_GIP_')}.xml",
            f"{tile}/IMG_DATA/R60m/{stem}_B02_60m.jp2",
            f"{tile}/IMG_DATA/{stem.replace('_MSI_', '_SCL_')}_60m.jp2",
        } <= names
    assert not any("TCI" in name for name in names)
    main = etree.parse(next(root.glob("S2A_USER_MTD_SAFL2A_*.xml"))).getroot()
    listed = [found.text for found in main.iter("IMAGE_ID_2A")]
    assert len(listed) == len(set(listed)) == 2 * 16
    assert f"S2A_USER_CLD_L2A_TL_SGS__20170403T160402_A009300_T{TILES[0]}_60m" in listed


def test_inspire_names_the_level2a_product(level1c: Any, tmp_path: Path) -> None:
    root = _make(level1c, tmp_path / "out")
    assert root.name in (root / "INSPIRE.xml").read_text()


def test_a_second_run_adds_to_the_product(level1c: Any, tmp_path: Path) -> None:
    target = tmp_path / "out"
    root = _make(level1c, target, (60,))
    before = {path: path.stat().st_ino for path in root.rglob("*_60m.jp2")}
    with Level2AWriter.begin(level1c, target) as product:
        assert product.existed
        tile = product.add_tile(level1c.tiles[0])
        assert tile.has_images(60)
        assert not tile.has_images(20)
        _fill(product, level1c.tiles[0], (20,))
        product.finish(RUN)
    assert {path: path.stat().st_ino for path in root.rglob("*_60m.jp2")} == before
    document = etree.parse(root / "MTD_MSIL2A.xml").getroot()
    listed = [found.text for found in document.iter("IMAGE_FILE_2A")]
    assert len(listed) == len(set(listed)) == len(list(root.rglob("*m.jp2")))
    assert len(list(document.iter("Granule_List"))) == 2


def test_a_tile_of_an_earlier_run_stays_in_the_metadata(tmp_path: Path) -> None:
    both = stand_in(write_level1c(tmp_path, "13.1", TILES), "13.1")
    for index in (1, 0):
        one = stand_in(both.root, "13.1")
        one.tiles = (both.tiles[index],)
        root = _make(one, tmp_path / "out")
    main = etree.parse(next(root.glob("*MTD_SAFL2A*.xml"))).getroot()
    tiles = {found.get("granuleIdentifier") for found in main.iter("Granules")}
    assert {tile[-12:-7] for tile in tiles} == set(TILES)
    datastrip = etree.parse(next(root.glob("DATASTRIP/*/*.xml"))).getroot()
    assert {found.get("tileId") for found in datastrip.iter("Tile")} == tiles


def test_siimpc_319_consolidated_tiles_are_not_in_the_datastrip(tmp_path: Path) -> None:
    level1c = stand_in(write_level1c(tmp_path, "13.1", unit="CO"), "13.1")
    root = _make(level1c, tmp_path / "out")
    (tile,) = (root / "GRANULE").iterdir()
    assert "L2A_CO_" in tile.name
    datastrip = etree.parse(next(root.glob("DATASTRIP/*/*.xml"))).getroot()
    assert not list(datastrip.iter("Tile"))


def test_giving_up_leaves_no_trace(level1c: Any, tmp_path: Path) -> None:
    target = tmp_path / "out"
    root = _make(level1c, target)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(RuntimeError), Level2AWriter.begin(level1c, target) as product:
        _fill(product, level1c.tiles[0], (20,))
        raise RuntimeError
    assert list(target.iterdir()) == [root]
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_finished_product_does_not_touch_the_next_run(level1c: Any, tmp_path: Path) -> None:
    with Level2AWriter.begin(level1c, tmp_path / "out") as first:
        _fill(first, level1c.tiles[0])
        first.finish(RUN)
        second = Level2AWriter.begin(level1c, tmp_path / "out")
        path = second.add_tile(level1c.tiles[0]).image_path("B02", 60)
    assert path.is_file()
    second.abandon()


def test_broken_metadata_of_an_earlier_run_are_written_anew(level1c: Any, tmp_path: Path) -> None:
    root = _make(level1c, tmp_path / "out")
    for path in (root / "MTD_MSIL2A.xml", next(root.glob("GRANULE/*/MTD_TL.xml"))):
        path.write_text("<broken")
    _make(level1c, tmp_path / "out", (20,))
    document = etree.parse(root / "MTD_MSIL2A.xml").getroot()
    assert len(list(document.iter("Granule_List"))) == 2


def test_incomplete_or_empty_images_do_not_make_a_resolution(level1c: Any, tmp_path: Path) -> None:
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        tile = product.add_tile(level1c.tiles[0])
        _fill(product, level1c.tiles[0], (20,))
        assert tile.has_images(20)
        tile.image_path("B05", 20).write_bytes(b"")
        assert not tile.has_images(20)
        assert tile.has_images(20, classification_only=True)
        assert not tile.has_images(10, classification_only=True)


def test_a_failed_tile_is_taken_out(tmp_path: Path) -> None:
    level1c = stand_in(write_level1c(tmp_path, "13.1", TILES), "13.1")
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        for level1c_tile in level1c.tiles:
            _fill(product, level1c_tile)
        product.drop_tile(level1c.tiles[0])
        root = product.finish(RUN)
    assert len(list((root / "GRANULE").iterdir())) == 1


def test_a_tile_that_fails_later_keeps_what_it_had(level1c: Any, tmp_path: Path) -> None:
    root = _make(level1c, tmp_path / "out", (60,))
    before = _names(root)
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        tile = product.add_tile(level1c.tiles[0])
        _fill(product, level1c.tiles[0], (20,))
        tile.image_path("B02", 60).unlink()
        product.drop_tile(level1c.tiles[0])
        product.finish(RUN)
    assert _names(root) == before
    document = etree.parse(root / "MTD_MSIL2A.xml").getroot()
    assert len(list(document.iter("IMAGE_FILE_2A"))) == len(list(root.rglob("*m.jp2")))


def test_two_formats_are_not_mixed(level1c: Any, tmp_path: Path) -> None:
    _make(level1c, tmp_path / "out")
    for other in ("14.5", "15"):
        with pytest.raises(ConfigurationError, match="another format"):
            Level2AWriter.begin(level1c, tmp_path / "out", psd=other)


def test_optional_parts_may_be_missing(tmp_path: Path) -> None:
    source = write_level1c(tmp_path, "14.2")
    for name in ("AUX_DATA", "HTML", "DATASTRIP"):
        shutil.rmtree(source / name)
    (source / "INSPIRE.xml").unlink()
    (tile,) = (source / "GRANULE").iterdir()
    shutil.rmtree(tile / "QI_DATA")
    shutil.rmtree(tile / "AUX_DATA")
    root = _make(stand_in(source, "14.2"), tmp_path / "out")
    assert {"MTD_MSIL2A.xml", "manifest.safe"} <= _names(root)


def test_siimpc_734_side_files_of_other_programs(level1c: Any, tmp_path: Path) -> None:
    masks = level1c.tiles[0].folder / "QI_DATA"
    (masks / "MSK_CLOUDS_B00.gfs").write_text("side")
    (masks / "random.file").write_text("?")
    names = _names(_make(level1c, tmp_path / "out"))
    assert not any(name.endswith(".gfs") for name in names)
    assert any(name.endswith("random.file") for name in names)


def test_siimpc_598_copies_of_read_only_files_are_writable(level1c: Any, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in level1c.root.rglob("*")}
    for path in level1c.root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        root = _make(level1c, tmp_path / "out")
        assert all(path.stat().st_mode & 0o200 for path in root.rglob("*"))
        _make(level1c, tmp_path / "out", (20,))
    finally:
        for path in level1c.root.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert {path: path.stat().st_mtime_ns for path in level1c.root.rglob("*")} == before


def test_siimpc_555_the_report_is_part_of_the_product(level1c: Any, tmp_path: Path) -> None:
    for run in (b"first", b"second"):
        reports = {"report.xml": run, "run.json": run}
        with Level2AWriter.begin(level1c, tmp_path / "out") as product:
            _fill(product, level1c.tiles[0])
            root = product.finish(Provenance("1", RUN.started, b"<x/>", reports=reports))
    manifest = (root / "manifest.safe").read_text()
    for moment, content in (("20200101T000000", b"first"), ("20200101T000001", b"second")):
        for ending in ("report.xml", "run.json"):
            name = f"{root.stem}_{moment}_{ending}"
            assert (root / name).read_bytes() == content
            assert name in manifest


def test_a_format_can_be_forced(level1c: Any, tmp_path: Path) -> None:
    with Level2AWriter.begin(level1c, tmp_path / "out", psd="15") as product:
        tile = product.add_tile(level1c.tiles[0])
        assert tile.image_path("B01", 20).name == "T32TQM_20170403T105021_B01_20m.jp2"
    with pytest.raises(ConfigurationError):
        Level2AWriter.begin(level1c, tmp_path / "out", psd="13.1")


def test_percentages_come_from_the_classification_on_disk(level1c: Any, tmp_path: Path) -> None:
    classes = np.full((20, 20), 4, np.uint8)
    classes[:5] = 0
    classes[5:8] = 9
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        tile = product.add_tile(level1c.tiles[0])
        grid = Grid(32632, 600000.0, 5000040.0, 60.0, 20, 20)
        images.write(tile.image_path("SCL", 60), classes, grid, 64)
        root = product.finish(RUN)
    document = etree.parse(next(root.glob("GRANULE/*/MTD_TL.xml"))).getroot()
    assert float(document.findtext(".//NODATA_PIXEL_PERCENTAGE")) == pytest.approx(25.0)
    assert float(document.findtext(".//HIGH_PROBA_CLOUDS_PERCENTAGE")) == pytest.approx(20.0)
    assert float(document.findtext(".//VEGETATION_PERCENTAGE")) == pytest.approx(80.0)


def test_tiles_can_be_sent_to_other_processes(level1c: Any, tmp_path: Path) -> None:
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        tile = product.add_tile(level1c.tiles[0])
        copy = pickle.loads(pickle.dumps(tile))
        assert copy.image_path("B02", 60) == tile.image_path("B02", 60)


def test_two_runs_cannot_work_on_one_product(level1c: Any, tmp_path: Path) -> None:
    with (
        Level2AWriter.begin(level1c, tmp_path / "out"),
        pytest.raises(LockedError, match=f"process {os.getpid()}"),
    ):
        Level2AWriter.begin(level1c, tmp_path / "out")
    Level2AWriter.begin(level1c, tmp_path / "out").abandon()


def _leave_behind(level1c: Any, target: Path, **owner: Any) -> Path:
    """Make what a dead run leaves behind."""
    product = Level2AWriter.begin(level1c, target)
    folder = product.add_tile(level1c.tiles[0]).image_path("B02", 60).parents[5]
    file = folder / "owner.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **owner}))
    return folder


def test_what_a_dead_run_left_is_removed(level1c: Any, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    folder = _leave_behind(level1c, tmp_path / "out", pid=process.pid)
    assert folder.name.endswith(".part")
    product = Level2AWriter.begin(level1c, tmp_path / "out")
    assert not product.add_tile(level1c.tiles[0]).list_images()
    product.abandon()
    assert not list((tmp_path / "out").iterdir())


def test_a_process_number_that_was_given_anew(level1c: Any, tmp_path: Path) -> None:
    start = psutil.Process().create_time()
    _leave_behind(level1c, tmp_path / "out", process_start=start - 1000.0)
    Level2AWriter.begin(level1c, tmp_path / "out").abandon()


def test_a_run_on_another_host_is_left_alone(level1c: Any, tmp_path: Path) -> None:
    folder = _leave_behind(level1c, tmp_path / "out", host="elsewhere", pid=1)
    with pytest.raises(LockedError, match="elsewhere"):
        Level2AWriter.begin(level1c, tmp_path / "out")
    assert folder.is_dir()
    long_ago = time.time() - 1e6
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (long_ago, long_ago))
    Level2AWriter.begin(level1c, tmp_path / "out").abandon()


def test_death_between_the_two_renames_loses_no_product(level1c: Any, tmp_path: Path) -> None:
    root = _make(level1c, tmp_path / "out")
    folder = _leave_behind(level1c, tmp_path / "out", process_start=0.0)
    root.rename(folder / "previous")
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        assert product.existed
    assert (root / "manifest.safe").is_file()


@pytest.mark.parametrize(
    ("code", "advice"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "make the folder")]
)
def test_errors_of_the_file_system_say_what_to_do(
    level1c: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    root = _make(level1c, tmp_path / "out")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code), "MTD_TL.xml")

    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        _fill(product, level1c.tiles[0], (20,))
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OutputError, match=advice) as raised:
            product.finish(RUN)
        monkeypatch.undo()
    assert raised.value.exit_code == 6
    assert (root / "manifest.safe").is_file()
    assert not list(root.rglob("*_20m.jp2"))


def test_a_target_that_is_no_folder(level1c: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--output_dir"):
        Level2AWriter.begin(level1c, tmp_path / "file" / "out")
