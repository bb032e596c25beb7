"""Parts of a tile: which pixels, grids and angles."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.raster.coordinates import geographic
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.raster.resampling import bilinear
from sen2cor.raster.windows import Window

GRID = Grid(32632, 600000.0, 5900040.0, 60.0, 1830, 1830)


@pytest.mark.parametrize(
    ("bounds", "window"),
    [
        ((600000.0, 5899980.0, 600060.0, 5900040.0), (0, 0, 1, 1)),
        ((600001.0, 5899979.0, 600061.0, 5900039.0), (0, 0, 2, 2)),
        ((590000.0, 5800000.0, 600100.0, 5910000.0), (0, 0, 1668, 2)),
        ((709000.0, 5789000.0, 800000.0, 5791000.0), (1817, 1816, 13, 14)),
        ((600090.0, 5899900.0, 600090.1, 5899900.1), (2, 1, 1, 1)),
    ],
)
def test_pixels_that_a_box_touches(
    bounds: tuple[float, float, float, float], window: tuple[int, int, int, int]
) -> None:
    assert Window.around(bounds, 32632, GRID) == Window(*window)


def test_box_in_degrees() -> None:
    longitude, latitude = geographic(32632, [620000.0, 630000.0], [5850000.0, 5860000.0])
    box = (longitude.min(), latitude.min(), longitude.max(), latitude.max())
    window = Window.around(box, "EPSG:4326", GRID)
    assert window is not None
    west, south, east, north = window.crop(GRID).bounds
    assert west <= 620000.0 < 630000.0 <= east
    assert south <= 5850000.0 < 5860000.0 <= north
    assert window.cols * 60 < 11500


@pytest.mark.parametrize("box", [(-100.0, 40.0, -99.0, 41.0), (9.0, 10.0, 9.1, 10.1)])
def test_box_elsewhere(box: tuple[float, float, float, float]) -> None:
    assert Window.around(box, "EPSG:4326", GRID) is None


def test_context_ends_at_the_tile() -> None:
    window = Window(5, 100, 10, 20)
    outer = window.widen(1190.0, GRID)
    assert outer == Window(0, 80, 35, 60)
    assert window.within(outer) == Window(5, 20, 10, 20)


@pytest.mark.parametrize("resolution", [60, 20, 10])
def test_grids_follow(resolution: int) -> None:
    factor = 60 // resolution
    whole = Grid(32632, 600000.0, 5900040.0, resolution, 1830 * factor, 1830 * factor)
    window = Window(3, 7, 11, 13)
    part = window.crop(whole)
    assert part.bounds == window.crop(GRID).bounds
    rows, cols = window.slices(resolution)
    assert part.shape == (rows.stop - rows.start, cols.stop - cols.start)


def angles(step: float = 5000.0) -> AngleGrid:
    row, col = np.indices((23, 23), np.float32)
    return AngleGrid(8.0 + 0.1 * row - 0.2 * col, (355.0 + 0.5 * col) % 360.0, step)


def test_angles_at_the_same_place() -> None:
    """Across north too, where azimuths jump."""
    window = Window(401, 299, 170, 333)
    found = window._crop_angles(angles())
    for place in (0.0, 4321.0, 9876.0):
        at = np.array([place], np.float32)
        part = bilinear(found.zenith, at / found.step, at / found.step)
        whole = bilinear(angles().zenith, (at + 401 * 60) / 5000.0, (at + 299 * 60) / 5000.0)
        assert part == pytest.approx(whole, abs=1e-4)
    azimuth = found.azimuth[0]
    expected = (355.0 + 0.5 * (299 * 60 + 1000.0 * np.arange(len(azimuth))) / 5000.0) % 360.0
    difference = (azimuth - expected + 180.0) % 360.0 - 180.0
    assert np.abs(difference).max() < 0.01


def test_angles_of_a_detector() -> None:
    """Gaps stay; values beside them are those of the detector."""
    full = angles()
    seen = np.zeros((23, 23), bool)
    seen[:, 3:9] = True
    detector = AngleGrid(
        np.where(seen, full.zenith, np.nan), np.where(seen, full.azimuth, np.nan), 5000.0
    )
    window = Window(100, 150, 400, 800)
    found, whole = window._crop_angles(detector), window._crop_angles(full)
    valid = np.isfinite(found.zenith)
    assert valid.any()
    assert not valid.all()
    np.testing.assert_array_equal(valid, np.isfinite(found.azimuth))
    np.testing.assert_allclose(found.zenith[valid], whole.zenith[valid], atol=1e-3)
    east = (150 * 60 + 1000.0 * np.arange(found.zenith.shape[1])) / 5000.0
    np.testing.assert_array_equal(valid[0], (np.rint(east) >= 3) & (np.rint(east) <= 8))
