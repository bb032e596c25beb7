"""Quick looks of a small product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sen2cor.imagery import images
from sen2cor.imagery.picture_samples import subsample
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.raster.grids import Grid
from sen2cor.reporting.palette import PALETTES, parse_colour
from sen2cor.reporting.quicklook import (
    MIN_SPANS,
    RANGES,
    SCALES,
    SurfaceImages,
    draw_quick_looks,
    find_picture_shape,
    sample_toa_reflectance,
    write_quick_looks,
)


@pytest.fixture(scope="module")
def surface(finished_product: Path) -> SurfaceImages:
    product = open_level2a(finished_product)
    return SurfaceImages.from_product(product, product.tiles[0])


def test_pictures_of_one_tile_have_one_shape(surface: SurfaceImages) -> None:
    looks = list(draw_quick_looks(surface, (50, 40)))
    assert [look.kind for look in looks] == ["TCI", "SCL", "AOT", "WVP", "CLD"]
    assert {(look.image.shape, look.image.dtype.name) for look in looks} == {((50, 40, 3), "uint8")}


def test_scales_may_follow_the_values(surface: SurfaceImages) -> None:
    shape = surface.grid.shape
    fixed = {look.kind: look for look in draw_quick_looks(surface, shape)}
    spread = {look.kind: look for look in draw_quick_looks(surface, shape, stretch=True)}
    assert {kind: fixed[kind].limits for kind in RANGES} == RANGES
    for kind, least in MIN_SPANS.items():
        numbers = surface.sample_numbers(kind, shape)
        low, high = spread[kind].limits
        assert low <= np.median(numbers[numbers > 0]) / SCALES[kind] <= high
        assert high - low >= 0.999 * least
    assert spread["CLD"].limits == RANGES["CLD"]


@pytest.mark.parametrize("palette", PALETTES)
def test_classes_have_the_colours_of_the_palette(surface: SurfaceImages, palette: str) -> None:
    shape = surface.grid.shape
    looks = {look.kind: look.image for look in draw_quick_looks(surface, shape, palette)}
    classes = surface.sample_numbers("SCL", shape)
    for code in np.unique(classes):
        assert np.all(looks["SCL"][classes == code] == parse_colour(PALETTES[palette][code]))


def test_numbers_are_those_of_the_image(surface: SurfaceImages) -> None:
    path = surface.paths["B04", 10]
    stored = images.read(path)
    assert np.array_equal(surface.sample_numbers("B04", stored.shape), stored)
    expected = (stored.astype(np.float32) + surface.offset) / surface.quantification
    found = surface.sample_reflectance("B04", stored.shape)
    assert np.array_equal(np.isnan(found), stored == 0)
    assert np.allclose(found[stored > 0], expected[stored > 0])
    assert surface.sample_numbers("B10", stored.shape) is None


def test_top_of_atmosphere_lies_on_the_surface(small_product: Path, surface: SurfaceImages) -> None:
    level1c = open_level1c(small_product)
    shape = find_picture_shape(surface.grid, 64)
    top = sample_toa_reflectance(level1c, level1c.tiles[0], "B8A", shape)
    below = surface.sample_reflectance("B8A", shape)
    valid = np.isfinite(top) & np.isfinite(below)
    assert valid.mean() > 0.5
    assert np.corrcoef(top[valid], below[valid])[0, 1] > 0.9


def test_samples_are_picked_from_the_middle() -> None:
    pixels = np.arange(6 * 9).reshape(6, 9)
    assert np.array_equal(subsample(pixels, (2, 3)), pixels[1::3, 1::3])
    assert np.array_equal(subsample(pixels, (12, 18)), pixels.repeat(2, 0).repeat(2, 1))


def test_shape_is_that_of_the_tile_at_most() -> None:
    whole = Grid(32632, 0.0, 0.0, 60.0, 1830, 1830)
    assert find_picture_shape(whole, 640) == (640, 640)
    assert find_picture_shape(Grid(32632, 0.0, 0.0, 20.0, 30, 60), 640) == (60, 120)


def test_files_stand_beside_the_product(finished_product: Path) -> None:
    paths = write_quick_looks(open_level2a(finished_product))
    stem = finished_product.name.removesuffix(".SAFE")
    assert [path.name for path in paths] == [
        f"{stem}_{kind}.png" for kind in ("TCI", "SCL", "AOT", "WVP", "CLD")
    ]
    for path in paths:
        with Image.open(path) as image:
            assert image.format == "PNG" and min(image.size) > 10
            # all but the true colours have a legend on white paper
            corner = image.getpixel((image.width - 1, image.height - 1))
            assert (corner == (255, 255, 255)) == ("TCI" not in path.name)
        path.unlink()
