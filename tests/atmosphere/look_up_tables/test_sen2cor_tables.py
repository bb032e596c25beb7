"""The original's look-up tables: layout, physics, and what is said where they are not there."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import brentq

from sen2cor.atmosphere.look_up_tables.atm_files import (
    AEROSOL,
    AZIMUTH,
    BANDS,
    ELEVATION,
    SOLAR_ZENITH,
    VISIBILITY,
    WATER_FRACTION,
    WATER_VAPOUR,
    derive_irradiance,
    holds_atm_files,
    read_cells,
)
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import (
    Sen2CorLookUpTable,
    load_atm_files,
)
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from sen2cor.bands import BAND_NAMES
from sen2cor.errors import AuxiliaryDataError
from sen2cor.pipeline.run.table_selection import load_tables
from sen2cor.settings import Settings
from tests.atmosphere.look_up_tables.atm_writer import cells, irradiance, write_files

STATE = {
    "aot550": 0.2,
    "elevation": 0.5,
    "solar_zenith": 30.0,
    "view_zenith": 0.0,
    "relative_azimuth": 0.0,
    "water_vapour": 0.4,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("lib"))


@pytest.fixture
def table(folder: Path) -> Sen2CorLookUpTable:
    return load_atm_files(folder, "S2A", "RURAL", "WINTER")


@pytest.fixture(scope="module")
def original(reference_data: Path) -> Path:
    found = reference_data / "esa_lut"
    if not holds_atm_files(found / "S2A"):
        pytest.skip(f"no original look-up tables in {found}")
    return found


def model(
    table: Sen2CorLookUpTable,
    band: str,
    water_share: np.ndarray,
    view_zenith: float = 0.0,
    relative_azimuth: float = 0.0,
) -> SimpleNamespace:
    """Terms of the interface's equation at all nodes (elevation, water, visibility, zenith)."""
    elevation = ELEVATION[:, None, None, None]
    column = WATER_VAPOUR[table.season][:, None, None] * water_share[:, None, None, None]
    secant = 1.0 / np.cos(np.radians(SOLAR_ZENITH))
    found = table.scattering(
        band,
        aot550=table.aot_from_visibility(VISIBILITY[:, None], elevation),
        elevation=elevation,
        solar_zenith=SOLAR_ZENITH,
        view_zenith=view_zenith,
        relative_azimuth=relative_azimuth,
        water_vapour=column,
    )
    gas = table.gas(
        band,
        water_vapour=column,
        ozone=table.ozone,
        elevation=elevation,
        air_mass=secant + 1.0 / np.cos(np.radians(view_zenith)),
    )
    molecules = found.rayleigh_reflectance
    constant = gas.ozone * gas.other
    down = found.transmittance_down_direct + found.transmittance_down_diffuse
    up = found.transmittance_up_direct + found.transmittance_up_diffuse
    return SimpleNamespace(
        path=constant * (molecules + (found.path_reflectance - molecules) * gas.water_half),
        transmittance=constant * gas.water * down * up,
        albedo=found.spherical_albedo,
        scattering=found,
    )


def in_reflectance(values: np.ndarray, sun: float) -> SimpleNamespace:
    """The file's radiance equation, divided by the irradiance on the ground's horizontal."""
    cosine = np.cos(np.radians(SOLAR_ZENITH.astype(float)))
    flux = values[..., 2] * cosine + values[..., 1]
    return SimpleNamespace(
        path=10.0 * np.pi * values[..., 0] / (sun * cosine),
        slanted=10.0 * np.pi * values[..., 10:17] / (sun * cosine)[:, None],
        transmittance=10.0 * flux / (sun * cosine),
        albedo=values[..., 5],
    )


def by_node(band: str, season: str) -> np.ndarray:
    files = [cells(band, float(water), season) for water in WATER_VAPOUR[season]]
    return np.stack(files).transpose(3, 0, 1, 2, 4)


