"""Thin cirrus, from its own reflectance at 1.375 um.

Water vapour hides the ground in B10; what shines there is ice above it. Along the dark edge of the
scatter plot of B10 against another band b lies the darkest ground under more and more cirrus: its
slope ``gamma_b = d rho_B10 / d rho_b`` turns the cirrus seen in B10 into that in b (B.-C. Gao et
al., IEEE Trans. Geosci. Remote Sensing 36 (1998) 165-176; R. Richter et al., Int. J. Remote Sensing
32 (2011) 2931-2941). Ice scatters evenly from 0.4 to 1.0 um, so one slope serves B01 to B09, found
where the ground is darkest: in red over land, in B8A over water. Ice absorbs in B11 and B12, which
have slopes of their own. The reflectance of the cirrus in a band is::

    amount = w (min(rho_B10, 0.04) - rho_B10_clear) / gamma_b

where the weight w rises smoothly from 0 to 1 below the threshold of thin cirrus, so that no edge
appears. It is as smooth as B10 at 60 m: a field of the coarse grid. A layer that reflects so much
and absorbs nothing lets the rest through, downwards and upwards::

    rho_toa = amount + (1 - amount)**2 rho_clear

Without the second term bright ground would come out too dark by more than half of the amount. Light
that goes back and forth between ground and ice, and absorption by the ice, are left out.
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
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array

AnyInversion = TypeVar("AnyInversion", Inversion, TerrainInversion)

CIRRUS_BAND = "B10"
EVEN_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09")
ICE_BANDS = ("B11", "B12")
NEEDED_BANDS = ("B02", "B04", "B8A", CIRRUS_BAND, *ICE_BANDS)
"""What the retrieval looks at."""

LARGEST = np.float32(0.04)
"""Reflectance in B10 beyond which cirrus is not fully corrected."""

_CLEAR_QUANTILE = 0.01
_LARGEST_CLEAR = 0.005
_LEAST_SHARE = 0.005
"""Share of the ground under thin cirrus from which on it is significant."""

_LAND_BAND, _WATER_BAND, _WHITE_BAND = "B04", "B8A", "B02"

_NOISE_WIDTH = 1.0
_SHORE_WIDTH = 15.0
"""Standard deviations of Gaussian windows in pixels: over B10, and over the share of water."""

_RAMP = (0.1, 0.6)
"""Where the weight leaves 0 and reaches 1, in thresholds of thin cirrus."""

_BIN = 0.001
_FEWEST_PIXELS = 200
_MOST_PIXELS = 5000
"""Pixels in a bin that weigh: more do not make its darkest ones darker."""

_FEWEST_BINS = 6
_DARKEST = (0.01, 0.02, 0.03, 0.04, 0.05)
"""Quantiles whose mean is the dark edge of a bin."""

_WHITE = (0.8, 1.25)
"""Ratio of the slopes of red and blue: cirrus is white, ground that passes for it is not."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CirrusCorrection:
    """What cirrus adds to the bands of a tile.

    Attributes
    ----------
    amounts : mapping of band name to ndarray of float32, shape (rows, cols)
        Reflectance of the cirrus on the coarse grid, 0 and more, no gaps. A band that is not in it
        stays as it is. Bands share arrays.
    reason : str
        Why nothing is corrected, or empty.
    """

    amounts: Mapping[str, Float32Array] = field(default_factory=dict)
    reason: str = ""

    def cleared(self, band: str, toa: Float32Array) -> Float32Array:
        """Top-of-atmosphere reflectance of a band on the coarse grid, as without cirrus."""
        amount = self.amounts.get(band)
        if amount is None:
            return toa
        return (toa - amount) / (np.float32(1.0) - amount) ** 2

    def before(self, band: str, inversion: AnyInversion) -> AnyInversion:
        """Inversion of a band that first clears the cirrus; on the coarse grid."""
        amount = self.amounts.get(band)
        if amount is None:
            return inversion
        gain = inversion.gain / (np.float32(1.0) - amount) ** 2
        return replace(inversion, gain=gain, bias=inversion.bias - gain * amount)


@dataclass(frozen=True)
class _Limits:
    """What a slope must be like to be believed."""

    least: float
    largest: float
    correlation: float


