"""Aerosol optical thickness of a tile.

The default method is optimal estimation (`sen2cor.atmosphere.aerosol.optimal_estimation`). The
method of Sen2Cor uses pixels of known surface reflectance, dark dense vegetation (DDV):

1. Reference pixels are found (`sen2cor.atmosphere.aerosol.dark_reference_pixels`) and gathered in
   blocks.
2. In each block, the visibility is found at which the look-up table converts the observed
   reflectance into the known one (`sen2cor.atmosphere.aerosol.reference_blocks`).
3. The inverse of the visibility is averaged, interpolated and smoothed: at a given elevation it is
   proportional to the optical thickness, but it does not depend on elevation.
4. The visibility is increased if dark pixels are negative
   (`sen2cor.atmosphere.aerosol.negative_reflectance`), and converted to optical thickness.
5. The blue path radiance is rescaled (`sen2cor.atmosphere.aerosol.path_radiance_scaling`).

Source: Y. J. Kaufman et al., IEEE Trans. Geosci. Remote Sensing 35 (1997) 1286-1298; R. Richter and
D. Schlaepfer, ATCOR user guide, DLR-IB 565-01.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import minimum_filter, uniform_filter

from sen2cor.atmosphere.aerosol.dark_reference_pixels import (
    DARK_VEGETATION,
    GREEN,
    RED,
    SWIR_16,
    ReferencePixels,
    find_dark_soil_or_water,
    find_reference_vegetation,
)
from sen2cor.atmosphere.aerosol.gap_filling import fill_gaps, robust_mean
from sen2cor.atmosphere.aerosol.model_selection import Trial, compute_double_ratio, select_model
from sen2cor.atmosphere.aerosol.negative_reflectance import raise_visibility
from sen2cor.atmosphere.aerosol.optimal_estimation import OptimalEstimate, estimate
from sen2cor.atmosphere.aerosol.path_radiance_scaling import (
    choose_path_factor,
    retrieve_blue_ratios,
)
from sen2cor.atmosphere.aerosol.reference_blocks import (
    CLEAREST,
    HAZIEST,
    VISIBILITIES,
    ReferenceBlocks,
    gather_reference_blocks,
)
from sen2cor.atmosphere.aerosol.scene import AerosolScene, SceneSurface
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.interpolation_nodes import ElevationField
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import AerosolParameters, ReferencePixelParameters
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Run
from sen2cor.raster.resampling import bilinear, positions

OPTIMAL_ESTIMATION, DARK_DENSE_VEGETATION = "OE", "DDV"

_CURVE_NODES = 512
_MAX_WATER_PERCENT = 99.0
"""Percentage of water on the ground above which no vegetation is looked for."""

_MIN_CLEAR_PERCENT = 4.0
"""Percentage of clear pixels below which there is no retrieval."""

_MAX_RED_RATIO = 5.0
"""Maximum ratio of a reference pixel's red reflectance to the mean of the scene."""

_MAX_GREEN_TO_SWIR = 0.5
"""Ratio of green to 1.6 um reflectance above which vegetation of a snowy scene contains snow."""


@dataclass(frozen=True)
class FirstGuess:
    """First guess of the atmosphere, also used where the scene gives no information.

    Attributes
    ----------
    visibility : float
        Km.
    source : str
        Origin of the visibility.
    forecast : bool
        Whether the visibility is forecast for this scene. A forecast is preferred to soil and
        water as reference pixels.
    water_vapour : float
        Column in cm.
    season : str
        ``SUMMER`` or ``WINTER`` by date and latitude.
    """

    visibility: float
    source: str = "configured visibility"
    forecast: bool = False
    water_vapour: float = 2.0
    season: str = "SUMMER"


@dataclass(frozen=True)
class AerosolRetrieval:
    """Result of the aerosol retrieval of a tile.

    Attributes
    ----------
    table : LookUpTable
        The selected table.
    aot550 : ndarray of float32, shape (rows, cols)
        Aerosol optical thickness at 550 nm at the elevation of each pixel.
    source : str
        Kind of the reference pixels, or origin of the first guess that replaces them.
    reference : ReferencePixels or None
    visibility, first_visibility : float
        Mean of the scene in km, after and before it was increased because of negative pixels.
    path_ratio : float or None
        Ratio of the blue path radiance of the scene to that of the table.
    path_factor : float
        Factor of the blue path radiance (B02).
    path_reason : str
        Reason for this factor.
    stays_negative : bool
        Whether dark pixels are negative at any visibility.
    trials : tuple of Trial
        Of the candidates, if there are several.
    forecast : bool
        Whether the optical thickness is the forecast one.
    sigma : ndarray of float32, shape (rows, cols), optional
        Standard uncertainty of the optical thickness; only from optimal estimation.
    information : float or None
        Of optimal estimation: reduction of the width of the prior, 0..1.
    observed : ndarray of bool, shape (rows, cols), optional
        Of optimal estimation: pixels that were used.
    evidence : tuple of (str, float)
        Of optimal estimation: logarithm of the evidence of each candidate table, by its name.
    """

    table: LookUpTable
    aot550: Float32Array
    source: str
    reference: ReferencePixels | None
    visibility: float
    first_visibility: float
    path_ratio: float | None = None
    path_factor: float = 1.0
    path_reason: str = ""
    stays_negative: bool = False
    trials: tuple[Trial, ...] = ()
    forecast: bool = False
    sigma: Float32Array | None = None
    information: float | None = None
    observed: BoolArray | None = None
    evidence: tuple[tuple[str, float], ...] = ()


