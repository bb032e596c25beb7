"""Standard uncertainty of the surface reflectance, to first order.

Four inputs are perturbed by their standard uncertainty, one at a time: gain and offset of the
top-of-atmosphere reflectance, which are common to a pixel and its neighbours, the aerosol and the
water vapour. For a given signal of the neighbourhood, surface reflectance is linear in
top-of-atmosphere reflectance, and so is each change::

    rho = gain * rho_toa + bias,   delta_k = delta gain_k * rho_toa + delta bias_k

Errors of a single pixel (noise and others of `sen2cor.atmosphere.toa_uncertainty`) are multiplied
by the gain; the mean of the neighbourhood averages them out. The changes are independent and add in
quadrature (JCGM 100:2008, 5.1.2): the variance is a parabola of the top-of-atmosphere reflectance,
with three coefficients on the coarse grid. The error of the position adds the gain times its change
of the top-of-atmosphere reflectance; on slopes that of the terrain gradient is added. Errors of the
atmospheric model itself, of the adjacency correction and of the registration of the elevation model
are not included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.inversion import Inversion, inversion_with_adjacency
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.atmosphere.toa_uncertainty import ToaUncertainty
from sen2cor.raster.array_types import Float32Array


@dataclass(frozen=True)
class InputUncertainty:
    """Standard uncertainties of the inputs besides the top-of-atmosphere reflectance.

    Attributes
    ----------
    aot_relative, aot_absolute : float
        Of the aerosol optical thickness at 550 nm, the two parts added: required of Level-2A.
    water_relative, water_absolute : float
        Of the water vapour column, the same; the absolute part in cm.
    gradient : float
        Of the gradient of the terrain towards the sun, m/m. Elevations with an error of 1.2 m
        between neighbouring 30 m pixels (relative accuracy of Copernicus GLO-30: 2 m at 90 %)
        give 0.433 * 1.2 / 30 by the differences over 3 x 3 pixels.
    aot550 : ndarray of float32, shape (rows, cols) of the coarse grid, or None
        Of the aerosol optical thickness at 550 nm of each pixel, in place of `aot_relative` and
        `aot_absolute`.
    """

    aot_relative: float = 0.1
    aot_absolute: float = 0.03
    water_relative: float = 0.1
    water_absolute: float = 0.2
    gradient: float = 0.017
    aot550: Float32Array | None = None

    def aot_uncertainty(self, aot550: Float32Array) -> Float32Array:
        """Standard uncertainty of aerosol optical thicknesses."""
        if self.aot550 is not None:
            return self.aot550
        return np.float32(self.aot_relative) * aot550 + np.float32(self.aot_absolute)

    def perturb(self, state: AtmosphereState) -> Iterator[AtmosphereState]:
        """Yield the state with more aerosol, then the state with more water vapour."""
        water = state.water_vapour
        yield replace(state, aot550=state.aot550 + self.aot_uncertainty(state.aot550))
        more = np.float32(1.0 + self.water_relative) * water + np.float32(self.water_absolute)
        yield replace(state, water_vapour=more)


@dataclass(frozen=True)
class ReflectanceUncertainty:
    """Variance of a band's reflectance as a parabola of its top-of-atmosphere reflectance.

    Attributes
    ----------
    constant, linear, quadratic : ndarray of float32, shape (rows, cols) of the coarse grid
    gain : ndarray of float32, same shape
        Change of the surface reflectance with the top-of-atmosphere reflectance of the pixel.
    """

    constant: Float32Array
    linear: Float32Array
    quadratic: Float32Array
    gain: Float32Array

    def map(self, function: Callable[[Float32Array], Float32Array]) -> ReflectanceUncertainty:
        """Apply a function to all fields: from the coarse grid to rows of a finer one."""
        return ReflectanceUncertainty(
            function(self.constant),
            function(self.linear),
            function(self.quadratic),
            function(self.gain),
        )

    def __call__(
        self, toa_reflectance: Float32Array, change: Float32Array | None = None
    ) -> Float32Array:
        """Standard uncertainty over flat terrain.

        Parameters
        ----------
        toa_reflectance : ndarray of float32, shape (rows, cols)
            On the grid of the fields.
        change : ndarray of float32, shape (rows, cols), optional
            Standard uncertainty of the top-of-atmosphere reflectance by the error of the position.

        Returns
        -------
        ndarray of float32, shape (rows, cols)
        """
        variance = self.quadratic * toa_reflectance
        variance += self.linear
        variance *= toa_reflectance
        variance += self.constant
        if change is not None:
            variance += (self.gain * change) ** 2
        np.maximum(variance, np.float32(0.0), out=variance)
        np.sqrt(variance, out=variance)
        return variance


def reflectance_uncertainty(
    evaluate: Callable[[AtmosphereState], AtmosphericTerms],
    state: AtmosphereState,
    mean_toa_reflectance: Float32Array,
    radiometry: ToaUncertainty,
    inputs: InputUncertainty,
    *,
    adjacency: bool = True,
) -> ReflectanceUncertainty:
    """Uncertainty of a band.

    Parameters
    ----------
    evaluate : callable
        Returns the terms of the band in a state of the atmosphere.
    state : AtmosphereState
        As retrieved.
    mean_toa_reflectance : ndarray of float32, shape (rows, cols) of the coarse grid
        Mean of the neighbourhood; without the adjacency effect, the reflectance itself.
    radiometry : ToaUncertainty
        Of the top-of-atmosphere reflectance, on the coarse grid.
    inputs : InputUncertainty
    adjacency : bool
        Whether the adjacency effect is corrected.

    Returns
    -------
    ReflectanceUncertainty
    """

    def invert(terms: AtmosphericTerms, mean: Float32Array) -> Inversion:
        if not adjacency:
            terms = replace(terms, diffuse_to_direct=np.zeros_like(terms.diffuse_to_direct))
        return inversion_with_adjacency(terms, terms.surface_signal(mean))

    terms = evaluate(state)
    retrieved = invert(terms, mean_toa_reflectance)
    # errors of gain and offset are common to the pixel and its neighbours
    more, offset = np.float32(1.0 + radiometry.gain), np.float32(radiometry.offset)
    brighter = invert(terms, mean_toa_reflectance * more)
    shifted = invert(terms, mean_toa_reflectance + offset)
    perturbed = [
        replace(brighter, gain=brighter.gain * more),
        replace(shifted, bias=shifted.bias + shifted.gain * offset),
    ]
    perturbed += [invert(evaluate(other), mean_toa_reflectance) for other in inputs.perturb(state)]
    gains = [other.gain - retrieved.gain for other in perturbed]
    biases = [other.bias - retrieved.bias for other in perturbed]
    squared = retrieved.gain**2
    return ReflectanceUncertainty(
        constant=_sum(biases, biases) + squared * np.float32(radiometry.noise_constant),
        linear=np.float32(2.0) * _sum(gains, biases)
        + squared * np.float32(radiometry.noise_linear),
        quadratic=_sum(gains, gains) + squared * np.float32(radiometry.pixel_gain**2),
        gain=retrieved.gain,
    )


def slope_uncertainty(
    flat_terrain: Float32Array,
    reflectance: Float32Array,
    inversion: TerrainInversion,
    factor: Float32Array,
    sunlit: Float32Array,
    *,
    solar_zenith: float,
    inputs: InputUncertainty,
) -> Float32Array:
    """Standard uncertainty on slopes; all arrays are of one grid.

    The uncertainty over flat terrain is scaled like the signal. The error of the gradient, which
    changes the illumination by ``tan(solar zenith)`` times itself, is added in quadrature. The
    effect of aerosol on the ratio of direct to diffuse flux is neglected.

    Parameters
    ----------
    flat_terrain : ndarray of float32, shape (rows, cols)
        Uncertainty over flat terrain.
    reflectance : ndarray of float32
        Of the surface, as corrected.
    inversion : TerrainInversion
    factor : ndarray of float32
        Ratio of terrain-corrected to flat-terrain signal, of the inversion.
    sunlit : ndarray of float32
        Fraction of the pixel outside the cast shadow, 0..1.
    solar_zenith : float
        Degrees.
    inputs : InputUncertainty

    Returns
    -------
    ndarray of float32, shape (rows, cols)
    """
    by_gradient = np.float32(inputs.gradient * np.tan(np.radians(solar_zenith))) * inversion.sun
    by_gradient *= factor
    by_gradient *= sunlit
    if inversion.surroundings is not None:
        by_gradient *= reflectance - inversion.surroundings
    else:
        by_gradient *= reflectance
    if inversion.spherical_albedo is not None:
        by_gradient *= np.float32(1.0) - inversion.spherical_albedo * reflectance
    np.hypot(factor * flat_terrain, by_gradient, out=by_gradient)
    return by_gradient


def _sum(first: list[Float32Array], second: list[Float32Array]) -> Float32Array:
    total = first[0] * second[0]
    for one, other in zip(first[1:], second[1:], strict=True):
        total += one * other
    return total