@pytest.mark.parametrize("band", [band for band in BAND_NAMES if band != "B10"])
def test_nodes_give_the_radiance_equation_of_the_file(table: Sen2CorLookUpTable, band: str) -> None:
    found = model(table, band, WATER_FRACTION["WINTER"])
    expected = in_reflectance(by_node(band, "WINTER"), irradiance(band))
    assert found.path == pytest.approx(expected.path, abs=1e-6)
    assert found.transmittance == pytest.approx(expected.transmittance, rel=1e-5)
    assert found.albedo == pytest.approx(expected.albedo, abs=1e-6)


def test_direct_and_diffuse_keep_their_fractions(table: Sen2CorLookUpTable) -> None:
    found = model(table, "B04", WATER_FRACTION["WINTER"]).scattering
    values = by_node("B04", "WINTER")
    cosine = np.cos(np.radians(SOLAR_ZENITH))
    assert found.transmittance_up_diffuse / found.transmittance_up_direct == pytest.approx(
        values[..., 4] / values[..., 3], rel=1e-4
    )
    assert found.transmittance_down_diffuse / found.transmittance_down_direct == pytest.approx(
        values[..., 1] / (values[..., 2] * cosine), rel=1e-4
    )


@pytest.mark.parametrize("column", range(7))
def test_relative_azimuth_0_is_backscatter(table: Sen2CorLookUpTable, column: int) -> None:
    found = model(table, "B02", WATER_FRACTION["WINTER"], 10.0, float(AZIMUTH[column]))
    expected = in_reflectance(by_node("B02", "WINTER"), irradiance("B02"))
    assert found.path == pytest.approx(expected.slanted[..., column], abs=1e-6)


def test_views_between_the_nadir_and_10_degrees_lie_between_theirs(
    table: Sen2CorLookUpTable,
) -> None:
    paths = [model(table, "B02", WATER_FRACTION["WINTER"], view).path for view in (0.0, 5.0, 10.0)]
    assert np.all(paths[0] < paths[1])
    assert np.all(paths[1] < paths[2])


def test_the_sun_of_the_files_does_not_matter(tmp_path: Path, table: Sen2CorLookUpTable) -> None:
    brighter = load_atm_files(write_files(tmp_path, sun=1.1), "S2A", "RURAL", "WINTER")
    for band in ("B01", "B08", "B12"):
        ours, theirs = (
            model(each, band, WATER_FRACTION["WINTER"], 10.0, 60.0) for each in (table, brighter)
        )
        assert theirs.path == pytest.approx(ours.path, abs=1e-7)
        assert theirs.transmittance == pytest.approx(ours.transmittance, rel=1e-5)


def test_water_is_the_column_above_the_pixel(table: Sen2CorLookUpTable) -> None:
    """At 2 km the file of 0.8 cm stands for the share of it that is above."""
    state = STATE | {"elevation": 2.0}
    above = 0.8 * float(WATER_FRACTION["WINTER"][4])
    found = table.scattering("B04", **(state | {"water_vapour": above}))
    nodes = by_node("B04", "WINTER")[4, 2, :, 3, 5]
    visibility = float(table.visibility_from_aot(0.2, 2.0))
    expected = np.interp(-1.0 / visibility, -1.0 / VISIBILITY, nodes)
    assert float(found.spherical_albedo) == pytest.approx(expected, abs=1e-5)


def test_interpolation_is_linear_in_optical_thickness_and_root_of_water(
    table: Sen2CorLookUpTable,
) -> None:
    def albedo(aot: float, water: float) -> float:
        state = STATE | {"aot550": aot, "elevation": 0.0, "water_vapour": water}
        return float(table.scattering("B04", **state).spherical_albedo)

    hazy, clear = (float(table.aot_from_visibility(value, 0.0)) for value in (10.0, 15.0))
    assert albedo(0.5 * (hazy + clear), 0.4) == pytest.approx(
        0.5 * (albedo(hazy, 0.4) + albedo(clear, 0.4)), abs=1e-6
    )
    middle = (0.5 * (np.sqrt(0.4) + np.sqrt(0.8))) ** 2
    assert albedo(0.2, middle) == pytest.approx(
        0.5 * (albedo(0.2, 0.4) + albedo(0.2, 0.8)), abs=1e-6
    )


