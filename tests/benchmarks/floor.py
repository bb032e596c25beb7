"""The JPEG 2000 floor of a run: decode all input bands, encode all output images, nothing else.

The floor uses the codec wrapper of the processor and writes the same images to the same disk, once
with the code-blocks that they have and once with plain code-blocks, as images of Level-1C. Loading
the pixels to encode is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from sen2cor.imagery import images, jpeg2000
from sen2cor.imagery.image_writer import Coding
from sen2cor.raster.array_types import Pixels

THREADS = ("bands", "library", "both")
"""Threads over images, inside the codec, or both."""

Output = tuple[Pixels, jpeg2000.ImageInfo]

_BAND = re.compile(r"_B(0[1-9]|1[0-2]|8A)\.jp2$")


def find_inputs(level1c: Path) -> list[Path]:
    """Find the band images of a Level-1C product, largest first."""
    images = [path for path in level1c.glob("GRANULE/*/IMG_DATA/*.jp2") if _BAND.search(path.name)]
    return sorted(images, key=lambda path: -path.stat().st_size)


def find_outputs(level2a: Path) -> list[Path]:
    """Find the images that the run wrote, largest first."""
    images = [
        path
        for path in level2a.glob("GRANULE/*/*/**/*.jp2")
        if "MSK_" not in path.name or "PRB" in path.name
    ]
    return sorted(images, key=lambda path: -path.stat().st_size)


def load_outputs(level2a: Path) -> list[Output]:
    """Decode the images that the run wrote."""
    paths = find_outputs(level2a)
    with ThreadPoolExecutor(_count_cores()) as pool:
        return list(
            zip(pool.map(jpeg2000.read, paths), map(jpeg2000.read_info, paths), strict=True)
        )


def measure(
    level1c: Path, outputs: Sequence[Output], work: Path, bands: int, library: int
) -> dict[str, float]:
    """Measure wall and CPU seconds of decoding, and of encoding with both kinds of code-blocks.

    ``bands`` is the number of threads over images, ``library`` that of threads inside the codec.
    """
    jpeg2000.set_threads(library)
    tasks: dict[str, list[Callable[[], object]]] = {
        "decode": [partial(jpeg2000.read, path) for path in find_inputs(level1c)],
        "encode": [partial(_encode, work / f"{n}.jp2", *item) for n, item in enumerate(outputs)],
        "encode_plain": [
            partial(_encode, work / f"{n}.jp2", pixels, replace(info, arithmetic_bypass=False))
            for n, (pixels, info) in enumerate(outputs)
        ],
    }
    result = {}
    for name, calls in tasks.items():
        work.mkdir(parents=True)
        began, cpu = time.perf_counter(), time.process_time()
        _run(calls, bands)
        result[f"{name}_s"] = time.perf_counter() - began
        result[f"{name}_cpu_s"] = time.process_time() - cpu
        result[f"{name}_mb"] = sum(file.stat().st_size for file in work.iterdir()) / 1e6
        shutil.rmtree(work)
    return result


def _encode(path: Path, pixels: Pixels, info: jpeg2000.ImageInfo) -> None:
    assert info.grid is not None
    coding = Coding(info.arithmetic_bypass)
    images.write(path, pixels, info.grid, info.tile_size, coding=coding)


def _count_cores() -> int:
    return len(os.sched_getaffinity(0))


def _run(calls: Sequence[Callable[[], object]], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(call) for call in calls]:
            future.result()


def main() -> None:
    """Measure, and print the results by kind of threads as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level1c", type=Path)
    parser.add_argument("level2a", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", nargs="+", choices=THREADS, default=list(THREADS))
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    outputs = load_outputs(options.level2a)
    results = {}
    for threads in options.threads:
        bands = 1 if threads == "library" else _count_cores()
        library = 1 if threads == "bands" else _count_cores()
        results[threads] = measure(options.level1c, outputs, options.work, bands, library)
    print(json.dumps({"images": len(outputs), "threads": results}))


if __name__ == "__main__":
    main()
