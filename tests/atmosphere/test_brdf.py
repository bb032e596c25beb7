"""The factor for weakly lit slopes: exponents by code, cover and wavelength, and its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.atmosphere.brdf import empirical_brdf, threshold_angle

SUN = 40.0


def factor(
    code: int,
    wavelength: float,
    incidence: float,
    *,
    vegetation: bool,
    zenith: float = SUN,
    lower_bound: float = 0.1,
) -> float:
    brdf = empirical_brdf(code, wavelength, zenith, lower_bound=lower_bound, snow_fraction=0.0)
    assert brdf is not None
    cosine = np.cos(np.radians(incidence)) / np.cos(np.radians(zenith))
    illumination = np.array([[cosine]], np.float32)
    return float(brdf.factor(illumination, np.array([[vegetation]]))[0, 0])


@pytest.mark.parametrize(
    ("code", "other", "vegetation_visible", "vegetation_infrared"),
    [
        (1, 1.0, 1.0, 1.0),
        (2, 0.5, 0.5, 0.5),
        (11, 1.0, 0.75, 1.0 / 3.0),
        (12, 1.0, 0.75, 1.0),
        (21, 0.5, 0.75, 1.0 / 3.0),
        (22, 0.5, 0.75, 1.0),
    ],
)
def test_exponents(
    code: int, other: float, vegetation_visible: float, vegetation_infrared: float
) -> None:
    ratio = np.cos(np.radians(75.0)) / np.cos(np.radians(60.0))
    for wavelength, vegetation, exponent in (
        (0.665, False, other),
        (0.865, False, other),
        (0.705, True, vegetation_visible),
        (0.74, True, vegetation_infrared),
        (2.19, True, vegetation_infrared),
    ):
        found = factor(code, wavelength, 75.0, vegetation=vegetation)
        assert found == pytest.approx(ratio**exponent, rel=1e-5)


def test_code_0_and_snowy_scenes_are_left_alone() -> None:
    assert empirical_brdf(0, 0.5, SUN, lower_bound=0.22, snow_fraction=0.0) is None
    assert empirical_brdf(1, 0.5, SUN, lower_bound=0.22, snow_fraction=0.51) is None
    assert empirical_brdf(1, 0.5, SUN, lower_bound=0.22, snow_fraction=0.49) is not None


@pytest.mark.parametrize(
    ("zenith", "angle"), [(30.0, 50.0), (44.9, 64.9), (45.0, 60.0), (55.0, 70.0), (60.0, 70.0)]
)
def test_threshold(zenith: float, angle: float) -> None:
    assert threshold_angle(zenith) == pytest.approx(angle)
    below, above = (
        factor(1, 0.5, angle + offset, vegetation=False, zenith=zenith) for offset in (-0.5, 0.5)
    )
    assert below == 1.0
    assert 0.95 < above < 1.0


def test_lowest_sun_has_no_slopes_beyond_the_threshold() -> None:
    assert threshold_angle(85.0) == 90.0
    assert factor(1, 0.5, 89.0, vegetation=False, zenith=85.0) == 1.0


@pytest.mark.parametrize("lower_bound", [0.1, 0.22])
def test_lower_bound(lower_bound: float) -> None:
    found = factor(1, 0.5, 90.0, vegetation=False, lower_bound=lower_bound)
    assert found == pytest.approx(lower_bound)


def test_factor_falls_steadily_with_the_light() -> None:
    brdf = empirical_brdf(2, 0.5, SUN, lower_bound=0.22, snow_fraction=0.0)
    assert brdf is not None
    illumination = np.linspace(0.0, 1.5, 500, dtype=np.float32)
    steps = np.diff(brdf.factor(illumination))
    assert (steps >= 0.0).all()
    assert steps.max() < 0.02


def test_cover_is_needed_only_by_codes_of_two_digits() -> None:
    light = np.full((2, 2), 0.1, np.float32)
    for code in (1, 2, 11, 12, 21, 22):
        brdf = empirical_brdf(code, 0.665, SUN, lower_bound=0.22, snow_fraction=0.0)
        assert brdf is not None
        assert brdf.needs_cover == (code > 10)
        if brdf.needs_cover:
            with pytest.raises(ValueError, match="cover"):
                brdf.factor(light)
        else:
            brdf.factor(light)
