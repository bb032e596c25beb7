"""How the state of the atmosphere over a tile is found: cirrus, aerosol, water vapour.

Settings, metadata and relief become what `sen2cor.atmosphere` asks for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

import numpy as np

from sen2cor.atmosphere import cirrus as cirrus_correction
from sen2cor.atmosphere.aerosol.model_selection import season_by_date
from sen2cor.atmosphere.aerosol.retrieval import Fallback
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.brdf import empirical_brdf
from sen2cor.atmosphere.cirrus import CirrusCorrection
from sen2cor.atmosphere.elevation_field import ElevationField, GroundElevation
from sen2cor.atmosphere.joint_retrieval import (
    PASSES,
    WaterVapourMap,
    retrieve_aerosol_and_water_vapour,
)
from sen2cor.atmosphere.look_up_tables.look_up_table import SEASON_OZONE, LookUpTable
from sen2cor.atmosphere.node_geometry import NodeGeometry
from sen2cor.atmosphere.retrieval_record import RetrievalRecord
from sen2cor.atmosphere.terrain_inversion import TerrainParameters
from sen2cor.bands import BAND
from sen2cor.classification import GroundMasks
from sen2cor.dem.terrain import TerrainType
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import TileTerrain
from sen2cor.pipeline.tile.tile_atmosphere import COARSE, Slopes, TileAtmosphere, half_width
from sen2cor.product.level1c.reader import EcmwfData, Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.coordinates import grid_centre
from sen2cor.raster.grids import Run
from sen2cor.settings import Settings

_LEVEL = np.float32(0.25)
"""By how much the light on a reference pixel may differ from that on level ground: diffuse light
has another colour, and changes the ratio of bands."""

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

    Cirrus first, then aerosol and water vapour together, beginning with the water vapour of the
    weather model.

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
    elevation = _ground_elevation(geometry, terrain, settings)
    weather = tile.read_ecmwf()
    ozone, ozone_source = _ozone(settings, tables[0], weather)
    first_guess = _first_guess_water_vapour(settings, tables[0], weather)
    cirrus = _cirrus(pixels, masks, settings, first_guess)
    adjacency_range = _adjacency_range(settings)

    def toa(band: str) -> Float32Array:
        return cirrus.cleared(band, pixels.toa_reflectance(band, COARSE))

    scene = AerosolScene(
        geometry=geometry,
        toa=cache(toa),
        land=_level_land(masks.reference, terrain),
        water=masks.water,
        ground=masks.ground,
        valid=int(masks.valid.sum()),
        snowy=masks.snowy,
        elevation=elevation,
        ozone=ozone,
        adjacency=half_width(adjacency_range, geometry),
    )
    season = season_by_date(tile.sensing_time, grid_centre(geometry.grid)[1])
    state, aerosol = retrieve_aerosol_and_water_vapour(
        scene,
        tables,
        settings.correction,
        clear_land=masks.clear_land,
        first_guess=first_guess,
        fallback=_fallback(tile, tables[0], settings, elevation),
        season=season,
        aerosol_map=bool(settings.flags.vis_update_mode),
        water_vapour_map=_water_vapour_map(settings),
        run=run,
    )
    account = RetrievalRecord.of(
        aerosol,
        state,
        passes=PASSES,
        season=season,
        tables=tables,
        water_retrieved=bool(settings.flags.wv_correction),
        ozone_source=ozone_source,
    )
    account.log()
    return TileAtmosphere(
        table=aerosol.table,
        geometry=geometry,
        state=state,
        masks=masks,
        adjacency_range=adjacency_range,
        cirrus=cirrus,
        toa=toa,
        slopes=None if terrain is None else _slopes(terrain, masks, tile, settings),
        retrieval=account,
    )


def _ground_elevation(
    geometry: NodeGeometry, terrain: TileTerrain | None, settings: Settings
) -> GroundElevation:
    """Elevation of the ground in km: a map, or one number for a level surface."""
    if terrain is None:
        return settings.calibration.altitude
    elevation = terrain.coarse_elevation()
    if terrain.terrain_type is TerrainType.FLAT:
        return float(elevation.mean(dtype=np.float64))
    return ElevationField.over(geometry, elevation)


def _adjacency_range(settings: Settings) -> float:
    """Range of the adjacency effect in km; 0 is without it."""
    wanted = settings.correction.rho_retrieval_step2
    return settings.calibration.adjacency_range if wanted else 0.0


def _cirrus(
    pixels: TilePixels, masks: GroundMasks, settings: Settings, water_vapour: float
) -> CirrusCorrection:
    if not settings.flags.cirrus_correction:
        return CirrusCorrection(reason="Cirrus_Correction is off")
    bands = [band for band in cirrus_correction.NEEDED_BANDS if band in pixels.native]
    return cirrus_correction.retrieve_cirrus(
        {band: pixels.toa_reflectance(band, COARSE) for band in bands},
        measured=pixels.numbers(cirrus_correction.CIRRUS_BAND, COARSE) > 0,
        ground=masks.ground,
        water=masks.water,
        column=water_vapour,
        least_column=settings.calibration.wv_threshold_cirrus,
        thin=settings.classification.thresholds.t1_b10,
    )


def _slopes(
    terrain: TileTerrain, masks: GroundMasks, tile: Level1CTile, settings: Settings
) -> Slopes | None:
    """What corrects the slopes; None where they are not to be corrected."""
    limits, flags = settings.correction, settings.flags
    wanted = limits.rho_retrieval_step2 and flags.dem_terrain_correction
    if terrain.terrain_type is not TerrainType.RUGGED or not wanted:
        return None
    valid = max(int(masks.valid.sum()), 1)
    snow_fraction = int((masks.snow & masks.valid).sum()) / valid
    return Slopes(
        light=terrain.slope_illumination(masks.vegetation),
        correction=TerrainParameters(
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
            snow_fraction=snow_fraction,
        ),
    )


def _level_land(land: BoolArray, terrain: TileTerrain | None) -> BoolArray:
    """Land without slopes so steep that their light misleads."""
    if terrain is None or terrain.terrain_type is not TerrainType.RUGGED:
        return land
    light = terrain.at(COARSE).interpolate_illumination(slice(0, land.shape[0]), land.shape[1])[0]
    level: BoolArray = land & (np.abs(light - np.float32(1.0)) < _LEVEL)
    return level


def _fallback(
    tile: Level1CTile, table: LookUpTable, settings: Settings, elevation: GroundElevation
) -> Fallback:
    """Visibility of the aerosol forecast in the product, or else of the settings."""
    forecast = tile.read_cams_aot()
    if forecast is None:
        return Fallback(settings.calibration.visibility)
    if isinstance(elevation, ElevationField):
        elevation = float(elevation.elevation.mean())
    visibility = float(table.visibility_from_aot(forecast, elevation))
    source = f"forecast of CAMS in the Level-1C product ({forecast:.3f})"
    return Fallback(visibility, source, forecast=True)


def _first_guess_water_vapour(
    settings: Settings, table: LookUpTable, weather: EcmwfData | None
) -> float:
    """Water vapour before any is retrieved, cm."""
    if weather is not None:
        return weather.water_vapour
    return settings.correction.wv_iter_start(table.season)


def _water_vapour_map(settings: Settings) -> WaterVapourMap | None:
    flags = settings.flags
    if not flags.wv_correction:
        return None
    return WaterVapourMap(flags.wv_watermask, settings.calibration.smooth_wv_map)


def _ozone(settings: Settings, table: LookUpTable, weather: EcmwfData | None) -> tuple[float, str]:
    """Ozone column in Dobson units, and its source in the words of the metadata."""
    if settings.look_up_tables.ozone_content is not None:
        return settings.look_up_tables.ozone_content, "CONFIG"
    if weather is not None:
        return weather.ozone, "AUX_ECMWFT"
    default = SEASON_OZONE[table.season]
    logger.warning("no ozone column in the Level-1C auxiliary data: %.0f DU are used", default)
    return default, "OTHER"
