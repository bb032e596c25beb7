"""Images of either format."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

from sen2cor import interruption
from sen2cor.imagery import images
from sen2cor.raster.grids import Grid

GRID = Grid(32633, 300000.0, 5900040.0, 20.0, 100, 100)


@pytest.mark.parametrize("name", ["image.jp2", "image.tif"])
def test_an_interrupted_run_stops_writing_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    rows = np.ones((50, 100), np.uint16)
    with (
        interruption.catch_signals(),
        pytest.raises(interruption.Interrupted),
        images.open_writer(tmp_path / name, GRID, np.uint16, 64) as writer,
    ):
        writer.write_rows(rows)
        signal.raise_signal(signal.SIGTERM)
        writer.write_rows(rows)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_stops_decoding(tmp_path: Path) -> None:
    path = tmp_path / "image.jp2"
    images.write(path, np.ones((100, 100), np.uint16), GRID, 64)
    with interruption.catch_signals(), pytest.raises(interruption.Interrupted):
        signal.raise_signal(signal.SIGTERM)
        images.read(path)
