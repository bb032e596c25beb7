"""The tabulated spectral responses."""

import numpy as np
import pytest

from sen2cor.bands import BAND_NAMES, BANDS
from sen2cor.errors import AuxiliaryDataError
from sen2cor.spectral_responses import SPACECRAFT, spectral_response


@pytest.mark.parametrize("spacecraft", SPACECRAFT)
@pytest.mark.parametrize("band", BAND_NAMES)
def test_every_band_is_tabulated_at_1_nm(spacecraft: str, band: str) -> None:
    wavelength, response = spectral_response(spacecraft, band)
    assert np.array_equal(np.diff(wavelength), np.ones(wavelength.size - 1))
    assert response[0] > 0 and response[-1] > 0
    assert response.min() >= 0 and 0.95 <= response.max() <= 1.0


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
def test_response_is_centred_at_the_nominal_wavelength(band) -> None:
    wavelength, response = spectral_response("S2A", band.name)
    centre = np.average(wavelength, weights=response)
    assert centre == pytest.approx(1e3 * band.wavelength, abs=13)


def test_gap_in_the_support_is_zero() -> None:
    wavelength, response = spectral_response("S2A", "B08")
    assert (wavelength[0], wavelength[-1]) == (760, 907)
    assert np.count_nonzero(response) == 137


def test_unknown_spacecraft_and_band_are_named() -> None:
    with pytest.raises(AuxiliaryDataError, match="S2X"):
        spectral_response("S2X", "B02")
    with pytest.raises(AuxiliaryDataError, match="B99"):
        spectral_response("S2A", "B99")
