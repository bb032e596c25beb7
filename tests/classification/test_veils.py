"""Veils by the excess of blue over red."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sen2cor.classification import (
    ClassificationParameters,
    ClassificationRules,
    SceneClass,
    SunGeometry,
    classify,
)
from sen2cor.classification.veils import VeilSample

Image = dict[str, npt.NDArray[np.float32]]

SIZE = 240
PLACE = slice(60, 140), slice(60, 140)
"""A square of 1.6 km at 20 m."""


def _fields(seed: int = 4) -> Image:
    """Soil of varying brightness: red 0.08 to 0.2 and blue along a line."""
    random = np.random.default_rng(seed)
    red = np.repeat(np.repeat(random.uniform(0.08, 0.2, (24, 24)), 10, axis=0), 10, axis=1)
    blue = 0.09 + 0.42 * (red - 0.02) + random.normal(0, 0.002, red.shape)
    image = {"B02": blue, "B03": (blue + red) / 2, "B04": red, "B05": 1.15 * red}
    image |= {"B8A": 1.5 * red, "B11": 1.7 * red, "B12": 1.5 * red, "B10": 0.001 + 0 * red}
    return {band: values.astype(np.float32) for band, values in image.items()}


def _add_veil(image: Image, place: tuple[slice, slice], reflectance: float) -> Image:
    veiled = {band: values.copy() for band, values in image.items()}
    for band in set(veiled) - {"B10"}:
        values = veiled[band]
        values[place] = values[place] * (1 - reflectance) + reflectance
    return veiled


def _classify(image: Image, *, detect_veils: bool = True) -> npt.NDArray[np.uint8]:
    parameters = ClassificationParameters(rules=ClassificationRules(detect_veils=detect_veils))
    no_data, sun = np.zeros((SIZE, SIZE), np.bool_), SunGeometry(60.0, 160.0, 20.0)
    return classify(image, no_data, sun=sun, parameters=parameters).scene_class


def test_clear_fields_hold_no_veil() -> None:
    assert np.mean(_classify(_fields()) == SceneClass.BARE_SOILS) > 0.99


@pytest.mark.parametrize("reflectance", [0.05, 0.08])
def test_a_wide_veil_gets_low_cloud_probability(reflectance: float) -> None:
    classes = _classify(_add_veil(_fields(), PLACE, reflectance))
    outside = np.ones(classes.shape, np.bool_)
    outside[PLACE] = False
    assert np.isin(classes[PLACE], (7, 8, 9, 10)).mean() > 0.9
    assert np.mean(classes[outside] == SceneClass.BARE_SOILS) > 0.98


def test_without_the_rule_a_thin_veil_is_soil() -> None:
    classes = _classify(_add_veil(_fields(), PLACE, 0.05), detect_veils=False)
    assert np.mean(classes[PLACE] == SceneClass.BARE_SOILS) > 0.5


def test_a_narrow_bright_strip_is_no_veil() -> None:
    strip = slice(0, SIZE), slice(100, 108)
    classes = _classify(_add_veil(_fields(), strip, 0.05))
    assert np.mean(classes[strip] == SceneClass.BARE_SOILS) > 0.95


def test_bright_clay_is_no_veil() -> None:
    """It lies above the line of other soils, and is wide, but brighter at 1.6 um."""
    image = _fields()
    for band, level in {"B02": 0.30, "B03": 0.33, "B04": 0.36, "B8A": 0.42, "B11": 0.50}.items():
        image[band][PLACE] = level
    assert np.mean(_classify(image)[PLACE] == SceneClass.LOW_PROBA_CLOUDS) < 0.01


def test_variation_of_the_aerosol_is_no_veil() -> None:
    classes = _classify(_add_veil(_fields(), PLACE, 0.01))
    assert np.mean(classes[PLACE] == SceneClass.BARE_SOILS) > 0.95


def test_blocks_of_rows_fill_the_same_sample() -> None:
    image = _fields()
    classes = np.full((SIZE, SIZE), SceneClass.BARE_SOILS, np.uint8)
    whole, cut = (VeilSample.empty((SIZE, SIZE), 6) for _ in range(2))
    whole.fill(0, image, classes)
    for first in range(0, SIZE, 7):
        rows = slice(first, first + 7)
        cut.fill(first, {band: values[rows] for band, values in image.items()}, classes[rows])
    assert whole.land.all()
    np.testing.assert_array_equal(cut.land, whole.land)
    for band, values in whole.reflectance.items():
        np.testing.assert_array_equal(cut.reflectance[band], values)


def test_too_little_land_has_no_clear_line() -> None:
    sample = VeilSample.empty((90, 90), 3)
    assert sample.find_veils(20.0, ClassificationParameters()) is None
