"""Aerosol and water vapour of a scene, retrieved in turn.

The aerosol is retrieved with a first guess of the water vapour, the water vapour with this aerosol,
and both once more: each depends only weakly on the other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.aerosol.model_selection import Trial
from sen2cor.atmosphere.aerosol.path_radiance_scaling import path_factors_by_band
from sen2cor.atmosphere.aerosol.retrieval import (
    DARK_DENSE_VEGETATION,
    AerosolRetrieval,
    FirstGuess,
    retrieve_aerosol,
)
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, WaterVapourCurve, node_terms
from sen2cor.atmosphere.interpolation_nodes import ElevationField
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import AerosolParameters, WaterVapourParameters
from sen2cor.atmosphere.water_vapour import (
    MEASUREMENT_BAND,
    WINDOW_BAND,
    blur_window_band,
    fill_water_vapour,
    find_mixed_pixels,
    retrieve_water_vapour,
)
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import Run, row_blocks

PASSES = 2

logger = logging.getLogger(__name__)


def retrieve_aerosol_and_water_vapour(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    first_guess: FirstGuess,
    *,
    aerosol: AerosolParameters,
    water_vapour: WaterVapourParameters,
    run: Run = map,
) -> tuple[AtmosphereState, AerosolRetrieval]:
    """Retrieve aerosol and water vapour of a scene.

    Parameters
    ----------
    scene : AerosolScene
        With B8A and B09 if the water vapour is retrieved.
    tables : sequence of LookUpTable
        Candidates; the first is used without dark vegetation to select by.
    first_guess : FirstGuess
    aerosol : AerosolParameters
    water_vapour : WaterVapourParameters
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    state : AtmosphereState
    retrieval : AerosolRetrieval
        With the trials of the candidates.
    """
    state = _first_state(scene, tables[0], first_guess)
    candidates, trials = tuple(tables), tuple[Trial, ...]()
    for last in (*(PASSES - 1) * (False,), True):
        tried = candidates if last or aerosol.method == DARK_DENSE_VEGETATION else candidates[:1]
        retrieval = retrieve_aerosol(scene, tried, state, aerosol, first_guess, run=run)
        trials = trials or retrieval.trials
        if aerosol.method == DARK_DENSE_VEGETATION:
            candidates = (retrieval.table,)
        state = replace(state, aot550=retrieval.aot550)
        if water_vapour.retrieve:
            column = _water_vapour_map(
                scene, retrieval.table, state.aot550, first_guess, water_vapour, run
            )
            state = replace(state, water_vapour=column)
    state = replace(state, path_factors=path_factors_by_band(retrieval.path_factor))
    return state, replace(retrieval, trials=trials)


def _first_state(
    scene: AerosolScene, table: LookUpTable, first_guess: FirstGuess
) -> AtmosphereState:
    elevation: npt.ArrayLike
    if isinstance(scene.elevation, ElevationField):
        elevation = scene.elevation.elevation
    else:
        elevation = scene.elevation
    aot = table.aot_from_visibility(first_guess.visibility, elevation)
    aot = np.array(np.broadcast_to(aot, scene.shape), np.float32)
    water_vapour = np.full(scene.shape, first_guess.water_vapour, np.float32)
    return AtmosphereState(aot, water_vapour, scene.ozone, scene.elevation)


def _water_vapour_map(
    scene: AerosolScene,
    table: LookUpTable,
    aot550: Float32Array,
    first_guess: FirstGuess,
    parameters: WaterVapourParameters,
    run: Run,
) -> Float32Array:
    """Retrieve the water vapour of each pixel, fill the gaps and smooth the map."""
    if not scene.clear_land.any():
        logger.warning(
            "No clear land to retrieve water vapour from; using %.2f cm everywhere.",
            first_guess.water_vapour,
        )
    return fill_water_vapour(
        _water_vapour_by_pixel(
            scene,
            table,
            aot550,
            first_guess.water_vapour,
            parameters.start_column[table.season],
            run,
        ),
        scene.clear_land,
        scene.water,
        mixed=find_mixed_pixels(scene.toa(WINDOW_BAND)),
        over_water=parameters.over_water,
        window=_odd_window(parameters.smoothing, scene.geometry.grid.pixel_size),
        fallback=first_guess.water_vapour,
    )


def _water_vapour_by_pixel(
    scene: AerosolScene,
    table: LookUpTable,
    aot550: Float32Array,
    first_guess: float,
    start: float,
    run: Run,
) -> Float32Array:
    """Water vapour of each pixel, NaN where it cannot be retrieved; ``start`` of the iteration."""
    bands = (MEASUREMENT_BAND, WINDOW_BAND)
    first, second = (
        node_terms(
            table,
            band,
            scene.geometry,
            aot550=aot550,
            ozone=scene.ozone,
            elevation=scene.elevation,
            water_vapour=np.full_like(aot550, first_guess),
        )
        for band in bands
    )
    curves = [WaterVapourCurve.for_band(table, band, scene.elevation) for band in bands]
    measurement, window = scene.toa(MEASUREMENT_BAND), blur_window_band(scene.toa(WINDOW_BAND))
    result = np.empty_like(aot550)

    def fill(rows: slice) -> None:
        result[rows] = retrieve_water_vapour(
            measurement[rows],
            window[rows],
            scattering=(first.interpolate(rows), second.interpolate(rows)),
            water=(curves[0].rows(rows), curves[1].rows(rows)),
            start=start,
        )

    list(run(fill, row_blocks(len(result))))
    return result


def _odd_window(size: float, pixel_size: float) -> int:
    """Odd width in pixels of the widest centred box of at most this size in metres."""
    return 2 * int(size / (2.0 * pixel_size)) + 1