def retrieve_aerosol(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    state: AtmosphereState,
    parameters: AerosolParameters,
    first_guess: FirstGuess,
    *,
    run: Run = map,
) -> AerosolRetrieval:
    """Retrieve the aerosol of a tile.

    Parameters
    ----------
    scene : AerosolScene
    tables : sequence of LookUpTable
        Candidates; the first is used without dark vegetation to select by.
    state : AtmosphereState
        Water vapour, and the optical thickness with which the reference pixels are found.
    parameters : AerosolParameters
    first_guess : FirstGuess
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    AerosolRetrieval
    """
    table = tables[0]
    if parameters.method == OPTIMAL_ESTIMATION:
        return _retrieve_by_optimal_estimation(scene, tables, state, parameters, first_guess, run)
    clear = 100.0 * float(scene.ground.sum()) / max(scene.valid, 1)
    if clear < _MIN_CLEAR_PERCENT:
        source = f"{first_guess.source}, because only {clear:.1f} % of the pixels are clear"
        return _use_first_guess(scene, table, replace(first_guess, source=source))
    surface = SceneSurface(scene, table, state, run)
    reference = _find_reference_pixels(scene, surface, parameters.reference_pixels, first_guess)
    if reference is None:
        return _use_first_guess(scene, table, first_guess)
    blocks = gather_reference_blocks(scene, table, surface, reference, state)
    trials = _try_tables(scene, tables, blocks, parameters)
    if trials:
        table = select_model(trials, first_guess.season, parameters.double_ratio_tolerance).table
    inverse, mean = _retrieve_inverse_visibility(scene, table, blocks, parameters)
    factor = raise_visibility(
        scene, table, surface, inverse, state.water_vapour, parameters.negative_reflectance
    )
    if factor is not None:
        inverse = np.clip(inverse / np.float32(factor), CLEAREST, HAZIEST)
    retrieval = AerosolRetrieval(
        table=table,
        aot550=_optical_thickness(scene, table, inverse),
        source=reference.kind,
        reference=reference,
        visibility=1.0 / float(inverse.mean()),
        first_visibility=1.0 / mean,
        stays_negative=factor is None,
        trials=trials,
    )
    ratios = retrieve_blue_ratios(scene, table, blocks, inverse, parameters)
    if ratios is None:
        return retrieval
    path_factor, reason = choose_path_factor(*ratios, parameters.path_radiance)
    return replace(retrieval, path_ratio=ratios[0], path_factor=path_factor, path_reason=reason)


def _retrieve_by_optimal_estimation(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    state: AtmosphereState,
    parameters: AerosolParameters,
    first_guess: FirstGuess,
    run: Run,
) -> AerosolRetrieval:
    """Retrieve with each candidate of the season, and choose the most probable one."""
    candidates = [table for table in tables if table.season == first_guess.season] or list(tables)
    settings = parameters.optimal_estimation
    median = settings.median_aot
    if first_guess.forecast:
        settings = replace(settings, spread=settings.forecast_spread)
        median = float(candidates[0].aot_from_visibility(first_guess.visibility, 0.0))
    surface = SceneSurface(scene, candidates[0], state, run)
    estimates = estimate(scene, candidates, surface, state, settings, median)
    found: list[tuple[LookUpTable, OptimalEstimate]] = list(zip(candidates, estimates, strict=True))
    odds = {id(candidates[0]): np.log(settings.first_odds)}
    table, best = max(found, key=lambda item: item[1].log_evidence + odds.get(id(item[0]), 0.0))
    source = "optimal estimation"
    if not best.used.any():
        source = first_guess.source if first_guess.forecast else "prior of the optical thickness"
    inverse = best.inverse_visibility(table)
    if not parameters.variable:
        inverse = np.full(scene.shape, inverse.mean(), np.float32)
    aot550 = _optical_thickness(scene, table, inverse)
    return AerosolRetrieval(
        table=table,
        aot550=aot550,
        source=source,
        reference=None,
        visibility=1.0 / float(inverse.mean()),
        first_visibility=1.0 / float(inverse.mean()),
        forecast=first_guess.forecast,
        sigma=best.to_pixels(best.sigma / best.median) * aot550,
        information=best.information,
        observed=best.used,
        evidence=tuple((each.name, result.log_evidence) for each, result in found),
    )


