"""Blue path radiance: which factor is applied, and to which bands."""

from __future__ import annotations

import pytest

from sen2cor.atmosphere.aerosol.path_radiance_scaling import (
    choose_path_factor,
    path_factors_by_band,
)
from sen2cor.atmosphere.parameters import PathRadianceParameters


@pytest.mark.parametrize(
    ("raw", "limiter", "disabler", "applied"),
    [
        (1.3, False, False, 1.3),
        (1.3, True, False, 1.1),
        (0.7, True, False, 0.9),
        (0.7, False, False, 0.7),
        (1.3, False, True, 1.0),
        (1.3, True, True, 1.0),
        (1.029, False, False, 1.0),
        (0.971, False, False, 1.0),
        (1.031, False, False, 1.031),
    ],
)
def test_limiter_and_disabler(raw: float, limiter: bool, disabler: bool, applied: float) -> None:
    parameters = PathRadianceParameters(limit=limiter, rescale=not disabler)
    assert choose_path_factor(raw, min(raw, 1.02), parameters)[0] == pytest.approx(applied)


def test_bounds_of_the_limiter_are_those_of_the_parameters() -> None:
    parameters = PathRadianceParameters(rescale=True, limit=True, min_factor=0.8, max_factor=1.2)
    assert choose_path_factor(1.5, 1.4, parameters)[0] == pytest.approx(1.2)
    assert choose_path_factor(0.5, 0.4, parameters)[0] == pytest.approx(0.8)


def test_blue_vegetation_is_no_aerosol() -> None:
    assert choose_path_factor(1.06, 0.98, PathRadianceParameters())[0] == 1.0


def test_what_happens_is_said() -> None:
    _, limited = choose_path_factor(1.3, 1.2, PathRadianceParameters(rescale=True, limit=True))
    _, disabled = choose_path_factor(1.3, 1.2, PathRadianceParameters(rescale=False))
    assert "1.300 limited to 1.100" in limited
    assert "disabled by configuration" in disabled


def test_factor_is_a_line_over_wavelength() -> None:
    factors = path_factors_by_band(1.1)
    assert set(factors) == {"B01", "B02", "B03"}
    assert factors["B02"] == pytest.approx(1.1)
    assert factors["B03"] == pytest.approx(1.06)
    assert factors["B01"] == pytest.approx(1.0 + 0.1 * (0.665 - 0.443) / (0.665 - 0.49))
    assert path_factors_by_band(1.0) == {}
