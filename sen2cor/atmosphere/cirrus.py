"""Thin cirrus, from its reflectance at 1.375 um.

Water vapour absorbs the signal of the surface in B10; what remains is ice above the water vapour
(B.-C. Gao et al., J. Geophys. Res. 103 (1998) 32169-32176; R. Richter et al., Int. J. Remote
Sensing 32 (2011) 2931-2941). A layer of reflectance ``rho_ci`` without absorption transmits
the remaining radiation downward and upward::

    rho_toa = rho_ci + (1 - rho_ci)**2 rho_clear

Multiple reflection between surface and ice, and absorption by ice, are neglected. In a band ``b``
the cirrus reflectance follows from that in B10, of which water vapour above the ice absorbs a
part::

    rho_ci = s_b w (min(rho_B10, 0.04) - rho_B10_clear)

where the weight ``w`` rises smoothly from 0 to 1 below the threshold of thin cirrus, to avoid
edges. Ice scatters almost equally from 0.4 to 1.0 um, so one slope ``s`` serves B01 to B09; its
inverse is called gamma. Ice absorbs in B11 and B12; each has its own slope.

The slopes come from all pixels of the ground. B10 and the bands are compared after the removal of
their means over some kilometres, so that cover of land and water does not matter. The regression of
band ``b`` on B10 gives ``D_b``, disturbed by the texture of the surface. This texture has a
spectrum, the cirrus has another: generalised least squares weight the bands by the inverse of the
texture's covariance ``C``::

    s = (M' C^-1 M)^-1 M' C^-1 D

with a column of ``M`` for each slope. The scatter between square blocks of the scene gives the
standard error of ``s``, independent blocks assumed.

Cirrus is displaced between bands (`sen2cor.raster.parallax`), by some 150 m between B10 and B09.
Its height is the one, between 5 and 19 km, of maximum likelihood: with an unknown covariance of the
texture, that of the smallest determinant of the residuals' covariance. B10 is then projected to
each band.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates, uniform_filter

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.parameters import CirrusParameters
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array
from sen2cor.raster.parallax import Parallax

AnyInversion = TypeVar("AnyInversion", Inversion, TerrainInversion)

CIRRUS_BAND = "B10"
EVEN_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09")
ICE_BANDS = ("B11", "B12")
FIT_BANDS = ("B01", "B02", "B03", "B04", "B8A", *ICE_BANDS)
NEEDED_BANDS = (*FIT_BANDS, CIRRUS_BAND)
"""Bands that the retrieval uses."""

MAX_CORRECTED = np.float32(0.04)
"""Reflectance in B10 above which cirrus is not fully corrected."""

_CLEAR_QUANTILE = 0.01
_MAX_CLEAR = 0.005
"""Quantile, and maximum, of the reflectance in B10 that counts as that of the clear sky."""

_MIN_FRACTION = 0.005
"""Minimum fraction of the ground below thin cirrus for a correction."""

_NOISE_WIDTH = 1.0
"""Standard deviation in pixels of the Gaussian filter of B10 and of the bands compared with it."""

_MEAN_WIDTH = 41
"""Width in pixels of the window of the means that are removed: 2.5 km."""

_RAMP = (0.1, 0.6)
"""Start and end of the rise of the weight, as multiples of the threshold of thin cirrus."""

_MAX_PIXELS = 100_000
"""Number of pixels that the fit takes at most."""

_BLOCKS = 8
"""Blocks of the scene along a side, for the standard error."""

_HEIGHTS = np.arange(5000.0, 19001.0, 2000.0)
"""Candidates of the height, metres above the ground (K. Sassen et al., J. Geophys. Res. 113 (2008)
D00A12: tops of cirrus from 6 km at the poles to 17 km in the tropics)."""

_SENSOR_VARIANCE = 1e-7
"""Variance of the reflectance that noise and rounding leave after smoothing."""

_SLOPE = (0.6, 2.0)
"""Accepted range of the slope of `EVEN_BANDS`."""

_ICE_RATIO = (0.2, 1.0)
"""Accepted range of the slopes of `ICE_BANDS` relative to that of `EVEN_BANDS`."""

_MAX_ERROR = 0.15
_MAX_ICE_ERROR = 0.7
"""Maximum relative standard errors of the slopes. A correction whose error is smaller than itself
is better than none; with the slope of `EVEN_BANDS` it decides whether there is cirrus at all."""

_MAX_COLOUR = 0.25
"""Maximum difference of the slopes in blue and red relative to that of all: cirrus is white."""

logger = logging.getLogger(__name__)

FindParallax = Callable[[str], Parallax | None]
"""Returns the parallax of a band relative to B10, or None if it is not known."""


@dataclass(frozen=True)
class CirrusCorrection:
    """Reflectance of the cirrus over a tile.

    Attributes
    ----------
    slopes : mapping of band name to float
        Reflectance of the cirrus relative to `excess`. Other bands are not corrected.
    excess : ndarray of float32, shape (rows, cols), or None
        Weighted reflectance in B10 above that of the clear sky, on the coarse grid, 0 or more,
        without gaps; None if nothing is corrected.
    height : float
        Of the cirrus above the ground, metres.
    parallax : mapping of band name to Parallax
        Of the bands for which it is known.
    reason : str
        Why nothing is corrected, or empty.
    """

    slopes: Mapping[str, float] = field(default_factory=dict)
    excess: Float32Array | None = None
    height: float = 0.0
    parallax: Mapping[str, Parallax] = field(default_factory=dict)
    reason: str = ""

    def reflectance(self, band: str) -> Float32Array | None:
        """Reflectance of the cirrus in a band, as the band sees it; None: not corrected."""
        if self.excess is None or band not in self.slopes:
            return None
        excess = self.excess
        if band in self.parallax:
            excess = self.parallax[band].project(excess, self.height)
        return excess * np.float32(self.slopes[band])

    def remove(self, band: str, toa: Float32Array) -> Float32Array:
        """Remove the cirrus from a band's top-of-atmosphere reflectance on the coarse grid."""
        cirrus = self.reflectance(band)
        if cirrus is None:
            return toa
        return (toa - cirrus) / (np.float32(1.0) - cirrus) ** 2

    def fold_into(self, band: str, inversion: AnyInversion) -> AnyInversion:
        """Fold the removal of the cirrus into the gain and bias of an inversion of the band."""
        cirrus = self.reflectance(band)
        if cirrus is None:
            return inversion
        gain = inversion.gain / (np.float32(1.0) - cirrus) ** 2
        return replace(inversion, gain=gain, bias=inversion.bias - gain * cirrus)