@pytest.mark.parametrize("band", ["B01", "B04", "B09", "B12"])
def test_between_the_clearest_files_and_no_aerosol_the_terms_are_linear(
    table: Sen2CorLookUpTable, band: str, caplog: pytest.LogCaptureFixture
) -> None:
    end = float(table.aot_from_visibility(120.0, 0.5))
    state = STATE | {"view_zenith": 5.0, "aot550": end * np.array([0.0, 0.5, 1.0])}
    found = table.scattering(band, **state)
    assert found.path_reflectance[0] == found.rayleigh_reflectance[0]
    for values in (
        found.path_reflectance,
        np.log(found.transmittance_down_direct),
        np.log(found.transmittance_down),
        np.log(found.transmittance_up_direct),
        np.log(found.transmittance_up),
        found.spherical_albedo,
    ):
        assert values[1] == pytest.approx(0.5 * (values[0] + values[2]), abs=1e-6)
    assert not caplog.records


def test_air_without_aerosol_scatters_as_the_molecules(table: Sen2CorLookUpTable) -> None:
    state = STATE | {"aot550": np.zeros(2), "solar_zenith": np.array([0.0, 55.0])}
    found = table.scattering("B02", **state)
    molecules = load_table("S2A", "RURAL", "WINTER").scattering("B02", **state)
    for ours, theirs in (
        (found.path_reflectance, molecules.path_reflectance),
        (found.spherical_albedo, molecules.spherical_albedo),
        (
            found.transmittance_down_direct / found.transmittance_down,
            molecules.transmittance_down_direct / molecules.transmittance_down,
        ),
        (
            found.transmittance_up_direct / found.transmittance_up,
            molecules.transmittance_up_direct / molecules.transmittance_up,
        ),
    ):
        # the table is linear between the nodes of solar zenith, 10 degrees apart
        np.testing.assert_allclose(ours, theirs, rtol=0.01)


def test_water_need_not_be_given(table: Sen2CorLookUpTable) -> None:
    state = {name: value for name, value in STATE.items() if name != "water_vapour"}
    share = float(WATER_FRACTION["WINTER"][1])
    assert table.scattering("B09", **state).spherical_albedo == pytest.approx(
        float(table.scattering("B09", **state, water_vapour=0.8 * share).spherical_albedo)
    )


@pytest.mark.parametrize(
    ("argument", "value", "says"),
    [
        ("elevation", 2.6, "elevation"),
        ("solar_zenith", 71.0, "solar zenith"),
        ("view_zenith", 11.0, "view zenith"),
        ("water_vapour", 1.2, "water vapour"),
        ("aot550", 1.5, "AOT550"),
    ],
)
def test_beyond_an_axis_its_end_is_used_with_one_warning(
    table: Sen2CorLookUpTable,
    caplog: pytest.LogCaptureFixture,
    argument: str,
    value: float,
    says: str,
) -> None:
    with caplog.at_level(logging.WARNING):
        beyond, farther = (
            table.scattering("B04", **(STATE | {argument: each})) for each in (value, 1.05 * value)
        )
    messages = [record.message for record in caplog.records if says in record.message]
    assert messages
    assert len(messages) == len(set(messages))
    assert float(beyond.spherical_albedo) == pytest.approx(float(farther.spherical_albedo))


def test_arrays_and_single_points_agree(table: Sen2CorLookUpTable) -> None:
    aot, water = np.meshgrid([0.1, 0.2, 0.4], [0.3, 0.6])
    many = table.scattering("B8A", **(STATE | {"aot550": aot, "water_vapour": water}))
    assert many.path_reflectance.shape == (2, 3)
    assert many.path_reflectance.dtype == np.float32
    one = table.scattering("B8A", **(STATE | {"aot550": 0.4, "water_vapour": 0.6}))
    assert many.path_reflectance[1, 2] == pytest.approx(float(one.path_reflectance), rel=1e-5)


def test_missing_files_are_named(tmp_path: Path) -> None:
    write_files(tmp_path)
    (tmp_path / "20_60" / "w99000_wv08_rura.atm").unlink()
    with pytest.raises(AuxiliaryDataError, match=r"20_60/w99000_wv08_rura\.atm") as caught:
        load_atm_files(tmp_path, "S2A", "RURAL", "WINTER")
    assert caught.value.exit_code == 5
    assert "wv04" not in str(caught.value)


