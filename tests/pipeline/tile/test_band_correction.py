"""From numbers to numbers: clipping, offsets, no data, block independence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.uncertainty import InputUncertainty, ReflectanceUncertainty
from sen2cor.errors import OutputError
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.band_correction import BandCorrection, TrueColour, write_band, write_map
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.tile_correction import BandUncertainty
from sen2cor.product.radiometry import to_digital_numbers
from sen2cor.raster.grids import Grid

GRIDS = {
    resolution: Grid(32633, 3e5, 5.9e6, float(resolution), 3600 // resolution, 3000 // resolution)
    for resolution in (10, 20, 60)
}


def make_pixels(offset: int = 0) -> TilePixels:
    rng = np.random.default_rng(4)
    native = {"B02": rng.integers(1, 9000, GRIDS[10].shape).astype(np.uint16)}
    native["B02"][100:140, 50:90] = 0
    native["B02"][0, 0] = 65535
    return TilePixels(GRIDS, native, 1e-4, {"B02": offset})


def field(value: float) -> np.ndarray:
    return np.full(GRIDS[60].shape, value, np.float32)


def test_dark_pixels_become_one_and_only_no_data_is_zero() -> None:
    """A clipped negative reflectance must not read as no data (SIIMPC-768)."""
    reflectance = np.array([-0.3, 0.0, 0.00004, 0.1234, 9.0, 0.2, 0.2], np.float32)
    source = np.array([5, 5, 5, 5, 5, 0, 65535], np.uint16)
    np.testing.assert_array_equal(
        to_digital_numbers(reflectance, source, 10000.0, 0), [1, 1, 1, 1234, 65534, 0, 65535]
    )


def test_negative_reflectance_survives_where_the_product_has_an_offset() -> None:
    source = np.ones(3, np.uint16)
    reflectance = np.array([-0.02, 0.0, -0.2], np.float32)
    np.testing.assert_array_equal(
        to_digital_numbers(reflectance, source, 10000.0, -1000), [800, 1000, 1]
    )


@pytest.mark.parametrize("resolution", [10, 20, 60])
def test_identity_gives_the_numbers_back(tmp_path: Path, resolution: int) -> None:
    pixels = make_pixels()
    with start_workers(2) as pool:
        for coarser in (20, 60):
            pixels.compute_block_means(coarser, ["B02"], pool)
    correction = BandCorrection("B02", resolution, pixels, Inversion(field(1.0), field(0.0)), 60)
    path = tmp_path / "band.jp2"
    grid = GRIDS[resolution]
    with jpeg2000.Jpeg2000Writer(path, grid, np.uint16, 64) as writer:
        write_band(writer, correction, quantification=10000.0, offset=0)
    np.testing.assert_array_equal(jpeg2000.read(path), pixels.numbers("B02", resolution))


def test_offset_of_the_input_is_applied_once() -> None:
    with_offset, without = make_pixels(-1000), make_pixels()
    inversion = Inversion(field(1.25), field(-0.05))
    rows = slice(64, 128)
    shifted, _ = BandCorrection("B02", 10, with_offset, inversion, 60).surface_reflectance(rows)
    plain, _ = BandCorrection("B02", 10, without, inversion, 60).surface_reflectance(rows)
    np.testing.assert_allclose(plain - shifted, 1.25 * 0.1, atol=1e-6)


def test_rows_in_any_portion_are_corrected_alike() -> None:
    rng = np.random.default_rng(8)
    gain = rng.uniform(0.9, 1.3, GRIDS[60].shape).astype(np.float32)
    bias = rng.uniform(-0.1, 0.0, GRIDS[60].shape).astype(np.float32)
    albedo = rng.uniform(0.0, 0.2, GRIDS[60].shape).astype(np.float32)
    correction = BandCorrection("B02", 10, make_pixels(), Inversion(gain, bias, albedo), 60)
    whole, _ = correction.surface_reflectance(slice(0, 360))
    parts = [
        correction.surface_reflectance(slice(top, min(top + 37, 360)))[0]
        for top in range(0, 360, 37)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-6)


def test_true_colour_waits_for_its_bands_and_is_black_where_one_has_no_data() -> None:
    colours, none = TrueColour(), np.zeros((4, 3), bool)
    missing = none.copy()
    missing[1, 2] = True
    with ThreadPoolExecutor(1) as pool:
        image = pool.submit(colours.take, slice(8, 12))
        for band, value in {"B04": 0.25, "B8A": 0.0, "B02": 0.0, "B03": 0.125}.items():
            assert not image.done()
            reflectance = np.full((4, 3), value, np.float32)
            colours.put(band, slice(8, 12), reflectance, missing if band == "B03" else none)
        found = image.result(10.0)
    np.testing.assert_array_equal(found[0, 0], [255, 128, 1])
    np.testing.assert_array_equal((found == 0).all(axis=-1), missing)


def test_true_colour_ends_with_the_error_of_a_band() -> None:
    colours = TrueColour()
    with ThreadPoolExecutor(1) as pool:
        image = pool.submit(colours.take, slice(0, 64))
        colours.abandon(OutputError("disk full"))
        with pytest.raises(OutputError, match="disk full"):
            image.result(10.0)


def test_map_is_zero_only_where_there_is_no_data(tmp_path: Path) -> None:
    mask = np.zeros(GRIDS[20].shape, bool)
    mask[:30] = True
    path = tmp_path / "AOT.jp2"
    with jpeg2000.Jpeg2000Writer(path, GRIDS[20], np.uint16, 64) as writer:
        write_map(writer, field(0.0), GRIDS[20], 3.0, 1000.0, no_data=lambda rows: mask[rows])
    np.testing.assert_array_equal(jpeg2000.read(path), np.where(mask, 0, 1))


def test_error_of_the_position_is_the_gradient_times_the_distance() -> None:
    pixels = make_pixels()
    columns = np.arange(GRIDS[10].cols, dtype=np.uint16)
    pixels.native["B02"][100:] = 1000 + 20 * columns
    pixels.native["B02"][140:160, 50:90] = 0
    correction = BandCorrection("B02", 10, pixels, Inversion(field(2.0), field(0.0)), 60)
    nothing = field(0.0)
    flat_terrain = ReflectanceUncertainty(nothing, nothing, nothing, gain=field(2.0))
    model = BandUncertainty(flat_terrain, 3.0, 30.0, InputUncertainty())
    whole, numbers = correction.uncertainty(model, slice(0, 360))
    # 20 numbers of 1e-4 per pixel of 10 m, over 3 m, times the gain
    np.testing.assert_allclose(whole[102:138], np.full((36, 300), 0.3 * 0.002 * 2.0), rtol=1e-3)
    # beside no data there is no gradient
    assert not whole[numbers == 0].any()
    assert not whole[150, [49, 90]].any()
    parts = [
        correction.uncertainty(model, slice(start, start + 90))[0] for start in range(0, 360, 90)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
