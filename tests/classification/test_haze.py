from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import ClassificationRules, SceneClass, classify
from sen2cor.classification.haze import HAZY_BANDS, Haze, haze_of
from tests.classification.spectra import Image, all_valid, image_of

FOREST = (0.095, 0.085, 0.048, 0.10, 0.30, 0.001, 0.14, 0.05)
"""Dark vegetation in clear air, in the order of `CLASSIFICATION_BANDS`."""


def _forest(rows: int = 20, cols: int = 20) -> Image:
    image = image_of(*["vegetation"] * cols)
    return {
        band: np.full((rows, cols), value, np.float32)
        for band, value in zip(image, FOREST, strict=True)
    }


def _hazy(image: Image, red: float, exponent: float = 1.3) -> Image:
    """Add the path reflectance of haze, and take from the ground what is scattered away."""
    lengths = {"B02": 0.49, "B03": 0.56, "B04": 0.665, "B05": 0.705, "B8A": 0.865}
    hazy = dict(image)
    for band, length in lengths.items():
        path = red * (0.665 / length) ** exponent
        clear = 0.025 * (0.665 / length) ** 4
        left = 1 - 4 * path
        hazy[band] = ((image[band] - clear) * left + clear + path).astype(np.float32)
    return hazy


def _haze(image: Image, no_data: np.ndarray | None = None) -> Haze | None:
    return haze_of(
        lambda rows: {band: data[rows] for band, data in image.items()},
        all_valid(image) if no_data is None else no_data,
    )


def test_clear_air_has_no_haze() -> None:
    assert _haze(_forest()) is None


@pytest.mark.parametrize("red", [0.02, 0.06])
def test_haze_is_found_and_taken_off(red: float) -> None:
    clear = _forest()
    hazy = _hazy(clear, red)
    haze = _haze(hazy)
    assert haze is not None
    assert set(haze.excess) == set(HAZY_BANDS)
    assert haze.excess["B04"] == pytest.approx(red, abs=0.01)
    cleared = haze.cleared(hazy)
    for band in HAZY_BANDS:
        np.testing.assert_allclose(cleared[band], clear[band], atol=0.02)
    for band in ("B10", "B11", "B12"):
        np.testing.assert_array_equal(cleared[band], hazy[band])


@pytest.mark.parametrize("name", ["cloud", "snow", "water", "sand"])
def test_what_is_no_vegetation_does_not_tell_of_haze(name: str) -> None:
    image = {band: np.tile(data, (20, 20)) for band, data in image_of(name).items()}
    assert _haze(image) is None


def test_vegetation_below_haze_is_no_cloud() -> None:
    hazy = _hazy(_forest(), 0.09)
    classes = classify(hazy, all_valid(hazy)).scene_class
    assert (classes == SceneClass.VEGETATION).all()
    compatible = ClassificationRules.compatible()
    classes = classify(hazy, all_valid(hazy), rules=compatible).scene_class
    assert not (classes == SceneClass.VEGETATION).any()


def test_pixels_without_data_do_not_count() -> None:
    hazy = _hazy(_forest(), 0.06)
    no_data = np.ones((20, 20), np.bool_)
    no_data[0, :50] = False
    assert _haze(hazy, no_data) is None


def test_snow_that_shines_through_vegetation_is_no_haze() -> None:
    image = _hazy(_forest(), 0.05)
    assert _haze(image)
    snow = {band: np.tile(data, (21, 20)) for band, data in image_of("snow").items()}
    mixed = {band: np.concatenate([data, snow[band]]) for band, data in image.items()}
    assert _haze(mixed) is None


def test_shadows_on_bright_ground_are_no_vegetation_below_haze() -> None:
    image = image_of(*["sand"] * 20)
    image = {band: np.repeat(values, 20, axis=0) for band, values in image.items()}
    shaded_salt = (0.234, 0.216, 0.204, 0.193, 0.181, 0.001, 0.124, 0.071)
    for band, value in zip(image, shaded_salt, strict=True):
        image[band][:, :10] = value
    assert _haze(image) is None
