"""The scenes of known aerosol, and their forward model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from sen2cor.atmosphere.look_up_tables.atm_files import (
    AZIMUTH,
    ELEVATION,
    SOLAR_ZENITH,
)
from sen2cor.simulation.sensor import noise_level
from tests.validation.aerosol import Task
from tests.validation.aerosol_report import Result, coverage, statistics
from tests.validation.aerosol_scenes import KINDS, VEGETATED, State, add_noise, build_scene, design
from tests.validation.atm_forward_model import Air, ForwardModel, optical_thickness, own_table
from tests.validation.atm_reference import AtmFile, original
from tests.validation.surface_mosaics import BANDS, Pools, clear_water, draw_mosaic

STATE = State(
    number=0,
    kind="forest",
    visibility=15.0,
    solar_zenith=50.0,
    view_zenith=5.0,
    relative_azimuth=60.0,
    water_vapour=1.0,
    aerosol="RURAL",
    elevation=0.0,
)

SMALL = 64


@pytest.fixture(scope="module")
def file(reference_data: Path) -> AtmFile:
    return AtmFile.of_path(reference_data / "esa_lut/S2A/20_60/h99000_wv10_rura.atm")


@pytest.fixture(scope="module")
def pools(reference_data: Path) -> Pools:
    return Pools.load(reference_data)


@pytest.mark.parametrize("band", ["B01", "B04", "B8A", "B11", "B12"])
@pytest.mark.parametrize(("level", "visibility", "sun"), [(0, 0, 1), (0, 4, 5), (1, 7, 6)])
def test_the_forward_model_reproduces_the_cells(
    file: AtmFile, band: str, level: int, visibility: int, sun: int
) -> None:
    aot = optical_thickness("RURAL", float(ELEVATION[level]))[visibility]
    nadir = Air(float(aot), float(ELEVATION[level]), float(SOLAR_ZENITH[sun]), 0.0, 0.0)
    model = ForwardModel(file)
    cell = file.bands[band][level, visibility, sun]
    cosine = np.cos(np.radians(SOLAR_ZENITH[sun]))
    to_reflectance = 10.0 / (model.irradiance[band] * cosine)
    terms = model.terms(band, nadir)
    assert terms.path == pytest.approx(np.pi * cell[0] * to_reflectance, rel=1e-5)
    assert terms.two_way == pytest.approx((cell[2] * cosine + cell[1]) * to_reflectance, rel=1e-5)
    assert terms.direct_fraction == pytest.approx(cell[3] / (cell[3] + cell[4]), rel=1e-5)
    assert terms.albedo == pytest.approx(cell[5], abs=1e-6)
    for radiance, azimuth in zip(cell[10:17], AZIMUTH, strict=True):
        slanted = replace(nadir, view_zenith=10.0, relative_azimuth=float(azimuth))
        found = model.terms(band, slanted).path
        assert found == pytest.approx(np.pi * radiance * to_reflectance, rel=1e-5)


@pytest.mark.parametrize("band", ["B02", "B04", "B8A"])
def test_the_forward_model_agrees_with_the_functions_of_the_validation(
    file: AtmFile, band: str
) -> None:
    reflectance = 0.2
    expected = original(band, file, own_table("RURAL")).toa(reflectance)
    aot = optical_thickness("RURAL", 0.0)
    for visibility, sun in ((2, 2), (6, 5)):
        air = Air(float(aot[visibility]), 0.0, float(SOLAR_ZENITH[sun]), 0.0, 0.0)
        surface = np.array(reflectance)
        found = ForwardModel(file).terms(band, air).toa(surface, surface)
        assert found == pytest.approx(expected[0, visibility, sun], abs=1e-5)


@pytest.mark.parametrize("band", ["B04", "B8A", "B12"])
def test_without_aerosol_the_files_approach_the_molecular_atmosphere(
    file: AtmFile, band: str
) -> None:
    air = Air(0.0, 0.0, 50.0, 0.0, 0.0)
    terms = ForwardModel(file).terms(band, air)
    molecules = own_table("RURAL").scattering(
        band, aot550=0.0, elevation=0.0, solar_zenith=50.0, view_zenith=0.0, relative_azimuth=0.0
    )
    assert terms.path == pytest.approx(float(molecules.rayleigh_reflectance), abs=0.001)
    assert terms.albedo == pytest.approx(float(molecules.spherical_albedo), abs=0.003)


@pytest.mark.parametrize(("band", "limit"), [("B02", 0.005), ("B8A", 0.01)])
def test_splines_through_the_other_visibilities_find_the_left_out_one(
    file: AtmFile, band: str, limit: float
) -> None:
    model, aot = ForwardModel(file), optical_thickness("RURAL", 0.0)
    path = [model.terms(band, Air(float(value), 0.0, 30.0, 0.0, 0.0)).path for value in aot]
    for left_out in (3, 4, 5):
        spline = CubicSpline(np.delete(aot, left_out)[::-1], np.delete(path, left_out)[::-1])
        assert spline(aot[left_out]) == pytest.approx(path[left_out], rel=limit)


def test_states_beyond_the_files_are_errors(file: AtmFile) -> None:
    for change in ({"elevation": 0.2}, {"solar_zenith": 75.0}, {"view_zenith": 11.0}):
        air = replace(Air(0.2, 0.0, 30.0, 0.0, 0.0), **change)
        with pytest.raises(ValueError, match="not covered"):
            ForwardModel(file).terms("B04", air)


def test_the_surroundings_reach_the_sensor_by_diffuse_transmittance(file: AtmFile) -> None:
    terms = ForwardModel(file).terms("B04", Air(0.4, 0.0, 30.0, 0.0, 0.0))
    dark, bright = np.array(0.05), np.array(0.4)
    uniform, below_bright = terms.toa(dark, dark), terms.toa(dark, bright)
    assert 0.01 < below_bright - uniform < terms.toa(bright, bright) - uniform


def test_the_design_is_complete_and_depends_on_the_seed() -> None:
    states = list(design(1))
    assert len(states) == 18 * len(KINDS) == 252
    assert len({(s.kind, s.visibility, s.solar_zenith) for s in states}) == 252
    assert states == list(design(1))
    assert states != list(design(2))
    assert {s.aerosol for s in states} == {"RURAL", "MARITIME"}
    for fractions in KINDS.values():
        assert sum(fractions.values()) == pytest.approx(1.0)


def test_clear_water_is_blue_and_black_in_the_infrared() -> None:
    blue = dict(zip(BANDS, clear_water(0.1, 0.01, 0.0003), strict=True))
    green = dict(zip(BANDS, clear_water(5.0, 0.3, 0.01), strict=True))
    assert blue["B01"] > 2.0 * blue["B03"] > 8.0 * blue["B04"]
    assert green["B03"] > green["B02"] > green["B01"]
    assert max(blue["B8A"], green["B8A"]) < 0.002


def test_mosaics_have_the_fractions_and_ratios_of_their_covers(pools: Pools) -> None:
    random = np.random.default_rng(3)
    coast = draw_mosaic(pools, KINDS["coast, forest"], 90, random)
    assert coast.water.mean() == pytest.approx(0.4, abs=0.08)
    ratios = []
    for _ in range(8):
        forest = draw_mosaic(pools, KINDS["forest"], 60, random).reflectance
        ratios.append(np.median(forest["B04"] / forest["B12"]))
        assert np.median(forest["B8A"]) > 5.0 * np.median(forest["B04"])
    assert np.mean(ratios) == pytest.approx(0.48, abs=0.06)
    assert all(int(name[-2:]) % 2 for name in pools.library)


def test_a_scene_depends_on_seed_and_number(pools: Pools, reference_data: Path) -> None:
    first, second, third = (
        build_scene(replace(STATE, number=number), pools, reference_data, 1, size=SMALL).scene.toa(
            "B04"
        )
        for number in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert np.any(first != third)


def test_noise_is_smaller_where_more_pixels_are_averaged() -> None:
    flat = np.full((200, 200), 0.1)
    random = np.random.default_rng(0)
    sigma = {band: add_noise(band, flat, 30.0, random).std() for band in ("B01", "B04", "B8A")}
    native = {
        band: noise_level(band, np.float32(flat[:1, :1]), "S2A", 30.0)[0, 0] for band in sigma
    }
    for band, pixels in (("B01", 1), ("B04", 6), ("B8A", 3)):
        assert sigma[band] == pytest.approx(np.hypot(native[band] / pixels, 1e-4), rel=0.02)


def test_physical_scenes_let_more_light_through_saturated_lines(
    pools: Pools, reference_data: Path
) -> None:
    files, physical = (
        build_scene(STATE, pools, reference_data, 1, physical=p, size=SMALL) for p in (False, True)
    )
    change = {
        band: float(np.median(physical.scene.toa(band) / files.scene.toa(band))) for band in BANDS
    }
    assert 1.15 < change["B09"] < 1.4
    assert 1.01 < change["B12"] < 1.05
    assert change["B8A"] == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize("tables", ["6s", "atm"])
def test_aerosol_of_dark_vegetation_is_retrieved(reference_data: Path, tables: str) -> None:
    task = Task(reference_data, 1, ("ddv",), tables, size=SMALL)
    clear, hazy = (task.run(replace(STATE, visibility=v))[0] for v in (120.0, 15.0))
    assert clear.accurate
    assert hazy.truth - clear.truth == pytest.approx(hazy.found - clear.found, abs=0.1)
    assert min(hazy.within[band] for band in ("B8A", "B11", "B12")) > 80.0


def test_statistics_and_coverage() -> None:
    results = [
        Result(STATE, "ddv", kind in VEGETATED, 0.2, 0.2 + error, 0.0, sigma, "", (1.0, 1.0), {},
               {}, 0.1)
        for kind, error, sigma in (("forest", 0.04, 0.05), ("soil", -0.06, 0.04),
                                   ("soil", 0.08, None))
    ]  # fmt: skip
    found = statistics(results)
    assert found["number"] == 3
    assert found["bias"] == pytest.approx(0.02)
    assert found["rms"] == pytest.approx(np.sqrt((0.0016 + 0.0036 + 0.0064) / 3.0))
    assert [result.accurate for result in results] == [True, True, False]
    assert coverage(results) == (50.0, 100.0)
    assert coverage(results[2:]) is None
