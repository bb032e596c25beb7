"""The original's look-up tables and ours in the same terms, node by node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.atm_files import (
    AEROSOL,
    AZIMUTH,
    BANDS,
    ELEVATION,
    OZONE,
    SOLAR_ZENITH,
    VIEW_ZENITH,
    VISIBILITY,
    WATER_SHARE,
    irradiance_of,
    read_cells,
)
from sen2cor.atmosphere.lut import OwnLookUpTable

Array = npt.NDArray[np.float64]

_HEIGHT = ELEVATION[:, np.newaxis, np.newaxis]
_RANGE = VISIBILITY[:, np.newaxis]
_COSINE = np.cos(np.radians(SOLAR_ZENITH.astype(float)))


@dataclass(frozen=True)
class AtmFile:
    """One file of the original.

    Attributes
    ----------
    path : Path
    size : str
        ``20_60`` or ``10``.
    aerosol, season : str
    ozone, water_vapour : float
        Dobson units; cm above sea level.
    """

    path: Path
    size: str
    aerosol: str
    season: str
    ozone: float
    water_vapour: float

    @classmethod
    def of_path(cls, path: Path) -> AtmFile:
        """Read the state off the name, such as ``20_60/h99000_wv20_rura.atm``."""
        letter, water, aerosol = path.name[0], path.name[9:11], path.name[12:16]
        season = next(name for name, columns in OZONE.items() if letter in columns)
        return cls(
            path=path,
            size=path.parent.name,
            aerosol=next(name for name, short in AEROSOL.items() if short == aerosol),
            season=season,
            ozone=OZONE[season][letter],
            water_vapour=int(water) / 10.0,
        )

    @property
    def name(self) -> str:
        """Folder and file name."""
        return f"{self.size}/{self.path.name}"

    @property
    def column(self) -> Array:
        """Column above the ground in cm, by elevation."""
        return self.water_vapour * WATER_SHARE[self.season].astype(float)

    def bands(self) -> Iterator[tuple[str, Array]]:
        """Bands with their cells of shape (elevation, visibility, solar zenith, 17)."""
        values = read_cells(self.path, self.size).transpose(0, 3, 1, 2, 4)
        yield from zip(BANDS[self.size], values.astype(float), strict=True)


@dataclass(frozen=True)
class Functions:
    """Functions of a band at the nodes; arrays of shape (elevation, visibility, solar zenith).

    Attributes
    ----------
    gas_one_way : ndarray, shape (elevation, 1, 1)
        Transmittance of all gases on the vertical.
    gas_two_way : ndarray
        From the sun to the ground and vertically up.
    direct : ndarray, shape (elevation, visibility, 1)
        Vertical direct transmittance without gas.
    total_up, total_down : ndarray
        Total transmittances without gas.
    path : ndarray
        Path reflectance seen from the nadir, with gas.
    path_slanted : ndarray, shape (..., azimuths)
        The same at a view zenith of 10 degrees.
    albedo : ndarray
        Spherical albedo.
    """

    gas_one_way: Array
    gas_two_way: Array
    direct: Array
    total_up: Array
    total_down: Array
    path: Array
    path_slanted: Array
    albedo: Array

    @property
    def transmittance(self) -> Array:
        """Two-way total transmittance with gas."""
        return self.gas_two_way * self.total_down * self.total_up

    def toa(self, reflectance: float) -> Array:
        """Reflectance at the top of the atmosphere over a uniform surface."""
        return self.path + self.transmittance * reflectance / (1.0 - self.albedo * reflectance)

    def surface(self, toa: Array) -> Array:
        """Surface reflectance of what `toa` gives."""
        signal = (toa - self.path) / self.transmittance
        return signal / (1.0 + self.albedo * signal)


def original(band: str, cells: Array, own: OwnLookUpTable) -> Functions:
    """Functions of a band of a file.

    Its gas is what remains of the direct transmittance without aerosol, extrapolated over the
    optical thickness of the eight visibilities, after division by that of the molecules; scattering
    functions are the file's divided by that gas.
    """
    irradiance = irradiance_of(band, cells)
    direct_gas, total_up_gas = cells[..., 0, 3], cells[..., 0, 3] + cells[..., 0, 4]
    aot = own.aot_from_visibility(VISIBILITY, ELEVATION[:, np.newaxis]).astype(float)
    # the clearest three: the farther ones carry less aerosol into the intercept
    intercept = _intercept(aot[:, -3:], -np.log(direct_gas[:, -3:]))
    clear = own.scattering(
        band,
        aot550=0.0,
        elevation=ELEVATION,
        solar_zenith=0.0,
        view_zenith=0.0,
        relative_azimuth=0.0,
    )
    molecules = -np.log(clear.transmittance_up_direct.astype(float))
    gas = np.exp(molecules - intercept)[:, np.newaxis, np.newaxis]
    direct = direct_gas[..., np.newaxis] / gas
    total_up = total_up_gas[..., np.newaxis] / gas
    direct_flux = 10.0 * cells[..., 2] / irradiance
    two_way = direct_flux / (direct ** (1.0 / _COSINE) * total_up)
    flux = (cells[..., 2] * _COSINE + cells[..., 1]) * 10.0 / (irradiance * _COSINE)
    to_reflectance = 10.0 * np.pi / (irradiance * _COSINE)
    return Functions(
        gas_one_way=gas,
        gas_two_way=two_way,
        direct=direct,
        total_up=total_up,
        total_down=flux / (two_way * total_up),
        path=cells[..., 0] * to_reflectance,
        path_slanted=cells[..., 10:17] * to_reflectance[:, np.newaxis],
        albedo=cells[..., 5],
    )


def ours(band: str, file: AtmFile, own: OwnLookUpTable) -> Functions:
    """The same functions from our table, at equal optical thickness and columns of gas."""
    aot = own.aot_from_visibility(_RANGE, _HEIGHT)
    column = file.column[:, np.newaxis, np.newaxis]

    def path(view_zenith: float, azimuth: float) -> Array:
        found = own.scattering(
            band,
            aot550=aot,
            elevation=_HEIGHT,
            solar_zenith=SOLAR_ZENITH,
            view_zenith=view_zenith,
            relative_azimuth=azimuth,
        )
        air_mass = 1.0 / _COSINE + 1.0 / np.cos(np.radians(view_zenith))
        gas = own.gas(
            band, water_vapour=column, ozone=file.ozone, elevation=_HEIGHT, air_mass=air_mass
        )
        molecules = found.rayleigh_reflectance
        added = (found.path_reflectance - molecules) * gas.water_half
        return np.asarray(gas.ozone * gas.other * (molecules + added), float)

    found = own.scattering(
        band,
        aot550=aot,
        elevation=_HEIGHT,
        solar_zenith=SOLAR_ZENITH,
        view_zenith=0.0,
        relative_azimuth=0.0,
    )
    absorption = [
        own.gas(band, water_vapour=column, ozone=file.ozone, elevation=_HEIGHT, air_mass=air_mass)
        for air_mass in (1.0, 1.0 / _COSINE + 1.0)
    ]
    one_way, two_way = (np.asarray(gas.ozone * gas.other * gas.water) for gas in absorption)
    return Functions(
        gas_one_way=one_way,
        gas_two_way=two_way,
        direct=np.asarray(found.transmittance_up_direct[..., :1]),
        total_up=np.asarray(found.transmittance_up_direct + found.transmittance_up_diffuse),
        total_down=np.asarray(found.transmittance_down_direct + found.transmittance_down_diffuse),
        path=path(0.0, 0.0),
        path_slanted=np.stack([path(VIEW_ZENITH, float(azimuth)) for azimuth in AZIMUTH], -1),
        albedo=np.asarray(found.spherical_albedo),
    )


def _intercept(x: Array, y: Array) -> Array:
    """Intercepts of straight lines along the last axis."""
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    away = x - mean_x[..., np.newaxis]
    slope = (away * y).sum(-1) / (away**2).sum(-1)
    return np.asarray(mean_y - slope * mean_x)
