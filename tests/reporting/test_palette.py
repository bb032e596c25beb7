"""The colours of the classes: apart to all eyes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from sen2cor.product.level2a.content import CLASS_COUNT
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES, SEQUENTIAL, parse_colour

# Machado, Oliveira, Fernandes (2009), IEEE TVCG 15(6), 1291-1298, severity 1.0, linear sRGB.
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(colours: np.ndarray) -> np.ndarray:
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def seen(colours: tuple[str, ...], eyes: str) -> np.ndarray:
    """Colours in CIELAB as they look to such eyes."""
    values = np.array([parse_colour(colour) for colour in colours]) / 255
    light = np.clip(linear(values) @ EYES[eyes].T, 0.0, 1.0)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def least_difference(colours: tuple[str, ...], eyes: str) -> float:
    lab = seen(colours, eyes)
    return min(float(deltaE_ciede2000(first, second)) for first, second in combinations(lab, 2))


@pytest.mark.parametrize("eyes", EYES)
def test_classes_differ_to_all_eyes_in_the_safe_palette(eyes: str) -> None:
    # 2.3 is just noticeable side by side
    assert least_difference(PALETTES["colour-blind-safe"], eyes) > 17


def test_the_standard_palette_needs_an_alternative() -> None:
    assert least_difference(PALETTES["standard"], "normal") > 10
    assert min(least_difference(PALETTES["standard"], eyes) for eyes in EYES) < 5


@pytest.mark.parametrize("eyes", EYES)
def test_the_scale_grows_lighter_to_all_eyes(eyes: str) -> None:
    lightness = seen(SEQUENTIAL, eyes)[:, 0]
    assert np.all(np.diff(lightness) > 5)


def test_every_class_has_a_colour_of_its_own() -> None:
    for colours in PALETTES.values():
        assert len(set(colours)) == len(SCENE_CLASS_NAMES) == CLASS_COUNT
