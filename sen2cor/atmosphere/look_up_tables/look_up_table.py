"""The interface of the look-up tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array


@dataclass(frozen=True)
class Scattering:
    """Scattering without gas absorption; float32 arrays of the shape of the broadcast arguments.

    Attributes
    ----------
    rayleigh_reflectance : ndarray
        Path reflectance of the molecules alone.
    path_reflectance : ndarray
        Path reflectance of molecules and aerosol.
    transmittance_down_direct, transmittance_down_diffuse : ndarray
        From the sun to the surface.
    transmittance_up_direct, transmittance_up_diffuse : ndarray
        From the surface to the sensor.
    spherical_albedo : ndarray
        Reflectance of the atmosphere for illumination from below.
    """

    rayleigh_reflectance: Float32Array
    path_reflectance: Float32Array
    transmittance_down_direct: Float32Array
    transmittance_down_diffuse: Float32Array
    transmittance_up_direct: Float32Array
    transmittance_up_diffuse: Float32Array
    spherical_albedo: Float32Array

    @property
    def transmittance_down(self) -> Float32Array:
        """Total transmittance from the sun to the surface."""
        return self.transmittance_down_direct + self.transmittance_down_diffuse

    @property
    def transmittance_up(self) -> Float32Array:
        """Total transmittance from the surface to the sensor."""
        return self.transmittance_up_direct + self.transmittance_up_diffuse


@dataclass(frozen=True)
class Gas:
    """Two-way transmittances; float32 arrays of the shape of the broadcast arguments.

    Attributes
    ----------
    ozone : ndarray
    other : ndarray
        O2, CO2, CH4, N2O and CO.
    water : ndarray
        Of the whole column of water vapour.
    water_half : ndarray
        Of half of the column.
    """

    ozone: Float32Array
    other: Float32Array
    water: Float32Array
    water_half: Float32Array


class LookUpTable(Protocol):
    """Scattering and absorption in the bands of a spacecraft for one aerosol and season.

    `sen2cor.atmosphere.radiative_equation` combines them. All values are reflectances and
    transmittances, independent of solar irradiance and sun-earth distance.
    """

    @property
    def name(self) -> str:
        """Name of the table, for reports."""

    @property
    def aerosol(self) -> str:
        """``RURAL``, ``MARITIME`` or another one in upper case."""

    @property
    def season(self) -> str:
        """``SUMMER`` or ``WINTER``."""

    @property
    def max_slant_water(self) -> float:
        """End of the axis of water vapour along the two-way path, in cm."""

    @property
    def max_solar_zenith(self) -> float:
        """Largest solar zenith angle of the table in degrees."""

    @property
    def max_view_zenith(self) -> float:
        """Largest view zenith angle of the table in degrees."""

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
        """Scattering terms of a band.

        Parameters
        ----------
        band : str
            ``B01`` .. ``B12``, ``B8A``.
        aot550 : array_like
            Aerosol optical thickness at 550 nm at the pixel.
        elevation : array_like
            Elevation of the surface, km.
        solar_zenith, view_zenith, relative_azimuth : array_like
            Degrees; relative azimuth 0 is backscatter. All arguments broadcast.
        water_vapour : array_like, optional
            Column above the pixel in cm, for tables in which scattering and absorption are not
            fully separated; ignored by others.
        """

    def gas(
        self,
        band: str,
        *,
        water_vapour: npt.ArrayLike,
        ozone: npt.ArrayLike,
        elevation: npt.ArrayLike,
        air_mass: npt.ArrayLike,
    ) -> Gas:
        """Two-way transmittance of the gases in a band.

        Parameters
        ----------
        band : str
        water_vapour : array_like
            Column above the pixel in cm.
        ozone : array_like
            Column in Dobson units.
        elevation : array_like
            Elevation of the surface, km.
        air_mass : array_like
            ``1 / cos(solar zenith) + 1 / cos(view zenith)``. All arguments broadcast.
        """

    def aot_from_visibility(
        self, visibility: npt.ArrayLike, elevation: npt.ArrayLike
    ) -> Float32Array:
        """Aerosol optical thickness at 550 nm of a visibility (km) at an elevation (km)."""

    def visibility_from_aot(self, aot550: npt.ArrayLike, elevation: npt.ArrayLike) -> Float32Array:
        """Visibility in km of an aerosol optical thickness at 550 nm at an elevation (km)."""