@pytest.mark.parametrize(
    ("aerosol", "season", "ozone", "name"),
    [
        ("MARITIME", "WINTER", None, "w99000_wv02_mari.atm"),
        ("RURAL", "SUMMER", None, "h99000_wv04_rura.atm"),
        ("RURAL", "WINTER", 321.0, "v99000_wv02_rura.atm"),
        ("RURAL", "SUMMER", 460.0, "k99000_wv04_rura.atm"),
    ],
)
def test_atmosphere_and_ozone_choose_the_files(
    folder: Path, aerosol: str, season: str, ozone: float | None, name: str
) -> None:
    with pytest.raises(AuxiliaryDataError, match=name):
        load_atm_files(folder, "S2A", aerosol, season, ozone=ozone)


def test_aerosols_that_the_original_does_not_know(folder: Path) -> None:
    with pytest.raises(AuxiliaryDataError, match="no aerosol DESERT, only RURAL, MARITIME"):
        load_atm_files(folder, "S2A", "desert", "WINTER")


def test_broken_files_are_named(tmp_path: Path) -> None:
    write_files(tmp_path)
    path = tmp_path / "10" / "w99000_wv08_rura.atm"
    content = path.read_bytes()
    path.write_bytes(content[:-2])
    with pytest.raises(AuxiliaryDataError, match=r"wv08_rura\.atm has 106494 bytes"):
        load_atm_files(tmp_path, "S2A", "RURAL", "WINTER")
    path.write_bytes(np.frombuffer(content, ">f4").astype("<f4").tobytes())
    with pytest.raises(AuxiliaryDataError, match=r"wv08_rura\.atm is damaged"):
        load_atm_files(tmp_path, "S2A", "RURAL", "WINTER")


def settings(home: Path | None, lib_dir: str = "lib") -> Settings:
    plain = Settings()
    return replace(
        plain,
        home=home,
        correction=replace(plain.correction, lib_dir=lib_dir),
        look_up_tables=replace(
            plain.look_up_tables, aerosol_type="RURAL", mid_latitude="WINTER", ozone_content=377.0
        ),
    )


def test_lib_dir_selects_the_files(tmp_path: Path, folder: Path) -> None:
    product = SimpleNamespace(spacecraft="S2A")
    write_files(tmp_path / "lib" / "S2A")

    def chosen(home: Path | None, lib_dir: str = "lib") -> object:
        (table,) = load_tables(product, settings(home, lib_dir))  # type: ignore[arg-type]
        return table

    assert isinstance(chosen(None), SixSLookUpTable)
    assert isinstance(chosen(folder), SixSLookUpTable)
    assert isinstance(chosen(tmp_path), Sen2CorLookUpTable)
    assert isinstance(chosen(None, str(folder)), Sen2CorLookUpTable)
    with pytest.raises(AuxiliaryDataError, match="elsewhere"):
        chosen(tmp_path, "elsewhere")


@pytest.mark.parametrize(
    ("aerosol", "season"), [("RURAL", "SUMMER"), ("MARITIME", "SUMMER"), ("RURAL", "WINTER")]
)
def test_original_files_come_back_at_their_nodes(original: Path, aerosol: str, season: str) -> None:
    table = load_atm_files(original, "S2A", aerosol, season)
    for size, bands in BANDS.items():
        names = [
            f"{table.name[0]}99000_wv{round(10 * float(water)):02d}_{AEROSOL[aerosol]}.atm"
            for water in WATER_VAPOUR[season]
        ]
        files = np.stack([read_cells(original / "S2A" / size / name, size) for name in names])
        for band, values in zip(bands, files.transpose(1, 4, 0, 2, 3, 5), strict=True):
            found = model(table, band, WATER_FRACTION[season])
            expected = in_reflectance(values, derive_irradiance(band, values))
            ours, theirs = (
                each.path + each.transmittance * 0.3 / (1.0 - 0.3 * each.albedo)
                for each in (found, expected)
            )
            assert np.abs(ours - theirs).max() < 2e-6, band
            # the gas of a slanted view is that of the longer path; the files hold the nadir's
            slanted = model(table, band, WATER_FRACTION[season], 10.0, 180.0)
            assert np.abs(slanted.path - expected.slanted[..., -1]).max() < 1e-6, band


