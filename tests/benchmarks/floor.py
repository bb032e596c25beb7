"""The JPEG 2000 floor of a run: decode all input bands, encode all output images, nothing else.

The floor uses the codec wrapper of the processor and writes the same number of images to the same
disk. Loading the pixels to encode is not counted.
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
from pathlib import Path

from sen2cor.imagery import images, jpeg2000

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


def measure(level1c: Path, level2a: Path, work: Path, bands: int, library: int) -> dict[str, float]:
    """Measure wall and CPU seconds of decoding and encoding.

    ``bands`` is the number of threads over images, ``library`` that of threads inside the codec.
    """
    jpeg2000.set_threads(library)
    work.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(bands) as pool:
        paths = find_outputs(level2a)
        decoded = list(
            zip(pool.map(jpeg2000.read, paths), map(jpeg2000.read_info, paths), strict=True)
        )
    tasks: dict[str, list[Callable[[], object]]] = {
        "decode": [lambda path=path: jpeg2000.read(path) for path in find_inputs(level1c)],
        "encode": [
            lambda number=number, item=item: images.write(
                work / f"{number}.jp2", item[0], item[1].grid, item[1].tile_size
            )
            for number, item in enumerate(decoded)
        ],
    }
    result = {"images": float(len(decoded))}
    for name, calls in tasks.items():
        began, cpu = time.perf_counter(), time.process_time()
        _run(calls, bands)
        result[f"{name}_s"] = time.perf_counter() - began
        result[f"{name}_cpu_s"] = time.process_time() - cpu
    shutil.rmtree(work)
    return result


def _run(calls: Sequence[Callable[[], object]], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(call) for call in calls]:
            future.result()


def main() -> None:
    """Measure once and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level1c", type=Path)
    parser.add_argument("level2a", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", choices=("bands", "library", "both"), required=True)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    bands = 1 if options.threads == "library" else cores
    library = 1 if options.threads == "bands" else cores
    print(json.dumps(measure(options.level1c, options.level2a, options.work, bands, library)))


if __name__ == "__main__":
    main()
