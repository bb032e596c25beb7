from __future__ import annotations

import numpy as np

from sen2cor.classification import (
    find_defective,
    find_lost,
    find_no_data,
    find_outside_swath,
)


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


def test_band_without_data_is_lost() -> None:
    whole = {"B02": 900, "B04": 700, "B05": 900, "B09": 40, "B8A": 2500, "B10": 0, "B12": 900}
    assert not find_lost(_numbers(**whole), offset=False)[0, 0]
    for band in ("B02", "B04", "B05", "B09", "B8A", "B12"):
        assert find_lost(_numbers(**whole | {band: 0}), offset=False)[0, 0], band


def test_dark_surface_may_be_black_where_the_air_scatters_little() -> None:
    water = _numbers(B02=700, B04=200, B05=150, B09=0, B8A=0, B10=0, B11=0, B12=0)
    assert not find_lost(water, offset=False)[0, 0]
    assert find_lost(water, offset=True)[0, 0]


def test_remnants_of_lossy_compression_are_outside_the_swath() -> None:
    fine = [np.array([[0, 0], [0, 0]], np.uint16), np.array([[0, 1], [2, 0]], np.uint16)]
    assert find_outside_swath(fine, [np.array([[40]], np.uint16), np.zeros((1, 1), np.uint16)])
    one_bright = [np.array([[41]], np.uint16), np.zeros((1, 1), np.uint16)]
    assert not find_outside_swath(fine, one_bright)


def test_dark_water_and_shadow_are_not_outside_the_swath() -> None:
    """The darkest water holds 100 in red; even a scene of tiny numbers is data if none is 0."""
    water = [np.full((2, 2), number, np.uint16) for number in (300, 200, 100)]
    black = [np.zeros((1, 1), np.uint16)] * 4
    assert not find_outside_swath(water, black)
    tiny = [np.full((2, 2), 12, np.uint16)] * 3
    assert not find_outside_swath(tiny, [np.full((1, 1), 3, np.uint16)] * 4)
