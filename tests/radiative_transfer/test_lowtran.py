"""Gas transmittances from LOWTRAN7."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.bands import BAND_NAMES
from sen2cor.radiative_transfer import lowtran
from sen2cor.radiative_transfer.gas_tables import spectral_weights

pytestmark = pytest.mark.usefixtures("built_lowtran")


def test_columns_of_the_model_atmospheres() -> None:
    assert lowtran.water_column("summer", 0.0) == pytest.approx(2.92, abs=0.01)
    assert lowtran.ozone_column("summer", 0.0) == pytest.approx(332, abs=3)
    assert lowtran.ozone_column("winter", 0.0) == pytest.approx(377, abs=3)
    assert lowtran.water_column("winter", 0.0) == pytest.approx(0.85, abs=0.01)


def test_gas_of_the_bands_one_way() -> None:
    factors = dict.fromkeys([*lowtran.CONSTANT_GASES, "water", "ozone"], 1.0)
    found = spectral_weights("S2A") @ lowtran.gas_transmittance("summer", factors, elevation=0.0)
    expected = {"B02": 0.993, "B03": 0.965, "B04": 0.972, "B05": 0.926, "B06": 0.958}
    expected |= {"B07": 0.986, "B8A": 0.997, "B09": 0.385, "B10": 0.0001, "B11": 0.956}
    for band, value in (expected | {"B12": 0.896}).items():
        assert found[BAND_NAMES.index(band)] == pytest.approx(value, abs=0.004)


def test_profiles_are_restored() -> None:
    first = lowtran.gas_transmittance("summer", {"water": 1.0}, elevation=0.0)
    lowtran.gas_transmittance("summer", {"water": 3.0, "oxygen": 0.5}, elevation=1.0)
    again = lowtran.gas_transmittance("summer", {"water": 1.0}, elevation=0.0)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("gas", ["oxygen", "carbon dioxide"])
def test_gases_of_the_common_profile_are_scaled_too(gas: str) -> None:
    one, two = (
        lowtran.gas_transmittance("winter", {gas: factor}, elevation=0.0) for factor in (1.0, 2.0)
    )
    assert two.min() < one.min() < 0.9


def test_scaled_amounts_and_slant_paths_agree() -> None:
    scaled = lowtran.gas_transmittance("summer", {"methane": 2.0}, elevation=0.0)
    slanted = lowtran.gas_transmittance("summer", {"methane": 1.0}, elevation=0.0, air_mass=2.0)
    assert np.abs(scaled - slanted).max() < 0.005


def test_without_gas_all_passes() -> None:
    assert np.all(lowtran.gas_transmittance("summer", {}, elevation=0.0) == 1.0)
