"""Retrieval of the atmosphere of a tile: settings, metadata and terrain become its inputs.

Cirrus is retrieved first, then aerosol and water vapour together (`sen2cor.atmosphere`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

import numpy as np

from sen2cor.atmosphere.aerosol.retrieval import FirstGuess
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.aerosol_and_water_vapour import retrieve_aerosol_and_water_vapour
from sen2cor.atmosphere.brdf import empirical_brdf
from sen2cor.atmosphere.cirrus import (
    CIRRUS_BAND,
    NEEDED_BANDS,
    CirrusCorrection,
    retrieve_cirrus,
)
from sen2cor.atmosphere.interpolation_nodes import ElevationField, GroundElevation, NodeGeometry
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import CirrusParameters
from sen2cor.atmosphere.retrieval_record import RetrievalRecord
from sen2cor.atmosphere.standard_atmospheres import DEFAULT_OZONE, season_by_date
from sen2cor.bands import BAND
from sen2cor.classification import GroundMasks
from sen2cor.dem.terrain import TerrainType
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import TileTerrain
from sen2cor.pipeline.tile.tile_correction import (
    COARSE,
    SlopeCorrection,
    TileCorrection,
    adjacency_half_width,
)
from sen2cor.product.level1c.reader import EcmwfData, Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.coordinates import grid_centre
from sen2cor.raster.grids import Run
from sen2cor.settings import Settings

_MAX_ILLUMINATION_CHANGE = np.float32(0.25)
"""Maximum difference of the illumination of a reference pixel from that of flat terrain. The
spectrum of diffuse illumination differs and changes band ratios."""

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
) -> TileCorrection:
    """Retrieve cirrus, aerosol and water vapour of a tile.

    Parameters
    ----------
    pixels : TilePixels
        With the bands at 60 m.
    tile : Level1CTile
    masks : GroundMasks
    tables : sequence of LookUpTable
        Candidates; the first is used if there is nothing to select by.
    settings : Settings
    terrain : TileTerrain, optional
        By default flat terrain at the altitude of the settings.
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    TileCorrection
        The correction of the bands that follows from the retrieved atmosphere.
    """
    geometry = NodeGeometry.over(pixels.grids[COARSE], tile.geometry)
    elevation = _surface_elevation(geometry, terrain, settings)
    ecmwf = tile.read_ecmwf()
    ozone, ozone_source = _ozone(settings, tables[0], ecmwf)
    first_guess = _first_guess(tile, geometry, tables[0], settings, elevation)
    cirrus = _retrieve_cirrus(pixels, tile, masks, settings, first_guess.water_vapour)
    adjacency_range = _adjacency_range(settings)

    def toa(band: str) -> Float32Array:
        return cirrus.remove(band, pixels.toa_reflectance(band, COARSE))

    flags = settings.flags
    state, aerosol = retrieve_aerosol_and_water_vapour(
        AerosolScene(
            geometry=geometry,
            toa=cache(toa),
            land=_exclude_slopes(masks.reference, terrain),
            water=masks.water,
            ground=masks.ground,
            clear_land=masks.clear_land,
            valid=int(masks.valid.sum()),
            snowy=masks.snowy,
            elevation=elevation,
            ozone=ozone,
            adjacency=adjacency_half_width(adjacency_range, geometry),
        ),
        tables,
        first_guess,
        aerosol=settings.correction.aerosol_parameters(variable=bool(flags.vis_update_mode)),
        water_vapour=settings.correction.water_vapour_parameters(
            retrieve=bool(flags.wv_correction),
            over_water=flags.wv_watermask,
            smoothing=settings.calibration.smooth_wv_map,
        ),
        run=run,
    )
    record = RetrievalRecord(
        aerosol=aerosol,
        state=state,
        season=first_guess.season,
        candidates=tuple(table.name for table in tables),
        ozone_source=ozone_source,
        water_vapour_retrieved=bool(flags.wv_correction),
    )
    record.log()
    return TileCorrection(
        table=aerosol.table,
        geometry=geometry,
        state=state,
        masks=masks,
        adjacency_range=adjacency_range,
        cirrus=cirrus,
        toa=toa,
        slopes=None if terrain is None else _slope_correction(terrain, masks, tile, settings),
        retrieval=record,
    )


def _surface_elevation(
    geometry: NodeGeometry, terrain: TileTerrain | None, settings: Settings
) -> GroundElevation:
    """Elevation of the surface in km: a map, or one number for flat terrain."""
    if terrain is None:
        return settings.calibration.altitude
    elevation = terrain.coarse_elevation()
    if terrain.terrain_type is TerrainType.FLAT:
        return float(elevation.mean(dtype=np.float64))
    return ElevationField.over(geometry, elevation)


def _adjacency_range(settings: Settings) -> float:
    """Range of the adjacency effect in km; 0: no adjacency correction."""
    enabled = settings.correction.rho_retrieval_step2
    return settings.calibration.adjacency_range if enabled else 0.0


def _retrieve_cirrus(
    pixels: TilePixels,
    tile: Level1CTile,
    masks: GroundMasks,
    settings: Settings,
    water_vapour: float,
) -> CirrusCorrection:
    if not settings.flags.cirrus_correction:
        return CirrusCorrection(reason="Cirrus_Correction is off")
    bands = [band for band in NEEDED_BANDS if band in pixels.native]
    return retrieve_cirrus(
        {band: pixels.toa_reflectance(band, COARSE) for band in bands},
        measured=pixels.numbers(CIRRUS_BAND, COARSE) > 0,
        ground=masks.ground,
        water_vapour=water_vapour,
        find_parallax=lambda band: tile.read_parallax(band, CIRRUS_BAND, pixels.grids[COARSE]),
        parameters=CirrusParameters(
            min_water_vapour=settings.calibration.wv_threshold_cirrus,
            thin_reflectance=settings.classification.thresholds.t1_b10,
        ),
    )


def _slope_correction(
    terrain: TileTerrain, masks: GroundMasks, tile: Level1CTile, settings: Settings
) -> SlopeCorrection | None:
    """Inputs of the correction of slopes; None if slopes are not corrected."""
    flags = settings.flags
    enabled = settings.correction.rho_retrieval_step2 and flags.dem_terrain_correction
    if terrain.terrain_type is not TerrainType.RUGGED or not enabled:
        return None
    valid = max(int(masks.valid.sum()), 1)
    snow_fraction = int((masks.snow & masks.valid).sum()) / valid
    return SlopeCorrection(
        illumination=terrain.slope_illumination(masks.vegetation),
        parameters=settings.correction.terrain_parameters(COARSE),
        brdf=lambda band: empirical_brdf(
            flags.brdf_correction,
            BAND[band].wavelength,
            tile.geometry.mean_solar_zenith,
            lower_bound=flags.brdf_lower_bound,
            snow_fraction=snow_fraction,
        ),
    )


def _exclude_slopes(land: BoolArray, terrain: TileTerrain | None) -> BoolArray:
    """Land without slopes whose illumination differs much from that of flat terrain."""
    if terrain is None or terrain.terrain_type is not TerrainType.RUGGED:
        return land
    illumination = terrain.at(COARSE).interpolate_illumination(
        slice(0, land.shape[0]), land.shape[1]
    )[0]
    change = np.abs(illumination - np.float32(1.0))
    nearly_flat: BoolArray = land & (change < _MAX_ILLUMINATION_CHANGE)
    return nearly_flat


def _first_guess(
    tile: Level1CTile,
    geometry: NodeGeometry,
    table: LookUpTable,
    settings: Settings,
    elevation: GroundElevation,
) -> FirstGuess:
    """First guess from the forecasts in the product, otherwise from the settings."""
    ecmwf, forecast = tile.read_ecmwf(), tile.read_cams_aot()
    if ecmwf is not None:
        water_vapour = ecmwf.water_vapour
    else:
        water_vapour = settings.correction.water_vapour_start[table.season]
    season = season_by_date(tile.sensing_time, grid_centre(geometry.grid)[1])
    if forecast is None:
        return FirstGuess(settings.calibration.visibility, water_vapour=water_vapour, season=season)
    if isinstance(elevation, ElevationField):
        elevation = float(elevation.elevation.mean())
    return FirstGuess(
        float(table.visibility_from_aot(forecast, elevation)),
        source=f"CAMS forecast in the Level-1C product (AOT {forecast:.3f})",
        forecast=True,
        water_vapour=water_vapour,
        season=season,
    )


def _ozone(settings: Settings, table: LookUpTable, ecmwf: EcmwfData | None) -> tuple[float, str]:
    """Ozone column in Dobson units, and its source as in the metadata."""
    if settings.look_up_tables.ozone_content is not None:
        return settings.look_up_tables.ozone_content, "CONFIG"
    if ecmwf is not None:
        return ecmwf.ozone, "AUX_ECMWFT"
    default = DEFAULT_OZONE[table.season]
    logger.warning("No ozone column in the ECMWF auxiliary data; using %.0f DU.", default)
    return default, "OTHER"
