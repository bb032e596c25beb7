from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import median_filter


def _field_with_spot() -> np.ndarray:
    classes = np.full((7, 7), 4, np.uint8)
    classes[3, 3] = 9
    return classes


@pytest.mark.parametrize("window", [0, 1])
def test_small_windows_change_nothing(window: int) -> None:
    classes = _field_with_spot()
    np.testing.assert_array_equal(median_filter(classes, window), classes)


@pytest.mark.parametrize("window", [2, 3, 5])
def test_lone_pixel_goes(window: int) -> None:
    filtered = median_filter(_field_with_spot(), window)
    assert filtered.dtype == np.uint8
    assert (filtered == 4).all()


def test_no_data_stay_and_do_not_spread() -> None:
    classes = np.zeros((8, 8), np.uint8)
    classes[4:] = 5
    classes[0, 0] = 6
    classes[6, 6] = 0
    np.testing.assert_array_equal(median_filter(classes, 5) == 0, classes == 0)
