"""Regions of interest beside the whole tile: time, memory, bytes read, differences of pixels.

Processes a simulated tile, then regions of some sizes around its centre with some contexts. Prints
wall and CPU time in seconds, peak memory, and bytes read; then how far the pixels of each region
differ from those of the tile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND
from sen2cor.imagery import jpeg2000
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level2a.reader import Level2ATileReader, open_level2a
from sen2cor.simulation.scenes import SCENES
from tests.benchmarks.simulated_run import ROOT, make

SIZES = (1.0, 10.0, 30.0)
CONTEXTS = (0.0, 20.0)

_RUN = """
import json, resource, sys
from sen2cor.cli import main
code = main(sys.argv[1:])
use = resource.getrusage(resource.RUSAGE_SELF)
read = next(line.split()[1] for line in open("/proc/self/io") if line.startswith("rchar"))
print(json.dumps([code, use.ru_utime + use.ru_stime, use.ru_maxrss * 1024, int(read)]))
"""


def measure(level1c: Path, target: Path, *options: str) -> tuple[float, float, float, float]:
    """Run the processor; return wall s, CPU s, peak GB and GB read."""
    command = [sys.executable, "-c", _RUN, "--no-report", "--output_dir", str(target), *options]
    start = time.perf_counter()
    done = subprocess.run([*command, str(level1c)], cwd=ROOT, capture_output=True, text=True)
    wall = time.perf_counter() - start
    code, cpu, memory, read = json.loads(done.stdout.splitlines()[-1])
    if code:
        raise SystemExit(f"L2A_Process ended with {code}: {done.stderr.strip()}")
    return wall, cpu, memory / 1e9, read / 1e9


def compare(whole: Level2ATileReader, part: Level2ATileReader) -> Iterator[str]:
    """Describe the differences of a region from the whole tile."""
    differences: dict[str, list[np.ndarray]] = {}
    for key, path in part.images.items():
        kind, resolution = key
        if resolution is None or (kind not in BAND and kind not in ("AOT", "WVP", "SCL")):
            continue
        outer, inner = whole.grids[resolution], part.grids[resolution]
        row = round((outer.uly - inner.uly) / resolution)
        col = round((inner.ulx - outer.ulx) / resolution)
        numbers = jpeg2000.read(path).astype(int)
        rows, cols = slice(row, row + inner.rows), slice(col, col + inner.cols)
        expected = jpeg2000.read(whole.images[key], rows, cols=cols).astype(int)
        name = "reflectance" if kind in BAND else kind
        differences.setdefault(name, []).append(np.abs(numbers - expected).ravel())
    for name, parts in differences.items():
        found = np.concatenate(parts)
        limit = {"reflectance": 30, "AOT": 20, "WVP": 100, "SCL": 0}[name]
        yield (
            f"{name}: within 1 DN {(found <= 1).mean():.2%}, within {limit} DN "
            f"{(found <= limit).mean():.2%}, largest {found.max()}"
        )


def main() -> None:
    """Measure and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=float, default=109.8, help="of the tile, km")
    parser.add_argument("--product", type=Path, help="Level-1C product in place of a simulated one")
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES, help="of the regions, km")
    parser.add_argument("--contexts", type=float, nargs="+", default=CONTEXTS, help="km")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sen2cor_region_") as work:
        folder = Path(work)
        level1c = options.product
        if level1c is None:
            level1c, _ = make(SCENES["summer"], folder / "in", size_km=options.size, seed=7)
        (tile,) = open_level1c(level1c).tiles
        grid = tile.grids[10]
        west, south, east, north = grid.bounds
        print(f"{'':24s}{'wall s':>9s}{'CPU s':>9s}{'peak GB':>9s}{'read GB':>9s}", flush=True)
        print(f"{'whole tile':24s}" + _row(measure(level1c, folder / "whole")), flush=True)
        (whole,) = open_level2a(next((folder / "whole").glob("*.SAFE"))).tiles
        for size in options.sizes:
            for context in options.contexts:
                x, y, half = (west + east) / 2, (south + north) / 2, 500.0 * size
                box = (x - half, y - half, x + half, y + half)
                target = folder / f"{size:g}_{context:g}"
                used = measure(
                    level1c, target, "--bbox-crs", f"EPSG:{grid.epsg}",
                    "--bbox", *(f"{edge:.1f}" for edge in box), "--roi-context", str(context),
                )  # fmt: skip
                print(f"{size:5g} km, context {context:4g} km" + _row(used), flush=True)
                (part,) = open_level2a(next(target.glob("*.SAFE"))).tiles
                for line in compare(whole, part):
                    print(f"    {line}", flush=True)


def _row(used: tuple[float, ...]) -> str:
    return "".join(f"{number:9.2f}" for number in used)


if __name__ == "__main__":
    main()