def retrieve_cirrus(
    toa: Mapping[str, Float32Array],
    *,
    measured: BoolArray,
    ground: BoolArray,
    water_vapour: float,
    parameters: CirrusParameters,
    find_parallax: FindParallax = lambda band: None,
) -> CirrusCorrection:
    """Retrieve the reflectance of thin cirrus in all bands; the result or the reason is logged.

    Parameters
    ----------
    toa : mapping of band name to ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of `NEEDED_BANDS` on the coarse grid of 60 m. Without B10
        nothing is corrected; without B11 or B12 that band is not corrected.
    measured : ndarray of bool, same shape
        Pixels where B10 has data; others get the cirrus of the nearest of these.
    ground : ndarray of bool, same shape
        Pixels without clouds (other than cirrus), cloud shadows and gaps in any band; they take
        part in the fit.
    water_vapour : float
        Mean column of the scene, cm.
    parameters : CirrusParameters
    find_parallax : callable
        Returns the parallax of a band relative to B10 on the coarse grid, or None.

    Returns
    -------
    CirrusCorrection
    """
    thin = parameters.thin_reflectance
    if water_vapour < parameters.min_water_vapour:
        return _skip(
            f"the surface may be visible in {CIRRUS_BAND} through {water_vapour:.2f} cm of water "
            f"vapour (minimum {parameters.min_water_vapour:.2f} cm)"
        )
    if CIRRUS_BAND not in toa or not measured.any():
        return _skip(f"band {CIRRUS_BAND} is not available")
    ground = ground & measured
    if not ground.any():
        return _skip("no ground is free of clouds")
    cirrus = smooth_cirrus(toa[CIRRUS_BAND], measured)
    clear = np.float32(min(np.quantile(cirrus[ground], _CLEAR_QUANTILE), _MAX_CLEAR))
    fraction = float(np.mean(cirrus[ground] > thin))
    if fraction < _MIN_FRACTION:
        return _skip(f"cirrus covers {100.0 * fraction:.2f} % of the ground")
    parallax = {
        band: found
        for band in (*EVEN_BANDS, *ICE_BANDS)
        if (found := find_parallax(band)) is not None
    }
    height, fit = _fit_height(_Samples.draw(toa, cirrus, ground), parallax)
    rejection = fit.rejection()
    if rejection:
        return _skip(f"the visible bands do not follow {CIRRUS_BAND} ({rejection})")
    slopes = fit.accepted_slopes()
    logger.info(
        "Cirrus %s: gamma %s; slopes relative to B10: %s.",
        f"{height / 1000.0:.1f} km above the ground" if parallax else "of unknown height",
        f"{1.0 / fit.slopes[0]:.2f}",
        fit,
    )
    return CirrusCorrection(slopes, _excess(cirrus, clear, thin), height, parallax)


