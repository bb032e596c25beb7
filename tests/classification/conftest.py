"""An image that the tests of the classification share."""

from __future__ import annotations

import numpy as np
import pytest

from tests.classification.spectra import Image, make_image, random_image


@pytest.fixture(scope="session")
def mixture() -> Image:
    """Mixtures in patches, clouds large enough to cast a shadow on clear ground, turbid water."""
    image = {
        name: np.kron(band, np.ones((3, 3), np.float32))
        for name, band in random_image(130, 130).items()
    }
    for name, band in make_image(
        "water", B02=0.19, B03=0.18, B04=0.17, B8A=0.12, B11=0.086, B12=0.135
    ).items():
        image[name][:5, :5] = band
    random = np.random.default_rng(6)
    clear = make_image("vegetation", "soil", "dark", "water")
    kinds = np.kron(random.choice(4, (65, 39), p=(0.4, 0.3, 0.2, 0.1)), np.ones((6, 6), int))
    haze = random.uniform(0, 0.15, kinds.shape) * (random.random(kinds.shape) < 0.3)
    for name, band in clear.items():
        image[name][:, -kinds.shape[1] :] = band[0, kinds] * random.normal(1, 0.1, kinds.shape)
        image[name][:, -kinds.shape[1] :] += haze if name != "B10" else 0
    return image
