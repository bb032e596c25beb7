"""``--dry-run``: what a run would do, beside what it does."""

from __future__ import annotations

import json
import platform
import re
import shutil
from pathlib import Path

import pytest

from tests.command import file_states, product_in, run


def lines_of(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = re.match(r"  (\w+) +(.*)", line)
        if match:
            found.setdefault(match[1], []).append(match[2])
    return found


def test_nothing_is_written_and_the_screen_agrees_with_the_run(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    before = file_states(small_product)
    out = tmp_path / "out"
    result = run("--dry-run", "--output_dir", out, "--set", "Visibility=23", small_product)
    assert result.returncode == 0, result.stderr
    assert not out.exists() and file_states(small_product) == before
    lines = lines_of(result.stdout)
    (made,) = lines["Makes"]
    assert made == f"{out / finished_product.name}: tile 33UUU: 60, 20, 10 m"
    assert lines["Settings"] == ["Visibility = 23.0 (default 40.0)"]
    assert any("elevation" in text for text in lines["Missing"])
    assert lines["Time"][0].startswith("unknown")
    number, unit = lines["Disk"][0].split()[1:3]
    forecast = float(number) * {"kB": 1e3, "MB": 1e6}[unit.rstrip(";")]
    images = sum(
        path.stat().st_size for path in finished_product.glob("GRANULE/*/IMG_DATA/**/*.jp2")
    )
    assert forecast == pytest.approx(images, rel=0.5)


def test_time_is_that_of_the_last_runs_with_the_same_options(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    (record,) = finished_product.glob("*_run.json")
    content = json.loads(record.read_text())
    assert content["versions"]["host"] == platform.node() and content["full_tiles"] > 0.02
    for number, seconds in enumerate((40, 50, 900)):
        (tmp_path / f"X_{number}_run.json").write_text(json.dumps({**content, "seconds": seconds}))
    (tmp_path / "broken_run.json").write_text("{")
    elsewhere = {**content, "seconds": 1, "versions": {"host": "another"}}
    (tmp_path / "other_run.json").write_text(json.dumps(elsewhere))
    arguments = ["--dry-run", "--output_dir", tmp_path / "out", "--work_dir", tmp_path]
    (time,) = lines_of(run(*arguments, small_product).stdout)["Time"]
    assert time == "about 50 s, as the last 3 such runs here"
    (other,) = lines_of(run(*arguments, "--sc_only", small_product).stdout)["Time"]
    assert other.startswith("unknown")


def test_what_exists_is_not_made_again(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_product, tmp_path / finished_product.name)
    result = run("--dry-run", "--output_dir", tmp_path, small_product)
    assert "nothing, it exists" in lines_of(result.stdout)["Makes"][0]
    for path in product_in(tmp_path).glob("GRANULE/*/IMG_DATA/R10m/*_B02_*"):
        path.unlink()
    result = run("--dry-run", "--output_dir", tmp_path, small_product)
    assert lines_of(result.stdout)["Makes"][0].endswith("tile 33UUU: 10 m")
    locked = tmp_path / f".{finished_product.name}.part"
    locked.mkdir()
    assert "Locked" in run("--dry-run", "--output_dir", tmp_path, small_product).stdout


def test_archives_stay_packed(small_product: Path, tmp_path: Path) -> None:
    name = str(tmp_path / small_product.stem)
    archive = shutil.make_archive(name, "zip", small_product.parent, small_product.name)
    result = run("--dry-run", archive)
    assert result.returncode == 0 and "for the time of the run" in result.stdout
    assert list(tmp_path.iterdir()) == [Path(archive)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--set", "DEM_Directory=/absent/dem"], 5),
        (["--set", "PSD_Output=13.1"], 4),
        (["--set", "Visibility=1"], 4),
    ],
)
def test_errors_are_those_of_the_run(
    small_product: Path, tmp_path: Path, arguments: list[str], code: int
) -> None:
    result = run("--dry-run", "--output_dir", tmp_path, *arguments, small_product)
    assert result.returncode == code, result.stderr
    assert run("--dry-run", tmp_path / "absent").returncode == 3


def test_region(small_product: Path, tmp_path: Path) -> None:
    """Sizes of the region and of what is processed around it."""
    box = ("--bbox-crs", "EPSG:32633", "--bbox", "300600", "5898900", "301500", "5899500")
    arguments = (*box, "--roi-context", "0.3", "--output_dir", tmp_path)
    result = run("--dry-run", *arguments, small_product)
    assert result.returncode == 0, result.stderr
    assert lines_of(result.stdout)["Region"] == ["tile 33UUU: 0.9 x 0.6 km of 1.5 x 1.2 km read"]
    elsewhere = run("--dry-run", "--bbox", "0", "0", "1", "1", small_product)
    assert elsewhere.returncode == 2
    assert "outside the product" in elsewhere.stderr
