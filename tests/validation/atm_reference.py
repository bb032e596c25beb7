"""Look-up tables of Sen2Cor and of this project in the same quantities, node by node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.look_up_tables.atm_files import (
    AEROSOL,
    AZIMUTH,
    BANDS,
    ELEVATION,
    SOLAR_ZENITH,
    VIEW_ZENITH,
    VISIBILITY,
    WATER_FRACTION,
    derive_irradiance,
    read_cells,
)
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable
from sen2cor.atmosphere.standard_atmospheres import OZONE_COLUMNS

Array = npt.NDArray[np.float64]

WINDOW = "B8A"

_BRIGHT = 0.2
_MAX_WATER, _COLUMNS = 9.0, 60

_HEIGHT = ELEVATION[:, np.newaxis, np.newaxis]
_RANGE = VISIBILITY[:, np.newaxis]
_COSINE = np.cos(np.radians(SOLAR_ZENITH.astype(float)))


@dataclass(frozen=True)
class AtmFile:
    """One look-up table file of Sen2Cor.

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
        """Parse the state from the name, such as ``20_60/h99000_wv20_rura.atm``."""
        letter, water, aerosol = path.name[0], path.name[9:11], path.name[12:16]
        season = next(name for name, columns in OZONE_COLUMNS.items() if letter in columns)
        return cls(
            path=path,
            size=path.parent.name,
            aerosol=next(name for name, short in AEROSOL.items() if short == aerosol),
            season=season,
            ozone=OZONE_COLUMNS[season][letter],
            water_vapour=int(water) / 10.0,
        )

    @property
    def name(self) -> str:
        """Folder and file name."""
        return f"{self.size}/{self.path.name}"

    @property
    def column(self) -> Array:
        """Column above the ground in cm, by elevation."""
        return self.water_vapour * WATER_FRACTION[self.season].astype(float)

    @cached_property
    def bands(self) -> dict[str, Array]:
        """Cells of shape (elevation, visibility, solar zenith, 17) by band."""
        values = read_cells(self.path, self.size).transpose(0, 3, 1, 2, 4)
        return dict(zip(BANDS[self.size], values.astype(float), strict=True))

    def beside(self, size: str, aerosol: str | None = None) -> AtmFile:
        """Return the file of the same atmosphere in another folder, or with another aerosol."""
        aerosol = aerosol or self.aerosol
        name = self.path.name.replace(AEROSOL[self.aerosol], AEROSOL[aerosol])
        path = self.path.parents[1] / size / name
        return self if path == self.path else AtmFile.of_path(path)

    def thickness(self, band: str) -> Array:
        """Vertical optical thickness with gas, shape (elevation, visibility)."""
        return np.asarray(-np.log(self.bands[band][..., 0, 3]))


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
        """Surface reflectance: the inverse of `toa`."""
        signal = (toa - self.path) / self.transmittance
        return signal / (1.0 + self.albedo * signal)


def original(band: str, file: AtmFile, own: SixSLookUpTable) -> Functions:
    """Compute the atmospheric functions of a band from a file.

    The gas transmittance is the vertical direct transmittance without aerosol, divided by that of
    the molecules. The transmittance without aerosol is extrapolated over the optical thickness of
    B8A, from the three clearest visibilities to the optical thickness of molecules and gas in the
    6S tables. B8A is nearly free of gas absorption, so the AOT need not be known. For a maritime
    file, the gas transmittance is that of the rural file of the same atmosphere. Scattering
    terms are those of the file, divided by the gas transmittance.
    """
    cells = file.bands[band]
    irradiance = derive_irradiance(band, cells)
    direct_gas, total_up_gas = cells[..., 0, 3], cells[..., 0, 3] + cells[..., 0, 4]
    gas = _vertical_gas(band, file.beside(file.size, "RURAL"), own)
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


