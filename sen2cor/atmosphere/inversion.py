"""The inverse of the radiative equation as gain and bias per pixel, over flat terrain.

For a given mean signal of the neighbourhood, the surface reflectance is linear in the reflectance
at the top of the atmosphere::

    rho = gain * rho_toa + bias
    gain = (1 + q) d / T,   bias = -rho_path gain - q x_mean d,   d = 1 - S rho_mean

Without the adjacency effect, ``q = 0``, the neighbourhood is as bright as the pixel: gain and bias
yield the signal, and ``rho = x / (1 + S x)``. Equations and symbols are those of
`sen2cor.atmosphere.radiative_equation`. Gain and bias vary slowly and are interpolated from the
coarse grid to the pixels.

The neighbourhood is a square window of the horizontal range of the effect (R. Richter, Applied
Optics 37 (1998) 4004-4015); clouds, cloud shadows and gaps are excluded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.radiative_equation import AtmosphericTerms, uniform_surface_reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import masked_mean


@dataclass(frozen=True)
class Inversion:
    """Surface reflectance of a band as a function of its top-of-atmosphere reflectance.

    ``y = gain * rho_toa + bias``; then ``rho = y``, or ``rho = y / (1 + S y)`` if a spherical
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
        """Compute the surface reflectance on the grid of the fields.

        Parameters
        ----------
        toa_reflectance : ndarray of float32, shape (rows, cols)

        Returns
        -------
        ndarray of float32, shape (rows, cols)
        """
        y = self.gain * toa_reflectance
        y += self.bias
        if self.spherical_albedo is None:
            return y
        return uniform_surface_reflectance(y, self.spherical_albedo)

    def map(self, function: Callable[[Float32Array], Float32Array]) -> Inversion:
        """Apply a function to all fields: from the coarse grid to rows of a finer one."""
        albedo = self.spherical_albedo
        return Inversion(
            function(self.gain), function(self.bias), None if albedo is None else function(albedo)
        )


def inversion_without_adjacency(terms: AtmosphericTerms) -> Inversion:
    """Inversion for a neighbourhood that is as bright as the pixel."""
    gain = 1.0 / terms.transmittance
    return Inversion(
        gain.astype(np.float32),
        (-terms.path_reflectance * gain).astype(np.float32),
        terms.spherical_albedo.astype(np.float32),
    )


def inversion_with_adjacency(terms: AtmosphericTerms, mean_signal: Float32Array) -> Inversion:
    """Inversion with the adjacency effect.

    Parameters
    ----------
    terms : AtmosphericTerms
    mean_signal : ndarray of float32, same shape
        Mean signal ``x_mean`` of the neighbourhood (`neighbourhood_mean`).

    Returns
    -------
    Inversion
    """
    q, albedo = terms.diffuse_to_direct, terms.spherical_albedo
    damping = 1.0 - albedo * mean_signal / (1.0 + albedo * mean_signal)
    gain = (1.0 + q) * damping / terms.transmittance
    bias = -terms.path_reflectance * gain - q * mean_signal * damping
    return Inversion(gain.astype(np.float32), bias.astype(np.float32))


def flat_terrain_inversion(
    toa_reflectance: Float32Array, terms: AtmosphericTerms, usable: BoolArray, half_width: int
) -> Inversion:
    """Inversion over flat terrain, with or without the adjacency effect.

    Parameters
    ----------
    toa_reflectance : ndarray of float32, shape (rows, cols) of the coarse grid
    terms : AtmosphericTerms
    usable : ndarray of bool, same shape
        Pixels that show the surface: no cloud, cloud shadow or gap.
    half_width : int
        Half width of the neighbourhood in pixels; 0: no adjacency correction.

    Returns
    -------
    Inversion
    """
    if half_width == 0:
        return inversion_without_adjacency(terms)
    signal = terms.surface_signal(toa_reflectance)
    return inversion_with_adjacency(terms, neighbourhood_mean(signal, usable, half_width))


def neighbourhood_mean(values: Float32Array, usable: BoolArray, half_width: int) -> Float32Array:
    """Mean over the usable pixels of a square window.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, cols)
    usable : ndarray of bool, same shape
        Pixels that are included.
    half_width : int
        Half width of the window in pixels; the window is ``2 * half_width + 1`` wide.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        If a window has no usable pixel: the mean of all usable ones, or the values themselves if
        there are none at all.
    """
    if not usable.any():
        return values
    width = 2 * half_width + 1
    everywhere = float(values[usable].mean(dtype=np.float64))
    half_pixel = 0.5 / width**2
    return masked_mean(values, usable, width, min_fraction=half_pixel, fallback=everywhere)
