"""Which pixels count as dark vegetation, dark soil and clear water."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.atmosphere.aerosol.dark_reference_pixels import (
    DARK_SOIL,
    WATER,
    ReferencePixels,
    choose_swir_band,
    find_dark_soil_or_water,
)
from sen2cor.atmosphere.parameters import ReferencePixelParameters

PARAMETERS = ReferencePixelParameters()
SHAPE = (10, 20)
ALL, NONE = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)


def reflectance(**values: float) -> dict[str, np.ndarray]:
    return {band: np.full(SHAPE, value, np.float32) for band, value in values.items()}


def found(land: np.ndarray, **values: float) -> ReferencePixels | None:
    return find_dark_soil_or_water(reflectance(**values), land, ~land, ALL.size, PARAMETERS)


@pytest.mark.parametrize(("dark_rows", "band"), [(4, "B12"), (5, "B12"), (6, "B11")])
def test_b11_serves_where_most_of_the_land_has_nothing_in_b12(dark_rows: int, band: str) -> None:
    bands = reflectance(B11=0.1, B12=0.05)
    bands["B12"][:dark_rows] = 0.001
    assert choose_swir_band(bands, ALL, PARAMETERS) == band


@pytest.mark.parametrize(("infrared", "kind"), [(0.07, DARK_SOIL), (0.2, None), (0.04, None)])
def test_soil_is_brighter_in_the_infrared_but_not_green(infrared: float, kind: str | None) -> None:
    pixels = found(ALL, B04=0.05, B8A=infrared, B11=0.08, B12=0.04)
    assert (None if pixels is None else pixels.kind) == kind


@pytest.mark.parametrize(("red", "kind"), [(0.02, WATER), (0.05, None)])
def test_turbid_water_is_no_reference(red: float, kind: str | None) -> None:
    pixels = found(NONE, B04=red, B8A=0.005, B11=0.001, B12=0.001)
    assert (None if pixels is None else pixels.kind) == kind