def ours(
    band: str,
    file: AtmFile,
    own: SixSLookUpTable,
    *,
    gas_apart: bool = False,
    extinction: float = 1.0,
    water_vapour: npt.ArrayLike | None = None,
) -> Functions:
    """Compute the same functions from the 6S tables, at equal AOT and gas columns.

    With ``gas_apart`` the two-way gas transmittance is the product of the band averages of each
    way, as in Sen2Cor, instead of the average over the whole path. ``extinction`` is a factor of
    the aerosol extinction in the band; ``water_vapour`` is a column above the ground in cm that
    replaces that of the file, to be broadcast to the nodes.
    """
    aot = np.minimum(own.aot_from_visibility(_RANGE, _HEIGHT) * np.float32(extinction), 2.0)
    column = file.column[:, np.newaxis, np.newaxis] if water_vapour is None else water_vapour

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
        for air_mass in (1.0, 1.0 / _COSINE, 1.0 / _COSINE + 1.0)
    ]
    up, down, two_way = (np.asarray(gas.ozone * gas.other * gas.water) for gas in absorption)
    return Functions(
        gas_one_way=up,
        gas_two_way=up * down if gas_apart else two_way,
        direct=np.asarray(found.transmittance_up_direct[..., :1]),
        total_up=np.asarray(found.transmittance_up_direct + found.transmittance_up_diffuse),
        total_down=np.asarray(found.transmittance_down_direct + found.transmittance_down_diffuse),
        path=path(0.0, 0.0),
        path_slanted=np.stack([path(VIEW_ZENITH, float(azimuth)) for azimuth in AZIMUTH], -1),
        albedo=np.asarray(found.spherical_albedo),
    )


def retrieved_water(file: AtmFile, own: SixSLookUpTable) -> Array:
    """Retrieve the column (cm) from the B09 signal of the file over a surface of 0.2, by node."""
    file = file.beside("20_60")
    signal = original("B09", file, own).toa(_BRIGHT)
    columns = np.linspace(0.05, np.sqrt(_MAX_WATER), _COLUMNS) ** 2
    ours_by_column = np.stack(
        [ours("B09", file, own, water_vapour=column).toa(_BRIGHT) for column in columns], -1
    )
    result = np.empty(signal.shape)
    for node in np.ndindex(signal.shape):
        result[node] = np.interp(-signal[node], -ours_by_column[node], columns)
    return result


def _vertical_gas(band: str, file: AtmFile, own: SixSLookUpTable) -> Array:
    thickness = file.thickness(band)[:, -3:]
    slope, intercept = _line(file.beside("20_60").thickness(WINDOW)[:, -3:], thickness)
    window, _ = _clear_thickness(WINDOW, file, own)
    _, molecules = _clear_thickness(band, file, own)
    gas = np.exp(molecules - intercept - slope * window)[:, np.newaxis, np.newaxis]
    return np.asarray(gas)


def extinction_ratio(band: str, file: AtmFile, own: SixSLookUpTable) -> float:
    """Aerosol extinction in a band relative to B03, of the file divided by the 6S tables."""
    theirs, reference = (
        np.ptp(each.thickness(name)[0])
        for each, name in ((file, band), (file.beside("20_60"), "B03"))
    )
    mine = [
        np.ptp(
            np.log(
                own.scattering(
                    name,
                    aot550=own.aot_from_visibility(VISIBILITY, 0.0),
                    elevation=0.0,
                    solar_zenith=0.0,
                    view_zenith=0.0,
                    relative_azimuth=0.0,
                ).transmittance_up_direct
            )
        )
        for name in (band, "B03")
    ]
    return float(theirs / reference / (mine[0] / mine[1]))


def _clear_thickness(band: str, file: AtmFile, own: SixSLookUpTable) -> tuple[Array, Array]:
    """Vertical optical thickness without aerosol by elevation: with gas, and without."""
    found = own.scattering(
        band,
        aot550=0.0,
        elevation=ELEVATION,
        solar_zenith=0.0,
        view_zenith=0.0,
        relative_azimuth=0.0,
    )
    gas = own.gas(
        band, water_vapour=file.column, ozone=file.ozone, elevation=ELEVATION, air_mass=1.0
    )
    molecules = -np.log(found.transmittance_up_direct.astype(float))
    return molecules - np.log(gas.ozone * gas.other * gas.water), molecules


def _line(x: Array, y: Array) -> tuple[Array, Array]:
    """Slopes and intercepts of straight lines along the last axis."""
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    away = x - mean_x[..., np.newaxis]
    slope = (away * y).sum(-1) / (away**2).sum(-1)
    return slope, mean_y - slope * mean_x
