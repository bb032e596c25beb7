from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import SceneClass, classify
from sen2cor.classification.toa_adjustment import (
    HAZY_BANDS,
    CirrusBandSurfaceSignal,
    Haze,
    estimate_cirrus_band_surface_signal,
    estimate_haze,
)
from tests.classification.spectra import SEN2COR_2_3, Image, all_valid, make_image

FOREST = (0.095, 0.085, 0.048, 0.10, 0.30, 0.001, 0.14, 0.05)
"""Dark vegetation in clear air, in the order of `CLASSIFICATION_BANDS`."""


def _forest(rows: int = 20, cols: int = 20) -> Image:
    image = make_image(*["vegetation"] * cols)
    return {
        band: np.full((rows, cols), value, np.float32)
        for band, value in zip(image, FOREST, strict=True)
    }


def _hazy(image: Image, red: float, exponent: float = 1.3) -> Image:
    """Add the path reflectance of haze, and reduce the signal of the ground by its loss."""
    lengths = {"B02": 0.49, "B03": 0.56, "B04": 0.665, "B05": 0.705, "B8A": 0.865}
    hazy = dict(image)
    for band, length in lengths.items():
        path = red * (0.665 / length) ** exponent
        clear = 0.025 * (0.665 / length) ** 4
        left = 1 - 4 * path
        hazy[band] = ((image[band] - clear) * left + clear + path).astype(np.float32)
    return hazy


def _haze(image: Image, no_data: np.ndarray | None = None) -> Haze | None:
    return estimate_haze(
        lambda rows: {band: data[rows] for band, data in image.items()},
        all_valid(image) if no_data is None else no_data,
    )


def test_clear_air_has_no_haze() -> None:
    assert _haze(_forest()) is None


@pytest.mark.parametrize("red", [0.02, 0.06])
def test_haze_is_found_and_removed(red: float) -> None:
    clear = _forest()
    hazy = _hazy(clear, red)
    haze = _haze(hazy)
    assert haze is not None
    assert set(haze.excess) == set(HAZY_BANDS)
    assert haze.excess["B04"] == pytest.approx(red, abs=0.01)
    adjusted = haze.remove(hazy)
    for band in HAZY_BANDS:
        np.testing.assert_allclose(adjusted[band], clear[band], atol=0.02)
    for band in ("B10", "B11", "B12"):
        np.testing.assert_array_equal(adjusted[band], hazy[band])


@pytest.mark.parametrize("name", ["cloud", "snow", "water", "sand"])
def test_what_is_no_vegetation_does_not_tell_of_haze(name: str) -> None:
    image = {band: np.tile(data, (20, 20)) for band, data in make_image(name).items()}
    assert _haze(image) is None


def test_vegetation_below_haze_is_no_cloud() -> None:
    hazy = _hazy(_forest(), 0.09)
    classes = classify(hazy, all_valid(hazy)).scene_class
    assert (classes == SceneClass.VEGETATION).all()
    classes = classify(hazy, all_valid(hazy), parameters=SEN2COR_2_3).scene_class
    assert not (classes == SceneClass.VEGETATION).any()


def test_pixels_without_data_do_not_count() -> None:
    hazy = _hazy(_forest(), 0.06)
    no_data = np.ones((20, 20), np.bool_)
    no_data[0, :50] = False
    assert _haze(hazy, no_data) is None


def test_snow_that_shines_through_vegetation_is_no_haze() -> None:
    image = _hazy(_forest(), 0.05)
    assert _haze(image)
    snow = {band: np.tile(data, (21, 20)) for band, data in make_image("snow").items()}
    mixed = {band: np.concatenate([data, snow[band]]) for band, data in image.items()}
    assert _haze(mixed) is None


def test_shadows_on_bright_ground_are_no_vegetation_below_haze() -> None:
    image = make_image(*["sand"] * 20)
    image = {band: np.repeat(values, 20, axis=0) for band, values in image.items()}
    shaded_salt = (0.234, 0.216, 0.204, 0.193, 0.181, 0.001, 0.124, 0.071)
    for band, value in zip(image, shaded_salt, strict=True):
        image[band][:, :10] = value
    assert _haze(image) is None


def _snow(*, clear: float, cirrus: float, name: str = "snow") -> Image:
    """Snow of which the right half lies below cirrus, in B10."""
    image = make_image(*[name] * 30)
    image = {band: np.repeat(values, 20, axis=0) for band, values in image.items()}
    image["B10"][:, :15] = clear
    image["B10"][:, 15:] = cirrus
    return image


def _surface_signal(image: Image) -> CirrusBandSurfaceSignal | None:
    return estimate_cirrus_band_surface_signal(
        lambda rows: {band: data[rows] for band, data in image.items()}, all_valid(image)
    )


def test_thin_cirrus_is_detected_over_snow_but_not_by_sen2cor_2_3() -> None:
    image = _snow(clear=0.002, cirrus=0.02)
    expected = np.where(np.arange(30) < 15, SceneClass.SNOW_ICE, SceneClass.THIN_CIRRUS)
    found = classify(image, all_valid(image)).scene_class
    np.testing.assert_array_equal(found, np.broadcast_to(expected, found.shape))
    compatible = classify(image, all_valid(image), parameters=SEN2COR_2_3)
    assert (compatible.scene_class == SceneClass.SNOW_ICE).all()


def test_snow_that_shines_through_dry_air_is_no_cirrus() -> None:
    image = _snow(clear=0.014, cirrus=0.016)
    assert (classify(image, all_valid(image)).scene_class == SceneClass.SNOW_ICE).all()


def test_ratio_is_that_of_clear_snow() -> None:
    image = _snow(clear=0.0072, cirrus=0.03)
    signal = _surface_signal(image)
    assert signal is not None
    assert signal.ratio_to_b8a == pytest.approx(0.01, rel=1e-3)
    before = image["B10"].copy()
    assert abs(signal.remove(image)["B10"][0, 0]) < 1e-6
    np.testing.assert_array_equal(image["B10"], before)


@pytest.mark.parametrize("name", ["vegetation", "sand", "water", "cloud"])
def test_without_snow_there_is_no_estimate(name: str) -> None:
    assert _surface_signal(_snow(clear=0.005, cirrus=0.02, name=name)) is None


def test_cirrus_over_all_of_the_snow_does_not_vanish() -> None:
    image = _snow(clear=0.034, cirrus=0.034)
    assert (classify(image, all_valid(image)).scene_class == SceneClass.THIN_CIRRUS).all()
