"""Reference pixels: pixels whose red or near infrared surface reflectance is known.

Dense dark vegetation is preferred: its red reflectance is half of its reflectance at 2.2 um (Y. J.
Kaufman et al., IEEE Trans. Geosci. Remote Sensing 35 (1997) 1286-1298). If too few pixels are
darker than a first threshold, the next is tried; then dense bright vegetation, dark soil and water
(R. Richter and D. Schlaepfer, ATCOR user guide, DLR-IB 565-01).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.parameters import ReferencePixelParameters
from sen2cor.raster.array_types import BoolArray, Float32Array

DARK_VEGETATION = "dark vegetation"
BRIGHT_VEGETATION = "bright vegetation"
DARK_SOIL = "dark soil"
WATER = "water"

BLUE, GREEN, RED, NIR, SWIR_22, SWIR_16 = "B02", "B03", "B04", "B8A", "B12", "B11"

_MIN_NIR = 0.10
"""Minimum near infrared reflectance of vegetation. Excludes turbid water, which passes the tests in
the short-wave infrared."""

_RED_TO_SWIR_16 = 0.5
"""Ratio of red to 1.6 um reflectance of dark vegetation, relative to that of red to 2.2 um."""

_WATER_NIR = 0.005
"""Reflectance of clear water at 865 nm, with foam and glint; without these it is black (H. R.
Gordon and D. K. Clark, Applied Optics 20 (1981) 4175-4180)."""

_MAX_WATER_RED = 0.03
"""Maximum red reflectance of clear water."""

_MIN_DARK_AREA = 0.1
"""Minimum area of dark vegetation after the last threshold, % of the valid pixels."""


@dataclass(frozen=True)
class ReferencePixels:
    """Pixels with a known surface reflectance: ``target = ratio * predictor + constant``.

    Attributes
    ----------
    mask : ndarray of bool, shape (rows, cols)
    kind : str
        `DARK_VEGETATION`, `BRIGHT_VEGETATION`, `DARK_SOIL` or `WATER`.
    area : float
        % of the valid pixels of the scene.
    target, predictor : str
        Bands.
    ratio, constant : float
    threshold : float or None
        Upper bound of the predictor reflectance with which they were found.
    """

    mask: BoolArray
    kind: str
    area: float
    target: str
    predictor: str
    ratio: float
    constant: float = 0.0
    threshold: float | None = None


def vegetation_index(reflectance: Mapping[str, Float32Array]) -> Float32Array:
    """Normalised difference of near infrared and red; 0 where both are dark."""
    red, infrared = reflectance[RED], reflectance[NIR]
    total = red + infrared
    result = np.zeros_like(total)
    np.divide(infrared - red, total, out=result, where=total > 1e-3)
    return result


def choose_swir_band(
    reflectance: Mapping[str, Float32Array], land: BoolArray, parameters: ReferencePixelParameters
) -> str:
    """Choose B12, or B11 if most of the land has no signal in B12."""
    dark = reflectance[SWIR_22][land] <= parameters.min_swir
    return SWIR_16 if land.any() and dark.mean() > 0.5 else SWIR_22


def find_reference_vegetation(
    reflectance: Mapping[str, Float32Array],
    land: BoolArray,
    valid: int,
    parameters: ReferencePixelParameters,
) -> ReferencePixels | None:
    """Find dark vegetation, or else bright vegetation.

    Parameters
    ----------
    reflectance : mapping of band to ndarray of float32, shape (rows, cols)
        Surface reflectance of B04, B8A, B12 and B11 with the first guess of the aerosol.
    land : ndarray of bool, same shape
        Candidate pixels: clear land without snow.
    valid : int
        Valid pixels of the scene.
    parameters : ReferencePixelParameters

    Returns
    -------
    ReferencePixels or None
        None if there are none.
    """
    ndvi = vegetation_index(reflectance)
    tried: ReferencePixels | None = None
    for tried in _dark_vegetation_by_threshold(reflectance, ndvi, land, valid, parameters):
        if tried.area >= parameters.min_area:
            return tried
    if tried is not None and tried.area >= min(_MIN_DARK_AREA, parameters.min_area):
        return tried
    bright = (
        land & (reflectance[NIR] > parameters.bright_min_nir) & (ndvi > parameters.bright_min_ndvi)
    )
    area = _area_percent(bright, valid)
    if area < parameters.min_area or area == 0.0:
        return None
    return ReferencePixels(
        bright, BRIGHT_VEGETATION, area, RED, SWIR_22, 0.0, parameters.bright_red
    )


def find_dark_soil_or_water(
    reflectance: Mapping[str, Float32Array],
    land: BoolArray,
    water: BoolArray,
    valid: int,
    parameters: ReferencePixelParameters,
) -> ReferencePixels | None:
    """Find dark soil, with the red reflectance of dark vegetation, or else clear water.

    Parameters
    ----------
    reflectance, land, valid, parameters
        As for `find_reference_vegetation`.
    water : ndarray of bool
        Clear water pixels.

    Returns
    -------
    ReferencePixels or None
    """
    red, infrared = reflectance[RED], reflectance[NIR]
    swir = choose_swir_band(reflectance, land, parameters)
    threshold = _thresholds(swir, parameters)[-1]
    soil = land & (infrared > red) & (infrared < parameters.min_nir_to_red * red)
    soil &= (reflectance[swir] > parameters.min_swir) & (reflectance[swir] < threshold)
    clear = water & (red < _MAX_WATER_RED) & (reflectance[SWIR_16] < parameters.min_swir)
    for mask, kind in ((soil, DARK_SOIL), (clear, WATER)):
        area = _area_percent(mask, valid)
        if area < parameters.min_area or area == 0.0:
            continue
        if kind == WATER:
            return ReferencePixels(mask, kind, area, NIR, SWIR_22, 0.0, _WATER_NIR)
        return ReferencePixels(
            mask, kind, area, RED, swir, _red_to_swir(swir, parameters), threshold=threshold
        )
    return None


def _dark_vegetation_by_threshold(
    reflectance: Mapping[str, Float32Array],
    ndvi: Float32Array,
    land: BoolArray,
    valid: int,
    parameters: ReferencePixelParameters,
) -> Iterator[ReferencePixels]:
    swir = choose_swir_band(reflectance, land, parameters)
    infrared = reflectance[NIR]
    candidates = land & (infrared > _MIN_NIR) & (ndvi > parameters.min_ndvi)
    candidates &= reflectance[swir] > parameters.min_swir
    dense = candidates & (infrared > parameters.min_nir_to_red * reflectance[RED])
    for threshold in _thresholds(swir, parameters):
        dark = reflectance[swir] < threshold
        mask = dense & dark
        # dark soil, shadow and mixed pixels only if there is too little dense vegetation
        if _area_percent(mask, valid) < parameters.min_area:
            mask = candidates & dark
        yield ReferencePixels(
            mask,
            DARK_VEGETATION,
            _area_percent(mask, valid),
            RED,
            swir,
            _red_to_swir(swir, parameters),
            threshold=threshold,
        )


def _thresholds(swir: str, parameters: ReferencePixelParameters) -> tuple[float, float, float]:
    if swir == SWIR_22:
        return parameters.swir_22_thresholds
    return parameters.swir_16_thresholds


def _red_to_swir(swir: str, parameters: ReferencePixelParameters) -> float:
    ratio = parameters.red_to_swir
    return ratio if swir == SWIR_22 else _RED_TO_SWIR_16 * ratio


def _area_percent(mask: BoolArray, valid: int) -> float:
    return 100.0 * float(mask.sum()) / max(valid, 1)
