"""How the state of the atmosphere over a tile is found: cirrus, aerosol, water vapour."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere import cirrus as cirrus_correction
from sen2cor.atmosphere import water_vapour
from sen2cor.atmosphere.aerosol_choice import Trial, season_of
from sen2cor.atmosphere.aerosol_retrieval import CONFIGURED, Fallback, retrieve_aerosol
from sen2cor.atmosphere.aerosol_scene import AerosolScene
from sen2cor.atmosphere.brdf import empirical_brdf
from sen2cor.atmosphere.cirrus import CirrusCorrection
from sen2cor.atmosphere.elevation_field import ElevationField, GroundElevation
from sen2cor.atmosphere.functions import (
    AtmosphereState,
    WaterCurve,
    node_functions,
)
from sen2cor.atmosphere.geometry import NodeGeometry
from sen2cor.atmosphere.path_scaling import factors_by_band
from sen2cor.atmosphere.retrieval_account import RetrievalAccount
from sen2cor.atmosphere.rugged import (
    TerrainCorrection,
)
from sen2cor.atmosphere.table import LookUpTable
from sen2cor.bands import BAND
from sen2cor.classification import GroundMasks
from sen2cor.dem.horizon import Run
from sen2cor.dem.terrain import Ruggedness
from sen2cor.grids import Float32Array
from sen2cor.pipeline.terrain_step import TileTerrain
from sen2cor.pipeline.tile_atmosphere import COARSE, Slopes, TileAtmosphere, half_width
from sen2cor.pipeline.tile_pixels import TilePixels
from sen2cor.pipeline.workers import row_blocks
from sen2cor.product.level1c import Level1CTile, Meteorology
from sen2cor.product.meteorology import tile_centre
from sen2cor.settings import Settings

BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]
_LEVEL = np.float32(0.25)
"""By how much the light on a reference pixel may differ from that on level ground: diffuse light
has another colour, and changes the ratio of bands."""

_PASSES = 2

logger = logging.getLogger(__name__)


def retrieve_atmosphere(
    pixels: TilePixels,
    tile: Level1CTile,
    masks: GroundMasks,
    tables: Sequence[LookUpTable],
    settings: Settings,
    *,
    terrain: TileTerrain | None = None,
    run: Run = map,
) -> TileAtmosphere:
    """Find aerosol and water vapour of a tile.

    Cirrus first; aerosol with the water vapour of the weather model, water vapour with that
    aerosol, and both once more.

    Parameters
    ----------
    pixels : TilePixels
        With the bands at 60 m derived.
    tile : Level1CTile
    masks : GroundMasks
    tables : sequence of LookUpTable
        Candidates: what AUTO stands for; the first where there is nothing to choose by.
    settings : Settings
    terrain : TileTerrain, optional
        Level ground at the altitude of the settings by default.
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    TileAtmosphere
    """
    geometry = NodeGeometry.over(pixels.grids[COARSE], tile.geometry)
    ground = _ground(geometry, terrain, settings)
    weather = tile.meteorology()
    start = _start_column(settings, tables[0], weather)
    cirrus = _cirrus(pixels, masks, settings, start)

    def toa(band: str) -> Float32Array:
        return cirrus.cleared(band, pixels.toa_reflectance(band, COARSE))

    step2 = settings.correction.rho_retrieval_step2
    adjacency = settings.calibration.adjacency_range if step2 else 0.0
    kept = cache(toa)
    ozone, ozone_source = _ozone(settings, tables[0], weather)
    scene = AerosolScene(
        geometry=geometry,
        toa=kept,
        land=_level_land(masks.reference, terrain),
        water=masks.water,
        ground=masks.ground,
        valid=int(masks.valid.sum()),
        snowy=masks.snowy,
        elevation=ground,
        ozone=ozone,
        adjacency=half_width(adjacency, geometry),
    )
    fallback = _fallback(tile, tables[0], settings, ground)
    column = np.full(geometry.grid.shape, start, np.float32)
    aot = _uniform(tables[0], fallback.visibility, ground, geometry.grid.shape)
    _, latitude = tile_centre(geometry.grid)
    season = season_of(tile.sensing_time, latitude)
    candidates = tuple(tables)
    trials: tuple[Trial, ...] = ()
    for _ in range(_PASSES):
        aerosol = retrieve_aerosol(
            scene,
            candidates,
            column,
            aot,
            settings.correction,
            fallback=fallback,
            mapped=bool(settings.flags.vis_update_mode),
            season=season,
        )
        candidates, trials, aot = (aerosol.table,), trials or aerosol.trials, aerosol.aot550
        if settings.flags.wv_correction:
            column = _water_vapour(scene, masks, aerosol.table, settings, start, aot, run)
    aerosol = replace(aerosol, trials=trials)
    state = AtmosphereState(aot, column, scene.ozone, ground, factors_by_band(aerosol.path_factor))
    retrieval = RetrievalAccount.of(
        aerosol,
        state,
        passes=_PASSES,
        season=season,
        tables=tables,
        water_retrieved=bool(settings.flags.wv_correction),
        ozone_source=ozone_source,
    )
    retrieval.log()
    return TileAtmosphere(
        table=aerosol.table,
        geometry=geometry,
        state=state,
        masks=masks,
        adjacency_range=adjacency,
        cirrus=cirrus,
        toa=toa,
        slopes=None if terrain is None else _slopes(terrain, masks, tile, settings),
        retrieval=retrieval,
    )


def _ground(
    geometry: NodeGeometry, terrain: TileTerrain | None, settings: Settings
) -> GroundElevation:
    """Elevation of the ground in km: a map, or one number for a level surface."""
    if terrain is None:
        return settings.calibration.altitude
    elevation = terrain.coarse_elevation()
    if terrain.ruggedness is Ruggedness.FLAT:
        return float(elevation.mean(dtype=np.float64))
    return ElevationField.over(geometry, elevation)


def _cirrus(
    pixels: TilePixels, masks: GroundMasks, settings: Settings, column: float
) -> CirrusCorrection:
    if not settings.flags.cirrus_correction:
        return CirrusCorrection(reason="Cirrus_Correction is off")
    bands = [band for band in cirrus_correction.NEEDED_BANDS if band in pixels.native]
    return cirrus_correction.retrieve(
        {band: pixels.toa_reflectance(band, COARSE) for band in bands},
        measured=pixels.numbers(cirrus_correction.CIRRUS_BAND, COARSE) > 0,
        ground=masks.ground,
        water=masks.water,
        column=column,
        least_column=settings.calibration.wv_threshold_cirrus,
        thin=settings.classification.thresholds.t1_b10,
    )


def _slopes(
    terrain: TileTerrain, masks: GroundMasks, tile: Level1CTile, settings: Settings
) -> Slopes | None:
    """What corrects the slopes; None where they are not to be corrected."""
    limits, flags = settings.correction, settings.flags
    wanted = limits.rho_retrieval_step2 and flags.dem_terrain_correction
    if terrain.ruggedness is not Ruggedness.RUGGED or not wanted:
        return None
    valid = max(int(masks.valid.sum()), 1)
    snow_share = int((masks.snow & masks.valid).sum()) / valid
    return Slopes(
        light=terrain.slope_light(masks.vegetation),
        correction=TerrainCorrection(
            start=limits.terrain_refl_start,
            iterations=limits.max_nr_topo_iter,
            half_width=round(limits.rng_nbhd_terrain_corr * 1000.0 / COARSE),
            cutoff=limits.topo_corr_cutoff,
        ),
        brdf=lambda band: empirical_brdf(
            flags.brdf_correction,
            BAND[band].wavelength,
            tile.geometry.mean_solar_zenith,
            lower_bound=flags.brdf_lower_bound,
            snow_share=snow_share,
        ),
    )


def _level_land(land: BoolArray, terrain: TileTerrain | None) -> BoolArray:
    """Land without slopes so steep that their light misleads."""
    if terrain is None or terrain.ruggedness is not Ruggedness.RUGGED:
        return land
    light = terrain.at(COARSE).light(slice(0, land.shape[0]), land.shape[1])[0]
    level: BoolArray = land & (np.abs(light - np.float32(1.0)) < _LEVEL)
    return level


def _fallback(
    tile: Level1CTile, table: LookUpTable, settings: Settings, ground: GroundElevation
) -> Fallback:
    """Visibility of the aerosol forecast in the product, or else of the settings."""
    forecast = tile.forecast_aot()
    if forecast is None:
        return Fallback(settings.calibration.visibility, CONFIGURED)
    height = float(ground.elevation.mean()) if isinstance(ground, ElevationField) else ground
    visibility = float(table.visibility_from_aot(forecast, height))
    return Fallback(visibility, f"forecast of CAMS in the Level-1C product ({forecast:.3f})")


def _uniform(
    table: LookUpTable, visibility: float, ground: GroundElevation, shape: tuple[int, int]
) -> Float32Array:
    """Optical thickness of one visibility."""
    if isinstance(ground, ElevationField):
        return table.aot_from_visibility(visibility, ground.elevation)
    return np.full(shape, table.aot_from_visibility(visibility, ground), np.float32)


def _start_column(settings: Settings, table: LookUpTable, weather: Meteorology | None) -> float:
    """Water vapour before any is retrieved, cm."""
    if weather is not None:
        return weather.water_vapour
    return settings.correction.wv_iter_start(table.season)


def _water_vapour(
    scene: AerosolScene,
    masks: GroundMasks,
    table: LookUpTable,
    settings: Settings,
    fallback: float,
    aot: Float32Array,
    run: Run,
) -> Float32Array:
    bands = (water_vapour.MEASUREMENT_BAND, water_vapour.WINDOW_BAND)
    first, second = (
        node_functions(
            table,
            band,
            scene.geometry,
            aot550=aot,
            ozone=scene.ozone,
            elevation=scene.elevation,
            water_vapour=np.full_like(aot, fallback),
        )
        for band in bands
    )
    curves = [WaterCurve.of_band(table, band, scene.elevation) for band in bands]
    column = np.empty_like(aot)
    reflectance = [scene.toa(band) for band in bands]

    def fill(rows: slice) -> None:
        column[rows] = water_vapour.retrieve(
            reflectance[0][rows],
            reflectance[1][rows],
            scattering=(first.maps(rows), second.maps(rows)),
            water=(curves[0].rows(rows), curves[1].rows(rows)),
            start=settings.correction.wv_iter_start(table.season),
        )

    list(run(fill, row_blocks(len(column))))
    if not masks.clear_land.any():
        logger.warning("no clear land for the water vapour: %.2f cm everywhere", fallback)
    return water_vapour.complete(
        column,
        masks.clear_land,
        masks.water,
        over_water=settings.flags.wv_watermask,
        window=_odd_window(settings.calibration.smooth_wv_map, scene.geometry.grid.pixel_size),
        fallback=fallback,
    )


def _odd_window(size: float, pixel_size: float) -> int:
    """Pixels of the widest centred box of that size in metres."""
    return 2 * int(size / (2.0 * pixel_size)) + 1


def _ozone(
    settings: Settings, table: LookUpTable, meteorology: Meteorology | None
) -> tuple[float, str]:
    """Ozone column in Dobson units, and its source in the words of the metadata."""
    if settings.look_up_tables.ozone_content is not None:
        return settings.look_up_tables.ozone_content, "CONFIG"
    if meteorology is not None:
        return meteorology.ozone, "AUX_ECMWFT"
    default = 377.0 if table.season == "WINTER" else 331.0
    logger.warning("no ozone column in the Level-1C auxiliary data: %.0f DU are used", default)
    return default, "OTHER"
