"""Runs of one product again: what was made, what is missing, and what their records say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sen2cor.cli import main
from tests.command import configuration, image_digests, product_in, start
from tests.small_product import write_tiles

pytestmark = pytest.mark.html_report

BAD, GOOD = "33UUU", "33UVU"


@pytest.fixture(scope="module")
def two_tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiles(tmp_path_factory.mktemp("two"), (BAD, GOOD), 1200)


def record_in(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("*_run.json")
    record: dict[str, Any] = json.loads(path.read_text())
    return record


def break_an_image(product: Path) -> None:
    next(product.glob(f"GRANULE/*{BAD}*/IMG_DATA/*_B05.jp2")).write_bytes(b"no image")


def lose_the_tile_metadata(product: Path) -> None:
    folder = next((product / "GRANULE").glob(f"*{BAD}*"))
    next(path for path in folder.glob("*.xml")).unlink()


@pytest.mark.parametrize("damage", [break_an_image, lose_the_tile_metadata])
def test_a_tile_that_cannot_be_used_fails_every_run(
    two_tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Any
) -> None:
    level1c = tmp_path / two_tiles.name
    shutil.copytree(two_tiles, level1c)
    damage(level1c)
    for number in range(2):
        work = tmp_path / f"log{number}"
        arguments = ["--resolution", "60", "--output_dir", tmp_path / "out", "--work_dir", work]
        assert main([str(level1c), *map(str, arguments)]) == 1
        printed = capsys.readouterr()
        assert "already processed" not in printed.out
        assert "L2A_Process: InputError: tile" in printed.err and BAD in printed.err
        record = record_in(work)
        assert (record["exit_code"], record["result"]) == (1, "failed in part")
        failed = {name for name, tile in record["tiles"].items() if tile["result"] == "failed"}
        assert [BAD in name for name in failed] == [True]
        assert all("InputError" in record["tiles"][name]["error"] for name in failed)
        assert (record["tiles"].get(GOOD, {}).get("result") == "done") == (number == 0)
        (page,) = work.glob("*_report.html")
        assert "failed in part" in page.read_text()


def test_records_in_the_product_bear_its_name(small_product: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "mine"
    shutil.copytree(small_product, renamed)
    archive = shutil.make_archive(
        str(tmp_path / "my"), "zip", small_product.parent, small_product.name
    )
    for number, path in enumerate([str(renamed), archive]):
        out = tmp_path / str(number)
        assert main([path, "--cr_only", "--output_dir", str(out)]) == 0
        product = product_in(out)
        names = sorted(record.name for record in product.glob("*_[0-9]*_r*.*"))
        assert len(names) == 3
        stem = names[0].removesuffix("_report.html")
        assert stem[:-16] == product.stem
        assert names == [f"{stem}_{kind}" for kind in ("report.html", "report.xml", "run.json")]
        manifest = (product / "manifest.safe").read_text()
        assert all(f'href="./{name}"' in manifest for name in names)


def test_each_run_leaves_records_of_its_own_in_the_product(
    small_product: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        arguments = ["--cr_only", "--refresh", "--no-report", "--output_dir", str(tmp_path)]
        assert main([str(small_product), *arguments]) == 0
    assert len(list(product_in(tmp_path).glob("*_run.json"))) == 3


def test_a_killed_run_leaves_nothing_in_the_folder_for_temporary_files(
    small_product: Path, tmp_path: Path
) -> None:
    (tmp_path / "tmp").mkdir()
    process = start(small_product, "--output_dir", tmp_path, TMPDIR=str(tmp_path / "tmp"))
    assert process.stdout is not None
    while "L2A_Tables" not in process.stdout.readline():
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_runs_at_once_share_a_work_folder(small_product: Path, tmp_path: Path) -> None:
    work = tmp_path / "log"
    runs = [
        start(small_product, "--cr_only", "--output_dir", tmp_path / str(number),
              "--work_dir", work)
        for number in range(3)
    ]  # fmt: skip
    for process in runs:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    products = set()
    for report in sorted(work.glob("*_report.xml")):
        assert etree.parse(report).getroot()[-1].findtext("message")
        stem = report.name.removesuffix("_report.xml")
        assert (work / f"{stem}_report.html").is_file()
        products.add(json.loads((work / f"{stem}_run.json").read_text())["product"])
    assert len(products) == 3 and len(list(work.iterdir())) == 9


def test_records_that_cannot_be_written_cost_no_product(
    small_product: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sen2cor.pipeline.run.run_records.write_atomically", full)
    work = tmp_path / "log"
    arguments = ["--cr_only", "--output_dir", str(tmp_path / "out"), "--work_dir", str(work)]
    assert main([str(small_product), *arguments]) == 0
    assert "choose another folder with --work_dir" in capsys.readouterr().err
    assert len(list(product_in(tmp_path / "out").glob("*_run.json"))) == 1


def test_paths_that_are_no_utf8(
    small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are said to be so; a work folder may have one, and records tell of it."""
    folder = tmp_path / b"caf\xe9".decode(errors="surrogateescape")
    shutil.copytree(small_product, folder / small_product.name)
    work = folder / "log"
    arguments = ["--cr_only", "--work_dir", str(work), "--output_dir"]
    for code, level1c, out in (
        (3, folder / small_product.name, tmp_path),
        (6, small_product, folder),
    ):
        assert main([str(level1c), *arguments, str(out)]) == code
        assert "UTF-8" in capsys.readouterr().err
        (page,) = work.glob("*_report.html")
        assert r"caf\udce9" in page.read_text()
        assert record_in(work)["exit_code"] == code
        shutil.rmtree(work)
    assert main([str(small_product), *arguments, str(tmp_path)]) == 0
    assert record_in(work)["options"]["work_directory"] == str(work)


def test_images_switched_on_later_are_missed(
    finished_product: Path,
    small_product: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    product = tmp_path / finished_product.name
    shutil.copytree(finished_product, product)
    before = image_digests(product)
    gipp = configuration(
        tmp_path, Generate_QA_Output="TRUE", Generate_DDV_Output="TRUE", Generate_DEM_Output="TRUE"
    )
    arguments = [str(small_product), "--GIP_L2A", str(gipp), "--output_dir", str(tmp_path)]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    (line,) = [line for line in printed.err.splitlines() if "--refresh" in line]
    # without an elevation model there are no heights to write
    assert "Generate_DDV_Output, Generate_QA_Output:" in line and "DEM_Output" not in line
    assert "Product already processed." in printed.out
    assert image_digests(product) == before
    assert main([*arguments, "--sc_only"]) == 0
    assert "DDV" not in capsys.readouterr().err
    assert main([*arguments, "--refresh", "--resolution", "60"]) == 0
    assert main([*arguments, "--resolution", "60"]) == 0
    assert "--refresh" not in capsys.readouterr().err