@pytest.mark.parametrize(
    ("aerosol", "season"), [("RURAL", "SUMMER"), ("MARITIME", "SUMMER"), ("RURAL", "WINTER")]
)
def test_files_tend_to_the_molecules(original: Path, aerosol: str, season: str) -> None:
    """Two clear nodes, extrapolated to no aerosol, give the node of the molecules."""
    table = load_atm_files(original, "S2A", aerosol, season)
    elevation = np.array([0.0, 1.0, 2.0])[:, np.newaxis, np.newaxis]
    clear, clearest = (table.aot_from_visibility(each, elevation) for each in (80.0, 120.0))
    beyond = (clearest / (clear - clearest))[..., 0]
    water = 0.8 * WATER_FRACTION[season][[0, 2, 4]]
    for band in BANDS["20_60"]:
        if band == "B10":
            continue
        found = table.scattering(
            band,
            aot550=np.concatenate([clear, clearest, np.zeros_like(clear)], 1),
            elevation=elevation,
            solar_zenith=SOLAR_ZENITH[:7],
            view_zenith=0.0,
            relative_azimuth=0.0,
            water_vapour=water[:, np.newaxis, np.newaxis],
        )
        for values, limit in (
            (np.log(found.transmittance_down), 0.005),
            (np.log(found.transmittance_up), 0.005),
            # the albedo of the files includes absorption by water vapour
            (found.spherical_albedo, 0.004 if band != "B09" else 0.008),
            # the files are without polarization
            (found.path_reflectance, 0.0075),
        ):
            steps = np.moveaxis(values, 1, 0)
            extrapolated = steps[1] + beyond * (steps[1] - steps[0])
            assert np.abs(extrapolated - steps[2]).max() < limit, band


def test_clear_blue_path_of_the_original_falls_with_azimuth(original: Path) -> None:
    table = load_atm_files(original, "S2A", "RURAL", "SUMMER")
    path = table.scattering(
        "B01",
        aot550=table.aot_from_visibility(120.0, 0.0),
        elevation=0.0,
        solar_zenith=60.0,
        view_zenith=10.0,
        relative_azimuth=AZIMUTH,
        water_vapour=2.0,
    ).path_reflectance
    assert np.all(np.diff(path) < 0)
    assert path[0] / path[-1] == pytest.approx(4.016 / 3.545, rel=0.01)


@pytest.mark.parametrize(("name", "season"), [("h99000_wv20", "SUMMER"), ("w99000_wv08", "WINTER")])
def test_water_of_the_original_thins_with_elevation_as_its_absorption(
    original: Path, name: str, season: str
) -> None:
    """The column that absorbs like a file's B09 at some height, in ours, is its share above it."""
    own = load_table("S2A", "RURAL", season)
    path = original / "S2A" / "20_60" / f"{name}_rura.atm"
    direct = read_cells(path, "20_60")[BANDS["20_60"].index("B09"), -1, 0, :, 3]

    def column(elevation: float, transmittance: float) -> float:
        molecules = own.scattering(
            "B09",
            aot550=own.aot_from_visibility(120.0, elevation),
            elevation=elevation,
            solar_zenith=0.0,
            view_zenith=0.0,
            relative_azimuth=0.0,
        ).transmittance_up_direct

        def excess(water: float) -> float:
            gas = own.gas("B09", water_vapour=water, ozone=331.0, elevation=elevation, air_mass=1.0)
            return float(molecules * gas.ozone * gas.other * gas.water) - transmittance

        return float(brentq(excess, 1e-3, 8.0))

    columns = [column(float(z), float(t)) for z, t in zip(ELEVATION, direct, strict=True)]
    assert np.array(columns) / columns[0] == pytest.approx(WATER_FRACTION[season], abs=0.01)
