"""The look-up tables of Sen2Cor (``.atm`` files) in the terms of the 6SV tables.

The files hold radiances, fluxes and transmittances computed with libRadtran, in the format of
`sen2cor.atmosphere.look_up_tables.atm_files`. Division by the irradiance yields reflectances and
transmittances. Their gas absorption is divided out with that of the 6SV tables; the remainder
depends weakly on water vapour and is interpolated in its square root. The product of scattering and
absorption therefore reproduces the files at their nodes, while absorption between and beyond the
nodes is that of the 6SV tables. Between the largest visibility of the files, 120 km, and no aerosol
the terms are interpolated to those of the molecules in the 6SV tables.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from sen2cor.atmosphere.look_up_tables.atm_files import (
    AEROSOL,
    ALBEDO,
    AZIMUTH,
    DIFFUSE_DOWN,
    DIFFUSE_UP,
    DIRECT_DOWN,
    DIRECT_UP,
    ELEVATION,
    PATH,
    PATH_SLANTED,
    SOLAR_ZENITH,
    TO_SI,
    VIEW_ZENITH,
    VISIBILITY,
    WATER_FRACTION,
    WATER_VAPOUR,
    derive_irradiance,
    read_folder,
)
from sen2cor.atmosphere.look_up_tables.interpolation import Axes, AxisPosition, interpolate
from sen2cor.atmosphere.look_up_tables.look_up_table import Gas, Scattering
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from sen2cor.atmosphere.standard_atmospheres import DEFAULT_OZONE, OZONE_COLUMNS
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array

LOGGER = logging.getLogger(__name__)

_WATER_UNKNOWN = 2
"""Index of the water vapour column that is used if none is given."""

_POWERS = np.array([2, 1, 2, 3, 4, 5, 6], np.float32)
"""Power of the sine of the view zenith for each Fourier coefficient in azimuth."""

_MIN_TRANSMITTANCE = np.float32(1e-12)


@dataclass(frozen=True)
class _BandNodes:
    """Terms of one band without gas; shape (elevation, water, visibility, solar zenith, ...).

    The last node of visibility is the atmosphere without aerosol. Transmittances are logarithms;
    those upwards have no solar zenith. ``added`` is the path reflectance beyond that of molecules:
    at nadir, then the Fourier coefficients of what the slanted view adds.
    """

    added: Float32Array
    direct_down: Float32Array
    total_down: Float32Array
    direct_up: Float32Array
    total_up: Float32Array
    albedo: Float32Array


class Sen2CorLookUpTable:
    """Sen2Cor tables of one aerosol, season and ozone column.

    Parameters
    ----------
    cells : mapping of str to ndarray of float32
        By band, shape (elevation, water vapour, visibility, solar zenith, 17).
    own : SixSLookUpTable
        Of the same spacecraft, aerosol and season: absorption, molecules, and the aerosol optical
        thickness of the visibilities.
    name : str
    ozone : float
        Column of the files in Dobson units.
    """

    def __init__(
        self, cells: dict[str, Float32Array], own: SixSLookUpTable, *, name: str, ozone: float
    ) -> None:
        self.name, self.ozone = name, ozone
        self.aerosol, self.season = own.aerosol, own.season
        self.max_slant_water = own.max_slant_water
        self.max_solar_zenith = float(SOLAR_ZENITH[-1])
        self.max_view_zenith = VIEW_ZENITH
        self._own = own
        self._water = WATER_VAPOUR[own.season]
        self._axes = Axes(
            name,
            {
                "elevation": ELEVATION,
                "water vapour": self._water,
                "visibility": VISIBILITY,
                "solar zenith": SOLAR_ZENITH,
                "view zenith": np.array([0.0, VIEW_ZENITH], np.float32),
            },
            {
                "elevation": "km",
                "water vapour": "cm above sea level",
                "solar zenith": "degrees",
                "view zenith": "degrees",
            },
        )
        self._nodes = {band: self._without_gas(band, values) for band, values in cells.items()}

    def scattering(
        self,
        band: str,
        *,
        aot550: npt.ArrayLike,
        elevation: npt.ArrayLike,
        solar_zenith: npt.ArrayLike,
        view_zenith: npt.ArrayLike,
        relative_azimuth: npt.ArrayLike,
        water_vapour: npt.ArrayLike | None = None,
    ) -> Scattering:
        """Scattering terms of a band; for the parameters see `LookUpTable.scattering`.

        Without ``water_vapour``, the column is that of a file in the middle of the range. The terms
        are linear in aerosol optical thickness, elevation and the square root of water vapour,
        transmittances in their logarithms. Transmittances are those of a nadir view, as in the
        files. Below the optical thickness of a visibility of 120 km, the terms tend to those of the
        molecules.
        """
        arguments = (aot550, elevation, solar_zenith, view_zenith, relative_azimuth)
        shape = np.broadcast_shapes(
            *map(np.shape, arguments), () if water_vapour is None else np.shape(water_vapour)
        )
        nodes = self._nodes[band]
        level = self._axes.locate("elevation", elevation)
        positions = [
            level,
            self._locate_water(water_vapour, level),
            self._locate_aerosol(aot550, elevation),
        ]
        with_sun = [*positions, self._axes.locate("solar zenith", solar_zenith)]
        view = np.asarray(view_zenith, np.float32)
        self._axes.check("view zenith", view)
        view = np.minimum(view, np.float32(VIEW_ZENITH))
        molecules = self._molecules(band, elevation, solar_zenith, view, relative_azimuth)
        rayleigh = molecules.rayleigh_reflectance
        added = interpolate(nodes.added, with_sun)
        added = added[..., 0] + _in_view(added[..., 1:], view, relative_azimuth)
        direct_down = np.exp(interpolate(nodes.direct_down, with_sun))
        direct_up = np.exp(interpolate(nodes.direct_up, positions))
        parts = (
            rayleigh,
            rayleigh + added,
            direct_down,
            np.exp(interpolate(nodes.total_down, with_sun)) - direct_down,
            direct_up,
            np.exp(interpolate(nodes.total_up, positions)) - direct_up,
            interpolate(nodes.albedo, with_sun),
        )
        return Scattering(*(np.broadcast_to(part, shape) for part in parts))

    def gas(
        self,
        band: str,
        *,
        water_vapour: npt.ArrayLike,
        ozone: npt.ArrayLike,
        elevation: npt.ArrayLike,
        air_mass: npt.ArrayLike,
    ) -> Gas:
        """Two-way transmittance of the gases in a band; see `LookUpTable.gas`."""
        return self._own.gas(
            band, water_vapour=water_vapour, ozone=ozone, elevation=elevation, air_mass=air_mass
        )

    def aot_from_visibility(
        self, visibility: npt.ArrayLike, elevation: npt.ArrayLike
    ) -> Float32Array:
        """Aerosol optical thickness at 550 nm of a visibility (km) at an elevation (km)."""
        return self._own.aot_from_visibility(visibility, elevation)

    def visibility_from_aot(self, aot550: npt.ArrayLike, elevation: npt.ArrayLike) -> Float32Array:
        """Visibility in km of an aerosol optical thickness at 550 nm at an elevation (km)."""
        return self._own.visibility_from_aot(aot550, elevation)

    def _locate_aerosol(self, aot550: npt.ArrayLike, elevation: npt.ArrayLike) -> AxisPosition:
        # the inverse of visibility is linear in the optical thickness between its nodes
        visibility, end = self._own.visibility_from_aot(aot550, elevation), VISIBILITY[-1]
        lower, weight = self._axes.locate("visibility", np.minimum(visibility, end), np.reciprocal)
        clearer = visibility > end
        if np.any(clearer):
            aot = np.asarray(aot550, np.float32)
            fraction = aot / self._own.aot_from_visibility(end, elevation)
            lower = np.where(clearer, VISIBILITY.size - 1, lower)
            weight = np.where(clearer, 1.0 - np.clip(fraction, 0.0, 1.0), weight)
        return lower, np.asarray(weight, np.float32)

    def _locate_water(
        self, water_vapour: npt.ArrayLike | None, level: AxisPosition
    ) -> AxisPosition:
        if water_vapour is None:
            column: npt.ArrayLike = self._water[_WATER_UNKNOWN]
        else:
            fraction = np.exp(interpolate(np.log(WATER_FRACTION[self.season]), (level,)))
            column = np.asarray(water_vapour, np.float32) / fraction
        return self._axes.locate("water vapour", column, np.sqrt)

    def _molecules(
        self,
        band: str,
        elevation: npt.ArrayLike,
        solar_zenith: npt.ArrayLike,
        view_zenith: npt.ArrayLike = 0.0,
        relative_azimuth: npt.ArrayLike = 0.0,
    ) -> Scattering:
        """Scattering of the molecules in the 6SV table, within the axes of the files."""
        return self._own.scattering(
            band,
            aot550=0.0,
            elevation=np.clip(elevation, ELEVATION[0], ELEVATION[-1]),
            solar_zenith=np.minimum(solar_zenith, SOLAR_ZENITH[-1]),
            view_zenith=view_zenith,
            relative_azimuth=relative_azimuth,
        )

    def _without_gas(self, band: str, cells: Float32Array) -> _BandNodes:
        """Convert the cells of a band to reflectances and transmittances, and divide out gas."""
        irradiance = derive_irradiance(band, cells)
        elevation = ELEVATION[:, np.newaxis, np.newaxis, np.newaxis]
        column = self._water[:, np.newaxis, np.newaxis] * WATER_FRACTION[self.season].reshape(
            elevation.shape
        )
        secant = 1.0 / np.cos(np.radians(SOLAR_ZENITH))
        slanted = np.float32(1.0 / np.cos(np.radians(VIEW_ZENITH)))
        to_reflectance = np.float32(np.pi * TO_SI / irradiance) * secant

        def gas(air_mass: npt.ArrayLike) -> Gas:
            return self._own.gas(
                band,
                water_vapour=column,
                ozone=self.ozone,
                elevation=elevation,
                air_mass=air_mass,
            )

        def added(radiance: Float32Array, absorption: Gas, *view: float) -> Float32Array:
            constant = absorption.ozone * absorption.other
            rayleigh = self._molecules(band, elevation, SOLAR_ZENITH, *view).rayleigh_reflectance
            result: Float32Array = (
                radiance * to_reflectance / constant - rayleigh
            ) / absorption.water_half
            return result

        nadir_gas, slanted_gas, up_gas = gas(secant + 1.0), gas(secant + slanted), gas(1.0)
        nadir = added(cells[..., PATH], nadir_gas)
        in_slant = np.stack(
            [
                added(radiance, slanted_gas, VIEW_ZENITH, float(azimuth))
                for radiance, azimuth in zip(
                    np.moveaxis(cells[..., PATH_SLANTED], -1, 0), AZIMUTH, strict=True
                )
            ],
            -1,
        )
        # upward transmittances do not depend on the solar zenith: take those of the sun overhead
        overhead = cells[..., 0, :]
        up = up_gas.ozone * up_gas.other * up_gas.water
        direct_up: Float32Array = overhead[..., DIRECT_UP] / up[..., 0]
        total_up = direct_up + overhead[..., DIFFUSE_UP] / up[..., 0]
        # the fluxes of the files include the upward transmittance
        both_ways = nadir_gas.ozone * nadir_gas.other * nadir_gas.water
        scale = np.float32(TO_SI / irradiance) / (both_ways * total_up[..., np.newaxis])
        direct_down = cells[..., DIRECT_DOWN] * scale
        total_down = direct_down + cells[..., DIFFUSE_DOWN] * secant * scale
        nodes = _BandNodes(
            added=np.concatenate(
                [nadir[..., np.newaxis], _fourier(in_slant - nadir[..., np.newaxis])], -1
            ).astype(np.float32),
            direct_down=_logarithm(direct_down),
            total_down=_logarithm(total_down),
            direct_up=_logarithm(direct_up),
            total_up=_logarithm(total_up),
            albedo=cells[..., ALBEDO],
        )
        return self._append_molecules(band, nodes)

    def _append_molecules(self, band: str, nodes: _BandNodes) -> _BandNodes:
        """Append the node without aerosol.

        Total transmittances change from those of the clearest node as in the 6SV tables, since a
        part of the gas absorption of the files remains in them. The direct fraction and the
        spherical albedo are those of the molecules in the 6SV tables.
        """
        elevation = ELEVATION[:, np.newaxis, np.newaxis]
        molecules = self._molecules(band, elevation, SOLAR_ZENITH)
        clearest = self._own.scattering(
            band,
            aot550=self.aot_from_visibility(VISIBILITY[-1], elevation),
            elevation=elevation,
            solar_zenith=SOLAR_ZENITH,
            view_zenith=0.0,
            relative_azimuth=0.0,
        )
        down, up = molecules.transmittance_down, molecules.transmittance_up
        direct_down = molecules.transmittance_down_direct / down
        direct_up = molecules.transmittance_up_direct / up
        total_down = nodes.total_down[:, :, -1] + _logarithm(down / clearest.transmittance_down)
        total_up = nodes.total_up[:, :, -1] + _logarithm(up / clearest.transmittance_up)[..., 0]

        def append(values: Float32Array, last: Float32Array) -> Float32Array:
            end = np.broadcast_to(last[:, :, np.newaxis], (*values.shape[:2], 1, *values.shape[3:]))
            return np.concatenate([values, end], 2, dtype=np.float32)

        return _BandNodes(
            added=append(nodes.added, np.zeros_like(nodes.added[:, :, 0])),
            direct_down=append(nodes.direct_down, total_down + _logarithm(direct_down)),
            total_down=append(nodes.total_down, total_down),
            direct_up=append(nodes.direct_up, total_up + _logarithm(direct_up)[..., 0]),
            total_up=append(nodes.total_up, total_up),
            albedo=append(nodes.albedo, molecules.spherical_albedo),
        )


def _fourier(values: Float32Array) -> Float32Array:
    """Coefficients of the cosine series through values at `AZIMUTH`, along the last axis."""
    result = dct(values, type=1, axis=-1) / np.float32(len(AZIMUTH) - 1)
    result[..., [0, -1]] *= 0.5
    return np.asarray(result, np.float32)


def _in_view(
    coefficients: Float32Array, view_zenith: Float32Array, relative_azimuth: npt.ArrayLike
) -> Float32Array:
    azimuth = np.radians(np.asarray(relative_azimuth, np.float32))[..., np.newaxis]
    sine = np.sin(np.radians(view_zenith)) / np.float32(np.sin(np.radians(VIEW_ZENITH)))
    waves = np.cos(np.arange(len(AZIMUTH), dtype=np.float32) * azimuth)
    result: Float32Array = (coefficients * waves * sine[..., np.newaxis] ** _POWERS).sum(-1)
    return result


def _logarithm(transmittance: Float32Array) -> Float32Array:
    result: Float32Array = np.log(np.maximum(transmittance, _MIN_TRANSMITTANCE))
    return result


def load_atm_files(
    folder: Path, spacecraft: str, aerosol: str, season: str, *, ozone: float | None = None
) -> Sen2CorLookUpTable:
    """Load the Sen2Cor tables of a spacecraft, an aerosol and a season.

    Parameters
    ----------
    folder : Path
        With the folders ``20_60`` and ``10``, or with a folder of the spacecraft that has them.
    spacecraft : str
        ``S2A``, ``S2B``, ``S2C``.
    aerosol, season : str
        As for `sen2cor.atmosphere.look_up_tables.sixs_tables.load_table`.
    ozone : float, optional
        Column in Dobson units: the files of the nearest column are taken. Without it those of the
        season's default, 331 in summer and 377 in winter.

    Raises
    ------
    AuxiliaryDataError
        If files are absent or broken; the message names them.
    """
    aerosol, season = aerosol.upper(), season.upper()
    if aerosol not in AEROSOL:
        raise AuxiliaryDataError(
            f"the .atm look-up tables in {folder} have no aerosol {aerosol}, only "
            f"{', '.join(AEROSOL)}"
        )
    wanted = DEFAULT_OZONE[season] if ozone is None else ozone
    letter, column = min(OZONE_COLUMNS[season].items(), key=lambda item: abs(item[1] - wanted))
    own = load_table(spacecraft, aerosol, season)
    root = folder / spacecraft if (folder / spacecraft).is_dir() else folder
    cells, names = read_folder(root, letter, aerosol, season)
    LOGGER.info("Look-up tables of %s: %s.", root, ", ".join(names))
    return Sen2CorLookUpTable(
        cells, own, name=f"{letter}99000_{AEROSOL[aerosol]}.atm", ozone=column
    )