def _skip(reason: str) -> CirrusCorrection:
    logger.info("Cirrus correction skipped: %s.", reason)
    return CirrusCorrection(reason=reason)


def smooth_cirrus(cirrus: Float32Array, measured: BoolArray) -> Float32Array:
    """Fill the gaps of the cirrus reflectance and remove its noise; this blurs streaks of 140 m."""
    if not measured.all():
        nearest = distance_transform_edt(~measured, return_distances=False, return_indices=True)
        cirrus = cirrus[tuple(nearest)]
    return _smooth(cirrus)


def _smooth(image: Float32Array) -> Float32Array:
    return np.asarray(gaussian_filter(image, _NOISE_WIDTH, mode="nearest"), np.float32)


def _excess(cirrus: Float32Array, clear: np.float32, thin: float) -> Float32Array:
    """Reflectance in B10 above that of the clear sky, limited and weighted."""
    start, end = (np.float32(multiple * thin) for multiple in _RAMP)
    weight = np.clip((cirrus - start) / (end - start), 0.0, 1.0)
    weight *= weight * (np.float32(3.0) - np.float32(2.0) * weight)
    weight *= np.maximum(np.minimum(cirrus, MAX_CORRECTED) - clear, np.float32(0.0))
    return weight


@dataclass(frozen=True)
class _Fit:
    """Slopes by generalised least squares.

    Attributes
    ----------
    bands : tuple of str
        Of the regressions.
    regressions : ndarray of float64, shape (bands,)
        Slope of each band for itself.
    slopes : ndarray of float64, shape (1 + ice bands,)
        Of `EVEN_BANDS`, then of each of `ICE_BANDS` that is present.
    errors : ndarray of float64, same shape
        Standard errors.
    texture : float
        Logarithm of the determinant of the covariance of the surface's texture.
    """

    bands: tuple[str, ...]
    regressions: Float64Array
    slopes: Float64Array
    errors: Float64Array
    texture: float

    @property
    def ice_bands(self) -> list[str]:
        return [band for band in self.bands if band in ICE_BANDS]

    def __str__(self) -> str:
        names = [f"{EVEN_BANDS[0]} to {EVEN_BANDS[-1]}", *self.ice_bands]
        return ", ".join(
            f"{name} {slope:.2f} +- {error:.2f}"
            for name, slope, error in zip(names, self.slopes, self.errors, strict=True)
        )

    def rejection(self) -> str:
        """Why the slope of `EVEN_BANDS` is not that of cirrus, or empty."""
        slope, error = self.slopes[0], self.errors[0]
        if not error < _MAX_ERROR * abs(slope):
            return f"slope {slope:.2f} with a standard error of {error:.2f}"
        if not _SLOPE[0] <= slope <= _SLOPE[1]:
            return f"gamma {1.0 / slope:.2f} is not plausible"
        blue, red = (self.regressions[self.bands.index(band)] for band in ("B02", "B04"))
        if abs(red - blue) > _MAX_COLOUR * slope:
            return f"not white: slope {blue:.2f} in blue, {red:.2f} in red"
        return ""

    def accepted_slopes(self) -> dict[str, float]:
        """Slopes by band; a band of ice whose slope is uncertain or not plausible is left out."""
        even = float(self.slopes[0])
        slopes = dict.fromkeys(EVEN_BANDS, even)
        for band, slope, error in zip(
            self.ice_bands, self.slopes[1:], self.errors[1:], strict=True
        ):
            plausible = _ICE_RATIO[0] <= slope / even <= _ICE_RATIO[1]
            if plausible and error < _MAX_ICE_ERROR * slope:
                slopes[band] = float(slope)
        return slopes


