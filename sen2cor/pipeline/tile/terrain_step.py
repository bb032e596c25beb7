"""The terrain of a tile: elevation, slopes, illumination and shadows at every resolution.

Elevation is kept at 20 m. The coarse grid takes its block means; at 10 m the illumination of 20 m
is interpolated.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from sen2cor.atmosphere.terrain_inversion import SlopeIllumination
from sen2cor.classification import TerrainIllumination
from sen2cor.dem import TileElevation, encode_elevation, open_source, read_elevation
from sen2cor.dem.illumination import SunDirections
from sen2cor.dem.terrain import Terrain, TerrainType, classify_terrain, derive_terrain
from sen2cor.errors import AuxiliaryDataError
from sen2cor.paths import expand_address
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.tile_correction import COARSE
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt16Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import bilinear, block_mean, nearest, positions
from sen2cor.settings import Settings

SlopeRows: TypeAlias = tuple[Float32Array, Float32Array, BoolArray]

FINE = 20
"""Resolution in metres at which the terrain is derived, beside the coarse one."""

MARGIN = 6000.0
"""Metres around the tile in which terrain may shade it."""

_ILLUMINATION_SCALE = np.float32(8192.0)
"""Steps of the packed illumination ratio per unit."""

_MAX_ILLUMINATION = np.float32(65535.0) / _ILLUMINATION_SCALE

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GroundIllumination:
    """Illumination ratio of all pixels at one resolution, packed to save memory.

    Attributes
    ----------
    packed : ndarray of uint16, shape (rows, cols)
        Illumination ratio (see `SlopeIllumination`) times 8192; 0 in shadow.
    vegetation : callable
        Returns the mask of vegetation for a block of rows.
    """

    packed: UInt16Array
    vegetation: Callable[[slice], BoolArray]

    def rows(self, rows: slice) -> SlopeRows:
        """Illumination ratio, sunlit fraction and vegetation mask of some rows."""
        packed = self.packed[rows]
        illumination = packed * (np.float32(1.0) / _ILLUMINATION_SCALE)
        return illumination, (packed > 0).astype(np.float32), self.vegetation(rows)


@dataclass
class TileTerrain:
    """Elevation of a tile, and the terrain derived from it at each resolution.

    Attributes
    ----------
    elevation : TileElevation
        On the grid of 20 m.
    grids : mapping of resolution to Grid
    sun : SunDirections
    kind : str
        Of the source: SRTM, DTED, COPERNICUS, RASTER.
    workers : Workers
    terrain_type : TerrainType
        How far the correction takes the terrain into account.
    """

    elevation: TileElevation
    grids: Mapping[int, Grid]
    sun: SunDirections
    kind: str
    workers: Workers
    terrain_type: TerrainType = TerrainType.FLAT
    _derived: dict[int, Terrain] = field(default_factory=dict)

    def at(self, resolution: int) -> Terrain:
        """Derive slope, illumination and shadow at 60 or 20 m, and the sky view factor at 60 m."""
        if resolution not in self._derived:
            elevation, known = self._elevation(resolution)
            if not known.all():
                elevation = np.where(known, elevation, np.float32(np.nan))
            self._derived[resolution] = derive_terrain(
                elevation,
                self._margin(resolution),
                self.grids[resolution],
                self.sun,
                with_sky_view=resolution == COARSE,
                run=self.workers.map,
            )
        return self._derived[resolution]

    def release(self, resolution: int) -> None:
        """Free the arrays derived at a resolution."""
        self._derived.pop(resolution, None)

    def describe(self) -> dict[str, Any]:
        """Names and plain values, for the record of the run."""
        elevation = self.at(COARSE).elevation
        return {
            "source": self.elevation.source,
            "kind": self.kind,
            "lowest": float(np.nanmin(elevation)),
            "highest": float(np.nanmax(elevation)),
            "terrain": self.terrain_type.value,
            "interpolated_voids": self.elevation.voids,
        }

    def coarse_elevation(self) -> Float32Array:
        """Elevation in km on the coarse grid; where unknown, that of the nearest known pixel."""
        metres, _ = self._elevation(COARSE)
        elevation: Float32Array = metres[self._tile_window(COARSE)] * np.float32(0.001)
        return elevation

    def terrain_illumination(self, resolution: int) -> TerrainIllumination:
        """Slope, illumination and shadow for the scene classification."""
        terrain = self.at(resolution)
        return TerrainIllumination(terrain.slope, terrain.illumination, terrain.shadow)

    def slope_illumination(self, vegetation: BoolArray) -> SlopeIllumination:
        """Illumination of the slopes on the coarse grid."""
        terrain = self.at(COARSE)
        grid = self.grids[COARSE]
        assert terrain.sky_view is not None
        illumination, sunlit = terrain.interpolate_illumination(slice(0, grid.rows), grid.cols)
        return SlopeIllumination(illumination, sunlit, terrain.sky_view, vegetation)

    def ground_illumination(
        self, resolution: int, vegetation: Callable[[slice], BoolArray]
    ) -> GroundIllumination:
        """Illumination of the slopes at a resolution.

        Parameters
        ----------
        resolution : {60, 20, 10}
        vegetation : callable
            Returns the mask of vegetation for a block of rows.
        """
        source = self.at(max(resolution, FINE))
        factor = max(FINE // resolution, 1)
        grid = self.grids[resolution]
        packed = np.empty(grid.shape, np.uint16)

        def fill(rows: slice) -> None:
            illumination, _ = source.interpolate_illumination(rows, grid.cols, factor)
            np.minimum(illumination, _MAX_ILLUMINATION, out=illumination)
            illumination *= _ILLUMINATION_SCALE
            illumination += np.float32(0.5)
            packed[rows] = illumination.astype(np.uint16)

        self.workers.map(fill, row_blocks(grid.rows))
        return GroundIllumination(packed, vegetation)

    def image(self, resolution: int, rows: slice) -> UInt16Array:
        """Some rows of the product's elevation image, at any resolution."""
        own = max(resolution, FINE)
        elevation, known = self._elevation(own)
        inner = self._tile_window(own)
        at = positions(rows.stop - rows.start, own / resolution, rows.start)
        across = positions(self.grids[resolution].cols, own / resolution)
        is_known = known[inner][nearest(at, self.grids[own].rows)]
        is_known = is_known[:, nearest(across, self.grids[own].cols)]
        return encode_elevation(bilinear(elevation[inner], at, across), is_known)

    def _margin(self, resolution: int) -> int:
        return self.elevation.margin * FINE // resolution

    def _tile_window(self, resolution: int) -> tuple[slice, slice]:
        """Rows and columns of the tile within its margin."""
        margin, (rows, cols) = self._margin(resolution), self.grids[resolution].shape
        return slice(margin, margin + rows), slice(margin, margin + cols)

    def _elevation(self, resolution: int) -> tuple[Float32Array, BoolArray]:
        """Elevation with its margin at 20 or 60 m, and where it is known."""
        if resolution == FINE:
            return self.elevation.elevation, self.elevation.known
        return self._coarse_elevation

    @cached_property
    def _coarse_elevation(self) -> tuple[Float32Array, BoolArray]:
        elevation, known = self.elevation.elevation, self.elevation.known
        factor = COARSE // FINE
        missing = [(0, -size % factor) for size in elevation.shape]
        if any(after for _, after in missing):
            elevation = np.pad(elevation, missing, mode="edge")
            known = np.pad(known, missing, mode="edge")
        means = block_mean(elevation, factor)
        if known.all():
            return means, np.ones(means.shape, bool)
        return means, block_mean(known.astype(np.float32), factor) > np.float32(0.5)


