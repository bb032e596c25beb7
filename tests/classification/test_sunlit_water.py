"""Water beside clouds and in their shadow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sen2cor.classification import ClassificationParameters
from sen2cor.classification.sunlit_water import SunlitWater, is_water_like
from tests.classification.spectra import SPECTRA

PARAMETERS = ClassificationParameters()
BANDS = ("B02", "B03", "B04", "B05", "B8A", "B10", "B11", "B12")
Image = dict[str, npt.NDArray[np.float32]]


def _uniform(name: str, size: int, level: float = 1.0) -> Image:
    spectrum = dict(zip(BANDS, SPECTRA[name], strict=True))
    return {b: np.full((size, size), level * value, np.float32) for b, value in spectrum.items()}


def test_water_has_the_spectrum_of_water_and_land_has_not() -> None:
    assert is_water_like(_uniform("water", 3), PARAMETERS).all()
    for name in ("vegetation", "soil", "sand", "snow", "cloud", "haze"):
        assert not is_water_like(_uniform(name, 3), PARAMETERS).any(), name


def test_water_in_shadow_is_darker_than_the_water_nearby() -> None:
    image = _uniform("water", 60)
    image["B03"][20:30] *= np.float32(0.7)
    sunlit = np.ones((30, 30), np.bool_)
    sunlit[10:15] = False
    water = SunlitWater.average(image["B03"][::2, ::2], sunlit, 2, 20.0)
    bright, dark = water.find_water(image, slice(0, 60), PARAMETERS)
    assert dark[20:30].all()
    assert not dark[:20].any()
    np.testing.assert_array_equal(bright, ~dark)


def test_dark_ground_without_water_nearby_is_no_water() -> None:
    image = _uniform("water", 20)
    none = np.zeros((10, 10), np.bool_)
    water = SunlitWater.average(image["B03"][::2, ::2], none, 2, 20.0)
    for found in water.find_water(image, slice(0, 20), PARAMETERS):
        assert not found.any()


def test_blocks_of_rows_find_the_same_water() -> None:
    random = np.random.default_rng(5)
    image = _uniform("water", 40)
    image["B03"] *= random.uniform(0.6, 1.1, (40, 40)).astype(np.float32)
    sunlit = random.random((7, 7)) < 0.5
    water = SunlitWater.average(image["B03"][::6, ::6], sunlit, 6, 20.0)
    whole = water.find_water(image, slice(0, 40), PARAMETERS)
    for first in range(0, 40, 7):
        rows = slice(first, min(first + 7, 40))
        part = water.find_water({b: v[rows] for b, v in image.items()}, rows, PARAMETERS)
        for found, expected in zip(part, whole, strict=True):
            np.testing.assert_array_equal(found, expected[rows])