@dataclass(frozen=True)
class _Samples:
    """Pixels of the ground that take part in the fit.

    Attributes
    ----------
    pixels : ndarray of intp, shape (number,)
        Flat indices.
    blocks : ndarray of intp, shape (number,)
        Block of the scene of each pixel.
    detail : ndarray of float32, shape (rows, cols)
        Reflectance in B10 above its mean around.
    values, means : dict of band name to ndarray of float32, shape (number,)
        Reflectance in a band above its mean around, and the mean.
    """

    pixels: npt.NDArray[np.intp]
    blocks: npt.NDArray[np.intp]
    detail: Float32Array
    values: dict[str, Float32Array]
    means: dict[str, Float32Array]

    @classmethod
    def draw(
        cls, toa: Mapping[str, Float32Array], cirrus: Float32Array, ground: BoolArray
    ) -> _Samples:
        """Draw pixels at a regular distance."""
        rows, cols = ground.shape
        weight = ground.astype(np.float32)
        total = np.maximum(uniform_filter(weight, _MEAN_WIDTH, mode="nearest"), 1e-6)

        def mean(image: Float32Array) -> Float32Array:
            found = uniform_filter(np.where(ground, image, np.float32(0.0)), _MEAN_WIDTH)
            return np.asarray(found / total, np.float32)

        pixels = np.flatnonzero(ground & (cirrus < MAX_CORRECTED))
        pixels = pixels[:: len(pixels) // _MAX_PIXELS + 1]
        row, col = np.divmod(pixels, cols)
        values, means = {}, {}
        for band in FIT_BANDS:
            if band in toa:
                around = mean(toa[band]).ravel()[pixels]
                values[band] = _smooth(toa[band]).ravel()[pixels] - around
                means[band] = around
        blocks = row * _BLOCKS // rows * _BLOCKS + col * _BLOCKS // cols
        return cls(pixels, blocks, cirrus - mean(cirrus), values, means)

    def fit(self, height: float, parallax: Mapping[str, Parallax]) -> _Fit:
        """Fit the slopes for a height of the cirrus."""
        bands = tuple(self.values)
        regressions = np.empty(len(bands))
        power = np.empty(len(bands))
        influences = np.empty((len(bands), _BLOCKS**2))
        residuals = np.empty((len(bands), len(self.pixels)), np.float32)
        for i, band in enumerate(bands):
            # the layer attenuates the surface
            cirrus = self._project(height, parallax.get(band))
            cirrus *= np.float32(1.0) - np.float32(2.0) * self.means[band]
            power[i] = np.dot(cirrus, cirrus)
            regressions[i] = np.dot(cirrus, self.values[band]) / power[i]
            residuals[i] = self.values[band] - np.float32(regressions[i]) * cirrus
            influences[i] = np.bincount(self.blocks, cirrus * residuals[i], _BLOCKS**2) / power[i]
        covariance = np.cov(residuals) + _SENSOR_VARIANCE * np.eye(len(bands))
        design = _design(bands)
        weighted = np.linalg.solve(covariance, design)
        gain = np.linalg.solve(design.T @ weighted, weighted.T)
        slopes = gain @ regressions
        errors = np.sqrt(np.square(gain @ influences).sum(axis=1))
        texture = float(np.linalg.slogdet(covariance)[1])
        return _Fit(bands, regressions, slopes, errors, texture)

    @cached_property
    def _rows_and_cols(self) -> Float64Array:
        """Rows and columns of the pixels, shape (2, number)."""
        return np.array(np.divmod(self.pixels, self.detail.shape[1]), np.float64)

    def _project(self, height: float, parallax: Parallax | None) -> Float32Array:
        if parallax is None:
            return self.detail.ravel()[self.pixels]
        at = self._rows_and_cols + parallax.displacement(height, self.pixels)
        projected: Float32Array = map_coordinates(self.detail, at, order=1, mode="nearest")
        return projected


def _design(bands: tuple[str, ...]) -> Float64Array:
    """Which slope applies to which band, shape (bands, slopes)."""
    ice = [band for band in bands if band in ICE_BANDS]
    columns = [[band not in ice for band in bands]] + [
        [band == own for band in bands] for own in ice
    ]
    return np.array(columns, np.float64).T


def _fit_height(samples: _Samples, parallax: Mapping[str, Parallax]) -> tuple[float, _Fit]:
    """Find the height of maximum likelihood, and the slopes there."""
    if not any(band in parallax for band in FIT_BANDS):
        height = float(np.median(_HEIGHTS))
        return height, samples.fit(height, {})
    texture = np.array([samples.fit(height, parallax).texture for height in _HEIGHTS])
    best = int(texture.argmin())
    height = float(_HEIGHTS[best])
    if 0 < best < len(_HEIGHTS) - 1:
        before, here, after = texture[best - 1 : best + 2]
        step = 0.5 * (before - after) / (before - 2.0 * here + after)
        height += float(step * (_HEIGHTS[1] - _HEIGHTS[0]))
    return height, samples.fit(height, parallax)
