"""Aerosol and water vapour of a scene, each found with the other.

The aerosol with a guess of the water vapour, the water vapour with that aerosol, and both once
more: either depends little on the other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.atmosphere.aerosol.model_selection import Trial
from sen2cor.atmosphere.aerosol.path_radiance_scaling import factors_by_band
from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval, Fallback, retrieve_aerosol
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, WaterCurve, node_terms
from sen2cor.atmosphere.elevation_field import ElevationField
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.water_vapour import (
    MEASUREMENT_BAND,
    WINDOW_BAND,
    fill_water_vapour,
    retrieve_water_vapour,
)
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Run, row_blocks
from sen2cor.settings.cal_ac_gipp import CorrectionSettings

PASSES = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WaterVapourMap:
    """How the retrieved water vapour becomes a map without gaps.

    Attributes
    ----------
    over_water : int
        0: as retrieved, 1: mean of the clear land, 2: mean of the clear land in the same line.
    smoothing : float
        Width in metres of the box over which it is averaged.
    """

    over_water: int = 1
    smoothing: float = 100.0


def retrieve_aerosol_and_water_vapour(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    settings: CorrectionSettings,
    *,
    clear_land: BoolArray,
    first_guess: float,
    fallback: Fallback,
    season: str,
    aerosol_map: bool = True,
    water_vapour_map: WaterVapourMap | None = WaterVapourMap(),
    run: Run = map,
) -> tuple[AtmosphereState, AerosolRetrieval]:
    """Find aerosol and water vapour of a scene.

    Parameters
    ----------
    scene : AerosolScene
        Gives B8A and B09, too, where the water vapour is retrieved.
    tables : sequence of LookUpTable
        Candidates; the first where there is no dark vegetation to choose by.
    settings : CorrectionSettings
    clear_land : ndarray of bool, shape (rows, cols)
        Pixels whose water vapour is trusted.
    first_guess : float
        Water vapour in cm before any is retrieved, and where there is no clear land.
    fallback : Fallback
        Visibility before any is found, and where the scene tells nothing.
    season : str
        By date and latitude, where seasons cannot be told apart otherwise.
    aerosol_map : bool
        Whether the aerosol varies over the scene, or is its mean.
    water_vapour_map : WaterVapourMap or None
        None: the first guess stays.
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    state : AtmosphereState
    aerosol : AerosolRetrieval
        With the trials of the candidates.
    """
    water_vapour = np.full(scene.geometry.grid.shape, first_guess, np.float32)
    aot = _uniform_aot(scene, tables[0], fallback.visibility)
    candidates, trials = tuple(tables), tuple[Trial, ...]()
    for _ in range(PASSES):
        aerosol = retrieve_aerosol(
            scene,
            candidates,
            water_vapour,
            aot,
            settings,
            fallback=fallback,
            mapped=aerosol_map,
            season=season,
            run=run,
        )
        candidates, trials, aot = (aerosol.table,), trials or aerosol.trials, aerosol.aot550
        if water_vapour_map is not None:
            start = settings.wv_iter_start(aerosol.table.season)
            found = _water_vapour(scene, aerosol.table, aot, first_guess, start, run)
            water_vapour = _completed(scene, found, clear_land, first_guess, water_vapour_map)
    path_factors = factors_by_band(aerosol.path_factor)
    state = AtmosphereState(aot, water_vapour, scene.ozone, scene.elevation, path_factors)
    return state, replace(aerosol, trials=trials)


def _uniform_aot(scene: AerosolScene, table: LookUpTable, visibility: float) -> Float32Array:
    """Optical thickness of one visibility."""
    if isinstance(scene.elevation, ElevationField):
        return table.aot_from_visibility(visibility, scene.elevation.elevation)
    aot = table.aot_from_visibility(visibility, scene.elevation)
    return np.full(scene.geometry.grid.shape, aot, np.float32)


def _water_vapour(
    scene: AerosolScene,
    table: LookUpTable,
    aot: Float32Array,
    first_guess: float,
    start: float,
    run: Run,
) -> Float32Array:
    """Water vapour of each pixel, NaN where it cannot be seen; the iteration begins at start."""
    bands = (MEASUREMENT_BAND, WINDOW_BAND)
    first, second = (
        node_terms(
            table,
            band,
            scene.geometry,
            aot550=aot,
            ozone=scene.ozone,
            elevation=scene.elevation,
            water_vapour=np.full_like(aot, first_guess),
        )
        for band in bands
    )
    curves = [WaterCurve.of_band(table, band, scene.elevation) for band in bands]
    measurement, window = (scene.toa(band) for band in bands)
    result = np.empty_like(aot)

    def fill(rows: slice) -> None:
        result[rows] = retrieve_water_vapour(
            measurement[rows],
            window[rows],
            scattering=(first.maps(rows), second.maps(rows)),
            water=(curves[0].rows(rows), curves[1].rows(rows)),
            start=start,
        )

    list(run(fill, row_blocks(len(result))))
    return result


def _completed(
    scene: AerosolScene,
    water_vapour: Float32Array,
    clear_land: BoolArray,
    first_guess: float,
    wanted: WaterVapourMap,
) -> Float32Array:
    """Fill the gaps of the water vapour and smooth it."""
    if not clear_land.any():
        logger.warning("no clear land for the water vapour: %.2f cm everywhere", first_guess)
    return fill_water_vapour(
        water_vapour,
        clear_land,
        scene.water,
        over_water=wanted.over_water,
        window=_odd_window(wanted.smoothing, scene.geometry.grid.pixel_size),
        fallback=first_guess,
    )


def _odd_window(size: float, pixel_size: float) -> int:
    """Pixels of the widest centred box of that size in metres."""
    return 2 * int(size / (2.0 * pixel_size)) + 1
