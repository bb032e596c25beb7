from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import (
    ClassificationParameters,
    SceneClass,
    SunGeometry,
    classify,
)
from sen2cor.classification.sunlit_reference import (
    BANDS,
    GroundSample,
    detect_shadow_by_contrast,
    find_bright_shadow,
)
from tests.classification.spectra import SEN2COR_2_3, SPECTRA, Image, all_valid, make_image

PARAMETERS = ClassificationParameters()
SUN = SunGeometry(30.0, 180.0, 50.0)
DIFFUSE = np.array((0.75, 0.65, 0.55, 0.5, 0.35, 1, 0.25, 0.2), np.float32)
"""Fraction of the irradiance that is left in a shadow, in the order of `CLASSIFICATION_BANDS`."""


def _scene(ground: str, shadow: slice) -> Image:
    image = {band: np.tile(data, (60, 60)) for band, data in make_image(ground).items()}
    for data, fraction in zip(image.values(), DIFFUSE, strict=True):
        data[shadow, 20:40] *= fraction
    return image


@pytest.mark.parametrize("ground", ["vegetation", "soil", "sand", "snow"])
def test_shadow_is_darker_than_any_sunlit_ground(ground: str) -> None:
    image = _scene(ground, slice(10, 30))
    classes = np.full((60, 60), SceneClass.VEGETATION, np.uint8)
    sample = GroundSample.empty((60, 60), 4)
    sample.fill(0, image, classes)
    found = detect_shadow_by_contrast(
        image,
        all_valid(image),
        sample.compute_sunlit_reference(SUN, PARAMETERS),
        slice(0, 60),
        PARAMETERS,
    )
    assert found[11:29, 21:39].all()
    assert not found[:9].any()
    assert not found[:, 42:].any()


@pytest.mark.parametrize("step", [1, 3, 6])
@pytest.mark.parametrize("block", [1, 4, 7, 20])
def test_sample_does_not_depend_on_blocks(step: int, block: int) -> None:
    random = np.random.default_rng(7)
    image = {band: random.random((20, 31)).astype(np.float32) for band in BANDS}
    classes = random.choice([4, 9], (20, 31)).astype(np.uint8)
    whole, cut = (GroundSample.empty((20, 31), step) for _ in range(2))
    whole.fill(0, image, classes)
    for top in range(0, 20, block):
        rows = slice(top, top + block)
        cut.fill(top, {band: data[rows] for band, data in image.items()}, classes[rows])
    np.testing.assert_array_equal(whole.ground, classes[::step, ::step] == 4)
    np.testing.assert_array_equal(cut.ground, whole.ground)
    for band, data in image.items():
        expected = np.where(whole.ground, data[::step, ::step], 0)
        np.testing.assert_array_equal(whole.reflectance[band], expected)
        np.testing.assert_array_equal(cut.reflectance[band], expected)


@pytest.mark.parametrize(("swir", "ground"), [(0.05, False), (0.2, True)])
def test_dark_pixels_that_fall_to_the_infrared_are_not_sunlit_ground(
    swir: float, ground: bool
) -> None:
    levels = {"B02": 0.1, "B8A": 0.1, "B11": swir}
    image = {band: np.full((6, 6), level, np.float32) for band, level in levels.items()}
    sample = GroundSample.empty((6, 6), 2)
    sample.fill(0, image, np.full((6, 6), SceneClass.DARK_FEATURES, np.uint8))
    assert (sample.ground == ground).all()


def test_shadow_needs_a_cloud_toward_the_sun() -> None:
    """A cloud at 2 km, south of its shadow by 2 km times the tangent of the zenith."""
    image = _scene("vegetation", slice(10, 20))
    sun = SunGeometry(20.0, 180.0, 60.0)
    no_cloud = classify(image, all_valid(image), sun=sun).scene_class
    assert not (no_cloud == SceneClass.CLOUD_SHADOWS).any()
    below = slice(22, 32)
    for data, value in zip(image.values(), SPECTRA["cloud"], strict=True):
        data[below, 20:40] = value
    clouded = classify(image, all_valid(image), sun=sun).scene_class
    assert (clouded[11:19, 21:39] == SceneClass.CLOUD_SHADOWS).all()
    assert (clouded[:, :18] == SceneClass.VEGETATION).all()
    compatible = classify(image, all_valid(image), sun=sun, parameters=SEN2COR_2_3).scene_class
    assert not (compatible == SceneClass.CLOUD_SHADOWS).any()


