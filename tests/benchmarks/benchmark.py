"""Time and memory of the processor on a simulated tile, beside the JPEG 2000 floor.

Prints a table of steps and, last, ``ratio=R rss_gb=G science_cpu_s=C``: wall time of the run over
the floor's (the better of threads over bands and threads inside the codec, measured in the same
call), peak resident memory of the whole process tree, CPU seconds beyond the floor's.
"""

from __future__ import annotations

import argparse
import json
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

ROOT = Path(__file__).resolve().parents[2]

_PROGRESS = re.compile(r"Progress\[%\]: (\d{1,3}\.\d+) : PID-\d+, (\w+): (.+), elapsed")


@dataclass
class Step:
    """One step of a run: what ended, how long it took, the peak memory in it."""

    text: str
    seconds: float
    peak_gb: float


@dataclass
class Run:
    """What was measured of a run."""

    wall: float = 0.0
    cpu: float = 0.0
    peak_gb: float = 0.0
    product: Path = Path()
    steps: list[Step] = field(default_factory=list)


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
        if match := _PROGRESS.match(line):
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


def floor(level1c: Path, level2a: Path, work: Path, threads: str) -> dict[str, float]:
    """Measure the JPEG 2000 floor in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.floor", str(level1c), str(level2a)]
    printed = subprocess.run(
        [*command, "--work", str(work), "--threads", threads],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return json.loads(printed)


def scene(size_km: float, work: Path) -> Path:
    """Simulated Level-1C product of that size; made once."""
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=109.8, help="side of the tile in km")
    parser.add_argument("--product", type=Path, help="a Level-1C product in place of a simulated")
    parser.add_argument("--work", type=Path, default=ROOT / "benchmark-work")
    parser.add_argument("arguments", nargs="*", help="options for L2A_Process, after --")
    options = parser.parse_args()
    level1c = options.product or scene(options.size, options.work)
    target = options.work / "output"
    shutil.rmtree(target, ignore_errors=True)
    run = process(level1c, target, options.arguments)
    floors = {
        threads: floor(level1c, run.product, options.work / "floor", threads)
        for threads in ("bands", "library")
    }
    for step in run.steps:
        print(f"{step.seconds:9.1f} s {step.peak_gb:6.2f} GB  {step.text}")
    print(f"{run.wall:9.1f} s {run.peak_gb:6.2f} GB  the whole run, {run.cpu:.1f} CPU s")
    for threads, values in floors.items():
        wall, cpu = (values[f"decode_{unit}"] + values[f"encode_{unit}"] for unit in ("s", "cpu_s"))
        print(
            f"{wall:9.1f} s            floor, threads over {threads}: {cpu:.1f} CPU s, "
            f"decode {values['decode_s']:.1f} s, encode {values['encode_s']:.1f} s "
            f"({values['images']:.0f} images)"
        )
    best = min(floors.values(), key=lambda values: values["decode_s"] + values["encode_s"])
    ratio = run.wall / (best["decode_s"] + best["encode_s"])
    science = run.cpu - best["decode_cpu_s"] - best["encode_cpu_s"]
    print(f"ratio={ratio:.3f} rss_gb={run.peak_gb:.2f} science_cpu_s={science:.1f}")


if __name__ == "__main__":
    main()
