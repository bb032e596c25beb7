"""Aerosol optical thickness from pixels of known reflectance.

Reference pixels (`sen2cor.atmosphere.aerosol.reference_pixels`) are gathered in blocks of about a
kilometre. In each, the optical thickness is found at which the look-up table turns what the sensor
sees into what the ground is known to reflect; a quantile keeps odd pixels out. What is averaged,
filled and smoothed is the inverse of visibility: it is proportional to the optical thickness at any
one elevation, but does not follow the elevation itself. Y. J. Kaufman et al., IEEE Trans. Geosci.
Remote Sensing 35 (1997) 1286-1298; R. Richter and D. Schlaepfer, ATCOR user guide, DLR-IB 565-01.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import minimum_filter, uniform_filter

from sen2cor.atmosphere.aerosol import path_radiance_scaling
from sen2cor.atmosphere.aerosol.gap_filling import central_value, fill_gaps
from sen2cor.atmosphere.aerosol.model_selection import Trial, choose
from sen2cor.atmosphere.aerosol.negative_reflectance import (
    NegativeFractions,
    find_visibility_factor,
)
from sen2cor.atmosphere.aerosol.point_sample import PointSample
from sen2cor.atmosphere.aerosol.reference_blocks import (
    CLEAREST,
    HAZIEST,
    VISIBILITIES,
    ReferenceBlocks,
    functions_at,
    gather_reference_blocks,
    inverse_visibilities,
    surface_at,
)
from sen2cor.atmosphere.aerosol.reference_pixels import (
    DARK_VEGETATION,
    NIR,
    RED,
    SWIR,
    ReferencePixels,
    other_dark_pixels,
    reference_vegetation,
    vegetation_index,
)
from sen2cor.atmosphere.aerosol.scene import AerosolScene, SceneSurface, interpolate_at
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.elevation_field import ElevationField
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Run
from sen2cor.raster.resampling import bilinear, positions
from sen2cor.settings.cal_ac_gipp import CorrectionSettings

_BLUE = path_radiance_scaling.BLUE
_CURVE_NODES = 512
_SAMPLE = 20000
_MUCH_WATER = 99.0
_LITTLE_CLEAR = 4.0
_BRIGHT = 5.0
"""Times the mean red of the scene: nothing brighter is a reference."""

_GREEN = "B03"
_SNOW_RATIO = 0.5
"""Of green to 1.6 um, above which a green pixel of a scene with snow has some in it."""


@dataclass(frozen=True)
class Fallback:
    """Visibility where the scene tells nothing.

    Attributes
    ----------
    visibility : float
        Km.
    source : str
        Where it comes from.
    forecast : bool
        Whether it is forecast for this scene: better than what water and soil tell of the aerosol.
    """

    visibility: float
    source: str = "configured visibility"
    forecast: bool = False


@dataclass(frozen=True)
class AerosolRetrieval:
    """What was found out about the aerosol of a tile.

    Attributes
    ----------
    table : LookUpTable
        The one that fits, of several.
    aot550 : ndarray of float32, shape (rows, cols)
        At the elevation of each pixel.
    source : str
        Kind of the reference pixels, or of what stood in for them.
    reference : ReferencePixels or None
    visibility, first_visibility : float
        Mean of the scene in km; before it was raised for the sake of negative pixels.
    path_factor : float
        Of the blue path radiance, as applied.
    raw_path_factor : float or None
        As found; None where there are too few reference pixels.
    path_reason : str
        Why it is applied so.
    stays_negative : bool
        Whether dark pixels are negative at any visibility, so that it was not raised.
    trials : tuple of Trial
        Of AUTO.
    forecast : bool
        Whether a forecast stood in for reference pixels.
    """

    table: LookUpTable
    aot550: Float32Array
    source: str
    reference: ReferencePixels | None
    visibility: float
    first_visibility: float
    path_factor: float = 1.0
    raw_path_factor: float | None = None
    path_reason: str = ""
    stays_negative: bool = False
    trials: tuple[Trial, ...] = ()
    forecast: bool = False


def retrieve_aerosol(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    water_vapour: Float32Array,
    start: Float32Array,
    settings: CorrectionSettings,
    *,
    fallback: Fallback,
    mapped: bool,
    season: str,
    run: Run = map,
) -> AerosolRetrieval:
    """Find the aerosol of a tile.

    Parameters
    ----------
    scene : AerosolScene
    tables : sequence of LookUpTable
        Candidates; the first where there is no dark vegetation to choose by.
    water_vapour : ndarray of float32, shape (rows, cols)
        Column in cm.
    start : ndarray of float32, same shape
        Optical thickness at 550 nm with which the reference pixels are looked for.
    settings : CorrectionSettings
    fallback : Fallback
    mapped : bool
        Whether it varies over the tile, or is the mean of the scene.
    season : str
        By date and latitude, where seasons cannot be told apart otherwise.
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    AerosolRetrieval
    """
    table = tables[0]
    state = AtmosphereState(start, water_vapour, scene.ozone, scene.elevation)
    clear = 100.0 * float(scene.ground.sum()) / max(scene.valid, 1)
    if clear < _LITTLE_CLEAR:
        source = f"{fallback.source}, for only {clear:.1f} % of the pixels are clear"
        return _constant(scene, table, replace(fallback, source=source))
    surface = SceneSurface(scene, table, state, run)
    land = scene.land & _inner(scene.geometry.grid.shape, settings.limit_area_path_rad_scale)
    red = scene.toa(RED)
    land &= red <= _BRIGHT * red[scene.ground].mean(dtype=np.float64)
    if scene.snowy:
        land &= surface[_GREEN] < np.float32(_SNOW_RATIO) * surface[SWIR[1]]
    reference = _reference_pixels(scene, surface, land, settings, fallback)
    if reference is None:
        return _constant(scene, table, fallback)
    blocked = gather_reference_blocks(scene, table, surface, reference, state)
    trials: tuple[Trial, ...] = ()
    if len(tables) > 1 and reference.kind == DARK_VEGETATION:
        trials = tuple(
            Trial(candidate, _double_ratio(scene, candidate, blocked, reference, settings))
            for candidate in tables
        )
        table = choose(trials, season, settings.aerosol_type_ratio_th).table
    values, mean = central_value(
        blocked.on_grid(inverse_visibilities(scene, table, blocked, reference)),
        blocked.on_grid(blocked.counts),
    )
    mean = float(np.clip(mean, CLEAREST, HAZIEST))
    if mapped:
        inverse = _map(scene, blocked, values, mean, settings)
    else:
        inverse = np.full(start.shape, mean, np.float32)
    factor = _raised(scene, table, surface, inverse, water_vapour, settings)
    if factor is not None:
        inverse = np.clip(inverse / np.float32(factor), CLEAREST, HAZIEST)
    found = AerosolRetrieval(
        table=table,
        aot550=_optical_thickness(scene, table, inverse),
        source=reference.kind,
        reference=reference,
        visibility=1.0 / float(inverse.mean()),
        first_visibility=1.0 / mean,
        stays_negative=factor is None,
        trials=trials,
    )
    return _with_path_factor(scene, found, inverse, blocked, settings)


def _reference_pixels(
    scene: AerosolScene,
    surface: Mapping[str, Float32Array],
    land: BoolArray,
    settings: CorrectionSettings,
    fallback: Fallback,
) -> ReferencePixels | None:
    reference = None
    if 100.0 * scene.water.sum() <= _MUCH_WATER * scene.ground.sum():
        reference = reference_vegetation(surface, land, scene.valid, settings)
    if reference is None and not fallback.forecast:
        # away from the shore, whose light reaches over the water
        open_water = minimum_filter(scene.water & scene.ground, 2 * scene.adjacency + 1)
        reference = other_dark_pixels(surface, land, open_water, scene.valid, settings)
    return reference


def _inner(shape: tuple[int, int], margin: float) -> BoolArray:
    """Whole image, without so many per cent of its rows and columns at the edges."""
    inner = np.zeros(shape, bool)
    rows, cols = (round(size * margin / 200.0) for size in shape)
    inner[rows : shape[0] - rows, cols : shape[1] - cols] = True
    return inner


def _map(
    scene: AerosolScene,
    blocked: ReferenceBlocks,
    values: Float32Array,
    mean: float,
    settings: CorrectionSettings,
) -> Float32Array:
    """Inverse visibility per pixel."""
    side, pixel = blocked.blocks.side, scene.geometry.grid.pixel_size
    filled = fill_gaps(
        values,
        blocked.on_grid(blocked.counts),
        mean,
        settings.ddv_gap_filling,
        side * pixel / 1000.0,
    )
    rows, cols = (positions(size, side) for size in scene.land.shape)
    pixels = bilinear(filled, rows, cols)
    window = 2 * round(500.0 * settings.ddv_smoothing_window / pixel) + 1
    for _ in range(2):
        pixels = uniform_filter(pixels, window, mode="nearest")
    result: Float32Array = np.clip(pixels, CLEAREST, HAZIEST)
    return result


def _raised(
    scene: AerosolScene,
    table: LookUpTable,
    surface: Mapping[str, Float32Array],
    inverse: Float32Array,
    water_vapour: Float32Array,
    settings: CorrectionSettings,
) -> float | None:
    """Factor on the visibility that dark pixels ask for."""
    red = surface[RED]
    green = scene.land & (red < settings.dbv_red_veget_refl_th)
    green &= vegetation_index(surface) > settings.dbv_red_veget_tst_ndvi_th
    groups = []
    for mask, band in ((green, RED), (scene.water & scene.ground, NIR)):
        index = np.flatnonzero(mask)
        rows, cols = np.unravel_index(index[:: max(1, index.size // _SAMPLE)], mask.shape)
        y, x = rows.astype(np.float32), cols.astype(np.float32)
        sites = PointSample(
            y,
            x,
            scene.elevation_at(y, x),
            water_vapour[rows, cols],
            {band: scene.toa(band)[rows, cols]},
            {band: scene.surroundings(band)[rows, cols]},
        )
        groups.append((band, sites, inverse[rows, cols]))

    def shares(factor: float) -> NegativeFractions:
        found = []
        limits = (0.0, settings.cut_off_aot_iter_water)
        for (band, sites, values), limit in zip(groups, limits, strict=True):
            if values.size == 0:
                found.append(0.0)
                continue
            visibility = np.clip(np.float32(factor) / values, *VISIBILITIES)
            aot = table.aot_from_visibility(visibility, sites.elevation)
            found.append(float((surface_at(scene, table, band, sites, aot) < limit).mean()))
        return NegativeFractions(*found)

    return find_visibility_factor(shares, settings.cut_off_aot_iter_vegetation)


def _path_ratio(
    scene: AerosolScene,
    table: LookUpTable,
    band: str,
    expected: Float32Array,
    blocked: ReferenceBlocks,
    aot550: Float32Array,
) -> float:
    """Path radiance of the scene over that of the table: what is not reflected by the ground."""
    sites = blocked.sites
    functions = functions_at(scene, table, band, sites, aot550)
    path = sites.toa[band] - functions.signal(expected, sites.surroundings[band])
    return central_value(path / functions.offset, blocked.counts)[1]


def _expected_red(
    scene: AerosolScene,
    table: LookUpTable,
    blocked: ReferenceBlocks,
    reference: ReferencePixels,
    aot550: Float32Array,
) -> Float32Array:
    swir = surface_at(scene, table, reference.predictor, blocked.sites, aot550)
    return np.float32(reference.ratio) * swir + np.float32(reference.constant)


def _double_ratio(
    scene: AerosolScene,
    table: LookUpTable,
    blocked: ReferenceBlocks,
    reference: ReferencePixels,
    settings: CorrectionSettings,
) -> float:
    inverse = inverse_visibilities(scene, table, blocked, reference)
    visibility = 1.0 / np.clip(inverse, CLEAREST, HAZIEST)
    aot = table.aot_from_visibility(visibility, blocked.sites.elevation)
    red = _expected_red(scene, table, blocked, reference, aot)
    blue = np.float32(settings.red_blue_refl_ratio) * red
    return _path_ratio(scene, table, _BLUE, blue, blocked, aot) / _path_ratio(
        scene, table, RED, red, blocked, aot
    )


def _with_path_factor(
    scene: AerosolScene,
    found: AerosolRetrieval,
    inverse: Float32Array,
    blocked: ReferenceBlocks,
    settings: CorrectionSettings,
) -> AerosolRetrieval:
    """Add the factor of the blue path radiance where there is enough dark vegetation."""
    reference = found.reference
    if reference is None or reference.kind != DARK_VEGETATION:
        return found
    number = int(reference.mask.sum())
    few = number < settings.spr_refl_percentage / 100.0 * scene.land.sum()
    few |= number < settings.spr_refl_promille / 1000.0 * scene.valid
    if few:
        return found
    sites = blocked.sites
    visibility = 1.0 / interpolate_at(inverse, sites.rows, sites.cols)
    aot = found.table.aot_from_visibility(visibility, sites.elevation)
    red = _expected_red(scene, found.table, blocked, reference, aot)
    expected = settings.red_blue_refl_ratio
    raw, least = (
        _path_ratio(scene, found.table, _BLUE, np.float32(ratio) * red, blocked, aot)
        for ratio in (expected, max(expected, path_radiance_scaling.BLUEST_CANOPY))
    )
    factor, reason = path_radiance_scaling.applied_factor(raw, least, settings)
    return replace(found, raw_path_factor=raw, path_factor=factor, path_reason=reason)


def _optical_thickness(
    scene: AerosolScene, table: LookUpTable, inverse: Float32Array
) -> Float32Array:
    if isinstance(scene.elevation, ElevationField):
        return table.aot_from_visibility(1.0 / inverse, scene.elevation.elevation)
    nodes = np.linspace(CLEAREST, HAZIEST, _CURVE_NODES, dtype=np.float32)
    curve = table.aot_from_visibility(1.0 / nodes, scene.elevation)
    return np.interp(inverse, nodes, curve).astype(np.float32)


def _constant(scene: AerosolScene, table: LookUpTable, fallback: Fallback) -> AerosolRetrieval:
    visibility = float(np.clip(fallback.visibility, *VISIBILITIES))
    inverse = np.full(scene.land.shape, 1.0 / visibility, np.float32)
    return AerosolRetrieval(
        table=table,
        aot550=_optical_thickness(scene, table, inverse),
        source=fallback.source,
        reference=None,
        visibility=visibility,
        first_visibility=visibility,
        forecast=fallback.forecast,
    )
