"""Thin cirrus, from its reflectance at 1.375 um.

Water vapour absorbs the signal of the surface in B10; what remains is ice above the water vapour.
Along the dark edge of the scatter plot of B10 against another band ``b`` lies the darkest surface
below increasing cirrus. The slope of this edge, ``gamma_b = d rho_B10 / d rho_b``, converts the
cirrus reflectance in B10 into that in ``b`` (B.-C. Gao et al., IEEE Trans. Geosci. Remote Sensing
36 (1998) 165-176; R. Richter et al., Int. J. Remote Sensing 32 (2011) 2931-2941). Ice scatters
almost equally from 0.4 to 1.0 um, so one slope serves B01 to B09; it is determined in red over land
and in B8A over water, where the surface is darkest. Ice absorbs in B11 and B12; each has its own
slope. The cirrus reflectance in a band is::

    rho_ci = w (min(rho_B10, 0.04) - rho_B10_clear) / gamma_b

where the weight ``w`` rises smoothly from 0 to 1 below the threshold of thin cirrus, to avoid
edges. It is computed on the coarse grid. A layer of this reflectance without absorption transmits
the remaining radiation downward and upward::

    rho_toa = rho_ci + (1 - rho_ci)**2 rho_clear

Without the factor ``(1 - rho_ci)**2``, bright surfaces would be too dark by more than half of
``rho_ci``.
Multiple reflection between surface and ice, and absorption by ice, are neglected.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.parameters import CirrusParameters
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array

AnyInversion = TypeVar("AnyInversion", Inversion, TerrainInversion)

CIRRUS_BAND = "B10"
EVEN_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09")
ICE_BANDS = ("B11", "B12")
NEEDED_BANDS = ("B02", "B04", "B8A", CIRRUS_BAND, *ICE_BANDS)
"""Bands that the retrieval uses."""

MAX_CORRECTED = np.float32(0.04)
"""Reflectance in B10 above which cirrus is not fully corrected."""

_CLEAR_QUANTILE = 0.01
_MAX_CLEAR = 0.005
"""Quantile, and maximum, of the reflectance in B10 that counts as that of the clear sky."""

_MIN_FRACTION = 0.005
"""Minimum fraction of the ground below thin cirrus for a correction."""

_LAND_BAND, _WATER_BAND, _WHITE_BAND = "B04", "B8A", "B02"

_NOISE_WIDTH = 1.0
_SHORE_WIDTH = 15.0
"""Standard deviations in pixels of Gaussian filters: of B10, and of the water fraction."""

_RAMP = (0.1, 0.6)
"""Start and end of the rise of the weight, as multiples of the threshold of thin cirrus."""

_BIN = 0.001
"""Width of a bin of B10 reflectance."""

_MIN_PIXELS = 200
"""Minimum number of pixels of a bin."""

_MAX_WEIGHT = 5000
"""Number of pixels from which a bin gains no more weight: its dark edge no longer changes."""

_MIN_BINS = 6
_DARKEST = (0.01, 0.02, 0.03, 0.04, 0.05)
"""Quantiles whose mean is the dark edge of a bin."""

_WHITE = (0.8, 1.25)
"""Accepted ratio of the slopes of red and blue: cirrus is white."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CirrusCorrection:
    """Reflectance of the cirrus over a tile.

    Attributes
    ----------
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
        Reflectance of the cirrus on the coarse grid, 0 or more, without gaps. Bands that are not
        given are not corrected. Bands may share arrays.
    reason : str
        Why nothing is corrected, or empty.
    """

    reflectance: Mapping[str, Float32Array] = field(default_factory=dict)
    reason: str = ""

    def remove(self, band: str, toa: Float32Array) -> Float32Array:
        """Remove the cirrus from a band's top-of-atmosphere reflectance on the coarse grid."""
        cirrus = self.reflectance.get(band)
        if cirrus is None:
            return toa
        return (toa - cirrus) / (np.float32(1.0) - cirrus) ** 2

    def fold_into(self, band: str, inversion: AnyInversion) -> AnyInversion:
        """Fold the removal of the cirrus into the gain and bias of an inversion of the band."""
        cirrus = self.reflectance.get(band)
        if cirrus is None:
            return inversion
        gain = inversion.gain / (np.float32(1.0) - cirrus) ** 2
        return replace(inversion, gain=gain, bias=inversion.bias - gain * cirrus)


