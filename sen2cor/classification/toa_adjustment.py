"""Adjustment of the top-of-atmosphere reflectance before the spectral tests: haze, and dry air.

Both are estimated from a sample of the image. Haze adds path reflectance that makes vegetation look
like cloud. Dense dark vegetation reflects about half as much in red and a quarter as much in blue
as at 2.2 um, where haze hardly matters; the rest of its red and blue is path reflectance. What
exceeds the path reflectance of clear air under a high sun, for which the thresholds of the
classification were set, is removed up to the near infrared by a power law of the wavelength.

Dry air lets reflectance of the surface through in B10. Elsewhere water vapour absorbs it, but in
cold and dry air snow is visible there. Snow is about as bright at 1.38 um as at 0.86 um, or darker,
so the lowest ratio of B10 to B8A over snow is the fraction that the air transmits. That fraction of
B8A is removed from B10, so that cirrus over snow can be detected.

Source: haze: Kaufman and Sendra 1988, International Journal of Remote Sensing 9, 1357-1381 (dark
dense vegetation); Kaufman et al. 1997, Journal of Geophysical Research 102, 17051-17067 (ratios to
2.1 um). B10: Gao, Goetz and Wiscombe 1993, Geophysical Research Letters 20, 301-304; Gao et al.
1998, Journal of Geophysical Research 103, 32169-32176 (scatter plot of cirrus against another
band).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.bands import BAND
from sen2cor.classification.parameters import ClassificationRules
from sen2cor.classification.spectral_indices import (
    Reflectance,
    ReflectanceReader,
    normalised_difference,
)
from sen2cor.raster.array_types import BoolArray, Float32Array

_SAMPLED_ROWS = 256
"""Rows of the sample, about."""
_MIN_SAMPLED_PIXELS = 100
"""Dark vegetation, or snow, in the sample: fewer give no estimate."""

_SNOW_NDSI_MIN = 0.35
_SNOW_B8A_MIN = 0.15
"""Snow of the sample; defaults of T1_NDSI_SNW and T1_B8A."""

RATIO_TO_SWIR = {"B02": 0.25, "B04": 0.5}
"""Surface reflectance of dark vegetation relative to B12 (Kaufman et al. 1997)."""

HAZY_BANDS = ("B02", "B03", "B04", "B05", "B8A")
"""Bands that haze is removed from."""

_VEGETATION_B12_RANGE = (0.01, 0.12)
"""Reflectance at 2.2 um of dark vegetation, after the dark targets of Kaufman et al. 1997."""
_VEGETATION_B8A_MIN = 0.1
_VEGETATION_NDVI_SWIR_MIN = 0.4
"""Normalised difference of B8A and B12."""
_VEGETATION_B11_B8A_MIN = 0.3
"""Snow is darker at 1.6 um."""

_HAZE_PERCENTILE = 25
"""Of the path reflectance over dark vegetation: brighter vegetation lies above."""
_MAX_EXCESS = 0.1
"""Path reflectance in red; upper limit of the correction."""
_LOSS_PER_EXCESS = 4.0
"""Loss of surface signal per path reflectance of haze: about twice what haze scatters toward the
zenith is missing on each way, down and up."""

_RAYLEIGH_EXPONENT = 4.0
"""Of the wavelength; upper limit of that of haze."""
_CLEAR_RED_PATH = 0.025
"""Path reflectance in red under a high sun, with an aerosol optical thickness of 0.2 at 550 nm."""

_CLEAR_SNOW_B8A_MIN = 0.3
"""Darker pixels may be cirrus over water."""
_CLEAR_SNOW_PERCENTILE = 10
_MAX_RATIO_TO_B8A = 0.03
"""A higher ratio comes from cirrus that covers the whole image."""


@dataclass(frozen=True)
class Haze:
    """Path reflectance of haze.

    Attributes
    ----------
    excess : mapping of band name to float
        Path reflectance in excess of that of clear air, of `HAZY_BANDS`.
    """

    excess: Mapping[str, float]

    def remove(self, reflectance: Reflectance) -> Reflectance:
        """Remove the path reflectance of haze and compensate its loss of surface signal.

        Parameters
        ----------
        reflectance : mapping of band name to ndarray of float32
            Not modified.

        Returns
        -------
        mapping of band name to ndarray of float32
        """
        adjusted = dict(reflectance)
        for band, excess in self.excess.items():
            gain = 1.0 / (1.0 - _LOSS_PER_EXCESS * excess)
            path = _clear_path(band)
            image = reflectance[band] * np.float32(gain)
            image += np.float32(path - gain * (path + excess))
            adjusted[band] = image
        return adjusted


@dataclass(frozen=True)
class CirrusBandSurfaceSignal:
    """Reflectance of the surface that dry air lets through in the cirrus band, B10.

    Attributes
    ----------
    ratio_to_b8a : float
        B10 / B8A of clear snow.
    """

    ratio_to_b8a: float

    def remove(self, reflectance: Reflectance) -> Reflectance:
        """Remove the signal of the surface from B10.

        Parameters
        ----------
        reflectance : mapping of band name to ndarray of float32
            Not modified.

        Returns
        -------
        mapping of band name to ndarray of float32
        """
        cirrus = reflectance["B10"] - np.float32(self.ratio_to_b8a) * reflectance["B8A"]
        return {**reflectance, "B10": cirrus}


def adjust_reader(
    read_reflectance: ReflectanceReader, no_data: BoolArray, rules: ClassificationRules
) -> ReflectanceReader:
    """Estimate the adjustments that the rules ask for, and apply them to all that is read.

    Parameters
    ----------
    read_reflectance : callable
    no_data : ndarray of bool, shape (rows, cols)
    rules : ClassificationRules

    Returns
    -------
    callable
        Reads the adjusted reflectance of a slice of rows.
    """
    haze = estimate_haze(read_reflectance, no_data) if rules.correct_haze else None
    signal = None
    if rules.detect_cirrus_over_snow:
        signal = estimate_cirrus_band_surface_signal(read_reflectance, no_data)

    def read_adjusted(rows: slice) -> Reflectance:
        reflectance = read_reflectance(rows)
        for adjustment in (haze, signal):
            if adjustment is not None:
                reflectance = adjustment.remove(reflectance)
        return reflectance

    return read_adjusted


def estimate_haze(read_reflectance: ReflectanceReader, no_data: BoolArray) -> Haze | None:
    """Estimate the haze of an image from its dark vegetation.

    Parameters
    ----------
    read_reflectance : callable
        As of `sen2cor.classification.classify_rows`.
    no_data : ndarray of bool, shape (rows, cols)

    Returns
    -------
    Haze or None
        None in clear air, with too little dark vegetation, and with more snow than dark
        vegetation, since snow under trees would be mistaken for haze.
    """
    paths: dict[str, list[Float32Array]] = {band: [] for band in RATIO_TO_SWIR}
    snow_pixels = 0
    for row, valid in _sample_rows(read_reflectance, no_data):
        snow_pixels += np.count_nonzero(_is_snow(row) & valid)
        dark = _is_dark_vegetation(row) & valid
        for band, ratio in RATIO_TO_SWIR.items():
            paths[band].append((row[band] - np.float32(ratio) * row["B12"])[dark])
    if sum(values.size for values in paths["B04"]) < max(_MIN_SAMPLED_PIXELS, snow_pixels):
        return None
    excess = {
        band: float(np.percentile(np.concatenate(values), _HAZE_PERCENTILE)) - _clear_path(band)
        for band, values in paths.items()
    }
    if excess["B04"] <= 0:
        return None
    blue, red = (BAND[band].wavelength for band in RATIO_TO_SWIR)
    steepness = math.log(max(excess["B02"] / excess["B04"], 1.0)) / math.log(red / blue)
    exponent = min(steepness, _RAYLEIGH_EXPONENT)
    red_excess = min(excess["B04"], _MAX_EXCESS)
    return Haze(
        {band: red_excess * (red / BAND[band].wavelength) ** exponent for band in HAZY_BANDS}
    )


def estimate_cirrus_band_surface_signal(
    read_reflectance: ReflectanceReader, no_data: BoolArray
) -> CirrusBandSurfaceSignal | None:
    """Estimate the surface signal in B10 from the snow of an image.

    Parameters
    ----------
    read_reflectance : callable
        As of `sen2cor.classification.classify_rows`.
    no_data : ndarray of bool, shape (rows, cols)

    Returns
    -------
    CirrusBandSurfaceSignal or None
        None without B10, and where there is too little snow.
    """
    ratios: list[Float32Array] = []
    for row, valid in _sample_rows(read_reflectance, no_data):
        if "B10" not in row:
            return None
        snow = _is_snow(row) & valid & (row["B8A"] > np.float32(_CLEAR_SNOW_B8A_MIN))
        ratios.append(row["B10"][snow] / row["B8A"][snow])
    if sum(values.size for values in ratios) < _MIN_SAMPLED_PIXELS:
        return None
    ratio = float(np.percentile(np.concatenate(ratios), _CLEAR_SNOW_PERCENTILE))
    return CirrusBandSurfaceSignal(min(max(ratio, 0.0), _MAX_RATIO_TO_B8A))


def _sample_rows(
    read_reflectance: ReflectanceReader, no_data: BoolArray
) -> Iterator[tuple[Reflectance, BoolArray]]:
    """Every n-th pixel of every n-th row, shape (1, cols / n), and whether it has data."""
    rows = no_data.shape[0]
    step = max(1, rows // _SAMPLED_ROWS)
    for row in range(step // 2, rows, step):
        whole = read_reflectance(slice(row, row + 1))
        sample = {name: band[:, ::step] for name, band in whole.items()}
        yield sample, ~no_data[row : row + 1, ::step]


def _is_snow(reflectance: Reflectance) -> BoolArray:
    """Snow by its index and its brightness in the near infrared."""
    ndsi = normalised_difference(reflectance["B03"], reflectance["B11"])
    snow: BoolArray = ndsi > np.float32(_SNOW_NDSI_MIN)
    snow &= reflectance["B8A"] > np.float32(_SNOW_B8A_MIN)
    return snow


def _is_dark_vegetation(reflectance: Reflectance) -> BoolArray:
    """Dark vegetation by its infrared and its red edge.

    Snow is darker at 1.6 um, water in the whole infrared; ground under skylight alone has no red
    edge.
    """
    nir, near_swir, swir = (reflectance[band] for band in ("B8A", "B11", "B12"))
    minimum, maximum = _VEGETATION_B12_RANGE
    dark = (swir > np.float32(minimum)) & (swir < np.float32(maximum))
    dark &= nir > np.float32(_VEGETATION_B8A_MIN)
    dark &= nir - swir > np.float32(_VEGETATION_NDVI_SWIR_MIN) * (nir + swir)
    dark &= nir > reflectance["B05"]
    dark &= (near_swir > np.float32(_VEGETATION_B11_B8A_MIN) * nir) & (near_swir < nir)
    return dark


def _clear_path(band: str) -> float:
    """Path reflectance of clear air under a high sun."""
    relative = BAND["B04"].wavelength / BAND[band].wavelength
    return _CLEAR_RED_PATH * float(relative**_RAYLEIGH_EXPONENT)
