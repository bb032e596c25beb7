from __future__ import annotations

import numpy as np

from sen2cor.classification import find_defective, find_no_data


def _numbers(**bands: int) -> dict[str, np.ndarray]:
    return {name: np.array([[number]], np.uint16) for name, number in bands.items()}


def test_edge_where_only_the_10_m_bands_hold_numbers_is_no_data() -> None:
    assert find_no_data(_numbers(B02=1, B03=2, B05=0, B8A=0, B10=0))[0, 0]


def test_zero_in_one_band_and_the_cirrus_band_is_data() -> None:
    assert not find_no_data(_numbers(B02=800, B10=0, B12=0))[0, 0]


def test_no_data_mask_of_the_product_counts() -> None:
    assert find_no_data(_numbers(B02=800, B03=700), np.array([[True]]))[0, 0]


def test_saturated_number_or_mask_is_defective() -> None:
    good, saturated = _numbers(B02=65534, B03=1), _numbers(B02=65535, B03=1)
    assert not find_defective(good)[0, 0]
    assert find_defective(saturated)[0, 0]
    assert find_defective(good, [np.array([[False]]), np.array([[True]])])[0, 0]
