"""From top-of-atmosphere to surface reflectance over slopes.

The signal ``x`` of a band (`sen2cor.atmosphere.inversion`) takes the ground for lit as flat ground
is. On a slope the flux is ``D`` times that of flat ground::

    D = c [t + (1 - t) tau_s] + (1 - t) (1 - b tau_s) V + rho_terrain (1 - V)

with c = b cos(beta) / cos(theta_s) the illumination, b the share of the pixel outside the cast
shadow, t the direct share of the flux on flat ground, tau_s the direct transmittance from the sun,
V the sky view factor: direct light, diffuse light of which ``tau_s`` comes from around the sun and
the rest from all of the sky (J. E. Hay, Solar Energy 23 (1979) 301-307), and light reflected by the
surrounding terrain, found by iteration (R. Richter, Applied Optics 37 (1998) 4004-4015). Then
``x / D``, times the empirical factor for weak light (`sen2cor.atmosphere.brdf`), takes the place of
``x`` in the equations for flat ground.

All but the illumination varies slowly and lives on the coarse grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.atmosphere.adjacency import neighbourhood_mean
from sen2cor.atmosphere.atmospheric_terms import AtmosphericTerms
from sen2cor.atmosphere.brdf import EmpiricalBrdf
from sen2cor.atmosphere.inversion import (
    inversion_with_adjacency,
    inversion_without_adjacency,
    signal,
)
from sen2cor.raster.array_types import BoolArray, Float32Array

LEAST_FLUX = 0.1
"""Least flux on a slope, over that on flat ground, by which a signal is divided."""

_CONVERGED = 0.001
_NEARLY_ONE = np.float32(0.9999)


@dataclass(frozen=True)
class SlopeIllumination:
    """Light on the slopes of the coarse grid; arrays of shape (rows, cols).

    Attributes
    ----------
    illumination : ndarray of float32
        Cosine of the incidence angle over that of the solar zenith angle; 0 in cast shadow, 1 on
        flat ground and where the relief is unknown.
    sunlit : ndarray of float32
        Share of the pixel outside the cast shadow.
    sky_view : ndarray of float32
        Sky view factor.
    vegetation : ndarray of bool
        For empirical corrections that depend on the cover.
    """

    illumination: Float32Array
    sunlit: Float32Array
    sky_view: Float32Array
    vegetation: BoolArray


@dataclass(frozen=True)
class TerrainParameters:
    """How the correction of slopes is to be done.

    Attributes
    ----------
    start : float
        Reflectance of the surrounding terrain at the start (AC_Terrain_Refl_Start).
    iterations : int
        At most so many (AC_Max_Nr_Topo_Iter); fewer where the mean change falls below 0.001.
    half_width : int
        Pixels from the centre to the edge of the neighbourhood that lights a slope
        (AC_Rng_Nbhd_Terrain_Corr).
    cutoff : float
        Greatest ratio of terrain-corrected to flat signal (AC_Topo_Corr_Cutoff). Below 1 it is
        taken for 1: flat ground stays as it is.
    """

    start: float
    iterations: int
    half_width: int
    cutoff: float


@dataclass(frozen=True)
class TerrainInversion:
    """How a band's reflectance follows from its top-of-atmosphere reflectance on slopes.

    ``y = (gain * rho_toa + bias) * R + surroundings`` with ``R = min(G / D, cutoff)`` and
    ``D = illumination * sun - sunlit * circumsolar + diffuse``; then ``rho = y``, or
    ``rho = y / (1 + S y)`` where a spherical albedo is given.

    Attributes
    ----------
    gain, bias, sun, circumsolar, diffuse : ndarray of float32, shape (rows, cols)
    surroundings, spherical_albedo : ndarray of float32, same shape, or None
        One of the two is given: with or without adjacency effect.
    cutoff : float
    brdf : EmpiricalBrdf or None
    """

    gain: Float32Array
    bias: Float32Array
    sun: Float32Array
    circumsolar: Float32Array
    diffuse: Float32Array
    surroundings: Float32Array | None
    spherical_albedo: Float32Array | None
    cutoff: float
    brdf: EmpiricalBrdf | None

    def map(self, function: Callable[[Float32Array], Float32Array]) -> TerrainInversion:
        """Pass all fields through a function: from the coarse grid to rows of a finer one."""
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
        """Flux on the slopes over that on flat ground; below `LEAST_FLUX` it is not trustworthy.

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
        """Ratio R of terrain-corrected to flat signal; arguments as in `SlopeIllumination`."""
        factor = self.flux(illumination, sunlit)
        np.maximum(factor, np.float32(LEAST_FLUX), out=factor)
        np.reciprocal(factor, out=factor)
        if self.brdf is not None:
            factor *= self.brdf.factor(illumination, vegetation)
        np.minimum(factor, np.float32(self.cutoff), out=factor)
        return factor

    def __call__(
        self,
        toa_reflectance: Float32Array,
        illumination: Float32Array,
        sunlit: Float32Array,
        vegetation: BoolArray | None = None,
    ) -> Float32Array:
        """Surface reflectance on the grid of the fields.

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
        if self.spherical_albedo is not None:
            y /= np.float32(1.0) + self.spherical_albedo * y
        return y


def terrain_inversion(
    toa_reflectance: Float32Array,
    functions: AtmosphericTerms,
    light: SlopeIllumination,
    usable: BoolArray,
    correction: TerrainParameters,
    *,
    adjacency_half_width: int | None,
    brdf: EmpiricalBrdf | None = None,
) -> TerrainInversion:
    """Inversion of a band over slopes.

    Parameters
    ----------
    toa_reflectance : ndarray of float32, shape (rows, cols) of the coarse grid
    functions : AtmosphericTerms
    light : SlopeIllumination
    usable : ndarray of bool, same shape
        Pixels that show the ground: no cloud, cloud shadow or gap.
    correction : TerrainParameters
    adjacency_half_width : int or None
        Half width in pixels of the window of the adjacency effect; None is without it.
    brdf : EmpiricalBrdf, optional

    Returns
    -------
    TerrainInversion
    """
    x = signal(toa_reflectance, functions)
    flat = inversion_without_adjacency(functions)
    isotropic = 1.0 - functions.direct_fraction
    circumsolar = isotropic * functions.transmittance_down_direct
    inversion = TerrainInversion(
        gain=flat.gain,
        bias=flat.bias,
        sun=functions.direct_fraction + circumsolar,
        circumsolar=circumsolar * light.sky_view,
        diffuse=_diffuse(isotropic, light.sky_view, np.float32(correction.start)),
        surroundings=None,
        spherical_albedo=functions.spherical_albedo,
        cutoff=max(correction.cutoff, 1.0),
        brdf=None,
    )
    del flat, circumsolar
    albedo = functions.spherical_albedo
    inversion = _lit_by_terrain(inversion, x, albedo, isotropic, light, usable, correction)
    inversion = replace(inversion, brdf=brdf)
    if adjacency_half_width is None:
        return inversion
    x *= inversion.terrain_factor(light.illumination, light.sunlit, light.vegetation)
    mean = neighbourhood_mean(x, usable, adjacency_half_width)
    level = inversion_with_adjacency(functions, mean)
    # level's bias is that of the pixel, which the slope scales, and that of its surroundings
    bias = -functions.offset * level.gain
    return replace(
        inversion,
        gain=level.gain,
        bias=bias,
        surroundings=level.bias - bias,
        spherical_albedo=None,
    )


def _lit_by_terrain(
    inversion: TerrainInversion,
    x: Float32Array,
    albedo: Float32Array,
    isotropic: Float32Array,
    light: SlopeIllumination,
    usable: BoolArray,
    correction: TerrainParameters,
) -> TerrainInversion:
    """Find the light from the surrounding terrain by iteration."""
    terrain = np.full_like(x, correction.start)
    for _ in range(correction.iterations):
        before = terrain
        slopes = x * inversion.terrain_factor(light.illumination, light.sunlit)
        slopes /= np.float32(1.0) + albedo * slopes
        # the mean leaves out what is too dark to be fully corrected
        lit = inversion.flux(light.illumination, light.sunlit) * inversion.cutoff > _NEARLY_ONE
        terrain = neighbourhood_mean(slopes, usable & lit, correction.half_width)
        np.clip(terrain, 0.0, 1.0, out=terrain)
        inversion = replace(inversion, diffuse=_diffuse(isotropic, light.sky_view, terrain))
        if np.abs(terrain - before).mean(dtype=np.float64) < _CONVERGED:
            break
    return inversion


def _diffuse(
    isotropic: Float32Array, sky_view: Float32Array, terrain_reflectance: Float32Array | np.float32
) -> Float32Array:
    diffuse = isotropic * sky_view
    diffuse += terrain_reflectance * (np.float32(1.0) - sky_view)
    return diffuse
