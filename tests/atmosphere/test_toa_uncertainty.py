"""Uncertainty of the top-of-atmosphere reflectance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sen2cor.atmosphere.toa_uncertainty import Radiometry, ToaUncertainty
from sen2cor.bands import BAND_NAMES
from sen2cor.simulation.sensor import SOLAR_IRRADIANCE
from sen2cor.spectral_responses import SPACECRAFT

# radiance of reference in W m-2 sr-1 um-1 and required signal-to-noise ratio (User Handbook, 2015)
REQUIRED = {
    "B01": (129.0, 129.0), "B02": (128.0, 154.0), "B03": (128.0, 168.0), "B04": (108.0, 142.0),
    "B05": (74.5, 117.0), "B06": (68.0, 89.0), "B07": (67.0, 105.0), "B08": (103.0, 174.0),
    "B8A": (52.5, 72.0), "B09": (9.0, 114.0), "B10": (6.0, 50.0), "B11": (4.0, 100.0),
    "B12": (1.5, 100.0),
}  # fmt: skip


def radiometry(spacecraft: str = "S2A") -> Radiometry:
    irradiance = dict(zip(BAND_NAMES, SOLAR_IRRADIANCE[spacecraft], strict=True))
    return Radiometry(spacecraft, irradiance, 1.0, 10000.0)


def model(band: str, resolution: int = 10, cosine: float = 0.866, mean: float = 0.0):
    return radiometry().uncertainty(band, resolution, cosine=cosine, mean_reflectance=mean)


def test_contributions_of_a_band_by_hand() -> None:
    """Blue, reflectance 0.15, sun at 30 degrees: equations of the algorithm document."""
    found, reflectance = model("B02", mean=0.2), np.float32(0.15)
    counts = 3.76 * 1959.66 * 0.866 / np.pi
    assert found.gain == pytest.approx(np.sqrt(1.08**2 + 0.4**2 + 0.3**2) / 100.0)
    assert float(found.offset) == pytest.approx(np.hypot(0.1 / counts, 0.003 * 0.2), rel=1e-5)
    assert found.pixel_gain == pytest.approx(np.hypot(0.4, 0.1) / 100.0)
    noise = 0.65**2 * (0.529**2 + 0.0104 * 0.15 * counts) / counts**2 + 1e-8 / 12.0
    assert float(found.noise_constant + found.noise_linear * 0.15) == pytest.approx(noise, rel=1e-5)
    alone = np.sqrt((found.pixel_gain * 0.15) ** 2 + noise)
    assert found.independent(reflectance) == pytest.approx(alone, rel=1e-5)
    shared = np.hypot(found.gain * 0.15, float(found.offset))
    assert found.common(reflectance) == pytest.approx(shared, rel=1e-5)


@pytest.mark.parametrize("spacecraft", SPACECRAFT)
@pytest.mark.parametrize("band", BAND_NAMES)
def test_noise_meets_the_requirement(spacecraft: str, band: str) -> None:
    """The model before resampling; S2A is at most 2.7 times better than required up to B8A."""
    radiance, ratio = REQUIRED[band]
    of = radiometry(spacecraft)
    reflectance = np.pi * radiance / of.solar_irradiance[band]
    found = of.uncertainty(band, 10, cosine=1.0, mean_reflectance=0.0)
    noise = np.sqrt(found.noise_constant + found.noise_linear * reflectance) / 0.65
    assert reflectance / noise > ratio


def test_averages_have_less_noise_but_the_same_calibration() -> None:
    fine, coarse = model("B04", 10), model("B04", 60)
    assert coarse.noise_constant == pytest.approx(fine.noise_constant / 36.0)
    assert coarse.noise_linear == pytest.approx(fine.noise_linear / 36.0)
    assert replace(coarse, noise_constant=0, noise_linear=0) == replace(
        fine, noise_constant=0, noise_linear=0
    )
    assert model("B01", 20).noise_linear == model("B01", 60).noise_linear


def test_low_sun_gives_fewer_counts() -> None:
    field = radiometry().uncertainty(
        "B11", 20, cosine=np.array([[1.0, 0.25]], np.float32), mean_reflectance=0.1
    )
    assert isinstance(field.noise_linear, np.ndarray)
    assert field.noise_linear.dtype == np.float32
    assert field.noise_linear[0, 1] == pytest.approx(4.0 * field.noise_linear[0, 0])
    assert np.all(np.diff(field.independent(np.full((1, 2), 0.1, np.float32))) > 0)


def test_negative_reflectance_has_the_noise_of_0() -> None:
    found = ToaUncertainty(noise_constant=1e-6, noise_linear=1e-5)
    assert found.independent(np.float32(-0.01)) == pytest.approx(0.001)


def test_refined_geometry_halves_the_error_of_the_position() -> None:
    plain = radiometry()
    errors = [
        each.uncertainty("B02", 10, cosine=1.0, mean_reflectance=0.1).geolocation
        for each in (plain, replace(plain, refined=True))
    ]
    assert errors == [3.0, 1.5]
