"""Visibility is increased until dark pixels are no longer negative, and no further."""

from __future__ import annotations

import pytest

from sen2cor.atmosphere.aerosol.negative_reflectance import (
    NegativeFractions,
    find_visibility_factor,
)


def test_nothing_negative_leaves_it() -> None:
    assert find_visibility_factor(lambda factor: NegativeFractions(0.009, 0.009), 0.01) == 1.0


@pytest.mark.parametrize("group", ["vegetation", "water"])
def test_smallest_sufficient_step(group: str) -> None:
    def fractions(factor: float) -> NegativeFractions:
        negative = 0.011 if factor < 1.5 else 0.009
        return NegativeFractions(**{"vegetation": 0.0, "water": 0.0, group: negative})

    factor = find_visibility_factor(fractions, 0.01)
    assert factor is not None
    assert 1.5 <= factor < 1.5 * 1.06


def test_where_nothing_helps_there_is_no_factor() -> None:
    assert find_visibility_factor(lambda factor: NegativeFractions(0.5, 0.0), 0.01) is None
