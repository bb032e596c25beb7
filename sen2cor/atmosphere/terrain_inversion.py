"""From top-of-atmosphere to surface reflectance over slopes.

The surface signal ``x`` (`sen2cor.atmosphere.radiative_equation`) assumes the illumination of flat
terrain. On a slope the flux is ``D`` times that on flat terrain::

    D = c [t + (1 - t) tau_s] + (1 - t) (1 - b tau_s) V + rho_terrain (1 - V)

with ``c = b cos(beta) / cos(theta_s)`` the illumination, ``b`` the sunlit fraction of the pixel,
``t`` the direct fraction of the flux on flat terrain, ``tau_s`` the direct transmittance from the
sun, and ``V`` the sky view factor. The terms are: direct flux; diffuse flux, of which the part
``tau_s`` is circumsolar and the rest isotropic (J. E. Hay, Solar Energy 23 (1979) 301-307); and
flux reflected by the surrounding terrain, found by iteration (R. Richter, Applied Optics 37 (1998)
4004-4015). ``x / D``, times the empirical factor for low illumination (`sen2cor.atmosphere.brdf`),
replaces ``x`` in the equations for flat terrain.

All terms but the illumination vary slowly and are kept on the coarse grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.atmosphere.brdf import EmpiricalBrdf
from sen2cor.atmosphere.inversion import (
    inversion_with_adjacency,
    inversion_without_adjacency,
    neighbourhood_mean,
)
from sen2cor.atmosphere.parameters import TerrainParameters
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms, uniform_surface_reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array

MIN_FLUX = 0.1
"""Minimum ratio of the flux on a slope to that on flat terrain by which a signal is divided."""

_CONVERGED = 0.001
"""Mean change of the terrain reflectance below which the iteration stops."""

_NEARLY_ONE = np.float32(0.9999)


@dataclass(frozen=True)
class SlopeIllumination:
    """Illumination of the slopes of the coarse grid; arrays of shape (rows, cols).

    Attributes
    ----------
    illumination : ndarray of float32
        Cosine of the incidence angle over that of the solar zenith angle; 0 in cast shadow, 1 on
        flat terrain and where the elevation is unknown.
    sunlit : ndarray of float32
        Fraction of the pixel outside the cast shadow, 0..1.
    sky_view : ndarray of float32
        Sky view factor.
    vegetation : ndarray of bool
        For empirical corrections that depend on the land cover.
    """

    illumination: Float32Array
    sunlit: Float32Array
    sky_view: Float32Array
    vegetation: BoolArray


@dataclass(frozen=True)
class TerrainInversion:
    """How a band's reflectance follows from its top-of-atmosphere reflectance on slopes.

    ``y = (gain * rho_toa + bias) * R + surroundings`` with ``R = min(G / D, max_factor)`` and
    ``D = illumination * sun - sunlit * circumsolar + diffuse``; then ``rho = y``, or
    ``rho = y / (1 + S y)`` where a spherical albedo is given.

    Attributes
    ----------
    gain, bias, sun, circumsolar, diffuse : ndarray of float32, shape (rows, cols)
    surroundings, spherical_albedo : ndarray of float32, same shape, or None
        One of the two is given: with or without adjacency effect.
    max_factor : float
    brdf : EmpiricalBrdf or None
    """

    gain: Float32Array
    bias: Float32Array
    sun: Float32Array
    circumsolar: Float32Array
    diffuse: Float32Array
    surroundings: Float32Array | None
    spherical_albedo: Float32Array | None
    max_factor: float
    brdf: EmpiricalBrdf | None

    def map(self, function: Callable[[Float32Array], Float32Array]) -> TerrainInversion:
        """Apply a function to all fields: from the coarse grid to rows of a finer one."""
        around, albedo = self.surroundings, self.spherical_albedo
        return replace(
            self,
            gain=function(self.gain),
            bias=function(self.bias),
            sun=function(self.sun),
            circumsolar=function(self.circumsolar),
            diffuse=function(self.diffuse),
            surroundings=None if around is None else function(around),
            spherical_albedo=None if albedo is None else function(albedo),
        )

    def flux(self, illumination: Float32Array, sunlit: Float32Array) -> Float32Array:
        """Ratio of the flux on slopes to that on flat terrain; unreliable below `MIN_FLUX`.

        Parameters
        ----------
        illumination, sunlit : ndarray of float32
            As in `SlopeIllumination`, on the grid of the fields.

        Returns
        -------
        ndarray of float32
        """
        flux = illumination * self.sun
        flux -= sunlit * self.circumsolar
        flux += self.diffuse
        return flux

    def terrain_factor(
        self,
        illumination: Float32Array,
        sunlit: Float32Array,
        vegetation: BoolArray | None = None,
    ) -> Float32Array:
        """Ratio R of terrain-corrected to flat-terrain signal; arguments: `SlopeIllumination`."""
        factor = self.flux(illumination, sunlit)
        np.maximum(factor, np.float32(MIN_FLUX), out=factor)
        np.reciprocal(factor, out=factor)
        if self.brdf is not None:
            factor *= self.brdf.factor(illumination, vegetation)
        np.minimum(factor, np.float32(self.max_factor), out=factor)
        return factor

    def __call__(
        self,
        toa_reflectance: Float32Array,
        illumination: Float32Array,
        sunlit: Float32Array,
        vegetation: BoolArray | None = None,
    ) -> Float32Array:
        """Compute the surface reflectance on the grid of the fields.

        Parameters
        ----------
        toa_reflectance : ndarray of float32, shape (rows, cols)
        illumination, sunlit, vegetation : ndarray, same shape
            As in `SlopeIllumination`.

        Returns
        -------
        ndarray of float32, shape (rows, cols)
        """
        y = self.gain * toa_reflectance
        y += self.bias
        y *= self.terrain_factor(illumination, sunlit, vegetation)
        if self.surroundings is not None:
            y += self.surroundings
        if self.spherical_albedo is None:
            return y
        return uniform_surface_reflectance(y, self.spherical_albedo)


def terrain_inversion(
    toa_reflectance: Float32Array,
    terms: AtmosphericTerms,
    slopes: SlopeIllumination,
    usable: BoolArray,
    parameters: TerrainParameters,
    *,
    adjacency_half_width: int | None,
    brdf: EmpiricalBrdf | None = None,
) -> TerrainInversion:
    """Inversion of a band over slopes.

    Parameters
    ----------
    toa_reflectance : ndarray of float32, shape (rows, cols) of the coarse grid
    terms : AtmosphericTerms
    slopes : SlopeIllumination
    usable : ndarray of bool, same shape
        Pixels that show the surface: no cloud, cloud shadow or gap.
    parameters : TerrainParameters
    adjacency_half_width : int or None
        Half width of the neighbourhood in pixels; None: no adjacency correction.
    brdf : EmpiricalBrdf, optional

    Returns
    -------
    TerrainInversion
    """
    x = terms.surface_signal(toa_reflectance)
    flat = inversion_without_adjacency(terms)
    isotropic = 1.0 - terms.direct_fraction
    circumsolar = isotropic * terms.transmittance_down_direct
    inversion = TerrainInversion(
        gain=flat.gain,
        bias=flat.bias,
        sun=terms.direct_fraction + circumsolar,
        circumsolar=circumsolar * slopes.sky_view,
        diffuse=_diffuse_flux(isotropic, slopes.sky_view, np.float32(parameters.start_reflectance)),
        surroundings=None,
        spherical_albedo=terms.spherical_albedo,
        max_factor=max(parameters.max_factor, 1.0),
        brdf=None,
    )
    del flat, circumsolar
    albedo = terms.spherical_albedo
    inversion = _add_terrain_reflection(inversion, x, albedo, isotropic, slopes, usable, parameters)
    inversion = replace(inversion, brdf=brdf)
    if adjacency_half_width is None:
        return inversion
    x *= inversion.terrain_factor(slopes.illumination, slopes.sunlit, slopes.vegetation)
    mean = neighbourhood_mean(x, usable, adjacency_half_width)
    flat = inversion_with_adjacency(terms, mean)
    # the bias has a part of the pixel, which the terrain factor scales, and one of its surroundings
    bias = -terms.path_reflectance * flat.gain
    return replace(
        inversion,
        gain=flat.gain,
        bias=bias,
        surroundings=flat.bias - bias,
        spherical_albedo=None,
    )


def _add_terrain_reflection(
    inversion: TerrainInversion,
    x: Float32Array,
    albedo: Float32Array,
    isotropic: Float32Array,
    slopes: SlopeIllumination,
    usable: BoolArray,
    parameters: TerrainParameters,
) -> TerrainInversion:
    """Add the flux reflected by the surrounding terrain, found by iteration."""
    terrain = np.full_like(x, parameters.start_reflectance)
    for _ in range(parameters.max_iterations):
        before = terrain
        signal = x * inversion.terrain_factor(slopes.illumination, slopes.sunlit)
        reflectance = uniform_surface_reflectance(signal, albedo)
        # pixels too dark to be fully corrected are excluded from the mean
        bright_enough = (
            inversion.flux(slopes.illumination, slopes.sunlit) * inversion.max_factor > _NEARLY_ONE
        )
        terrain = neighbourhood_mean(reflectance, usable & bright_enough, parameters.half_width)
        np.clip(terrain, 0.0, 1.0, out=terrain)
        inversion = replace(inversion, diffuse=_diffuse_flux(isotropic, slopes.sky_view, terrain))
        if np.abs(terrain - before).mean(dtype=np.float64) < _CONVERGED:
            break
    return inversion


def _diffuse_flux(
    isotropic: Float32Array, sky_view: Float32Array, terrain_reflectance: Float32Array | np.float32
) -> Float32Array:
    diffuse = isotropic * sky_view
    diffuse += terrain_reflectance * (np.float32(1.0) - sky_view)
    return diffuse
