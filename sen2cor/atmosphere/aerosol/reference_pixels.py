"""Reference pixels: ground whose red or near infrared reflectance is known beforehand.

Dense dark vegetation first, whose red is half of its reflectance at 2.2 um (Y. J. Kaufman et al.,
IEEE Trans. Geosci. Remote Sensing 35 (1997) 1286-1298); where there is too little of it below one
threshold of darkness, the next is tried. Then dense bright vegetation, dark soil and water (R.
Richter and D. Schlaepfer, ATCOR user guide, DLR-IB 565-01).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.settings.cal_ac_gipp import CorrectionSettings

DARK_VEGETATION = "dark vegetation"
BRIGHT_VEGETATION = "bright vegetation"
DARK_SOIL = "dark soil"
WATER = "water"

RED, NIR, SWIR = "B04", "B8A", ("B12", "B11")

_LEAST_NIR = 0.10
"""Turbid water passes the tests of vegetation in the short-wave infrared; not this one."""

_RED_OF_B11 = 0.5
"""Ratio of the red expected from B11 to that expected from B12: 0.25 to 0.5."""

_WATER_NIR = 0.005
"""What clear water reflects at 865 nm, foam and glint included; black but for these (H. R. Gordon
and D. K. Clark, Applied Optics 20 (1981) 4175-4180)."""

_CLEAR_WATER_RED = 0.03
_FEWEST_SHARE = 0.1
"""Per cent of the scene: less dark vegetation than this decides nothing."""


@dataclass(frozen=True)
class ReferencePixels:
    """Pixels, and what is known of them: ``target = ratio * predictor + constant``.

    Attributes
    ----------
    mask : ndarray of bool, shape (rows, cols)
    kind : str
        `DARK_VEGETATION`, `BRIGHT_VEGETATION`, `DARK_SOIL` or `WATER`.
    share : float
        Of the valid pixels of the scene, %.
    target, predictor : str
        Bands.
    ratio, constant : float
    threshold : float or None
        Upper bound of the predictor with which they were found.
    """

    mask: BoolArray
    kind: str
    share: float
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


def usable_swir(
    reflectance: Mapping[str, Float32Array], land: BoolArray, settings: CorrectionSettings
) -> str:
    """B12, or B11 where most of the land has nothing in B12."""
    dark = reflectance[SWIR[0]][land] <= settings.swir_refl_lower_th
    return SWIR[1] if land.any() and dark.mean() > 0.5 else SWIR[0]


def reference_vegetation(
    reflectance: Mapping[str, Float32Array],
    land: BoolArray,
    valid: int,
    settings: CorrectionSettings,
) -> ReferencePixels | None:
    """Find vegetation of known reflectance.

    Parameters
    ----------
    reflectance : mapping of band to ndarray of float32, shape (rows, cols)
        Of the surface, with the aerosol of the start: B04, B8A, B12 and B11.
    land : ndarray of bool, same shape
        Pixels that may be taken: clear land without snow.
    valid : int
        Valid pixels of the scene.
    settings : CorrectionSettings

    Returns
    -------
    ReferencePixels or None
        None if there are none.
    """
    index = vegetation_index(reflectance)
    tried: ReferencePixels | None = None
    for tried in _ladder(reflectance, index, land, valid, settings):
        if tried.share >= settings.min_ddv_area:
            return tried
    if tried is not None and tried.share >= min(_FEWEST_SHARE, settings.min_ddv_area):
        return tried
    bright = land & (reflectance[NIR] > settings.dbv_nir_refl_th) & (index > settings.dbv_ndvi_th)
    share = _share(bright, valid)
    if share < settings.min_ddv_area or share == 0.0:
        return None
    return ReferencePixels(
        bright, BRIGHT_VEGETATION, share, RED, SWIR[0], 0.0, settings.red_ref_refl_th
    )


def other_dark_pixels(
    reflectance: Mapping[str, Float32Array],
    land: BoolArray,
    water: BoolArray,
    valid: int,
    settings: CorrectionSettings,
) -> ReferencePixels | None:
    """Dark soil, its red as that of dark vegetation, or else clear water.

    Parameters
    ----------
    reflectance, land, valid, settings
        As for `reference_vegetation`.
    water : ndarray of bool
        Clear water pixels.

    Returns
    -------
    ReferencePixels or None
    """
    red, infrared = reflectance[RED], reflectance[NIR]
    swir = usable_swir(reflectance, land, settings)
    threshold = _thresholds(swir, settings)[-1]
    soil = land & (infrared > red) & (infrared < settings.vegetation_index_th * red)
    soil &= (reflectance[swir] > settings.swir_refl_lower_th) & (reflectance[swir] < threshold)
    clear = water & (red < _CLEAR_WATER_RED) & (reflectance[SWIR[1]] < settings.swir_refl_lower_th)
    for mask, kind in ((soil, DARK_SOIL), (clear, WATER)):
        share = _share(mask, valid)
        if share < settings.min_ddv_area or share == 0.0:
            continue
        if kind == WATER:
            return ReferencePixels(mask, kind, share, NIR, SWIR[0], 0.0, _WATER_NIR)
        return ReferencePixels(
            mask, kind, share, RED, swir, _ratio(swir, settings), threshold=threshold
        )
    return None


def _ladder(
    reflectance: Mapping[str, Float32Array],
    index: Float32Array,
    land: BoolArray,
    valid: int,
    settings: CorrectionSettings,
) -> Iterator[ReferencePixels]:
    swir = usable_swir(reflectance, land, settings)
    infrared = reflectance[NIR]
    able = land & (infrared > _LEAST_NIR) & (index > settings.swir_refl_ndvi_th)
    able &= reflectance[swir] > settings.swir_refl_lower_th
    dense = able & (infrared > settings.vegetation_index_th * reflectance[RED])
    for threshold in _thresholds(swir, settings):
        dark = reflectance[swir] < threshold
        mask = dense & dark
        # dark soil, shadow and mixed pixels only where there is not enough that is surely green
        if _share(mask, valid) < settings.min_ddv_area:
            mask = able & dark
        yield ReferencePixels(
            mask,
            DARK_VEGETATION,
            _share(mask, valid),
            RED,
            swir,
            _ratio(swir, settings),
            threshold=threshold,
        )


def _thresholds(swir: str, settings: CorrectionSettings) -> tuple[float, float, float]:
    if swir == SWIR[0]:
        return (
            settings.ddv_swir_refl_th1,
            settings.ddv_swir_refl_th2,
            settings.ddv_swir_refl_th3,
        )
    return settings.ddv_16um_refl_th1, settings.ddv_16um_refl_th2, settings.ddv_16um_refl_th3


def _ratio(swir: str, settings: CorrectionSettings) -> float:
    ratio = settings.swir_22um_red_refl_ratio
    return ratio if swir == SWIR[0] else _RED_OF_B11 * ratio


def _share(mask: BoolArray, valid: int) -> float:
    return 100.0 * float(mask.sum()) / max(valid, 1)