def test_open_water_is_not_taken_for_a_shadow() -> None:
    image = _scene("vegetation", slice(0, 0))
    for data, value in zip(image.values(), SPECTRA["water"], strict=True):
        data[10:20, 20:40] = value
    sample = GroundSample.empty((60, 60), 4)
    sample.fill(0, image, np.full((60, 60), SceneClass.VEGETATION, np.uint8))
    found = detect_shadow_by_contrast(
        image,
        all_valid(image),
        sample.compute_sunlit_reference(SUN, PARAMETERS),
        slice(0, 60),
        PARAMETERS,
    )
    assert not found.any()


def test_image_without_ground_has_no_shadow() -> None:
    sample = GroundSample.empty((12, 12), 4)
    image = {band: np.tile(data, (12, 12)) for band, data in make_image("cloud").items()}
    sample.fill(0, image, np.full((12, 12), SceneClass.HIGH_PROBA_CLOUDS, np.uint8))
    sunlit = sample.compute_sunlit_reference(SUN, PARAMETERS)
    assert not detect_shadow_by_contrast(
        image, all_valid(image), sunlit, slice(0, 12), PARAMETERS
    ).any()


def test_turbid_water_is_not_taken_for_a_shadow() -> None:
    """Bright in the near infrared as a shadow, but black at 1.6 um."""
    image = _scene("sand", slice(0, 0))
    for data, value in zip(
        image.values(), (0.16, 0.17, 0.15, 0.15, 0.14, 0.001, 0.015, 0.01), strict=True
    ):
        data[10:20, 20:40] = value
    sample = GroundSample.empty((60, 60), 4)
    sample.fill(0, image, np.full((60, 60), SceneClass.BARE_SOILS, np.uint8))
    sunlit = sample.compute_sunlit_reference(SUN, PARAMETERS)
    assert not detect_shadow_by_contrast(
        image, all_valid(image), sunlit, slice(0, 60), PARAMETERS
    ).any()


def test_bright_sand_in_shadow_is_no_cloud() -> None:
    """Skylight makes it grey; a cloud is brighter in blue than the sunlit sand."""
    sand = {"B02": 0.30, "B8A": 0.50, "B11": 0.60}
    pixels = {"shadow": (0.20, 0.18, 0.13), "cloud": (0.35, 0.30, 0.25), "thin": (0.28, 0.4, 0.5)}
    sample = GroundSample.empty((60, 60), 4)
    image = {band: np.full((60, 60), level, np.float32) for band, level in sand.items()}
    sample.fill(0, image, np.full((60, 60), SceneClass.BARE_SOILS, np.uint8))
    sunlit = sample.compute_sunlit_reference(SUN, PARAMETERS)
    for col, spectrum in enumerate(pixels.values()):
        for band, level in zip(sand, spectrum, strict=True):
            image[band][:, col] = level
    classes = np.full((60, 60), SceneClass.MEDIUM_PROBA_CLOUDS, np.uint8)
    everywhere = np.ones((60, 60), np.bool_)
    rows = slice(0, 60)
    found = find_bright_shadow(classes, image, everywhere, sunlit, rows, PARAMETERS)
    np.testing.assert_array_equal(found[0, :4], [True, False, False, False])
    none = find_bright_shadow(classes, image, ~everywhere, sunlit, rows, PARAMETERS)
    assert not none.any()


def test_snow_below_skylight_is_shadow_where_a_cloud_casts_it() -> None:
    """Among forest, snow in shadow is no darker than the mean of the sunlit ground."""
    spectra = {"sunlit": (0.7, 0.68, 0.66, 0.1, 0.08), "skylit": (0.30, 0.24, 0.13, 0.03, 0.02)}
    sample = GroundSample.empty((60, 60), 4)
    forest = {"B02": 0.08, "B03": 0.06, "B8A": 0.12, "B11": 0.06, "B12": 0.03}
    image = {band: np.full((60, 60), level, np.float32) for band, level in forest.items()}
    sample.fill(0, image, np.full((60, 60), SceneClass.VEGETATION, np.uint8))
    sunlit = sample.compute_sunlit_reference(SUN, PARAMETERS)
    for row, spectrum in zip((10, 30), spectra.values(), strict=True):
        for band, level in zip(forest, spectrum, strict=True):
            image[band][row : row + 10] = level
    none = np.zeros((60, 60), np.bool_)
    likely, anywhere = (
        detect_shadow_by_contrast(image, none, sunlit, slice(0, 60), PARAMETERS, where)
        for where in (~none, none)
    )
    assert likely[31:39].all()
    assert not likely[10:20].any()
    assert not anywhere.any()
