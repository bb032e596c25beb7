"""Progress from start to end: lines for all that takes time, weights that fit, parts of steps."""

from __future__ import annotations

import io
import itertools
import json
import re
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.pipeline.execution.progress import Step
from sen2cor.pipeline.run.console import Console

LINE = re.compile(
    r"Progress\[%\]: (\d{2}\.\d{2}) : PID-\d+, (L2A_\w+): (.+), elapsed time\[s\]: (\d+\.\d{3}), "
    r"total: \d:\d\d:\d\d(\.\d+)?"
)


def read_lines(output: str) -> list[tuple[float, str, str]]:
    """Percentage, part of the processor and text of the lines of a run, but the last one."""
    *lines, last = [line for line in output.splitlines() if line.startswith("Progress")]
    assert last == "Progress[%]: 100.00 : Application terminated successfully."
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    return [(float(match[1]), match[2], match[3]) for match in found if match]


@pytest.mark.parametrize("report", [True, False])
def test_the_last_steps_have_lines_and_weights(
    report: bool, small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if report:
        pytest.importorskip("jinja2", reason="the extra 'report' is not installed")
    pytest.importorskip("pystac", reason="the extra 'stac' is not installed")
    options = ["--report" if report else "--no-report", "--quicklook", "--stac"]
    folders = ["--output_dir", str(tmp_path / "out"), "--work_dir", str(tmp_path)]
    assert main([*options, *folders, str(small_product)]) == 0
    lines = read_lines(capsys.readouterr().out)
    values = [value for value, _, _ in lines]
    assert values == sorted(values)
    assert values[0] == 0.0 and values[-1] == 99.99
    assert max(after - before for before, after in itertools.pairwise(values)) < 15
    after_tile = max(value for value, process, _ in lines if process == "L2A_ProcessTile")
    # of such a small product, the last steps take longer than the tile
    assert after_tile < 70
    texts = [text for _, _, text in lines]
    named = ["metadata, manifest and checksums", "quick looks", "STAC items", "records"]
    named = ["report pictures of tile 33UUU"] * report + named
    steps = [f"{when} of {name}" for name in named for when in ("start", "end")]
    assert [text for text in texts if text in steps] == steps
    for text in ("band B02 imported", "image 7 of 7 with resolution 10 m"):
        assert text in texts
    (record,) = tmp_path.glob("*run.json")
    recorded = json.loads(record.read_text())["tiles"]["33UUU"]["steps"]
    assert [step["text"] for step in recorded if "image" in step["text"]] == []
    assert "12 bands imported, B08 follows at 10 m" in [step["text"] for step in recorded]


def test_pictures_of_an_existing_product_have_lines(
    small_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--output_dir", str(tmp_path), "--no-report", "--cr_only"]
    assert main([*folders, str(small_product)]) == 0
    capsys.readouterr()
    assert main([*folders, "--quicklook", str(small_product)]) == 0
    output = capsys.readouterr().out
    assert "Product already processed." in output
    lines = read_lines(output)
    assert [text for _, _, text in lines if " of " in text] == [
        "start of quick looks", "end of quick looks", "start of records", "end of records",
    ]  # fmt: skip
    values = [value for value, _, _ in lines]
    assert values[0] == 0.0 and 0.0 < values[-2] < 99.99 and values[-1] == 99.99


def test_parts_count_until_their_step_ends() -> None:
    stream = io.StringIO()
    progress = Console(stream, stream).start_product(0, 1)
    progress.plan(100.0)
    steps = [
        # two processes, interleaved
        (Step("L2A", "part", 10.0, 0.1, 1, part=True), 10.0),
        (Step("L2A", "part", 5.0, 0.1, 2, part=True), 15.0),
        (Step("L2A", "no weight", 0.0, 0.1, 1), 15.0),
        (Step("L2A", "step", 20.0, 0.1, 1), 25.0),
        (Step("L2A", "part", 5.0, 0.1, 2, part=True), 30.0),
        (Step("L2A", "step", 10.0, 0.1, 2), 30.0),
        # more parts than expected: the value waits for the step
        (Step("L2A", "part", 30.0, 0.1, 1, part=True), 60.0),
        (Step("L2A", "step", 20.0, 0.1, 1), 60.0),
        (Step("L2A", "step without parts, as from a cluster", 20.0, 0.1, 1), 70.0),
    ]
    for step, _ in steps:
        progress.show(step)
    values = [float(line[13:18]) for line in stream.getvalue().splitlines()]
    assert values == [value for _, value in steps]


def test_a_step_that_fails_has_no_end() -> None:
    stream = io.StringIO()
    progress = Console(stream, stream).start_product(0, 1)
    progress.plan(1.0)
    with pytest.raises(ValueError, match="bad"), progress.track("L2A", "pictures", 1.0):
        raise ValueError("bad")
    assert "start of pictures" in stream.getvalue() and "end of" not in stream.getvalue()
