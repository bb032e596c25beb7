from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import ClassificationRules, SceneClass, SunGeometry, classify
from tests.classification.spectra import Image, all_valid, image_of

SUN = SunGeometry(60.0, 150.0, 20.0)
GREY_SOIL = (0.150, 0.132, 0.145, 0.150, 0.177, 0.001, 0.172, 0.167)
"""Dark soil below a low sun, in the order of `CLASSIFICATION_BANDS`."""

CHAR = (0.100, 0.080, 0.075, 0.075, 0.105, 0.001, 0.125, 0.100)
SALT = (0.400, 0.430, 0.500, 0.500, 0.580, 0.001, 0.660, 0.440)


def _image(values: tuple[float, ...], rows: int = 6, cols: int = 120) -> Image:
    bands = image_of("cloud")
    return {
        band: np.full((rows, cols), value, np.float32)
        for band, value in zip(bands, values, strict=True)
    }


def _classes(image: Image, rules: ClassificationRules | None = None) -> np.ndarray:
    return classify(image, all_valid(image), sun=SUN, rules=rules).scene_class


@pytest.mark.parametrize("spectrum", [GREY_SOIL, CHAR, SALT])
def test_ground_is_told_by_its_infrared_but_not_in_the_original(
    spectrum: tuple[float, ...],
) -> None:
    image = _image(spectrum)
    assert (_classes(image) == SceneClass.BARE_SOILS).all()
    original = _classes(image, ClassificationRules.compatible())
    assert (original != SceneClass.BARE_SOILS).all()


def test_near_a_cloud_grey_soil_stays_unclassified() -> None:
    image = _image(GREY_SOIL)
    for band, values in image_of("cloud").items():
        image[band][:, :20] = values[0]
    row = _classes(image)[3]
    far = np.arange(120) >= 20 + 500 / SUN.pixel_size + 3
    assert (row[far] == SceneClass.BARE_SOILS).all()
    assert (row[30:40] == SceneClass.LOW_PROBA_CLOUDS).all()


def test_below_cirrus_grey_soil_stays_unclassified() -> None:
    image = _image((*GREY_SOIL[:5], 0.009, *GREY_SOIL[6:]))
    assert (_classes(image) == SceneClass.LOW_PROBA_CLOUDS).all()
