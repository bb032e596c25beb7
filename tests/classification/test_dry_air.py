from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import ClassificationRules, SceneClass, classify
from sen2cor.classification.dry_air import DryAirSurfaceSignal, dry_air_of
from tests.classification.spectra import Image, all_valid, image_of


def _snow(*, clear: float, cirrus: float, name: str = "snow") -> Image:
    """Snow of which the right half lies below cirrus, in B10."""
    image = image_of(*[name] * 30)
    image = {band: np.repeat(values, 20, axis=0) for band, values in image.items()}
    image["B10"][:, :15] = clear
    image["B10"][:, 15:] = cirrus
    return image


def _dry_air(image: Image) -> DryAirSurfaceSignal | None:
    return dry_air_of(
        lambda rows: {band: data[rows] for band, data in image.items()}, all_valid(image)
    )


def test_thin_cirrus_shows_above_snow_but_not_to_the_original() -> None:
    image = _snow(clear=0.002, cirrus=0.02)
    expected = np.where(np.arange(30) < 15, SceneClass.SNOW_ICE, SceneClass.THIN_CIRRUS)
    found = classify(image, all_valid(image)).scene_class
    np.testing.assert_array_equal(found, np.broadcast_to(expected, found.shape))
    original = classify(image, all_valid(image), rules=ClassificationRules.compatible())
    assert (original.scene_class == SceneClass.SNOW_ICE).all()


def test_snow_that_shines_through_dry_air_is_no_cirrus() -> None:
    image = _snow(clear=0.014, cirrus=0.016)
    assert (classify(image, all_valid(image)).scene_class == SceneClass.SNOW_ICE).all()


def test_share_is_that_of_clear_snow() -> None:
    image = _snow(clear=0.0072, cirrus=0.03)
    air = _dry_air(image)
    assert air is not None
    assert air.share == pytest.approx(0.01, rel=1e-3)
    before = image["B10"].copy()
    assert abs(air.cleared(image)["B10"][0, 0]) < 1e-6
    np.testing.assert_array_equal(image["B10"], before)


@pytest.mark.parametrize("name", ["vegetation", "sand", "water", "cloud"])
def test_without_snow_nothing_is_known(name: str) -> None:
    assert _dry_air(_snow(clear=0.005, cirrus=0.02, name=name)) is None


def test_cirrus_over_all_of_the_snow_does_not_vanish() -> None:
    image = _snow(clear=0.034, cirrus=0.034)
    assert (classify(image, all_valid(image)).scene_class == SceneClass.THIN_CIRRUS).all()
