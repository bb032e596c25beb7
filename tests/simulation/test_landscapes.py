"""Patterns, surfaces and landscapes."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.errors import UsageError
from sen2cor.simulation import patterns
from sen2cor.simulation.landscapes import LANDSCAPES, SURFACE_NAMES, SURFACES
from sen2cor.simulation.mgrs_tiles import tile_grid
from sen2cor.simulation.surface_spectra import band_reflectance, spectra

X = 699965.0 + 10.0 * np.arange(120)
Y = 5900035.0 - 10.0 * np.arange(120)


def test_noise_has_unit_variance() -> None:
    far = 8.0 * np.arange(1000)
    assert patterns.smooth(far, far, 50.0, 3).std() == pytest.approx(1.0, abs=0.1)
    assert patterns.fractal(far, far, 50.0, 3, 3).std() == pytest.approx(1.0, abs=0.1)
    pixels = np.arange(500)
    assert patterns.white(pixels, pixels, 5).std() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_a_block_is_the_same_whoever_asks(name: str) -> None:
    whole = LANDSCAPES[name](Y, X, 7)
    part = LANDSCAPES[name](Y[60:90], X[30:80], 7)
    np.testing.assert_array_equal(part.first, whole.first[60:90, 30:80])
    np.testing.assert_allclose(part.brightness, whole.brightness[60:90, 30:80], atol=1e-4)
    np.testing.assert_allclose(part.fraction, whole.fraction[60:90, 30:80], atol=1e-4)


def test_another_seed_is_another_ground() -> None:
    first, second = (LANDSCAPES["summer"](Y, X, seed).first for seed in (1, 2))
    assert (first != second).mean() > 0.2


def test_all_surfaces_have_spectra() -> None:
    _, reflectance = spectra()
    assert set(SURFACE_NAMES) == set(SURFACES) == set(reflectance)
    for values in reflectance.values():
        assert values.min() >= 0.0
        assert values.max() <= 1.0


def test_dense_canopies_are_dark_and_near_the_expected_ratios() -> None:
    for name in ("forest_broadleaf", "forest_mixed", "forest_conifer"):
        canopy = band_reflectance("S2A")[name]
        assert 0.015 < canopy["B04"] < 0.035
        assert 0.03 < canopy["B12"] < 0.06
        assert canopy["B04"] / canopy["B12"] == pytest.approx(0.5, abs=0.13)
        assert canopy["B02"] / canopy["B04"] == pytest.approx(0.55, abs=0.2)


@pytest.mark.parametrize(
    ("mgrs", "epsg", "ulx", "uly"),
    [
        ("33UUU", 32633, 300000, 5900040),
        ("34UCF", 32634, 300000, 6100020),
        ("56JKT", 32756, 199980, 7300000),
        ("32UQD", 32632, 699960, 5900040),
    ],
)
def test_tiles_lie_where_products_have_them(mgrs: str, epsg: int, ulx: int, uly: int) -> None:
    grid = tile_grid(mgrs)
    assert (grid.epsg, grid.ulx, grid.uly, grid.rows) == (epsg, ulx, uly, 10980)


@pytest.mark.parametrize(("mgrs", "size"), [("33UAA", 6000), ("33uuu", 6000), ("33UUU", 1000)])
def test_impossible_tiles_are_refused(mgrs: str, size: int) -> None:
    with pytest.raises(UsageError):
        tile_grid(mgrs, size)
