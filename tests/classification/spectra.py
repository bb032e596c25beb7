"""Spectra that the tests classify."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    ClassificationParameters,
    ClassificationRules,
)

Image = dict[str, npt.NDArray[np.float32]]

SEN2COR_2_3 = ClassificationParameters(rules=ClassificationRules.compatible())

SPECTRA: Mapping[str, tuple[float, ...]] = {
    "vegetation": (0.08, 0.08, 0.05, 0.10, 0.35, 0.001, 0.18, 0.08),
    "soil": (0.13, 0.15, 0.20, 0.23, 0.28, 0.001, 0.35, 0.30),
    "sand": (0.22, 0.24, 0.26, 0.27, 0.29, 0.001, 0.34, 0.30),
    "water": (0.09, 0.06, 0.04, 0.035, 0.03, 0.001, 0.01, 0.01),
    "dark": (0.08, 0.07, 0.06, 0.06, 0.08, 0.001, 0.05, 0.03),
    "snow": (0.75, 0.75, 0.75, 0.76, 0.72, 0.001, 0.10, 0.08),
    "cloud": (0.60, 0.60, 0.62, 0.63, 0.65, 0.005, 0.50, 0.40),
    "haze": (0.17, 0.16, 0.15, 0.16, 0.20, 0.002, 0.17, 0.12),
}
"""Reflectance in the order of `CLASSIFICATION_BANDS`."""


def make_image(*names: str, **changes: float) -> Image:
    """Image of one row with a pixel of each spectrum, and bands replaced in all of them."""
    pixels = np.array([SPECTRA[name] for name in names], np.float32)
    image = {band: pixels[None, :, index] for index, band in enumerate(CLASSIFICATION_BANDS)}
    for band, value in changes.items():
        image[band] = np.full_like(image[band], value)
    return image


def random_image(rows: int, cols: int, seed: int = 1) -> Image:
    """Image of random mixtures of all spectra, and of random numbers in every other column."""
    random = np.random.default_rng(seed)
    ends = np.array(list(SPECTRA.values()))
    shape = (rows, cols, len(CLASSIFICATION_BANDS))
    pixels = random.dirichlet(np.full(len(ends), 0.25), shape[:2]) @ ends
    pixels *= random.uniform(0.6, 1.4, shape)
    noise = np.exp(random.uniform(np.log(0.005), np.log(0.8), shape))
    pixels[:, ::2] = noise[:, ::2]
    pixels = pixels.astype(np.float32)
    return {band: pixels[..., index].copy() for index, band in enumerate(CLASSIFICATION_BANDS)}


def all_valid(image: Image) -> npt.NDArray[np.bool_]:
    """No-data map of an image without gaps."""
    return np.zeros(image["B02"].shape, np.bool_)


def stack_maps(classification: Classification) -> npt.NDArray[np.uint8]:
    """Classes, cloud and snow probability in one array, shape (3, rows, cols)."""
    return np.stack(
        [
            classification.scene_class,
            classification.cloud_probability,
            classification.snow_probability,
        ]
    )
