"""Elevation per pixel: terms interpolated between levels are those at the pixel itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sen2cor.atmosphere.atmospheric_terms import (
    AtmosphereState,
    WaterVapourCurve,
    band_terms,
    scattering_terms,
)
from sen2cor.atmosphere.interpolation_nodes import ElevationField, NodeGeometry
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from sen2cor.atmosphere.water_vapour import MEASUREMENT_BAND, WINDOW_BAND, retrieve_water_vapour
from sen2cor.raster.array_types import Float32Array

BANDS = ("B02", "B04", "B09", "B12")
OZONE = 331.0


@pytest.fixture(scope="module")
def rural() -> SixSLookUpTable:
    return load_table("S2A", "RURAL", "SUMMER")


def mountains(shape: tuple[int, int], height: float) -> Float32Array:
    random = np.random.default_rng(4)
    parts = [size * gaussian_filter(random.standard_normal(shape), size) for size in (3, 8, 25)]
    rough = np.sum(parts, axis=0)
    share = (rough - rough.min()) / np.ptp(rough)
    return (height * share).astype(np.float32)


def toa_reflectance(
    table: SixSLookUpTable,
    band: str,
    geometry: NodeGeometry,
    *,
    aot: Float32Array,
    water: Float32Array,
    elevation: Float32Array,
    surface: float,
) -> Float32Array:
    """Evaluate the table at each pixel."""
    sun, view, turn = (
        geometry.to_pixels(angle) for angle in (geometry.solar_zenith, *geometry.view(band))
    )
    scattering = table.scattering(
        band,
        aot550=aot,
        elevation=elevation,
        solar_zenith=sun,
        view_zenith=view,
        relative_azimuth=turn,
    )
    air_mass = 1.0 / np.cos(np.radians(sun)) + 1.0 / np.cos(np.radians(view))
    gas = table.gas(band, water_vapour=water, ozone=OZONE, elevation=elevation, air_mass=air_mass)
    down = scattering.transmittance_down_direct + scattering.transmittance_down_diffuse
    up = scattering.transmittance_up_direct + scattering.transmittance_up_diffuse
    reflected = gas.water * down * up * surface / (1.0 - scattering.spherical_albedo * surface)
    aerosol = scattering.path_reflectance - scattering.rayleigh_reflectance
    path = scattering.rayleigh_reflectance + aerosol * gas.water_half
    return np.asarray(gas.ozone * gas.other * (path + reflected), np.float32)


@pytest.mark.parametrize(("height", "levels"), [(0.3, 2), (2.4, 3)])
@pytest.mark.parametrize("band", BANDS)
def test_mountains_are_as_exact_as_their_pixels(
    rural: SixSLookUpTable, geometry: NodeGeometry, band: str, height: float, levels: int
) -> None:
    elevation = mountains(geometry.grid.shape, height)
    field = ElevationField.over(geometry, elevation)
    assert len(field.levels) == levels
    aot = rural.aot_from_visibility(np.full(elevation.shape, 20.0, np.float32), elevation)
    water = (2.0 * np.exp(-elevation / 2.0)).astype(np.float32)
    terms = band_terms(rural, band, geometry, AtmosphereState(aot, water, OZONE, field))
    for surface in (0.04, 0.3):
        toa = toa_reflectance(
            rural, band, geometry, aot=aot, water=water, elevation=elevation, surface=surface
        )
        x = (toa - terms.path_reflectance) / terms.transmittance
        found = x / (1.0 + terms.spherical_albedo * x)
        np.testing.assert_allclose(found, surface, rtol=0.0, atol=5e-4)


def test_mountains_without_aerosol_have_the_terms_of_the_molecules(
    rural: SixSLookUpTable, geometry: NodeGeometry
) -> None:
    field = ElevationField.over(geometry, mountains(geometry.grid.shape, 2.4))

    def aerosol(aot: float) -> Float32Array:
        aot550 = np.full(geometry.grid.shape, aot, np.float32)
        return scattering_terms(
            rural, "B02", geometry, aot550=aot550, ozone=OZONE, elevation=field
        ).aerosol

    assert np.all(aerosol(0.0) == 0.0)
    # in clear air the profile is constant, and the path reflectance nearly linear in the aerosol
    np.testing.assert_allclose(aerosol(0.02), 2.0 * aerosol(0.01), rtol=0.01)


def test_constant_elevation_is_that_number(rural: SixSLookUpTable, geometry: NodeGeometry) -> None:
    flat = np.full(geometry.grid.shape, 0.7, np.float32)
    field = ElevationField.over(geometry, flat)
    aot = np.full(flat.shape, 0.15, np.float32)
    water = np.full(flat.shape, 1.5, np.float32)
    for band in BANDS:
        pixel, number = (
            band_terms(rural, band, geometry, AtmosphereState(aot, water, OZONE, elevation))
            for elevation in (field, 0.7)
        )
        np.testing.assert_allclose(pixel.path_reflectance, number.path_reflectance, rtol=1e-4)
        np.testing.assert_allclose(pixel.transmittance, number.transmittance, rtol=1e-4)


def test_column_of_water_comes_back_at_all_heights(
    rural: SixSLookUpTable, geometry: NodeGeometry
) -> None:
    elevation = mountains(geometry.grid.shape, 2.4)
    field = ElevationField.over(geometry, elevation)
    aot = rural.aot_from_visibility(np.full(elevation.shape, 30.0, np.float32), elevation)
    column = (2.5 * np.exp(-elevation / 2.0)).astype(np.float32)
    bands = (MEASUREMENT_BAND, WINDOW_BAND)
    toa = [
        toa_reflectance(
            rural, band, geometry, aot=aot, water=column, elevation=elevation, surface=0.3
        )
        for band in bands
    ]
    first, second = (
        scattering_terms(rural, band, geometry, aot550=aot, ozone=OZONE, elevation=field)
        for band in bands
    )
    curves = [WaterVapourCurve.for_band(rural, band, field) for band in bands]
    found = retrieve_water_vapour(
        *toa, scattering=(first, second), water=(curves[0], curves[1]), start=1.0
    )
    np.testing.assert_allclose(found, column, rtol=0.01)
