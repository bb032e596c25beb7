"""Cirrus: what was added to a landscape is removed, and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sen2cor.atmosphere import cirrus
from sen2cor.atmosphere.cirrus import CirrusCorrection, retrieve_cirrus
from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.parameters import CirrusParameters
from sen2cor.bands import BAND
from sen2cor.imagery import jpeg2000
from sen2cor.raster.grids import Grid
from sen2cor.raster.parallax import Parallax
from sen2cor.raster.resampling import block_mean, block_mean_pixels
from sen2cor.simulation import cloud_layers
from sen2cor.simulation.patterns import fractal
from sen2cor.simulation.scenes import SCENES

SIZE = 300
GRID = Grid(32633, 300000.0, 5900040.0, 60.0, SIZE, SIZE)
PARAMETERS = CirrusParameters(min_water_vapour=0.25, thin_reflectance=0.012)
NOISE = 6e-4

# vegetation, soil and the path at the top of the atmosphere
GROUND = {
    "B01": (0.03, 0.08, 0.11), "B02": (0.03, 0.10, 0.08), "B04": (0.03, 0.20, 0.03),
    "B8A": (0.35, 0.28, 0.01), "B11": (0.16, 0.35, 0.002), "B12": (0.07, 0.30, 0.001),
}  # fmt: skip


@dataclass
class Veiled:
    """A scene without and with cirrus."""

    clear: dict[str, np.ndarray]
    toa: dict[str, np.ndarray]
    water: np.ndarray
    ice: np.ndarray

    def retrieve(self, **changes: Any) -> CirrusCorrection:
        everywhere = np.ones(self.water.shape, bool)
        arguments: dict[str, Any] = {
            "measured": everywhere, "ground": everywhere, "water_vapour": 2.0,
            "parameters": PARAMETERS,
        }  # fmt: skip
        toa = changes.pop("toa", self.toa)
        return retrieve_cirrus(toa, **(arguments | changes))

    def error(self, found: CirrusCorrection, band: str) -> float:
        return rms(found.remove(band, self.toa[band]) - self.clear[band])


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def veiled(seed: int, cover: float, depth: float, shown: float = 0.85, sea: float = 0.5) -> Veiled:
    """Fields and a sea under streaks of cirrus; B10 sees a share of their reflectance."""
    random = np.random.default_rng(seed)
    y = GRID.uly - 60.0 * (np.arange(SIZE) + 0.5)
    x = GRID.ulx + 60.0 * (np.arange(SIZE) + 0.5)
    green = 1.0 / (1.0 + np.exp(-2.0 * fractal(y, x, 1500.0, 5, seed)))
    texture = 1.0 + 0.12 * fractal(y, x, 200.0, 2, seed + 5)
    water = fractal(y, x, 15000.0, 4, seed + 9) > sea
    ice = streaks(seed, cover, depth)
    one, none = np.float32(1.0), np.float32(0.0)
    clear, toa = {}, {}
    for band, (vegetation, soil, path) in GROUND.items():
        ground = np.where(water, 0.005, texture * (vegetation * green + soil * (1.0 - green)))
        clear[band] = (path + 0.9 * ground).astype(np.float32)
        toa[band] = cloud_layers.add_clouds(clear[band], one, one, band, none, ice)
        toa[band] += random.normal(0.0, 5e-4, ice.shape).astype(np.float32)
    seen = 0.0013 + shown * ice + random.normal(0.0, NOISE, ice.shape)
    toa["B10"] = (np.rint(seen * 1e4) * 1e-4).astype(np.float32)
    return Veiled(clear, toa, water, ice)


def streaks(seed: int, cover: float, depth: float, grid: Grid = GRID) -> np.ndarray:
    scene = replace(SCENES["summer"], cirrus_cover=cover, cirrus_depth=depth)
    fine, finest = (
        replace(grid, pixel_size=60.0 / n, rows=grid.rows * n, cols=grid.cols * n) for n in (3, 6)
    )
    field = cloud_layers.cirrus_layer(scene, finest, seed)
    return block_mean(field.project(fine, np.float32(5.0), np.float32(100.0)), 3)


@pytest.fixture(scope="module")
def scene() -> Veiled:
    return veiled(33, 0.4, 0.04)


@pytest.mark.parametrize(
    ("seed", "cover", "depth", "sea"),
    [(33, 0.4, 0.04, 0.5), (24, 0.6, 0.02, 0.5), (30, 0.05, 0.04, 0.5), (8, 0.3, 0.05, 99.0)],
    ids=["coast", "faint", "few streaks", "inland"],
)
def test_error_falls(seed: int, cover: float, depth: float, sea: float) -> None:
    scene = veiled(seed, cover, depth, sea=sea)
    found = scene.retrieve()
    for band in ("B02", "B04", "B8A", *(("B11", "B12") if sea < 1 else ())):
        before = rms(scene.toa[band] - scene.clear[band])
        assert scene.error(found, band) < max(0.3 * before, 1e-3), band


def test_slope_is_that_of_the_ice(scene: Veiled) -> None:
    found = scene.retrieve()
    thick = scene.ice > 0.015
    for band, share in (("B02", 1.0), ("B8A", 1.0), ("B11", 0.6), ("B12", 0.45)):
        ratio = np.median(found.reflectance(band)[thick] / scene.ice[thick])
        assert ratio == pytest.approx(share, rel=0.08), band


def test_slope_allows_for_the_ground_that_the_ice_hides() -> None:
    """The darkest ground of forests and fields is not black: without that it would be 0.87."""
    scene = veiled(8, 0.3, 0.05, sea=99.0)
    thick = scene.ice > 0.015
    ratio = np.median(scene.retrieve().reflectance("B04")[thick] / scene.ice[thick])
    assert ratio == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"water_vapour": 0.2}, "0.20 cm of water vapour"),
        ({"measured": np.zeros((SIZE, SIZE), bool)}, "B10 is not available"),
        ({"ground": np.zeros((SIZE, SIZE), bool)}, "free of clouds"),
        ({"parameters": replace(PARAMETERS, thin_reflectance=0.039)}, "of the ground"),
    ],
    ids=["dry", "no B10", "overcast", "not significant"],
)
def test_switched_off(
    scene: Veiled, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], reason: str
) -> None:
    with caplog.at_level(logging.INFO):
        found = scene.retrieve(**changes)
    assert reason in found.reason
    assert reason in caplog.text
    assert not found.slopes
    assert found.remove("B04", scene.toa["B04"]) is scene.toa["B04"]


def test_missing_bands(scene: Veiled) -> None:
    without = {band: toa for band, toa in scene.toa.items() if band != "B10"}
    assert scene.retrieve(toa=without).reason == "band B10 is not available"
    without = {band: toa for band, toa in scene.toa.items() if band != "B12"}
    assert "B12" not in scene.retrieve(toa=without).slopes


def test_clear_scene_stays_as_it_is() -> None:
    scene = veiled(5, 0.0, 0.0)
    assert "0.00 % of the ground" in scene.retrieve().reason


def test_what_the_visible_does_not_follow_is_no_cirrus(scene: Veiled) -> None:
    """Ground that shines through in B10, as in dry air."""
    elsewhere = scene.clear | {"B10": scene.toa["B10"]}
    assert "visible bands" in scene.retrieve(toa=elsewhere).reason


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_implausible_slope_is_refused(
    scene: Veiled, caplog: pytest.LogCaptureFixture, factor: float
) -> None:
    toa = scene.toa | {"B10": np.float32(factor) * scene.toa["B10"]}
    with caplog.at_level(logging.INFO):
        assert "visible bands" in scene.retrieve(toa=toa).reason
    assert "not plausible" in caplog.text


@pytest.mark.parametrize("strength", [3.0, 6.0, 30.0])
def test_ground_that_passes_for_cirrus_is_refused(
    scene: Veiled, caplog: pytest.LogCaptureFixture, strength: float
) -> None:
    """Soil lies under the streaks, fields beside them."""
    soil = {band: clear + scene.ice * strength * part for band, clear, part in (
        (band, scene.clear[band], np.float32(GROUND[band][1] - GROUND[band][0])) for band in GROUND
    )}  # fmt: skip
    with caplog.at_level(logging.INFO):
        found = scene.retrieve(toa=soil | {"B10": scene.toa["B10"]}, ground=~scene.water)
    assert not found.slopes
    assert "with a standard error of" in caplog.text


def parallax_of_bands(shape: tuple[int, int]) -> dict[str, Parallax]:
    """About that of Sentinel-2, with two detectors of opposite senses."""
    detectors = np.full(shape, 5, np.uint8)
    detectors[:, shape[1] // 2 :] = 6
    north = {"B01": 0.0133, "B02": -0.008, "B03": -0.003, "B04": 0.0013, "B8A": 0.0108,
             "B11": 0.0057, "B12": 0.0115}  # fmt: skip
    return {
        band: Parallax(detectors, {5: (0.25 * size, size), 6: (-0.25 * size, -size)}, 60.0)
        for band, size in north.items()
    }


@pytest.mark.parametrize("height", [6500.0, 10000.0, 14500.0])
@pytest.mark.parametrize("seed", [33, 8])
def test_displaced_cirrus(seed: int, height: float) -> None:
    """The height is found, and the error is that of cirrus without displacement."""
    plain = veiled(seed, 0.4, 0.04)
    parallax = parallax_of_bands(plain.ice.shape)
    one, none = np.float32(1.0), np.float32(0.0)
    toa = {
        band: cloud_layers.add_clouds(
            clear, one, one, band, none, parallax[band].project(plain.ice, height)
        )
        for band, clear in plain.clear.items()
    }
    displaced = replace(plain, toa=toa | {"B10": plain.toa["B10"]})
    found = displaced.retrieve(find_parallax=parallax.get)
    assert found.height == pytest.approx(height, abs=1500.0)
    for band in ("B01", "B02", "B8A", "B12"):
        aligned = displaced.error(found, band)
        misaligned = displaced.error(displaced.retrieve(), band)
        assert aligned < 0.75 * misaligned, band
        assert aligned < 1.3 * plain.error(plain.retrieve(), band), band


def test_clouds_and_shadows_take_no_part(scene: Veiled) -> None:
    plain = scene.retrieve()
    ground = np.ones(scene.water.shape, bool)
    ground[100:180, 50:300] = False
    toa = {band: np.where(ground, values, np.float32(0.0)) for band, values in scene.toa.items()}
    toa["B10"] = scene.toa["B10"]
    hidden = scene.retrieve(toa=toa, ground=ground)
    np.testing.assert_allclose(hidden.reflectance("B04"), plain.reflectance("B04"), atol=2e-3)


def test_no_edge_at_any_amount() -> None:
    seen = np.linspace(0.0, 0.06, 6001, dtype=np.float32)
    excess = cirrus._excess(seen, np.float32(0.0013), PARAMETERS.thin_reflectance)
    steps = np.diff(excess)
    assert excess[0] == 0.0
    assert excess[-1] == pytest.approx(0.04 - 0.0013, abs=1e-6)
    assert (steps >= 0.0).all()
    assert steps.max() < 2.0 * np.diff(seen).max()


def test_beyond_the_limit_the_rest_stays(scene: Veiled) -> None:
    thicker = scene.toa["B10"] + scene.ice * 0.4
    assert thicker.max() > cirrus.MAX_CORRECTED
    found = scene.retrieve(toa=scene.toa | {"B10": thicker})
    slope = found.reflectance("B04").max() / (0.04 - 0.0013)
    assert 0.6 < slope < 2.0


def test_gap_in_the_cirrus_band(scene: Veiled) -> None:
    gap = np.zeros(scene.water.shape, bool)
    gap[120:140, 200:230] = True
    toa = scene.toa | {"B10": np.where(gap, np.float32(0.0), scene.toa["B10"])}
    amounts = scene.retrieve(toa=toa, measured=~gap).reflectance("B04")
    rim = amounts[115:145, 195:235]
    assert np.isfinite(amounts).all()
    assert amounts[gap].max() <= rim[~gap[115:145, 195:235]].max() + 1e-3
    np.testing.assert_allclose(amounts[:100], scene.retrieve().reflectance("B04")[:100], atol=1e-3)


def test_noise_of_the_cirrus_band_stays_out() -> None:
    random = np.random.default_rng(1)
    noise = random.normal(0.02, NOISE, (200, 200)).astype(np.float32)
    left = cirrus.smooth_cirrus(noise, np.ones(noise.shape, bool))
    assert left.std() < 0.3 * NOISE


def test_inversion_clears_first(scene: Veiled) -> None:
    found = scene.retrieve()
    shape = scene.water.shape
    gain, bias, albedo = (np.full(shape, v, np.float32) for v in (1.2, -0.05, 0.1))
    for inversion in (Inversion(gain, bias, albedo), Inversion(gain, bias)):
        for band in ("B04", "B11"):
            toa = scene.toa[band]
            expected = inversion(found.remove(band, toa))
            result = found.fold_into(band, inversion)(toa)
            np.testing.assert_allclose(result, expected, atol=2e-6)
    assert CirrusCorrection().fold_into("B04", inversion) is inversion


@pytest.fixture(scope="module")
def berlin(reference_data: Path) -> dict[str, np.ndarray]:
    """Real pixels of a winter day, at 60 m."""
    found = {}
    for band in cirrus.NEEDED_BANDS:
        (path,) = (reference_data / "pixels" / "berlin_2017_l1c").glob(f"*_{band}.jp2")
        numbers = jpeg2000.read(path)
        factor = 60 // BAND[band].resolution
        if factor > 1:
            numbers = block_mean_pixels(numbers, factor, (128, 256))
        found[band] = numbers.astype(np.float32) / np.float32(1e4)
    return found


def test_real_pixels_without_cirrus(berlin: dict[str, np.ndarray]) -> None:
    everywhere = np.ones((128, 256), bool)
    found = retrieve_cirrus(
        berlin, measured=everywhere, ground=everywhere,
        water_vapour=0.8, parameters=PARAMETERS,
    )  # fmt: skip
    assert "of the ground" in found.reason


def test_real_pixels_under_cirrus(berlin: dict[str, np.ndarray]) -> None:
    ice = streaks(12, 0.5, 0.04, replace(GRID, rows=256))[:128, :256]
    one, none = np.float32(1.0), np.float32(0.0)
    toa = {
        band: cloud_layers.add_clouds(clear, one, one, band, none, ice)
        for band, clear in berlin.items()
        if band != "B10"
    }
    toa["B10"] = berlin["B10"] + np.float32(0.9) * ice
    everywhere = np.ones(ice.shape, bool)
    found = retrieve_cirrus(
        toa, measured=everywhere, ground=everywhere,
        water_vapour=0.8, parameters=PARAMETERS,
    )  # fmt: skip
    for band in ("B02", "B04", "B8A"):
        left = rms(found.remove(band, toa[band]) - berlin[band])
        assert left < 0.4 * rms(toa[band] - berlin[band]), band
