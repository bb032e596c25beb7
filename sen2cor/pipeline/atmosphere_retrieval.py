"""The state of the atmosphere over a tile, and the inversion of its bands.

Everything here lives on the tile's 60 m grid: the water vapour band has that pixel size, aerosol
and angles vary more slowly. The results are interpolated to 20 and 10 m.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere import water_vapour
from sen2cor.atmosphere.adjacency import neighbourhood_mean
from sen2cor.atmosphere.functions import (
    AtmosphereState,
    WaterCurve,
    band_functions,
    scattering_functions,
)
from sen2cor.atmosphere.geometry import NodeGeometry
from sen2cor.atmosphere.inversion import Inversion, adjacency_inversion, flat_inversion, signal
from sen2cor.atmosphere.lut import LookUpTable
from sen2cor.classification import SceneClass
from sen2cor.grids import Float32Array
from sen2cor.pipeline.tile_pixels import TilePixels
from sen2cor.product.level1c import Level1CTile, Meteorology
from sen2cor.settings import Settings

BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]

COARSE = 60
"""Resolution in metres of the grid on which the atmosphere is described."""

_LAND = (
    SceneClass.VEGETATION,
    SceneClass.BARE_SOILS,
    SceneClass.LOW_PROBA_CLOUDS,
    SceneClass.SNOW_ICE,
)
_NO_GROUND = (
    SceneClass.NO_DATA,
    SceneClass.SATURATED_DEFECTIVE,
    SceneClass.CLOUD_SHADOWS,
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GroundMasks:
    """What the class map says of the pixels of the 60 m grid.

    Attributes
    ----------
    clear_land, water, ground : ndarray of bool, shape (rows, cols)
        Wholly clear land; mostly water; no part of it cloud, cloud shadow or gap.
    """

    clear_land: BoolArray
    water: BoolArray
    ground: BoolArray

    @classmethod
    def of_classes(cls, classes: UInt8Array, factor: int, shape: tuple[int, int]) -> GroundMasks:
        """Summarise a class map.

        Parameters
        ----------
        classes : ndarray of uint8, shape (rows, cols)
        factor : int
            Its pixels along one side of a 60 m pixel.
        shape : (int, int)
            Of the 60 m grid.
        """
        missing = [size * factor - have for size, have in zip(shape, classes.shape, strict=True)]
        padded = np.pad(classes, [(0, max(0, number)) for number in missing], mode="edge")
        blocks = padded[: shape[0] * factor, : shape[1] * factor].reshape(
            shape[0], factor, shape[1], factor
        )
        return cls(
            clear_land=_lookup(blocks, _LAND).all(axis=(1, 3)),
            water=_lookup(blocks, (SceneClass.WATER,)).mean(axis=(1, 3)) > 0.5,
            ground=~_lookup(blocks, _NO_GROUND).any(axis=(1, 3)),
        )


@dataclass(frozen=True)
class TileAtmosphere:
    """All that the correction of a tile's bands needs.

    Attributes
    ----------
    table : LookUpTable
    geometry : NodeGeometry
    state : AtmosphereState
    masks : GroundMasks
    adjacency_range : float
        km; 0 is without adjacency.
    """

    table: LookUpTable
    geometry: NodeGeometry
    state: AtmosphereState
    masks: GroundMasks
    adjacency_range: float

    def inversion(self, band: str, pixels: TilePixels) -> Inversion:
        """Inversion of a band on the 60 m grid."""
        functions = band_functions(self.table, band, self.geometry, self.state)
        if self.adjacency_range == 0.0:
            return flat_inversion(functions)
        x = signal(pixels.reflectance(band, COARSE), functions)
        half_width = round(self.adjacency_range * 1000.0 / self.geometry.grid.pixel_size)
        return adjacency_inversion(functions, neighbourhood_mean(x, self.masks.ground, half_width))


def retrieve_atmosphere(
    pixels: TilePixels,
    tile: Level1CTile,
    masks: GroundMasks,
    table: LookUpTable,
    settings: Settings,
) -> TileAtmosphere:
    """Find aerosol and water vapour of a tile.

    Parameters
    ----------
    pixels : TilePixels
        With the bands at 60 m derived.
    tile : Level1CTile
    masks : GroundMasks
    table : LookUpTable
    settings : Settings

    Returns
    -------
    TileAtmosphere
    """
    grid = pixels.grids[COARSE]
    geometry = NodeGeometry.over(grid, tile.geometry)
    meteorology = tile.meteorology()
    elevation = settings.calibration.altitude
    aot = float(table.aot_from_visibility(settings.calibration.visibility, elevation))
    aot_map = np.full(grid.shape, aot, np.float32)
    ozone = _ozone(settings, table, meteorology)
    column = _water_vapour(pixels, geometry, masks, table, settings, meteorology, aot_map, ozone)
    logger.info(
        "AOT at 550 nm %.3f from visibility %.1f km; ozone %.0f DU; water vapour %.2f cm "
        "(%.2f to %.2f)",
        aot, settings.calibration.visibility, ozone, column.mean(), column.min(), column.max(),
    )  # fmt: skip
    return TileAtmosphere(
        table=table,
        geometry=geometry,
        state=AtmosphereState(aot_map, column, ozone, elevation),
        masks=masks,
        adjacency_range=settings.calibration.adjacency_range
        if settings.correction.rho_retrieval_step2
        else 0.0,
    )


def _water_vapour(
    pixels: TilePixels,
    geometry: NodeGeometry,
    masks: GroundMasks,
    table: LookUpTable,
    settings: Settings,
    meteorology: Meteorology | None,
    aot: Float32Array,
    ozone: float,
) -> Float32Array:
    start = settings.correction.wv_iter_start(table.season)
    fallback = meteorology.water_vapour if meteorology is not None else start
    if not settings.flags.wv_correction:
        logger.info("water vapour is not retrieved: %.2f cm everywhere", fallback)
        return np.full(aot.shape, fallback, np.float32)
    elevation = settings.calibration.altitude
    bands = (water_vapour.MEASUREMENT_BAND, water_vapour.WINDOW_BAND)
    scattering = [
        scattering_functions(
            table,
            band,
            geometry,
            aot550=aot,
            ozone=ozone,
            elevation=elevation,
            water_vapour=np.full_like(aot, fallback),
        )
        for band in bands
    ]
    curves = [WaterCurve.of_band(table, band, elevation) for band in bands]
    column = water_vapour.retrieve(
        pixels.reflectance(bands[0], COARSE),
        pixels.reflectance(bands[1], COARSE),
        scattering=(scattering[0], scattering[1]),
        water=(curves[0], curves[1]),
        start=start,
    )
    if not masks.clear_land.any():
        logger.warning("no clear land for the water vapour: %.2f cm everywhere", fallback)
    return water_vapour.complete(
        column,
        masks.clear_land,
        masks.water,
        over_water=settings.flags.wv_watermask,
        window=_odd_window(settings.calibration.smooth_wv_map, geometry.grid.pixel_size),
        fallback=fallback,
    )


def _odd_window(size: float, pixel_size: float) -> int:
    """Pixels of the widest centred box of that size in metres."""
    return 2 * int(size / (2.0 * pixel_size)) + 1


def _ozone(settings: Settings, table: LookUpTable, meteorology: Meteorology | None) -> float:
    if settings.look_up_tables.ozone_content is not None:
        return settings.look_up_tables.ozone_content
    if meteorology is not None:
        return meteorology.ozone
    default = 377.0 if table.season == "WINTER" else 331.0
    logger.warning("no ozone column in the Level-1C auxiliary data: %.0f DU are used", default)
    return default


def _lookup(classes: UInt8Array, wanted: tuple[SceneClass, ...]) -> BoolArray:
    table = np.zeros(256, bool)
    table[list(wanted)] = True
    result: BoolArray = table[classes]
    return result
