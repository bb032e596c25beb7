"""Time and memory against the area of a tile and the number of tiles and processes.

Tiles of 1/16, 1/4 and 1 of the full area with one process; then products of 1, 2 and 4 tiles
(PSD 13.1, 1/16 of the area each) with 1 and 2 processes.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from tests.benchmarks.benchmark import ROOT, process, scene
from tests.small_product import write_tiles

FULL = 109.8
"""Side of a full tile in km."""

TILES, EXTENT = ("33UUU", "33UVU", "33UUV", "33UVV"), 27_480
"""Names of the tiles of a product, and their side in metres."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "benchmark-work")
    parser.add_argument("--fractions", nargs="+", type=float, default=[1 / 16, 1 / 4, 1.0])
    parser.add_argument("--tiles", nargs="+", type=int, default=[1, 2, 4])
    options = parser.parse_args()
    target = options.work / "output"
    print("area    wall s   CPU s  peak GB")
    for fraction in options.fractions:
        shutil.rmtree(target, ignore_errors=True)
        side = round(FULL * fraction**0.5 / 0.06) * 0.06
        run = process(scene(side, options.work), target, [])
        print(f"{fraction:6.4f} {run.wall:7.1f} {run.cpu:7.1f} {run.peak_gb:8.2f}", flush=True)
    print("tiles  processes    wall s   CPU s  peak GB")
    for tiles in options.tiles:
        folder = options.work / f"tiles_{tiles}"
        shutil.rmtree(folder, ignore_errors=True)
        level1c = write_tiles(folder, TILES[:tiles], EXTENT)
        for processes in (1, 2):
            shutil.rmtree(target, ignore_errors=True)
            run = process(level1c, target, ["--GIP_L2A", str(_settings(options.work, processes))])
            print(
                f"{tiles:5d}  {processes:9d} {run.wall:9.1f} {run.cpu:7.1f} {run.peak_gb:8.2f}",
                flush=True,
            )


def _settings(work: Path, processes: int) -> Path:
    """Write a configuration with a given number of processes."""
    path = work / f"L2A_GIPP_{processes}.xml"
    shipped = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    path.write_text(
        re.sub("(<Nr_Processes>)[^<]*", lambda found: f"{found[1]}{processes}", shipped)
    )
    return path


if __name__ == "__main__":
    main()
