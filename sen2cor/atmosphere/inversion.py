"""From top-of-atmosphere to surface reflectance over flat terrain.

A band's signal, free of path reflectance and transmittance, is ``x = (rho_toa - offset) / slope``
(see `sen2cor.atmosphere.atmospheric_terms`). With the pixel's surroundings as bright as itself::

    rho = x / (1 + S x)

and with the adjacency effect, for a neighbourhood of mean signal ``x_mean``, ``q`` the ratio of
diffuse to direct upward transmittance and ``S`` the spherical albedo::

    rho_mean = x_mean / (1 + S x_mean)
    rho = [x + q (x - x_mean)] (1 - S rho_mean)

(R. Richter, Applied Optics 37 (1998) 4004-4015; the adjacency and the spherical albedo step in
one closed form). All but ``rho_toa`` varies slowly over the ground: a pixel costs one gain and one
bias, interpolated from a coarse grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.adjacency import neighbourhood_mean
from sen2cor.atmosphere.atmospheric_terms import AtmosphericTerms
from sen2cor.raster.array_types import BoolArray, Float32Array


@dataclass(frozen=True)
class Inversion:
    """How a band's reflectance follows from its top-of-atmosphere reflectance.

    ``y = gain * rho_toa + bias``, then ``rho = y``, or ``rho = y / (1 + S y)`` where a spherical
    albedo is given.

    Attributes
    ----------
    gain, bias : ndarray of float32, shape (rows, cols) of the coarse grid
    spherical_albedo : ndarray of float32, same shape, or None
    """

    gain: Float32Array
    bias: Float32Array
    spherical_albedo: Float32Array | None = None

    def __call__(self, toa_reflectance: Float32Array) -> Float32Array:
        """Surface reflectance on the coarse grid itself.

        Parameters
        ----------
        toa_reflectance : ndarray of float32, shape (rows, cols)

        Returns
        -------
        ndarray of float32, shape (rows, cols)
        """
        y = self.gain * toa_reflectance
        y += self.bias
        if self.spherical_albedo is not None:
            y /= np.float32(1.0) + self.spherical_albedo * y
        return y

    def map(self, function: Callable[[Float32Array], Float32Array]) -> Inversion:
        """Pass all fields through a function: from the coarse grid to rows of a finer one."""
        albedo = self.spherical_albedo
        return Inversion(
            function(self.gain), function(self.bias), None if albedo is None else function(albedo)
        )


def signal(toa_reflectance: Float32Array, functions: AtmosphericTerms) -> Float32Array:
    """Signal ``x`` of a band.

    Parameters
    ----------
    toa_reflectance : ndarray of float32
    functions : AtmosphericTerms
        On the same grid.

    Returns
    -------
    ndarray of float32
    """
    return ((toa_reflectance - functions.offset) / functions.slope).astype(np.float32)


def inversion_without_adjacency(functions: AtmosphericTerms) -> Inversion:
    """Inversion without adjacency: the neighbourhood is as bright as the pixel."""
    gain = 1.0 / functions.slope
    return Inversion(
        gain.astype(np.float32),
        (-functions.offset * gain).astype(np.float32),
        functions.spherical_albedo.astype(np.float32),
    )


def inversion_with_adjacency(functions: AtmosphericTerms, mean_signal: Float32Array) -> Inversion:
    """Inversion with the adjacency effect.

    Parameters
    ----------
    functions : AtmosphericTerms
    mean_signal : ndarray of float32, same shape
        ``x_mean``: the mean signal of the neighbourhood (`sen2cor.atmosphere.adjacency`).

    Returns
    -------
    Inversion
    """
    q, albedo = functions.diffuse_to_direct, functions.spherical_albedo
    damping = 1.0 - albedo * mean_signal / (1.0 + albedo * mean_signal)
    gain = (1.0 + q) * damping / functions.slope
    bias = -functions.offset * gain - q * mean_signal * damping
    return Inversion(gain.astype(np.float32), bias.astype(np.float32))


def flat_terrain_inversion(
    toa_reflectance: Float32Array, functions: AtmosphericTerms, usable: BoolArray, half_width: int
) -> Inversion:
    """Inversion over level ground, with the adjacency effect or without.

    Parameters
    ----------
    toa_reflectance : ndarray of float32, shape (rows, cols) of the coarse grid
    functions : AtmosphericTerms
    usable : ndarray of bool, same shape
        Pixels that show the ground: no cloud, cloud shadow or gap.
    half_width : int
        Of the neighbourhood, in pixels; 0 is without adjacency.

    Returns
    -------
    Inversion
    """
    if half_width == 0:
        return inversion_without_adjacency(functions)
    x = signal(toa_reflectance, functions)
    return inversion_with_adjacency(functions, neighbourhood_mean(x, usable, half_width))
