"""Time and memory of the processor on a simulated tile, compared with the JPEG 2000 floor.

The floor is the time to decode all input images and encode all output images and nothing else. It
is measured in the same call with threads over bands, inside the codec, or both; the best counts.
Beside it stands the floor with plain code-blocks for every output. The tile is processed over flat
terrain, over mountains (elevation model, shadows, sky view, terrain correction at 10 m), for the
scene classification only, and into Cloud-Optimized GeoTIFF; once more where there is nothing to do.

The benchmark prints the start-up times, the steps of each run and, last,
``ratio_old=P ratio=R rss_gb=G science_cpu_s=C`` over flat terrain: wall time over that of the floor
with plain code-blocks and of the floor, peak memory of the process tree, CPU seconds beyond the
floor.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sen2cor.product.checksums import Checksums
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.simulation.synthetic_terrain import TerrainShape, write_elevation_model
from tests.benchmarks.floor import THREADS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.json")
"""Ratios of the last run with ``--store``."""

_DEFAULT_FLOORS = ("bands", "both")
"""Threads inside the codec alone leave cores idle between images."""

_TITLES = {
    "flat": "60, 20 and 10 m, flat terrain",
    "rugged": "the same, elevation model and terrain correction",
    "classification": "`--sc_only`",
    "cog": "`--format cog`",
}

UNITS = ("s", "cpu_s")

_START_UP = {
    "import sen2cor": ["-c", "import sen2cor"],
    "L2A_Process --help": ["-m", "sen2cor.cli", "--help"],
    "L2A_Process --version": ["-m", "sen2cor.cli", "--version"],
}
"""Arguments of Python by what is started."""

_START_UP_REPEATS = 5

_PROGRESS = re.compile(r"Progress\[%\]: (\d{1,3}\.\d+) : PID-\d+, (\w+): (.+), elapsed")
_PART = re.compile(
    r"start of |band B\w+ imported|image \d+ of |images sampled|drawn: "
    r"|.* (copied|written)$|product moved"
)
"""Texts of progress lines within a step."""


@dataclass
class Step:
    """One step of a run: its last progress line, its duration and peak memory."""

    text: str
    seconds: float
    peak_gb: float


@dataclass
class Run:
    """Measurements of a run."""

    wall: float = 0.0
    cpu: float = 0.0
    peak_gb: float = 0.0
    product: Path = Path()
    steps: list[Step] = field(default_factory=list)


@dataclass
class Floor:
    """The floor with the code-blocks of the outputs, or with plain ones."""

    wall: float
    cpu: float


class Memory(threading.Thread):
    """Samples the resident memory of a process and all its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._since_step = 0
        self.peak = 0
        self.start()

    def run(self) -> None:
        """Sample until the process ends."""
        while True:
            try:
                tree = [self._process, *self._process.children(recursive=True)]
                now = sum(process.memory_info().rss for process in tree)
            except psutil.Error:
                return
            self.peak = max(self.peak, now)
            self._since_step = max(self._since_step, now)
            time.sleep(0.1)

    def step(self) -> float:
        """Peak since the last call, in GB."""
        peak, self._since_step = self._since_step, 0
        return peak / 1e9


