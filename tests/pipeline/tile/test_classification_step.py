"""From pixels and masks of Level-1C to maps of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from sen2cor.classification import CLASSIFICATION_BANDS, SceneClass
from sen2cor.pipeline.execution.workers import Workers, start_workers
from sen2cor.pipeline.tile.classification_step import classify_tile
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.settings.l2a_cal_sc_gipp import ClassificationSettings
from tests.classification.spectra import SPECTRA

GRID = Grid(32633, 300000.0, 5900040.0, 60.0, 40, 40)
SHADED = (0.07, 0.06, 0.03, 0.05, 0.10, 0.001, 0.04, 0.015)
"""Vegetation in the shadow of a cloud."""


def _geometry(azimuth: float, view_zenith: float = 0.0) -> SimpleNamespace:
    """Sun at a zenith angle of 20 degrees, sensor in the south."""
    angles = (np.full((2, 2), value, np.float32) for value in (view_zenith, 180.0))
    view = {"B8A": AngleGrid(*angles, 5000.0)}
    return SimpleNamespace(mean_solar_zenith=20.0, mean_solar_azimuth=azimuth, view=view)


@dataclass
class _Tile:
    """Stands for a tile: masks by kind and band, and the sun in the south."""

    masks: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    geometry: SimpleNamespace = field(default_factory=lambda: _geometry(180.0))

    def mask(self, kind: str, band: str, grid: Grid) -> np.ndarray | None:
        found = [self.masks[name, band] for name in kind.split("+") if (name, band) in self.masks]
        return np.any(found, axis=0) if found else None


@pytest.fixture
def pool() -> Workers:
    with start_workers(2) as opened:
        yield opened


@pytest.fixture
def pixels() -> TilePixels:
    """Vegetation, a cloud at about 2 km and its shadow to the north."""
    spectrum = np.full((40, 40, len(CLASSIFICATION_BANDS)), SPECTRA["vegetation"])
    spectrum[22:32, 10:30] = SPECTRA["cloud"]
    spectrum[10:20, 10:30] = SHADED
    numbers = np.rint(spectrum * 10000).astype(np.uint16)
    bands = {band: numbers[..., i].copy() for i, band in enumerate(CLASSIFICATION_BANDS)}
    coarse = {(band, 60): image for band, image in bands.items()}
    return TilePixels(
        {60: GRID}, {"B10": bands["B10"]}, 1e-4, dict.fromkeys(bands, 0), _coarser=coarse
    )


def _classes(
    pixels: TilePixels, pool: Workers, tile: _Tile | None = None, **options: object
) -> np.ndarray:
    settings = cast(ClassificationSettings, options.pop("settings", ClassificationSettings()))
    stand_in = cast(Level1CTile, tile or _Tile())
    return classify_tile(pixels, stand_in, 60, settings, pool, **options).scene_class


def test_cloud_shadow_lies_away_from_the_sun_of_the_tile(pixels: TilePixels, pool: Workers) -> None:
    classes = _classes(pixels, pool)
    assert (classes[11:19, 11:29] == SceneClass.CLOUD_SHADOWS).all()
    assert (classes[23:31, 11:29] == SceneClass.HIGH_PROBA_CLOUDS).all()
    assert (classes[:8] == SceneClass.VEGETATION).all()
    north = _Tile(geometry=_geometry(0.0))
    assert not (_classes(pixels, pool, north) == SceneClass.CLOUD_SHADOWS).any()


def test_a_sensor_beyond_the_sun_sees_no_shadow_behind_the_cloud(
    pixels: TilePixels, pool: Workers
) -> None:
    beyond = _Tile(geometry=_geometry(180.0, view_zenith=30.0))
    assert not (_classes(pixels, pool, beyond) == SceneClass.CLOUD_SHADOWS).any()


def test_rules_of_the_settings_are_followed(pixels: TilePixels, pool: Workers) -> None:
    sen2cor_2_3 = ClassificationSettings(rule_set="SEN2COR_2.3")
    pixels.numbers("B8A", 60)[10:20, 10:30] = 1500
    pixels.numbers("B11", 60)[10:20, 10:30] = 800
    assert (_classes(pixels, pool) == SceneClass.CLOUD_SHADOWS).any()
    assert not (_classes(pixels, pool, settings=sen2cor_2_3) == SceneClass.CLOUD_SHADOWS).any()


def test_masks_of_all_bands_count(pixels: TilePixels, pool: Workers) -> None:
    """Also those of bands that the classification does not use."""
    masks = {}
    for row, (kind, band) in enumerate(
        [("NODATA", "B02"), ("LOST", "B09"), ("DEFECT", "B04"), ("SATURA", "B08"),
         ("DEGRADED", "B12"), ("CLOUDS", "B02")]
    ):  # fmt: skip
        masks[kind, band] = np.zeros(GRID.shape, np.bool_)
        masks[kind, band][row] = True
    classes = _classes(pixels, pool, _Tile(masks))
    assert classes[:6, 0].tolist() == [1, 1, 1, 1, 1, 4]


@pytest.mark.parametrize("band", ["B02", "B03", "B04", "B05", "B8A", "B11", "B12"])
def test_pixel_without_data_in_one_band_is_defective(
    pixels: TilePixels, pool: Workers, band: str, caplog: pytest.LogCaptureFixture
) -> None:
    """B02 = 0 looked like vegetation."""
    before = _classes(pixels, pool)
    pixels.numbers(band, 60)[4:7, 4:7] = 0
    classes = _classes(pixels, pool)
    assert (classes[4:7, 4:7] == SceneClass.SATURATED_DEFECTIVE).all()
    changed = classes != before
    changed[4:7, 4:7] = False
    assert not changed.any()
    assert "9 pixels inside the swath have no data in some bands" in caplog.text


def test_two_and_three_lost_bands_are_no_swath_edge(pixels: TilePixels, pool: Workers) -> None:
    for band in ("B02", "B11", "B12"):
        pixels.numbers(band, 60)[4:7, 4:7] = 0
    assert (_classes(pixels, pool)[4:7, 4:7] == SceneClass.SATURATED_DEFECTIVE).all()


def test_bands_that_end_at_different_pixels_leave_no_rim_of_defective_pixels(
    pixels: TilePixels, pool: Workers
) -> None:
    for number, band in enumerate(CLASSIFICATION_BANDS):
        pixels.numbers(band, 60)[:, 36 + number % 3 :] = 0
    classes = _classes(pixels, pool)
    assert not (classes == SceneClass.SATURATED_DEFECTIVE).any()
    assert (classes[:, 36:] == SceneClass.NO_DATA).all()
    assert (classes[:, :36] != SceneClass.NO_DATA).all()


def test_water_that_is_black_in_the_short_wave_infrared_is_data(
    pixels: TilePixels, pool: Workers
) -> None:
    for band, number in zip(CLASSIFICATION_BANDS, SPECTRA["water"], strict=True):
        pixels.numbers(band, 60)[:8] = round(number * 10000)
    pixels.numbers("B8A", 60)[:8] = 120
    for band in ("B10", "B11", "B12"):
        pixels.numbers(band, 60)[:8] = 0
    assert (_classes(pixels, pool)[:8] == SceneClass.WATER).all()


def test_numbers_with_an_offset_are_never_zero(pixels: TilePixels, pool: Workers) -> None:
    shifted = TilePixels(
        {60: GRID},
        {"B10": pixels.native["B10"] + np.uint16(1000)},
        1e-4,
        dict.fromkeys(CLASSIFICATION_BANDS, -1000),
        _coarser={key: image + np.uint16(1000) for key, image in pixels._coarser.items()},
    )
    shifted.native["B10"][4] = 0
    classes = _classes(shifted, pool)
    assert (classes[4] == SceneClass.SATURATED_DEFECTIVE).all()
    assert (classes[:4] == SceneClass.VEGETATION).all()


def test_elevation_reaches_the_search_for_cirrus(pixels: TilePixels, pool: Workers) -> None:
    pixels.native["B10"][:] = 200
    assert (_classes(pixels, pool)[:8] == SceneClass.THIN_CIRRUS).all()
    elevation = np.full(GRID.shape, 2000, np.float32)
    classes = _classes(pixels, pool, elevation=elevation)
    assert (classes[:8] == SceneClass.VEGETATION).all()


def test_median_filter_of_the_settings_smooths_the_map(pixels: TilePixels, pool: Workers) -> None:
    for band, number in zip(CLASSIFICATION_BANDS, SPECTRA["soil"], strict=True):
        pixels.numbers(band, 60)[4, 4] = round(number * 10000)
    assert _classes(pixels, pool)[4, 4] == SceneClass.BARE_SOILS
    smooth = ClassificationSettings(median_filter=3)
    assert _classes(pixels, pool, settings=smooth)[4, 4] == SceneClass.VEGETATION
