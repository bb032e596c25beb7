"""Pixels of a tile, which many threads share."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier

import numpy as np

from sen2cor.imagery import images, jpeg2000
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.raster.grids import Grid

GRIDS = {size: Grid(32633, 3e5, 5.9e6, float(size), 720 // size, 720 // size) for size in (10, 60)}


def test_late_band_is_decoded_once_and_whole_for_all_threads(tmp_path: Path) -> None:
    """Reflectance and uncertainty of B08 may ask for it at the same time."""
    path = tmp_path / "B08.jp2"
    images.write(path, np.full(GRIDS[10].shape, 1234, np.uint16), GRIDS[10], 64)
    decoded: list[str] = []

    def read(band: str) -> np.ndarray:
        decoded.append(band)
        return jpeg2000.read(path)

    pixels = TilePixels(GRIDS, {}, 1e-4, {"B08": 0}, read_band=read)
    together = Barrier(4)

    def ask(_: int) -> int:
        together.wait()
        pixels.load("B08", [60])
        return int(pixels.numbers("B08", 60)[0, 0])

    with start_workers(4) as pool:
        assert pool.map(ask, range(4)) == [1234] * 4
    assert decoded == ["B08"]