def prepare_terrain(tile: Level1CTile, settings: Settings, workers: Workers) -> TileTerrain | None:
    """Read the elevation model for a tile.

    Parameters
    ----------
    tile : Level1CTile
    settings : Settings
    workers : Workers

    Returns
    -------
    TileTerrain or None
        None for flat terrain; the log says why.

    Raises
    ------
    AuxiliaryDataError
        Elevation that should exist is unavailable, and DEM_Missing is ERROR.
    """
    location = settings.dem_directory
    if location is None:
        logger.info("no DEM_Directory: assuming flat terrain")
        if settings.common.generate_dem_output:
            logger.warning("Generate_DEM_Output: no DEM_Directory, so there is no elevation image")
        return None
    common = settings.common
    try:
        with tempfile.TemporaryDirectory(prefix="sen2cor-dem-") as cache:
            source = open_source(
                location,
                reference=expand_address(common.dem_reference) if common.dem_reference else None,
                cache=Path(cache),
                unit=settings.dem_unit,
            )
            elevation = read_elevation(source, tile.grids[FINE], margin=MARGIN)
    except AuxiliaryDataError as error:
        if common.dem_missing != "FLAT":
            raise
        logger.warning("%s; assuming flat terrain", error)
        return None
    if elevation is None:
        logger.warning("%s does not cover the tile; assuming flat terrain", source.description)
        return None
    limits = settings.correction
    if elevation.known.all():
        # the same values without the memory
        elevation = replace(elevation, known=np.broadcast_to(np.True_, elevation.known.shape))
    terrain = TileTerrain(
        elevation=elevation,
        grids=tile.grids,
        sun=SunDirections.from_angles(tile.grids[FINE], tile.geometry.sun),
        kind=source.kind,
        workers=workers,
    )
    coarse = terrain.at(COARSE)
    terrain.terrain_type = classify_terrain(
        coarse.elevation,
        coarse.slope,
        min_range=limits.dem_p2p_val,
        steep_slope=limits.slope_th,
        max_steep_fraction=limits.topo_corr_th,
    )
    known = coarse.elevation[~np.isnan(coarse.elevation)]
    logger.info(
        "elevation %.0f to %.0f m, mean %.0f m; terrain: %s",
        known.min(), known.max(), known.mean(dtype=np.float64), terrain.terrain_type.value,
    )  # fmt: skip
    return terrain
