"""The radiative equation: reflectance at the top of the atmosphere over a surface, and its inverse.

Over a uniform surface of reflectance ``rho``::

    rho_toa = rho_path + T rho / (1 - S rho)
    rho_path = Tg_ozone Tg_other [rho_R + (rho_R+A - rho_R) Tg_water(u / 2)]
    T        = Tg_ozone Tg_other Tg_water(u) T_down T_up

where half of the water vapour attenuates the path reflectance of the aerosol (E. F. Vermote et al.,
IEEE Trans. Geosci. Remote Sensing 35 (1997) 675-686). The *surface signal* is the reflectance
without path reflectance and transmittance, and yields the surface reflectance::

    x = (rho_toa - rho_path) / T
    rho = x / (1 + S x)

With the adjacency effect, for a neighbourhood of mean signal ``x_mean`` and ``q`` the ratio of
diffuse to direct upward transmittance::

    rho_mean = x_mean / (1 + S x_mean)
    rho = [x + q (x - x_mean)] (1 - S rho_mean) = [x + q (x - x_mean)] / (1 + S x_mean)

(R. Richter, Applied Optics 37 (1998) 4004-4015: his adjacency and spherical albedo steps in closed
form). `sen2cor.atmosphere.inversion` writes the inverse as gain and bias per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from sen2cor.atmosphere.look_up_tables.look_up_table import Gas, Scattering
from sen2cor.raster.array_types import Float32Array


@dataclass(frozen=True)
class AtmosphericTerms:
    """Terms of the radiative equation in one band; float32 arrays that broadcast to one shape.

    Attributes
    ----------
    path_reflectance : ndarray
        With gas absorption.
    transmittance : ndarray
        Two-way total transmittance, with gas absorption.
    spherical_albedo : ndarray
    diffuse_to_direct : ndarray
        Ratio of diffuse to direct transmittance from the surface to the sensor.
    transmittance_down_direct : ndarray
        Direct transmittance from the sun to the surface.
    direct_fraction : ndarray
        Direct fraction of the flux on flat terrain.
    """

    path_reflectance: Float32Array
    transmittance: Float32Array
    spherical_albedo: Float32Array
    diffuse_to_direct: Float32Array
    transmittance_down_direct: Float32Array
    direct_fraction: Float32Array

    @classmethod
    def from_table(
        cls, scattering: Scattering, gas: Gas, air_mass: Float32Array
    ) -> AtmosphericTerms:
        """Compose the terms from what a look-up table returns for the same arguments."""
        terms = ScatteringTerms.from_table(scattering, gas, air_mass)
        return terms.with_water_vapour(
            water_half=gas.water_half,
            transmittance=two_way_transmittance(
                terms.gas, gas.water, scattering.transmittance_down, scattering.transmittance_up
            ),
        )

    def surface_signal(self, toa_reflectance: Float32Array) -> Float32Array:
        """Remove path reflectance and transmittance; shapes must broadcast."""
        return surface_signal(toa_reflectance, self.path_reflectance, self.transmittance)

    def surface_reflectance(
        self, toa_reflectance: Float32Array, neighbourhood: Float32Array
    ) -> Float32Array:
        """Invert the radiative equation with the adjacency effect.

        Parameters
        ----------
        toa_reflectance, neighbourhood : ndarray of float32
            Reflectance at the top of the atmosphere of the pixel, and mean of its neighbourhood.

        Returns
        -------
        ndarray of float32
        """
        x = self.surface_signal(toa_reflectance)
        mean = self.surface_signal(neighbourhood)
        multiple_reflection = 1.0 / (1.0 + self.spherical_albedo * mean)
        result: Float32Array = (x + self.diffuse_to_direct * (x - mean)) * multiple_reflection
        return result

    def surface_contribution(
        self, surface_reflectance: Float32Array, neighbourhood: Float32Array
    ) -> Float32Array:
        """Compute the reflectance at the top of the atmosphere without the path reflectance.

        Parameters
        ----------
        surface_reflectance : ndarray of float32
            Of the pixel.
        neighbourhood : ndarray of float32
            Mean reflectance of the neighbourhood at the top of the atmosphere.

        Returns
        -------
        ndarray of float32
        """
        mean = self.surface_signal(neighbourhood)
        x = surface_reflectance * (1.0 + self.spherical_albedo * mean)
        x = x + self.diffuse_to_direct * mean
        result: Float32Array = self.transmittance * x / (1.0 + self.diffuse_to_direct)
        return result


@dataclass(frozen=True)
class ScatteringTerms:
    """Scattering in one band, and absorption by all gases but water vapour; float32 arrays.

    Attributes
    ----------
    gas : ndarray
        Two-way transmittance of ozone and the well-mixed gases.
    rayleigh, aerosol : ndarray
        Path reflectance of the molecules, and the part that the aerosol adds.
    transmittance : ndarray
        Downward times upward total transmittance of scattering.
    spherical_albedo, diffuse_to_direct, transmittance_down_direct, direct_fraction : ndarray
        See `AtmosphericTerms`.
    air_mass : ndarray
        ``1 / cos(solar zenith) + 1 / cos(view zenith)``.
    """

    gas: Float32Array
    rayleigh: Float32Array
    aerosol: Float32Array
    transmittance: Float32Array
    spherical_albedo: Float32Array
    diffuse_to_direct: Float32Array
    transmittance_down_direct: Float32Array
    direct_fraction: Float32Array
    air_mass: Float32Array

    @classmethod
    def from_table(
        cls, scattering: Scattering, gas: Gas, air_mass: Float32Array
    ) -> ScatteringTerms:
        """Derive the terms from what a look-up table gives."""
        down, up = scattering.transmittance_down, scattering.transmittance_up
        return cls(
            gas=gas.ozone * gas.other,
            rayleigh=scattering.rayleigh_reflectance,
            aerosol=scattering.path_reflectance - scattering.rayleigh_reflectance,
            transmittance=down * up,
            spherical_albedo=scattering.spherical_albedo,
            diffuse_to_direct=scattering.transmittance_up_diffuse
            / scattering.transmittance_up_direct,
            transmittance_down_direct=scattering.transmittance_down_direct,
            direct_fraction=scattering.transmittance_down_direct / down,
            air_mass=air_mass,
        )

    def path_reflectance(self, water_half: Float32Array) -> Float32Array:
        """Path reflectance below ozone and the well-mixed gases.

        Parameters
        ----------
        water_half : ndarray of float32
            Transmittance of half of the water vapour column.
        """
        result: Float32Array = self.rayleigh + self.aerosol * water_half
        return result

    def surface_signal(
        self, toa_reflectance: Float32Array, water_half: Float32Array
    ) -> Float32Array:
        """Surface signal that is still absorbed by water vapour; arguments as above."""
        return surface_signal(
            toa_reflectance / self.gas, self.path_reflectance(water_half), self.transmittance
        )

    def with_water_vapour(
        self,
        *,
        water_half: Float32Array,
        transmittance: Float32Array,
        path_factor: float = 1.0,
    ) -> AtmosphericTerms:
        """Complete the terms of the radiative equation.

        Parameters
        ----------
        water_half : ndarray of float32
            Transmittance of half of the water vapour column.
        transmittance : ndarray of float32
            Two-way total transmittance of scattering and all gases (`two_way_transmittance`).
        path_factor : float
            Factor of the path reflectance (`sen2cor.atmosphere.aerosol.path_radiance_scaling`).
        """
        path = self.path_reflectance(water_half)
        path *= np.float32(path_factor)
        path *= self.gas
        return AtmosphericTerms(
            path_reflectance=path,
            transmittance=transmittance,
            spherical_albedo=self.spherical_albedo,
            diffuse_to_direct=self.diffuse_to_direct,
            transmittance_down_direct=self.transmittance_down_direct,
            direct_fraction=self.direct_fraction,
        )


def two_way_transmittance(*factors: Float32Array) -> Float32Array:
    """Multiply the transmittances of the gases and of scattering, in the order given."""
    return reduce(np.multiply, factors)


def surface_signal(
    toa_reflectance: Float32Array, path_reflectance: Float32Array, transmittance: Float32Array
) -> Float32Array:
    """Surface signal ``x``: remove path reflectance and transmittance; shapes must broadcast."""
    result: Float32Array = (toa_reflectance - path_reflectance) / transmittance
    return result


def uniform_surface_reflectance(
    signal: Float32Array, spherical_albedo: Float32Array
) -> Float32Array:
    """Surface reflectance of a signal whose neighbourhood is as bright as the pixel itself."""
    result: Float32Array = signal / (1.0 + spherical_albedo * signal)
    return result
