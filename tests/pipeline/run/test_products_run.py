"""Several products in one run: lists, patterns, several at once, summary, interruption."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sen2cor.errors import UsageError
from sen2cor.pipeline.execution import resource_plan
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.product_list import expand_patterns, read_figures, read_list
from sen2cor.pipeline.run.products_run import _plan_memory
from sen2cor.pipeline.tile.processing_chain import TileJob
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.settings import Settings
from tests.command import hidden, image_digests, run, start, stopped
from tests.small_product import write_small_product

NAMES = {"a": "20170616T102101", "b": "20170626T102101", "c": "20170706T102101"}
FAST = ("--sc_only", "--resolution", "60", "--no-report")


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("many")
    return {
        name: write_small_product(folder / name, extent=1200, time=moment)
        for name, moment in NAMES.items()
    }


def read_summary(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_list_files(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("\ufeff# comment\n\n  one.SAFE  \ntwo words.zip\n#three\n", encoding="utf-8")
    assert read_list(str(file)) == ["one.SAFE", "two words.zip"]
    assert read_list("-", io.StringIO("x\n#y\n")) == ["x"]
    file.write_bytes(b"\xff\xfe")
    for name in (str(file), str(tmp_path / "absent")):
        with pytest.raises(UsageError, match="--list"):
            read_list(name)
    file.write_text("# nothing\n")
    result = run("--list", file)
    assert result.returncode == 2 and "no product in --list" in result.stderr


def test_patterns_match_once_and_existing_names_are_none(tmp_path: Path) -> None:
    for name in ("b", "a", "c[1]"):
        (tmp_path / name).mkdir()
    given = [tmp_path / "[ab]", tmp_path / "c[1]", tmp_path / "a", tmp_path / "x*"]
    names = [path.name for path in expand_patterns(given)]
    assert names == ["a", "b", "c[1]", "x*"]


def test_products_at_once_are_those_of_single_runs(
    products: dict[str, Path], tmp_path: Path
) -> None:
    lines = tmp_path / "list.txt"
    pattern = products["a"].parents[1] / "[ab]" / "S2*.SAFE"
    lines.write_text(f"# all\n{pattern}\n{tmp_path / 'absent.SAFE'}\n")
    many, single, summary = tmp_path / "many", tmp_path / "single", tmp_path / "summary.jsonl"
    arguments = ("--list", lines, "--jobs", 3, "--output_dir", many, "--summary", summary)
    result = run(*arguments, *FAST)
    assert result.returncode == 3
    assert "L2A_Process: InputError: " in result.stderr and "absent.SAFE" in result.stderr
    assert hidden(many) == []
    for name in "ab":
        assert run(*FAST, "--output_dir", single, products[name]).returncode == 0
    made = sorted(path.name for path in many.iterdir())
    assert made == sorted(path.name for path in single.iterdir()) and len(made) == 2
    for name in made:
        assert image_digests(many / name) == image_digests(single / name)
    printed = result.stdout.splitlines()
    table = [" ".join(line.split()) for line in printed[-5:-1]]
    assert table[0] == "result seconds AOT water vapour (cm) cloud (%) product"
    assert [row.split()[0] for row in table[1:]] == ["done", "done", "failed"]
    assert re.fullmatch(rf"done \d+\.\d - - \d+\.\d {products['a'].name}", table[1])
    shares = [
        float(found[1]) for line in printed if (found := re.match(r"Progress.*?: ([\d.]+)", line))
    ]
    assert shares == sorted(shares) and shares[-1] == 100.0
    records = {record["product"]: record for record in read_summary(summary)}
    assert {record["result"] for record in records.values()} == {"done", "failed"}
    assert records[str(tmp_path / "absent.SAFE")]["error"].startswith("InputError: ")
    again = run(*arguments, *FAST)
    assert [record["result"] for record in read_summary(summary)].count("already processed") == 2
    assert again.returncode == 3


def test_figures_are_those_of_the_newest_record(finished_product: Path, tmp_path: Path) -> None:
    (record,) = finished_product.glob("*_run.json")
    (tile,) = json.loads(record.read_text())["tiles"].values()
    figures = read_figures(finished_product)
    assert figures["aot"] == pytest.approx(tile["retrieval"]["mean_aot"], abs=1e-4)
    assert figures["water_vapour"] == pytest.approx(
        tile["retrieval"]["mean_water_vapour"], abs=1e-4
    )
    assert figures["cloud_percent"] is not None and 0 <= figures["cloud_percent"] <= 100
    (tmp_path / "X_1_run.json").write_text(json.dumps({"tiles": {"a": tile, "b": tile}}))
    (tmp_path / "X_2_run.json").write_text(
        json.dumps({"tiles": {"a": {**tile, "retrieval": None}}})
    )
    (tmp_path / "X_3_run.json").write_text("[]")
    assert read_figures(tmp_path) == figures
    assert set(read_figures(tmp_path / "absent").values()) == {None}


@pytest.mark.many_cases
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_list_goes_on_where_it_was(
    products: dict[str, Path], tmp_path: Path, jobs: int
) -> None:
    summary = tmp_path / "summary.jsonl"
    arguments = (
        *FAST, "--jobs", jobs, "--output_dir", tmp_path / "out", "--summary", summary,
        *products.values(),
    )  # fmt: skip
    process = start(*arguments)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("L2A product: "):
            break
    process.send_signal(signal.SIGTERM)
    output, errors = stopped(process, 120.0)
    assert process.returncode == 143, errors
    assert "interrupted" in errors
    assert re.search(r"[12] of 3 products not finished; the same command goes on", output)
    assert hidden(tmp_path / "out") == []
    done = [record["product"] for record in read_summary(summary)]
    assert 1 <= len(done) < 3
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    results = {record["product"]: record["result"] for record in read_summary(summary)}
    assert len(results) == 3
    assert {results[path] for path in done} == {"already processed"}
    assert "done" in results.values()


def test_a_killed_process_fails_only_its_product(products: dict[str, Path], tmp_path: Path) -> None:
    process = start(*FAST, "--jobs", 2, "--output_dir", tmp_path, products["a"], products["b"])
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"PID-(\d+), L2A_Tables", line)
        if found:
            os.kill(int(found[1]), signal.SIGKILL)
            break
    output, errors = stopped(process, 120.0)
    assert process.returncode == 1
    assert "was ended by SIGKILL" in errors and "--jobs" in errors
    rows = [line.split()[0] for line in output.splitlines() if "MSIL1C" in line.split()[-1]]
    assert sorted(rows) == ["done", "failed"]


@pytest.mark.slow
def test_products_that_do_not_fit_into_memory_wait(
    products: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource_plan, "plan_available_memory", lambda options: 1)
    result = run(*FAST, "--jobs", 2, "--output_dir", tmp_path, products["a"], products["b"])
    assert result.returncode == 0, result.stderr
    owners = re.findall(r"PID-(\d+)", result.stdout)
    changes = sum(before != after for before, after in pairwise(owners))
    assert changes == 1


def test_planned_memory_is_that_of_the_tile(products: dict[str, Path]) -> None:
    level1c = open_level1c(products["a"])
    (tile,) = level1c.tiles
    options, settings = Options((products["a"],)), Settings()
    job = TileJob(level1c, tile, None, settings, (), (60,))  # type: ignore[arg-type]
    planned = resource_plan.plan_tile_memory(job, 2)
    assert _plan_memory(products["a"], options, settings, 2) == planned
    assert _plan_memory(Path("/absent"), options, settings, 2) == 0
    bbox = (300300.0, 5899500.0, 300600.0, 5899800.0)
    region = Options((products["a"],), bbox=bbox, bbox_crs="EPSG:32633", region_context=0.1)
    assert resource_plan.BASE_BYTES < _plan_memory(products["a"], region, settings, 2) < planned


@pytest.mark.parametrize("jobs", ["0", "-1", "1000", "two"])
def test_number_of_jobs_is_checked(jobs: str) -> None:
    assert run("--jobs", jobs, "x").returncode == 2