@dataclass(frozen=True)
class _Limits:
    """Range and correlation within which a slope is accepted."""

    minimum: float
    maximum: float
    correlation: float


_EVEN = _Limits(0.6, 2.0, 0.9)
_ICE = _Limits(0.2, 1.0, 0.95)
"""Slopes relative to that of `EVEN_BANDS`."""


@dataclass(frozen=True)
class _Fit:
    """Slope ``1 / gamma`` along a dark edge, or why it is rejected."""

    slope: float | None
    rejection: str = ""

    def __str__(self) -> str:
        return self.rejection if self.slope is None else f"gamma {1.0 / self.slope:.2f}"


def retrieve_cirrus(
    toa: Mapping[str, Float32Array],
    *,
    measured: BoolArray,
    ground: BoolArray,
    water: BoolArray,
    water_vapour: float,
    parameters: CirrusParameters,
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
        Pixels without clouds (other than cirrus), cloud shadows and gaps in any band; they form
        the scatter plots.
    water : ndarray of bool, same shape
        Water pixels.
    water_vapour : float
        Mean column of the scene, cm.
    parameters : CirrusParameters

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
    land, sea = (
        _ScatterPlot.bin_pixels(cirrus, clear, cover) for cover in (ground & ~water, ground & water)
    )
    even = _fit_visible(land, toa), sea.fit(toa[_WATER_BAND], _EVEN)
    ice = _fit_ice_bands(land, toa, even[0]), _fit_ice_bands(sea, toa, even[1])
    fits = {EVEN_BANDS: even} | {(band,): (ice[0][band], ice[1][band]) for band in ice[0]}
    excess = _excess(cirrus, clear, thin)
    water_fraction = cache(lambda: _smooth_water_fraction(water))
    reflectance: dict[str, Float32Array] = {}
    for bands, (over_land, over_water) in fits.items():
        logger.info(
            "Cirrus in %s: %s over land, %s over water.", ", ".join(bands), over_land, over_water
        )
        slope = _blend_slopes(over_land.slope, over_water.slope, water_fraction)
        if slope is not None:
            reflectance |= dict.fromkeys(bands, excess * slope)
    if EVEN_BANDS[0] not in reflectance:
        return _skip(f"the visible bands do not correlate with {CIRRUS_BAND}")
    return CirrusCorrection(reflectance)


def _skip(reason: str) -> CirrusCorrection:
    logger.info("Cirrus correction skipped: %s.", reason)
    return CirrusCorrection(reason=reason)


def smooth_cirrus(cirrus: Float32Array, measured: BoolArray) -> Float32Array:
    """Fill the gaps of the cirrus reflectance and remove its noise.

    The filter, about 140 m wide at 60 m, blurs narrower streaks. This does no harm: parallax
    between the bands displaces high clouds by up to about 200 m.
    """
    if not measured.all():
        nearest = distance_transform_edt(~measured, return_distances=False, return_indices=True)
        cirrus = cirrus[tuple(nearest)]
    return np.asarray(gaussian_filter(cirrus, _NOISE_WIDTH, mode="nearest"), np.float32)


def _excess(cirrus: Float32Array, clear: np.float32, thin: float) -> Float32Array:
    """Reflectance in B10 above that of the clear sky, limited and weighted."""
    start, end = (np.float32(multiple * thin) for multiple in _RAMP)
    weight = np.clip((cirrus - start) / (end - start), 0.0, 1.0)
    weight *= weight * (np.float32(3.0) - np.float32(2.0) * weight)
    weight *= np.maximum(np.minimum(cirrus, MAX_CORRECTED) - clear, np.float32(0.0))
    return weight


def _smooth_water_fraction(water: BoolArray) -> Float32Array:
    """Fraction of water around each pixel, with a gradual transition at the shore."""
    fraction = gaussian_filter(water.astype(np.float32), _SHORE_WIDTH, mode="nearest")
    return np.asarray(fraction, np.float32)


def _blend_slopes(
    land: float | None, water: float | None, water_fraction: Callable[[], Float32Array]
) -> Float32Array | np.float32 | None:
    """Slope of each pixel; if only one of land and water has a slope, it is used for both."""
    if land is None or water is None:
        only = water if land is None else land
        return None if only is None else np.float32(only)
    return np.float32(land) + np.float32(water - land) * water_fraction()


def _fit_visible(land: _ScatterPlot, toa: Mapping[str, Float32Array]) -> _Fit:
    """Fit in red over land, if blue agrees: the darkest surface may differ between bins."""
    red, blue = (land.fit(toa[band], _EVEN) for band in (_LAND_BAND, _WHITE_BAND))
    if red.slope is None or blue.slope is None:
        return red if red.slope is None else blue
    ratio = red.slope / blue.slope
    if not _WHITE[0] < ratio < _WHITE[1]:
        return _Fit(None, f"not white (slope in red {ratio:.2f} times that in blue)")
    return red


def _fit_ice_bands(
    cover: _ScatterPlot, toa: Mapping[str, Float32Array], even: _Fit
) -> dict[str, _Fit]:
    """Fit the bands that ice absorbs: all or none, because fits over land are often unreliable."""
    bands = [band for band in ICE_BANDS if band in toa]
    if even.slope is None:
        return dict.fromkeys(bands, even)
    limits = _Limits(_ICE.minimum * even.slope, _ICE.maximum * even.slope, _ICE.correlation)
    fits = {band: cover.fit(toa[band], limits) for band in bands}
    weak = [fit for fit in fits.values() if fit.slope is None]
    return dict.fromkeys(bands, weak[0]) if weak else fits


@dataclass(frozen=True)
class _ScatterPlot:
    """Pixels of land or water in bins of B10 reflectance.

    Attributes
    ----------
    pixels : list of ndarray of intp
        Flat indices of the pixels of each bin.
    cirrus : ndarray of float64, shape (bins,)
        Mean reflectance in B10.
    clear : float
        Reflectance of the clear sky in B10.
    """

    pixels: list[npt.NDArray[np.intp]]
    cirrus: Float64Array
    clear: float

    @classmethod
    def bin_pixels(cls, cirrus: Float32Array, clear: np.float32, cover: BoolArray) -> _ScatterPlot:
        chosen = np.flatnonzero(cover & (cirrus >= clear) & (cirrus < MAX_CORRECTED))
        values = cirrus.ravel()[chosen]
        number = ((values - clear) / np.float32(_BIN)).astype(np.uint8)
        order = np.argsort(number, kind="stable")
        borders = np.flatnonzero(np.diff(number[order])) + 1
        bins = [part for part in np.split(order, borders) if len(part) >= _MIN_PIXELS]
        means = [values[part].mean(dtype=np.float64) for part in bins]
        return cls([chosen[part] for part in bins], np.array(means), float(clear))

    def fit(self, band: Float32Array, limits: _Limits) -> _Fit:
        """Fit a line through the darkest pixels of the bins."""
        if len(self.pixels) < _MIN_BINS:
            return _Fit(None, "too few pixels below cirrus")
        values = band.ravel()
        edge = np.array([np.quantile(values[part], _DARKEST).mean() for part in self.pixels])
        weights = np.minimum([len(part) for part in self.pixels], _MAX_WEIGHT)
        mean, dark = (np.average(values, weights=weights) for values in (self.cirrus, edge))
        covariance = np.cov(self.cirrus, edge, aweights=weights)
        slope = covariance[0, 1] / covariance[0, 0]
        scatter = np.sqrt(covariance[0, 0] * covariance[1, 1])
        correlation = covariance[0, 1] / scatter if scatter > 0.0 else 0.0
        if correlation < limits.correlation:
            return _Fit(None, f"correlation {correlation:.2f} too low")
        # the layer attenuates the darkest surface, which makes the slope too small
        slope /= 1.0 - 2.0 * (dark - slope * (mean - self.clear))
        if not limits.minimum <= slope <= limits.maximum:
            return _Fit(None, f"gamma {1.0 / slope:.2f} not plausible")
        return _Fit(float(slope))
