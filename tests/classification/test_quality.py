from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import ClassPercentages


def test_no_data_count_among_all_pixels_and_classes_among_the_valid() -> None:
    shares = ClassPercentages.of(np.array([[0, 0, 4, 4], [8, 9, 10, 7]], np.uint8))
    assert shares.percentages[0] == 25
    assert shares.percentages[4] == pytest.approx(100 / 3)
    assert sum(shares.percentages[1:]) == pytest.approx(100)
    assert shares.cloud_coverage == pytest.approx(50)


def test_maps_are_combined_by_their_pixels() -> None:
    small = np.full((1, 1), 4, np.uint8)
    large = np.full((3, 1), 6, np.uint8)
    both = ClassPercentages.combine([ClassPercentages.of(small), ClassPercentages.of(large)])
    assert both.percentages[4] == 25
    assert both.percentages[6] == 75


@pytest.mark.parametrize("shares", [ClassPercentages(), ClassPercentages.combine([])])
def test_nothing_is_zero_percent(shares: ClassPercentages) -> None:
    assert shares.percentages == (0.0,) * 12
    assert shares.cloud_coverage == 0


def test_tile_of_only_no_data_divides_by_nothing() -> None:
    shares = ClassPercentages.of(np.zeros((2, 2), np.uint8))
    assert shares.percentages == (100.0, *(0.0,) * 11)


def test_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="12"):
        ClassPercentages.of(np.array([12], np.uint8))