_EVEN = _Limits(0.6, 2.0, 0.9)
_ICE = _Limits(0.2, 1.0, 0.95)
"""Slopes relative to the even one."""


@dataclass(frozen=True)
class _Fit:
    """Slope 1 / gamma along a dark edge, or why it is not believed."""

    slope: float | None
    doubt: str = ""

    def __str__(self) -> str:
        return self.doubt if self.slope is None else f"gamma {1.0 / self.slope:.2f}"


def retrieve_cirrus(
    toa: Mapping[str, Float32Array],
    *,
    measured: BoolArray,
    ground: BoolArray,
    water: BoolArray,
    column: float,
    least_column: float,
    thin: float,
) -> CirrusCorrection:
    """Find what thin cirrus adds to the bands; the log says what was found, or why nothing.

    Parameters
    ----------
    toa : mapping of band name to ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of `NEEDED_BANDS` on the coarse grid of 60 m. Without B10
        nothing is corrected; without B11 or B12 that band is left alone.
    measured : ndarray of bool, same shape
        Pixels where B10 has data; the others take the cirrus of the nearest of these.
    ground : ndarray of bool, same shape
        Pixels without cloud other than cirrus, cloud shadow and gap in any band: they make the
        scatter plots.
    water : ndarray of bool, same shape
        Water pixels.
    column : float
        Mean column of water vapour of the scene, cm.
    least_column : float
        Column in cm below which the ground shines through in B10.
    thin : float
        Reflectance in B10 from which on a pixel counts as thin cirrus.

    Returns
    -------
    CirrusCorrection
    """
    if column < least_column:
        return _refused(f"{column:.2f} cm of water vapour do not hide the ground in {CIRRUS_BAND}")
    if CIRRUS_BAND not in toa or not measured.any():
        return _refused(f"there is no band {CIRRUS_BAND}")
    ground = ground & measured
    if not ground.any():
        return _refused("no ground is free of clouds")
    cirrus = smoothed(toa[CIRRUS_BAND], measured)
    clear = np.float32(min(np.quantile(cirrus[ground], _CLEAR_QUANTILE), _LARGEST_CLEAR))
    share = float(np.mean(cirrus[ground] > thin))
    if share < _LEAST_SHARE:
        return _refused(f"only {100.0 * share:.2f} % of the ground lie under it")
    land, sea = (_Scatter.of(cirrus, clear, cover) for cover in (ground & ~water, ground & water))
    even = _white_fit(land, toa), sea.fit(toa[_WATER_BAND], _EVEN)
    ice = _ice_fits(land, toa, even[0]), _ice_fits(sea, toa, even[1])
    fits = {EVEN_BANDS: even} | {(band,): (ice[0][band], ice[1][band]) for band in ice[0]}
    excess = _excess(cirrus, clear, thin)
    near_water = cache(lambda: _near(water))
    amounts: dict[str, Float32Array] = {}
    for bands, (over_land, over_water) in fits.items():
        logger.info(
            "cirrus in %s: %s over land, %s over water", ", ".join(bands), over_land, over_water
        )
        slope = _blended(over_land.slope, over_water.slope, near_water)
        if slope is not None:
            amounts |= dict.fromkeys(bands, excess * slope)
    if EVEN_BANDS[0] not in amounts:
        return _refused("the visible bands do not follow it")
    return CirrusCorrection(amounts)


def _refused(reason: str) -> CirrusCorrection:
    logger.info("cirrus is not corrected: %s", reason)
    return CirrusCorrection(reason=reason)


def smoothed(cirrus: Float32Array, measured: BoolArray) -> Float32Array:
    """Reflectance of the cirrus without noise and gaps.

    Streaks narrower than the window, some 140 m at 60 m, are blurred; the bands see high clouds at
    places up to some 200 m apart anyhow.
    """
    if not measured.all():
        nearest = distance_transform_edt(~measured, return_distances=False, return_indices=True)
        cirrus = cirrus[tuple(nearest)]
    return np.asarray(gaussian_filter(cirrus, _NOISE_WIDTH, mode="nearest"), np.float32)