def process(level1c: Path, target: Path, arguments: list[str]) -> Run:
    """Run the processor and measure it."""
    command = [sys.executable, "-m", "sen2cor.cli", "--output_dir", str(target), *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = last = time.perf_counter()
    result = Run()
    child = subprocess.Popen(
        [*command, str(level1c)], cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    memory = Memory(child.pid)
    assert child.stdout is not None
    for line in child.stdout:
        now = time.perf_counter()
        match = _PROGRESS.match(line)
        if match and not _PART.match(match[3]):
            result.steps.append(Step(f"{match[2]}: {match[3]}", now - last, memory.step()))
            last = now
        elif line.startswith("L2A product: "):
            result.product = Path(line.split(": ", 1)[1].strip())
    if child.wait():
        raise SystemExit(f"L2A_Process ended with exit code {child.returncode}")
    now = time.perf_counter()
    result.steps.append(Step("metadata, manifest, rename, end", now - last, memory.step()))
    result.wall = now - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result.peak_gb = memory.peak / 1e9
    return result


def measure_start_up() -> dict[str, float]:
    """Measure the seconds of the fastest of several starts of the command."""
    seconds: dict[str, float] = {}
    for title, arguments in _START_UP.items():
        for _ in range(_START_UP_REPEATS):
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
            )
            took = time.perf_counter() - began
            seconds[title] = min(took, seconds.get(title, took))
    return seconds


def measure_checksums(level1c: Path) -> float:
    """Measure the CPU seconds of checking all listed files of a product."""
    began = time.process_time()
    Checksums.read(level1c).verify_folder(level1c, without=())
    return time.process_time() - began


def measure_floors(
    level1c: Path, level2a: Path, work: Path, kinds: list[str]
) -> tuple[Floor, Floor]:
    """Measure the floors in a separate process, and print all kinds of threads.

    Returns
    -------
    new, old : Floor
        With the code-blocks of the outputs, and with plain ones; each with its best threads.
    """
    command = [sys.executable, "-m", "tests.benchmarks.floor", str(level1c), str(level2a)]
    printed = subprocess.run(
        [*command, "--work", str(work), "--threads", *kinds],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    found: dict[str, list[Floor]] = {"encode": [], "encode_plain": []}
    measured = json.loads(printed)
    for threads, values in measured["threads"].items():
        print(
            f"threads over {threads}: decode {values['decode_s']:.1f} s, "
            f"{values['decode_cpu_s']:.1f} CPU s"
        )
        for name, floors in found.items():
            wall, cpu = (values[f"decode_{unit}"] + values[f"{name}_{unit}"] for unit in UNITS)
            floors.append(Floor(wall, cpu))
            print(
                f"  {name}: {values[f'{name}_s']:.1f} s, {values[f'{name}_cpu_s']:.1f} CPU s, "
                f"{measured['images']} images, {values[f'{name}_mb']:.0f} MB; "
                f"floor {wall:.1f} s, {cpu:.1f} CPU s"
            )
    new, old = (min(floors, key=lambda floor: floor.wall) for floors in found.values())
    return new, old


def scene(size_km: float, work: Path) -> Path:
    """Simulate a Level-1C product of a given size, unless it exists."""
    folder = work / f"scene_{size_km:g}km"
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "sen2cor.simulation.cli", "--scene", "summer",
             "--size", f"{size_km:g}", "--output", str(folder)],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (folder / "complete").touch()
    return next(folder.glob("*MSIL1C*.SAFE"))


def rugged(level1c: Path, work: Path) -> list[str]:
    """Create elevation model and configuration of a run over mountains; return its arguments."""
    tile = open_level1c(level1c).tiles[0]
    model = work / "dem" / "elevation.tif"
    write_elevation_model(model, TerrainShape(0.8, 0.25, 5000.0), tile.grids[20], seed=1)
    gipp = work / "L2A_GIPP_rugged.xml"
    shipped = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    gipp.write_text(
        re.sub("(<DEM_Directory>)NONE", lambda found: f"{found[1]}{model.parent}", shipped)
    )
    return ["--GIP_L2A", str(gipp)]


def show(name: str, run: Run) -> None:
    """Print the steps of a run."""
    print(f"{name}:")
    for step in run.steps:
        print(f"{step.seconds:9.1f} s {step.peak_gb:6.2f} GB  {step.text}")
    print(f"{run.wall:9.1f} s {run.peak_gb:6.2f} GB  the whole run, {run.cpu:.1f} CPU s")


def measure_kinds(
    level1c: Path, work: Path, kinds: list[str], floors: list[str]
) -> dict[str, dict[str, float]]:
    """Measure all kinds of runs on one product, and the floors once."""
    arguments = {
        "flat": list[str],
        "rugged": lambda: rugged(level1c, work),
        "classification": lambda: ["--sc_only"],
        "cog": lambda: ["--format", "cog"],
    }
    results: dict[str, dict[str, float]] = {}
    target = work / "output"
    for kind in ["flat", *(kind for kind in kinds if kind != "flat")]:
        shutil.rmtree(target, ignore_errors=True)
        run = process(level1c, target, arguments[kind]())
        show(kind, run)
        if kind == "flat":
            flat, again = run, process(level1c, target, [])
            print(f"nothing to do: {again.wall:.2f} s, {again.cpu:.2f} CPU s")
            new, old = measure_floors(level1c, run.product, work / "floor", floors)
        of_floor = kind in ("flat", "rugged")
        results[kind] = {
            "wall_s": round(run.wall, 1),
            "rss_gb": round(run.peak_gb, 2),
            "cpu_s": round(run.cpu, 1),
            "ratio_old": round(run.wall / old.wall, 3),
            "ratio": round(run.wall / new.wall, 3),
            "of_flat": round(run.wall / flat.wall, 3),
            "science_cpu_s": round(run.cpu - new.cpu, 1) if of_floor else float("nan"),
            "mb": round(sum(f.stat().st_size for f in run.product.rglob("*")) / 1e6),
        }
    return results


def store(results: dict[str, dict[str, float]], size: float) -> None:
    """Store the results beside this module and in the tables of README and documentation.

    Kinds of runs that were not measured this time keep their values.
    """
    if RESULTS.is_file():
        kept = json.loads(RESULTS.read_text())
        results = {**{kind: kept[kind] for kind in _TITLES if kind in kept}, **results}
    RESULTS.write_text(json.dumps({"size_km": size, "cores": os.cpu_count(), **results}, indent=1))
    measured = {title: results[kind] for kind, title in _TITLES.items() if kind in results}
    ratios = [
        "| run | relative to the floor | to that with plain code-blocks | to the first row | "
        "peak memory | CPU time beyond the floor |",
        "|---|---|---|---|---|---|",
    ]
    seconds = ["| run | wall time | CPU time | peak memory | files |", "|---|---|---|---|---|"]
    for title, value in measured.items():
        science = value["science_cpu_s"]
        ratios.append(
            f"| {title} | {value['ratio']:.2f} | {value['ratio_old']:.2f} | "
            f"{value['of_flat']:.2f} | {value['rss_gb']:.2f} GB | "
            f"{'' if science != science else f'{science:.0f} s'} |"
        )
        seconds.append(
            f"| {title} | {value['wall_s']:.0f} s | {value['cpu_s']:.0f} s | "
            f"{value['rss_gb']:.2f} GB | {value['mb']:.0f} MB |"
        )
    _replace_table(ROOT / "README.md", ratios)
    _replace_table(ROOT / "docs" / "performance.md", seconds)


def _replace_table(document: Path, lines: list[str]) -> None:
    """Replace the rows of a table, which is found by its header."""
    text = document.read_text()
    start = text.index("\n".join(lines[:2]))
    end = text.index("\n\n", start)
    document.write_text(text[:start] + "\n".join(lines) + text[end:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=109.8, help="side of the tile in km")
    parser.add_argument(
        "--product", type=Path, help="Level-1C product to use instead of a simulated one"
    )
    parser.add_argument("--work", type=Path, default=ROOT / "benchmark-work")
    parser.add_argument("--kinds", nargs="+", choices=tuple(_TITLES), default=list(_TITLES))
    parser.add_argument(
        "--floors",
        nargs="+",
        choices=THREADS,
        default=list(_DEFAULT_FLOORS),
        help="kinds of threads of the floor",
    )
    parser.add_argument("--store", action="store_true", help="store the ratios in the repository")
    options = parser.parse_args()
    print("start-up:")
    for title, seconds in measure_start_up().items():
        print(f"{seconds:9.2f} s  {title}")
    level1c = options.product or scene(options.size, options.work)
    results = measure_kinds(level1c, options.work, options.kinds, options.floors)
    for kind, value in results.items():
        print(
            f"{kind}: wall {value['wall_s']:.1f} s, ratio_old {value['ratio_old']:.3f}, "
            f"ratio {value['ratio']:.3f}, "
            f"of the flat run {value['of_flat']:.3f}, {value['rss_gb']:.2f} GB, "
            f"science {value['science_cpu_s']:.1f} CPU s"
        )
    if options.store:
        store(results, options.size)
    flat = results["flat"]
    checksums = measure_checksums(level1c)
    print(
        f"checksums of Level-1C: {checksums:.2f} CPU s, "
        f"{100.0 * checksums / flat['cpu_s']:.2f} % of the flat run"
    )
    print(
        f"ratio_old={flat['ratio_old']:.3f} ratio={flat['ratio']:.3f} rss_gb={flat['rss_gb']:.2f} "
        f"science_cpu_s={flat['science_cpu_s']:.1f}"
    )


if __name__ == "__main__":
    main()