def _find_reference_pixels(
    scene: AerosolScene,
    surface: Mapping[str, Float32Array],
    parameters: ReferencePixelParameters,
    first_guess: FirstGuess,
) -> ReferencePixels | None:
    land = scene.land & _without_margin(scene.shape, parameters.margin)
    red = scene.toa(RED)
    land &= red <= _MAX_RED_RATIO * red[scene.ground].mean(dtype=np.float64)
    if scene.snowy:
        land &= surface[GREEN] < np.float32(_MAX_GREEN_TO_SWIR) * surface[SWIR_16]
    reference = None
    if 100.0 * scene.water.sum() <= _MAX_WATER_PERCENT * scene.ground.sum():
        reference = find_reference_vegetation(surface, land, scene.valid, parameters)
    if reference is None and not first_guess.forecast:
        # away from the shore, where the adjacency effect brightens the water
        open_water = minimum_filter(scene.water & scene.ground, 2 * scene.adjacency + 1)
        reference = find_dark_soil_or_water(surface, land, open_water, scene.valid, parameters)
    return reference


def _without_margin(shape: tuple[int, int], margin: float) -> BoolArray:
    """Mask of the image without a margin, given in % of its rows and columns."""
    inner = np.zeros(shape, bool)
    rows, cols = (round(size * margin / 200.0) for size in shape)
    inner[rows : shape[0] - rows, cols : shape[1] - cols] = True
    return inner


def _try_tables(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    blocks: ReferenceBlocks,
    parameters: AerosolParameters,
) -> tuple[Trial, ...]:
    if len(tables) == 1 or blocks.reference.kind != DARK_VEGETATION:
        return ()
    blue_to_red = parameters.reference_pixels.blue_to_red
    return tuple(
        Trial(table, compute_double_ratio(scene, table, blocks, blue_to_red)) for table in tables
    )


def _retrieve_inverse_visibility(
    scene: AerosolScene,
    table: LookUpTable,
    blocks: ReferenceBlocks,
    parameters: AerosolParameters,
) -> tuple[Float32Array, float]:
    """Inverse visibility (1/km) of each pixel, and its mean over the blocks."""
    values, mean = robust_mean(
        blocks.on_grid(blocks.retrieve_inverse_visibility(scene, table)),
        blocks.on_grid(blocks.counts),
    )
    mean = float(np.clip(mean, CLEAREST, HAZIEST))
    if not parameters.variable:
        return np.full(scene.shape, mean, np.float32), mean
    side, pixel = blocks.grid.side, scene.geometry.grid.pixel_size
    filled = fill_gaps(
        values,
        blocks.on_grid(blocks.counts),
        mean,
        parameters.gap_filling,
        side * pixel / 1000.0,
    )
    rows, cols = (positions(size, side) for size in scene.shape)
    pixels = bilinear(filled, rows, cols)
    window = 2 * round(500.0 * parameters.smoothing_window / pixel) + 1
    for _ in range(2):
        pixels = uniform_filter(pixels, window, mode="nearest")
    return np.clip(pixels, CLEAREST, HAZIEST), mean


def _optical_thickness(
    scene: AerosolScene, table: LookUpTable, inverse_visibility: Float32Array
) -> Float32Array:
    if isinstance(scene.elevation, ElevationField):
        return table.aot_from_visibility(1.0 / inverse_visibility, scene.elevation.elevation)
    if inverse_visibility.min() < np.float32(CLEAREST):
        return table.aot_from_visibility(1.0 / inverse_visibility, scene.elevation)
    nodes = np.linspace(CLEAREST, HAZIEST, _CURVE_NODES, dtype=np.float32)
    curve = table.aot_from_visibility(1.0 / nodes, scene.elevation)
    return np.interp(inverse_visibility, nodes, curve).astype(np.float32)


def _use_first_guess(
    scene: AerosolScene, table: LookUpTable, first_guess: FirstGuess
) -> AerosolRetrieval:
    # a forecast may be of air clearer than the dark vegetation can tell
    clearest = np.inf if first_guess.forecast else VISIBILITIES[1]
    visibility = float(np.clip(first_guess.visibility, VISIBILITIES[0], clearest))
    inverse = np.full(scene.shape, 1.0 / visibility, np.float32)
    return AerosolRetrieval(
        table=table,
        aot550=_optical_thickness(scene, table, inverse),
        source=first_guess.source,
        reference=None,
        visibility=visibility,
        first_visibility=visibility,
        forecast=first_guess.forecast,
    )
