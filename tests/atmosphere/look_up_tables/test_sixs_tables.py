"""Loading and interpolating the look-up tables that ship with the package."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import netcdf_file

from sen2cor.atmosphere.look_up_tables import sixs_tables
from sen2cor.atmosphere.look_up_tables.sixs_tables import (
    MOLECULAR_VISIBILITY,
    LookUpTable,
    SixSLookUpTable,
    load_table,
)
from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.errors import AuxiliaryDataError

WINDOW_BANDS = tuple(band for band in BAND_NAMES if band not in ("B09", "B10"))
OVERHEAD = {"elevation": 0.0, "solar_zenith": 30.0, "view_zenith": 0.0, "relative_azimuth": 0.0}
TABLE = load_table("S2A", "RURAL", "SUMMER")


@pytest.fixture
def table() -> SixSLookUpTable:
    return load_table("S2A", "RURAL", "SUMMER")


@pytest.mark.parametrize(
    "path", sorted(sixs_tables.TABLES.glob("*.nc")), ids=lambda path: path.stem
)
def test_shipped_files_are_whole_and_say_where_they_come_from(path: Path) -> None:
    sixs_tables._read(path)
    with netcdf_file(path, "r", mmap=False) as stream:
        assert stream.response_source == b"ESA COPE-GSEG-EOPG-TN-15-0007 issue 4.0"
        assert any(code in stream.codes for code in (b"6SV 1.1", b"LOWTRAN7"))
        assert all(variable.units for variable in stream.variables.values())


def test_extinction_of_the_aerosol_by_wavelength_and_band() -> None:
    assert TABLE.extinction(0.55) == pytest.approx(1.0)
    wavelength = np.linspace(0.4, 2.3, 200)
    found = TABLE.extinction(wavelength)
    assert found.dtype == np.float32 and found.shape == wavelength.shape
    assert np.all(np.diff(found) < 0)
    for band in BAND_NAMES:
        at_centre = TABLE.extinction(BAND[band].wavelength)
        assert TABLE.extinction(band) == pytest.approx(float(at_centre), rel=0.04)


def test_extinction_is_that_of_the_direct_transmittance() -> None:
    for band in ("B04", "B8A", "B11"):
        clear, hazy = (
            TABLE.scattering(band, aot550=aot, **{**OVERHEAD, "solar_zenith": 0.0})
            for aot in (0.0, 1.0)
        )
        thickness = -np.log(hazy.transmittance_down_direct / clear.transmittance_down_direct)
        assert TABLE.extinction(band) == pytest.approx(float(thickness), rel=0.01)


def test_angstrom_exponent_is_the_slope_of_a_power_law() -> None:
    exponent = TABLE.angstrom_exponent(0.5, 0.8)
    ratio = TABLE.extinction(0.5) / TABLE.extinction(0.8)
    assert ratio == pytest.approx((0.5 / 0.8) ** -exponent, rel=1e-5)
    assert 1.0 < TABLE.angstrom_exponent() < 1.6


def test_extinction_beyond_the_table_warns(
    table: SixSLookUpTable, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert table.extinction(12.0) == table.extinction(3.75)
    assert "wavelength is outside its range (0.35 .. 3.75 um)" in caplog.text


@pytest.mark.parametrize("band", BAND_NAMES)
def test_transmittances_lie_between_0_and_1_and_fall_with_aerosol(
    table: LookUpTable, band: str
) -> None:
    aot = np.linspace(0.0, 2.0, 41)
    found = table.scattering(band, aot550=aot, **OVERHEAD)
    for name in ("down_direct", "down_diffuse", "up_direct", "up_diffuse"):
        values = getattr(found, f"transmittance_{name}")
        assert values.dtype == np.float32
        assert values.min() >= 0 and values.max() <= 1
    for way in ("down", "up"):
        direct = getattr(found, f"transmittance_{way}_direct")
        total = direct + getattr(found, f"transmittance_{way}_diffuse")
        assert np.all(np.diff(direct) < 0)
        assert np.all(np.diff(total) < 0)
        assert np.all(total <= 1)
    assert np.all(np.diff(found.spherical_albedo) > 0)


@pytest.mark.parametrize("band", BAND_NAMES)
def test_transmittance_falls_with_the_zenith_of_the_sun(table: LookUpTable, band: str) -> None:
    found = table.scattering(
        band, **{**OVERHEAD, "solar_zenith": np.linspace(0.0, 80.0, 81)}, aot550=0.3
    )
    total = found.transmittance_down_direct + found.transmittance_down_diffuse
    assert np.all(np.diff(found.transmittance_down_direct) < 0)
    assert np.all(np.diff(total) < 0)


def test_path_reflectance_falls_with_wavelength_and_height(table: LookUpTable) -> None:
    low = [float(table.scattering(b, aot550=0.1, **OVERHEAD).path_reflectance) for b in BAND_NAMES]
    assert np.all(np.diff(low) < 0)
    high = table.scattering("B01", aot550=0.1, **{**OVERHEAD, "elevation": 3.0})
    assert float(high.path_reflectance) < low[0]


def test_azimuth_0_is_backscatter(table: LookUpTable) -> None:
    azimuth = np.linspace(0.0, 180.0, 19)
    found = table.scattering(
        "B01",
        aot550=0.0,
        elevation=0.0,
        solar_zenith=60.0,
        view_zenith=10.0,
        relative_azimuth=azimuth,
    )
    assert np.all(np.diff(found.rayleigh_reflectance) < 0)
    assert found.rayleigh_reflectance[0] - found.rayleigh_reflectance[-1] > 0.01


def test_azimuth_does_not_matter_at_nadir(table: LookUpTable) -> None:
    found = table.scattering(
        "B02", aot550=0.3, **{**OVERHEAD, "relative_azimuth": np.array([0.0, 77.0, 180.0])}
    )
    assert np.ptp(found.path_reflectance) == 0


def test_without_aerosol_the_path_is_rayleigh(table: LookUpTable) -> None:
    found = table.scattering("B03", aot550=0.0, **OVERHEAD)
    assert found.path_reflectance == found.rayleigh_reflectance
    assert float(table.scattering("B03", aot550=0.5, **OVERHEAD).rayleigh_reflectance) == float(
        found.rayleigh_reflectance
    )


def test_interpolation_is_exact_at_the_nodes(table: LookUpTable) -> None:
    file = sixs_tables._read(sixs_tables.TABLES / "S2A_rural.nc")
    row = BAND_NAMES.index("B04")
    elevation, aot, sun = (file[name] for name in ("elevation", "aot550", "solar_zenith"))
    found = table.scattering(
        "B04",
        aot550=aot[np.newaxis, :, np.newaxis],
        elevation=elevation[:, np.newaxis, np.newaxis],
        solar_zenith=sun,
        view_zenith=0.0,
        relative_azimuth=0.0,
    )
    assert found.path_reflectance.shape == (elevation.size, aot.size, sun.size)
    np.testing.assert_allclose(
        found.path_reflectance, file["path_reflectance"][row, ..., 0], atol=2e-6
    )
    np.testing.assert_allclose(
        found.transmittance_down_direct, file["direct_down"][row], rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        found.spherical_albedo,
        np.broadcast_to(
            file["spherical_albedo"][row][..., np.newaxis], found.spherical_albedo.shape
        ),
        atol=1e-6,
    )


def test_one_point_and_many_give_the_same(table: LookUpTable) -> None:
    state = {"elevation": 0.7, "view_zenith": 6.0, "relative_azimuth": 40.0}
    many = table.scattering(
        "B02",
        aot550=np.array([[0.13], [0.5]]),
        **{**state, "solar_zenith": np.array([31.0, 57.5, 71.0]), "elevation": np.full(3, 0.7)},
    )
    one = table.scattering("B02", aot550=0.5, solar_zenith=57.5, **state)
    assert many.path_reflectance.shape == (2, 3)
    assert many.spherical_albedo.shape == (2, 3)
    for name in vars(one):
        np.testing.assert_allclose(getattr(many, name)[1, 1], getattr(one, name), rtol=1e-5)


def test_beyond_the_axis_its_end_is_used_with_one_warning(
    table: LookUpTable, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        table.scattering("B02", aot550=2.0, **OVERHEAD)
        assert not caplog.records
        beyond = table.scattering("B02", aot550=3.5, **OVERHEAD)
        table.scattering("B03", aot550=4.0, **OVERHEAD)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "AOT550" in caplog.text and "0 .. 2" in caplog.text
    assert (
        beyond.path_reflectance == table.scattering("B02", aot550=2.0, **OVERHEAD).path_reflectance
    )


@pytest.mark.parametrize(
    ("argument", "value"), [("elevation", 9.0), ("solar_zenith", 89.0), ("view_zenith", 20.0)]
)
def test_every_axis_warns(
    table: LookUpTable, caplog: pytest.LogCaptureFixture, argument: str, value: float
) -> None:
    found = table.scattering("B02", aot550=0.1, **{**OVERHEAD, argument: value})
    assert np.isfinite(found.path_reflectance)
    assert argument.replace("_", " ") in caplog.text
    assert len(caplog.records) == 1


def test_nan_stays_nan(table: LookUpTable) -> None:
    found = table.scattering("B02", aot550=np.array([0.1, np.nan]), **OVERHEAD)
    assert np.isfinite(found.path_reflectance[0])
    assert np.isnan(found.path_reflectance[1])
    assert np.isnan(found.transmittance_up_diffuse[1])


def test_ground_below_sea_level_has_more_air_above(table: LookUpTable) -> None:
    dead_sea, coast = (
        table.scattering("B01", aot550=0.1, **{**OVERHEAD, "elevation": height})
        for height in (-0.43, 0.0)
    )
    ratio = dead_sea.rayleigh_reflectance / coast.rayleigh_reflectance
    assert 1.03 < ratio < 1.06


@pytest.mark.parametrize("band", BAND_NAMES)
def test_gas_transmittances_fall(table: LookUpTable, band: str) -> None:
    column = np.linspace(0.0, 7.0, 36)
    found = table.gas(band, water_vapour=column, ozone=331.0, elevation=0.0, air_mass=2.5)
    for values in (found.ozone, found.other, found.water, found.water_half):
        assert values.shape == column.shape and values.dtype == np.float32
        assert values.min() >= 0 and values.max() <= 1.0001
    assert np.all(np.diff(found.water) <= 1e-6)
    assert found.water[0] == pytest.approx(1.0, abs=1e-4)
    assert np.all(found.water_half >= found.water)
    mass = np.linspace(2.0, 12.0, 21)
    slanted = table.gas(band, water_vapour=2.0, ozone=331.0, elevation=0.0, air_mass=mass)
    for values in (slanted.ozone, slanted.other, slanted.water):
        assert np.all(np.diff(values) <= 1e-6)


def test_gas_of_the_absorption_bands(table: LookUpTable) -> None:
    one_way = {"water_vapour": 2.9, "ozone": 331.0, "elevation": 0.0, "air_mass": 1.0}
    assert table.gas("B10", **one_way).water < 0.001
    assert table.gas("B09", **one_way).water == pytest.approx(0.385, abs=0.01)
    assert table.gas("B8A", **one_way).water == pytest.approx(0.997, abs=0.003)
    assert table.gas("B11", **one_way).other < 0.99
    assert table.gas("B03", **one_way).ozone == pytest.approx(0.965, abs=0.006)


def test_half_of_the_column_is_half_of_the_water(table: LookUpTable) -> None:
    state = {"ozone": 331.0, "elevation": 0.0, "air_mass": 2.5}
    whole = table.gas("B09", water_vapour=1.0, **state)
    double = table.gas("B09", water_vapour=2.0, **state)
    assert double.water_half == pytest.approx(whole.water, rel=1e-6)


def test_same_column_absorbs_less_under_less_pressure(table: LookUpTable) -> None:
    state = {"water_vapour": 1.0, "ozone": 331.0, "air_mass": 2.5}
    low, high = (table.gas("B09", elevation=height, **state).water for height in (0.0, 2.0))
    assert 1.05 < high / low < 1.15


@given(st.floats(5.0, MOLECULAR_VISIBILITY), st.floats(0.0, 2.5))
def test_visibility_there_and_back(visibility: float, elevation: float) -> None:
    aot = TABLE.aot_from_visibility(visibility, elevation)
    assert 0.0 <= aot < 1.4
    assert TABLE.visibility_from_aot(aot, elevation) == pytest.approx(visibility, rel=1e-3)


def test_air_without_aerosol_has_the_visibility_of_the_molecules(
    table: LookUpTable, caplog: pytest.LogCaptureFixture
) -> None:
    elevation = np.array([0.0, 0.7, 2.5])
    aot = np.linspace(0.0, 1.0, 101)[:, np.newaxis]
    visibility = table.visibility_from_aot(0.8 * aot, elevation)
    assert visibility[0] == pytest.approx(MOLECULAR_VISIBILITY)
    assert np.all(np.diff(visibility, axis=0) < 0)
    np.testing.assert_allclose(
        table.aot_from_visibility(visibility, elevation), np.tile(0.8 * aot, 3), atol=1e-6
    )
    assert not caplog.records


def test_clear_air_keeps_the_vertical_profile_of_the_aerosol(table: LookUpTable) -> None:
    low, high = (table.aot_from_visibility([120.0, 150.0, 300.0], each) for each in (0.0, 2.0))
    np.testing.assert_allclose(high / low, np.full(3, 0.0578 / 0.0753), rtol=1e-5)
    assert np.all(np.diff(low) < 0)


def test_visibility_of_arrays(table: LookUpTable) -> None:
    visibility = np.array([[5.0, 23.0, 120.0]])
    elevation = np.array([[0.0], [1.0]])
    aot = table.aot_from_visibility(visibility, elevation)
    np.testing.assert_allclose(aot, [[1.3005, 0.3257, 0.0753], [1.1224, 0.2815, 0.0674]], rtol=1e-5)
    back = table.visibility_from_aot(aot, elevation)
    np.testing.assert_allclose(back, np.broadcast_to(visibility, back.shape), rtol=1e-4)


def test_winter_is_clearer_at_the_same_visibility(table: LookUpTable) -> None:
    winter = load_table("S2A", "RURAL", "WINTER")
    assert winter.aot_from_visibility(23.0, 0.0) == pytest.approx(0.2978)
    assert winter.aot_from_visibility(23.0, 1.0) < table.aot_from_visibility(23.0, 1.0)


def test_visibility_out_of_range_warns(
    table: LookUpTable, caplog: pytest.LogCaptureFixture
) -> None:
    found = table.visibility_from_aot(np.array([-0.01, 3.0]), 0.0)
    assert found == pytest.approx([MOLECULAR_VISIBILITY, 5.0])
    assert [record.args[1] for record in caplog.records] == ["AOT550 of visibility"]
    assert table.aot_from_visibility(np.array([500.0, 3.0]), 0.0) == pytest.approx([0.0, 1.3005])
    assert "visibility is outside its range (5 .. 337.5 km)" in caplog.text
    assert len(caplog.records) == 2


def test_missing_table_is_named() -> None:
    with pytest.raises(AuxiliaryDataError, match=r"S2Z_rural\.nc"):
        load_table("S2Z", "RURAL", "SUMMER")


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "flipped"])
def test_broken_table_is_named(tmp_path: Path, damage: str) -> None:
    for name in ("S2A_rural.nc", "S2A_summer.nc"):
        content = bytearray((sixs_tables.TABLES / name).read_bytes())
        if name == "S2A_rural.nc":
            if damage == "truncated":
                content = content[: len(content) // 2]
            elif damage == "empty":
                content = bytearray()
            elif damage == "text":
                content = bytearray(b"<html>not found</html>")
            else:
                content[-1000] ^= 0xFF
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AuxiliaryDataError, match=r"S2A_rural\.nc"):
        load_table("S2A", "RURAL", "SUMMER", folder=tmp_path)


def test_spacecraft_differ_a_little(table: LookUpTable) -> None:
    other = load_table("S2B", "RURAL", "SUMMER")
    for band in WINDOW_BANDS:
        ours, theirs = (
            float(each.scattering(band, aot550=0.2, **OVERHEAD).path_reflectance)
            for each in (table, other)
        )
        assert theirs == pytest.approx(ours, rel=0.03)