def _excess(cirrus: Float32Array, clear: np.float32, thin: float) -> Float32Array:
    """Reflectance in B10 to be corrected: weighted, capped, above that of the clear sky."""
    start, end = (np.float32(share * thin) for share in _RAMP)
    weight = np.clip((cirrus - start) / (end - start), 0.0, 1.0)
    weight *= weight * (np.float32(3.0) - np.float32(2.0) * weight)
    weight *= np.maximum(np.minimum(cirrus, LARGEST) - clear, np.float32(0.0))
    return weight


def _near(water: BoolArray) -> Float32Array:
    """Share of water around a pixel: 0 on land, 1 on water, and no edge between them."""
    near = gaussian_filter(water.astype(np.float32), _SHORE_WIDTH, mode="nearest")
    return np.asarray(near, np.float32)


def _blended(
    land: float | None, water: float | None, near_water: Callable[[], Float32Array]
) -> Float32Array | np.float32 | None:
    """Slope of each pixel: one cover's where the other has none, for the cirrus is the same."""
    if land is None or water is None:
        only = water if land is None else land
        return None if only is None else np.float32(only)
    return np.float32(land) + np.float32(water - land) * near_water()


def _white_fit(land: _Scatter, toa: Mapping[str, Float32Array]) -> _Fit:
    """Fit in red over land, if blue agrees: the darkest ground may itself differ between bins."""
    red, blue = (land.fit(toa[band], _EVEN) for band in (_LAND_BAND, _WHITE_BAND))
    if red.slope is None or blue.slope is None:
        return red if red.slope is None else blue
    ratio = red.slope / blue.slope
    if not _WHITE[0] < ratio < _WHITE[1]:
        return _Fit(None, f"not white, {ratio:.2f} times as much in red as in blue")
    return red


def _ice_fits(cover: _Scatter, toa: Mapping[str, Float32Array], even: _Fit) -> dict[str, _Fit]:
    """Fits where ice absorbs: all of them or none, for on land they easily go astray."""
    bands = [band for band in ICE_BANDS if band in toa]
    if even.slope is None:
        return dict.fromkeys(bands, even)
    limits = _Limits(_ICE.least * even.slope, _ICE.largest * even.slope, _ICE.correlation)
    fits = {band: cover.fit(toa[band], limits) for band in bands}
    weak = [fit for fit in fits.values() if fit.slope is None]
    return dict.fromkeys(bands, weak[0]) if weak else fits


@dataclass(frozen=True)
class _Scatter:
    """The pixels of a cover by bins of B10.

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
    def of(cls, cirrus: Float32Array, clear: np.float32, cover: BoolArray) -> _Scatter:
        chosen = np.flatnonzero(cover & (cirrus >= clear) & (cirrus < LARGEST))
        values = cirrus.ravel()[chosen]
        number = ((values - clear) / np.float32(_BIN)).astype(np.uint8)
        order = np.argsort(number, kind="stable")
        borders = np.flatnonzero(np.diff(number[order])) + 1
        bins = [part for part in np.split(order, borders) if len(part) >= _FEWEST_PIXELS]
        means = [values[part].mean(dtype=np.float64) for part in bins]
        return cls([chosen[part] for part in bins], np.array(means), float(clear))

    def fit(self, band: Float32Array, limits: _Limits) -> _Fit:
        """Line through the darkest pixels of the bins."""
        if len(self.pixels) < _FEWEST_BINS:
            return _Fit(None, "too few pixels under it")
        values = band.ravel()
        edge = np.array([np.quantile(values[part], _DARKEST).mean() for part in self.pixels])
        weights = np.minimum([len(part) for part in self.pixels], _MOST_PIXELS)
        mean, dark = (np.average(values, weights=weights) for values in (self.cirrus, edge))
        covariance = np.cov(self.cirrus, edge, aweights=weights)
        slope = covariance[0, 1] / covariance[0, 0]
        scatter = np.sqrt(covariance[0, 0] * covariance[1, 1])
        correlation = covariance[0, 1] / scatter if scatter > 0.0 else 0.0
        if correlation < limits.correlation:
            return _Fit(None, f"correlation {correlation:.2f} too weak")
        # the darkest ground is the less bright the more ice there is
        slope /= 1.0 - 2.0 * (dark - slope * (mean - self.clear))
        if not limits.least <= slope <= limits.largest:
            return _Fit(None, f"gamma {1.0 / slope:.2f} not plausible")
        return _Fit(float(slope))
