"""Optical properties of the aerosols."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid

from sen2cor.errors import UsageError
from sen2cor.radiative_transfer import aerosol
from sen2cor.radiative_transfer.log_normal import LOG_NORMAL_MIXTURES, properties


@pytest.mark.parametrize("asymmetry", [0.0, 0.4, 0.75])
def test_phase_function_has_a_mean_of_1_and_its_asymmetry(asymmetry: float) -> None:
    cosine, weight = np.polynomial.legendre.leggauss(200)
    phase = aerosol.henyey_greenstein(np.degrees(np.arccos(cosine)), np.array(asymmetry))
    assert 0.5 * weight @ phase == pytest.approx(1.0)
    assert 0.5 * weight @ (phase * cosine) == pytest.approx(asymmetry)


def test_angles_are_those_of_6sv() -> None:
    angles = aerosol.scattering_angles()
    assert angles.size == 83
    assert angles[[0, 41, 82]] == pytest.approx([180.0, 90.0, 0.0])
    assert angles[1] == pytest.approx(178.29, abs=0.005)


@pytest.mark.usefixtures("built_lowtran")
@pytest.mark.parametrize(
    ("name", "expected", "tolerance"),
    [
        ("rural", [1.32, 1.17, 0.817, 0.756, 0.723, 0.684, 0.608, 0.307, 0.230, 0.140], 0.012),
        ("maritime", [1.143, 1.077, 0.914, 0.885, 0.868, 0.847, 0.806, 0.619, 0.556, 0.437], 0.03),
    ],
)
def test_extinction_is_that_of_the_reference(
    name: str, expected: list[float], tolerance: float
) -> None:
    bands = [0.560, 0.443, 0.492, 0.665, 0.705, 0.740, 0.783, 0.865, 1.373, 1.61, 2.20]
    optics = aerosol.aerosol_optics(name, np.array(bands))
    assert optics.extinction[1:] / optics.extinction[0] == pytest.approx(expected, rel=tolerance)


@pytest.mark.usefixtures("built_lowtran")
@pytest.mark.parametrize("name", list(aerosol.MIXTURES))
def test_tabulated_properties_are_linear_in_wavelength(name: str) -> None:
    thirds = np.linspace(0.6943, 1.06, 4)
    optics = aerosol.aerosol_optics(name, thirds)
    assert np.diff(optics.extinction, 2) == pytest.approx(0.0, abs=1e-6)
    kink = aerosol.aerosol_optics(name, np.array([0.54, 0.55, 0.56]))
    assert kink.extinction[1] == pytest.approx(1.0)


@pytest.mark.usefixtures("built_lowtran")
def test_maritime_is_coarser_and_absorbs_less() -> None:
    rural, maritime = (aerosol.aerosol_optics(name) for name in ("rural", "maritime"))
    assert np.all((rural.albedo > 0.8) & (rural.albedo < 0.97))
    assert np.all(maritime.albedo > rural.albedo)
    assert np.all(np.diff(maritime.extinction) < 0)
    assert maritime.extinction[-2] > 2 * rural.extinction[-2]


@pytest.mark.usefixtures("built_lowtran")
def test_file_for_6sv_has_its_layout() -> None:
    lines = aerosol.mie_file(aerosol.aerosol_optics("rural")).splitlines()
    assert len(lines) == 26 + 3 * 83
    assert {len(line) for line in lines[26:]} == {8 + 20 * 11}
    assert float(lines[26].split()[0]) == 180.0
    assert set(lines[-1].split()[1:]) == {"0.0000E+00"}


@pytest.mark.usefixtures("built_lowtran")
def test_urban_aerosol_absorbs_and_desert_dust_is_coarse() -> None:
    rural, urban, desert = (aerosol.aerosol_optics(name) for name in ("rural", "urban", "desert"))
    assert np.all(urban.albedo < 0.8)
    assert np.all(desert.extinction[8:] > rural.extinction[8:])
    assert np.all((desert.albedo > 0.9) & (desert.albedo < 1.0))
    for optics in (rural, urban, desert):
        assert optics.extinction[list(optics.wavelength).index(0.55)] == pytest.approx(1.0)


@pytest.mark.usefixtures("installed_sixs")
def test_mixture_of_modes_is_computed_by_6sv() -> None:
    optics = aerosol.aerosol_optics("rural_mie")
    at_550_nm = list(optics.wavelength).index(0.55)
    assert optics.extinction[at_550_nm] == pytest.approx(1.0)
    assert optics.albedo[at_550_nm] == pytest.approx(0.976, abs=0.004)
    assert np.all(np.diff(optics.extinction) < 0)
    lines = aerosol.properties_file("rural_mie").splitlines()
    assert float(lines[26].split()[0]) == 180.0
    phase = np.array([line.split() for line in lines[26:109]], np.float64)[:, 1:]
    angle = aerosol.scattering_angles()
    sphere = 0.5 * trapezoid(phase[:, at_550_nm], np.cos(np.radians(angle)))
    assert sphere == pytest.approx(1.0, abs=0.01)
    assert properties.__wrapped__("rural_mie").splitlines() == lines


def test_refractive_index_is_mixed_by_volume() -> None:
    mixture = LOG_NORMAL_MIXTURES["rural_mie"]
    dry = replace(mixture, growth=1.0).refractive_index()
    wet = replace(mixture, growth=1e3).refractive_index()
    grown = mixture.refractive_index()
    assert dry[7] == pytest.approx(1.53 + 0.0066j)
    assert wet[7] == pytest.approx(1.333, abs=1e-5)
    assert np.all((grown.real - wet.real) / (dry.real - wet.real) > 0.55)


@pytest.mark.parametrize("name", aerosol.AEROSOLS)
def test_aerosols_are_described(name: str) -> None:
    assert "phase function" in aerosol.aerosol_description(name)


def test_unknown_aerosol_is_named() -> None:
    with pytest.raises(UsageError, match="volcanic"):
        aerosol.aerosol_optics("volcanic")
