"""The relief of a tile: heights from the elevation model, and what follows from them.

Heights are held at 20 m; the coarse grid takes their means, 10 m interpolates the light of 20 m.
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
from sen2cor.dem import Elevation, dem_image, elevation_on, open_source
from sen2cor.dem.sun import SunDirections
from sen2cor.dem.terrain import Terrain, TerrainType, derive_terrain, terrain_type
from sen2cor.errors import AuxiliaryDataError
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.tile_atmosphere import COARSE
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt16Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import bilinear, block_mean, nearest, positions
from sen2cor.settings import Settings

SlopeRows: TypeAlias = tuple[Float32Array, Float32Array, BoolArray]

FINE = 20
"""Resolution in metres at which the relief is worked out, beside the coarse one."""

MARGIN = 6000.0
"""Metres around the tile whose relief may shade it."""

_LIGHT_SCALE = np.float32(8192.0)
_MOST_LIGHT = np.float32(65535.0) / _LIGHT_SCALE

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GroundIllumination:
    """Illumination of all pixels at one resolution, packed as it stays in memory.

    Attributes
    ----------
    packed : ndarray of uint16, shape (rows, cols)
        Illumination (see `SlopeIllumination`) times 8192, 0 where no direct light falls.
    vegetation : callable
        Mask of vegetation in some rows.
    """

    packed: UInt16Array
    vegetation: Callable[[slice], BoolArray]

    def rows(self, rows: slice) -> SlopeRows:
        """Illumination, share in direct light and vegetation of some rows."""
        packed = self.packed[rows]
        illumination = packed * (np.float32(1.0) / _LIGHT_SCALE)
        return illumination, (packed > 0).astype(np.float32), self.vegetation(rows)


@dataclass
class TileTerrain:
    """Relief of a tile.

    Attributes
    ----------
    elevation : Elevation
        On the grid of 20 m.
    grids : mapping of resolution to Grid
    sun : SunDirections
    kind : str
        Of the source: SRTM, DTED, COPERNICUS, RASTER.
    workers : Workers
    terrain_type : TerrainType
        How much the relief matters to the correction.
    """

    elevation: Elevation
    grids: Mapping[int, Grid]
    sun: SunDirections
    kind: str
    workers: Workers
    terrain_type: TerrainType = TerrainType.FLAT
    _derived: dict[int, Terrain] = field(default_factory=dict)

    def at(self, resolution: int) -> Terrain:
        """Slope, light and shadow at 60 or 20 m, with the view of the sky at 60 m."""
        if resolution not in self._derived:
            heights, known = self._heights(resolution)
            if not known.all():
                heights = np.where(known, heights, np.float32(np.nan))
            self._derived[resolution] = derive_terrain(
                heights,
                self._margin(resolution),
                self.grids[resolution],
                self.sun,
                with_sky=resolution == COARSE,
                run=self.workers.map,
            )
        return self._derived[resolution]

    def forget(self, resolution: int) -> None:
        """Release what was derived at a resolution."""
        self._derived.pop(resolution, None)

    def account(self) -> dict[str, Any]:
        """Names and plain values, for the log of the run."""
        heights = self.at(COARSE).elevation
        return {
            "source": self.elevation.source,
            "kind": self.kind,
            "lowest": float(np.nanmin(heights)),
            "highest": float(np.nanmax(heights)),
            "terrain": self.terrain_type.value,
            "interpolated_voids": self.elevation.voids,
        }

    def coarse_elevation(self) -> Float32Array:
        """Height in km on the coarse grid; where it is unknown that of the nearest known ground."""
        heights, _ = self._heights(COARSE)
        elevation: Float32Array = heights[self._inside(COARSE)] * np.float32(0.001)
        return elevation

    def terrain_illumination(self, resolution: int) -> TerrainIllumination:
        """What the classification looks at."""
        terrain = self.at(resolution)
        return TerrainIllumination(terrain.slope, terrain.illumination, terrain.shadow)

    def slope_illumination(self, vegetation: BoolArray) -> SlopeIllumination:
        """Light on the slopes of the coarse grid."""
        terrain = self.at(COARSE)
        grid = self.grids[COARSE]
        assert terrain.sky_view is not None
        illumination, sunlit = terrain.light(slice(0, grid.rows), grid.cols)
        return SlopeIllumination(illumination, sunlit, terrain.sky_view, vegetation)

    def ground_illumination(
        self, resolution: int, vegetation: Callable[[slice], BoolArray]
    ) -> GroundIllumination:
        """Light on the slopes at a resolution.

        Parameters
        ----------
        resolution : {60, 20, 10}
        vegetation : callable
            Mask of vegetation in some rows.
        """
        source = self.at(max(resolution, FINE))
        factor = max(FINE // resolution, 1)
        grid = self.grids[resolution]
        packed = np.empty(grid.shape, np.uint16)

        def fill(rows: slice) -> None:
            illumination, _ = source.light(rows, grid.cols, factor)
            np.minimum(illumination, _MOST_LIGHT, out=illumination)
            illumination *= _LIGHT_SCALE
            illumination += np.float32(0.5)
            packed[rows] = illumination.astype(np.uint16)

        self.workers.map(fill, row_blocks(grid.rows))
        return GroundIllumination(packed, vegetation)

    def image(self, resolution: int, rows: slice) -> UInt16Array:
        """Some rows of the elevation image of the product, at any resolution."""
        own = max(resolution, FINE)
        heights, known = self._heights(own)
        inner = self._inside(own)
        at = positions(rows.stop - rows.start, own / resolution, rows.start)
        across = positions(self.grids[resolution].cols, own / resolution)
        is_known = known[inner][nearest(at, self.grids[own].rows)]
        is_known = is_known[:, nearest(across, self.grids[own].cols)]
        return dem_image(bilinear(heights[inner], at, across), is_known)

    def _margin(self, resolution: int) -> int:
        return self.elevation.margin * FINE // resolution

    def _inside(self, resolution: int) -> tuple[slice, slice]:
        """Rows and columns of the tile within its margin."""
        margin, (rows, cols) = self._margin(resolution), self.grids[resolution].shape
        return slice(margin, margin + rows), slice(margin, margin + cols)

    def _heights(self, resolution: int) -> tuple[Float32Array, BoolArray]:
        """Heights with their margin at 20 or 60 m, and where they are known."""
        if resolution == FINE:
            return self.elevation.heights, self.elevation.known
        return self._coarse_heights

    @cached_property
    def _coarse_heights(self) -> tuple[Float32Array, BoolArray]:
        heights, known = self.elevation.heights, self.elevation.known
        factor = COARSE // FINE
        missing = [(0, -size % factor) for size in heights.shape]
        if any(after for _, after in missing):
            heights = np.pad(heights, missing, mode="edge")
            known = np.pad(known, missing, mode="edge")
        share = block_mean(known.astype(np.float32), factor) if not known.all() else None
        means = block_mean(heights, factor)
        return means, np.ones(means.shape, bool) if share is None else share > np.float32(0.5)


def prepare_terrain(tile: Level1CTile, settings: Settings, workers: Workers) -> TileTerrain | None:
    """Bring the elevation model to a tile.

    Parameters
    ----------
    tile : Level1CTile
    settings : Settings
    workers : Workers

    Returns
    -------
    TileTerrain or None
        None where the surface is to be taken as flat, which the log explains.

    Raises
    ------
    AuxiliaryDataError
        Heights that should exist cannot be had, and DEM_Missing is ERROR.
    """
    location = settings.dem_directory
    if location is None:
        logger.info("DEM directory not specified, flat surface is used")
        return None
    common = settings.common
    try:
        with tempfile.TemporaryDirectory(prefix="sen2cor-dem-") as cache:
            source = open_source(
                location,
                reference=common.dem_reference,
                cache=Path(cache),
                unit=settings.dem_unit,
            )
            elevation = elevation_on(source, tile.grids[FINE], margin=MARGIN)
    except AuxiliaryDataError as error:
        if common.dem_missing != "FLAT":
            raise
        logger.warning("%s; flat surface is used", error)
        return None
    if elevation is None:
        logger.warning("%s does not cover the tile, flat surface is used", source.description)
        return None
    limits = settings.correction
    if elevation.known.all():
        # as good, and without memory
        elevation = replace(elevation, known=np.broadcast_to(np.True_, elevation.known.shape))
    terrain = TileTerrain(
        elevation=elevation,
        grids=tile.grids,
        sun=SunDirections.over(tile.grids[FINE], tile.geometry.sun),
        kind=source.kind,
        workers=workers,
    )
    coarse = terrain.at(COARSE)
    terrain.terrain_type = terrain_type(
        coarse.elevation,
        coarse.slope,
        least_range=limits.dem_p2p_val,
        steep=limits.slope_th,
        steep_share=limits.topo_corr_th,
    )
    known = coarse.elevation[~np.isnan(coarse.elevation)]
    logger.info(
        "elevation %.0f to %.0f m, mean %.0f m; terrain: %s",
        known.min(), known.max(), known.mean(dtype=np.float64), terrain.terrain_type.value,
    )  # fmt: skip
    return terrain
