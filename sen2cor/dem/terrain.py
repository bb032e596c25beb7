"""The relief of a tile and its light, from an elevation model.

Unknown heights are NaN. Where the height of a pixel or one of its neighbours is unknown, slope and
illumination are NaN too, and the correction takes the ground for flat.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.ndimage import binary_dilation

from sen2cor.dem.gradient import gradient
from sen2cor.dem.horizon import cast_shadow, sky_view
from sen2cor.dem.sun import SunDirections
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Grid, Run, row_blocks
from sen2cor.raster.resampling import bilinear, positions

GENTLE_RANGE = 300.0
"""Height range in metres below which a relief of gentle slopes is not corrected."""


class TerrainType(Enum):
    """How much the relief matters to the correction."""

    FLAT = "flat at its mean elevation"
    GENTLE = "elevation varies, slopes are not corrected"
    RUGGED = "slopes are corrected"


@dataclass(frozen=True)
class Terrain:
    """The relief on one grid.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols)
        Metres.
    slope : ndarray of float32, shape (rows, cols)
        Degrees.
    illumination : ndarray of float32, shape (rows, cols)
        Cosine of the angle between the sun and the normal of the slope over the cosine of the
        solar zenith angle: 1 on flat ground, 0 on slopes that turn away from the sun.
    shadow : ndarray of bool, shape (rows, cols)
        Where the relief hides the sun.
    sky_view : ndarray of float32, shape (rows, cols), or None
        Share of the light of a uniform sky; 1 where the height is unknown.
    """

    elevation: Float32Array
    slope: Float32Array
    illumination: Float32Array
    shadow: BoolArray
    sky_view: Float32Array | None = None

    def light(self, rows: slice, cols: int, factor: int = 1) -> tuple[Float32Array, Float32Array]:
        """Light of the sun on some rows of this grid or of a finer one.

        Parameters
        ----------
        rows : slice
            Rows of the result (start and stop).
        cols : int
            Columns of the result.
        factor : int
            Pixels of the result along one side of a pixel of this grid.

        Returns
        -------
        illumination : ndarray of float32, shape (rows.stop - rows.start, cols)
            0 in the shadow, 1 where the height is unknown.
        sunlit : ndarray of float32, same shape
            Share of the pixel outside the shadow.
        """
        if factor == 1:
            return self._light(rows)
        at = positions(rows.stop - rows.start, factor, rows.start)
        across = positions(cols, factor)
        top = max(0, int(np.floor(at[0])))
        illumination, sunlit = self._light(slice(top, int(np.floor(at[-1])) + 2))
        at -= np.float32(top)
        return bilinear(illumination, at, across), bilinear(sunlit, at, across)

    def _light(self, rows: slice) -> tuple[Float32Array, Float32Array]:
        sunlit = (~self.shadow[rows]).astype(np.float32)
        illumination = self.illumination[rows] * sunlit
        illumination[np.isnan(illumination)] = 1.0
        return illumination, sunlit


def derive_terrain(
    elevation: Float32Array,
    margin: int,
    grid: Grid,
    sun: SunDirections,
    *,
    with_sky: bool = False,
    run: Run = map,
) -> Terrain:
    """Derive slope, illumination and shadow, and the view of the sky if wanted.

    Parameters
    ----------
    elevation : ndarray of float32, shape (rows + 2 margin, cols + 2 margin)
        Metres; NaN where unknown. Its centre is the tile.
    margin : int
        Pixels around the tile, at least 1.
    grid : Grid
        Of the tile.
    sun : SunDirections
    with_sky : bool
        Whether the sky view factor is computed: costly, and smooth enough for a coarse grid.
    run : callable
        Calls a function for all blocks of rows, as `map` does.

    Returns
    -------
    Terrain
    """
    rows, cols = grid.shape
    inner = (slice(margin, margin + rows), slice(margin, margin + cols))
    unknown = np.isnan(elevation)
    known = elevation
    void: BoolArray | None = None
    if unknown.any():
        # what is unknown must hide nothing
        lowest = np.float32(0.0) if unknown.all() else np.nanmin(elevation)
        known = np.where(unknown, lowest, elevation)
        void = binary_dilation(unknown, np.ones((3, 3), bool))[inner]
    slope = np.empty(grid.shape, np.float32)
    illumination = np.empty(grid.shape, np.float32)

    def fill(block: slice) -> None:
        around = known[
            block.start + margin - 1 : block.stop + margin + 1, margin - 1 : margin + cols + 1
        ]
        steepness_east, steepness_north = gradient(around, grid.pixel_size)
        sun_east, sun_north = sun.at(
            grid.pixel_size, np.arange(block.start, block.stop), np.arange(cols)
        )
        illumination[block], slope[block] = _lambert(
            steepness_east, steepness_north, sun_east, sun_north
        )

    list(run(fill, row_blocks(rows)))
    shadow = cast_shadow(known, grid.pixel_size, sun.centre(grid))[inner]
    sky = sky_view(known, margin, grid.pixel_size, run=run) if with_sky else None
    if void is not None:
        slope[void] = np.nan
        illumination[void] = np.nan
        shadow &= ~void
        if sky is not None:
            sky[void] = 1.0
    return Terrain(elevation[inner], slope, illumination, shadow, sky)


def _lambert(
    steepness_east: Float32Array,
    steepness_north: Float32Array,
    sun_east: Float32Array,
    sun_north: Float32Array,
) -> tuple[Float32Array, Float32Array]:
    """Illumination relative to flat ground, and slope in degrees; arguments are overwritten."""
    sun_east *= steepness_east
    sun_north *= steepness_north
    illumination = np.float32(1.0) - sun_east
    illumination -= sun_north
    np.maximum(illumination, np.float32(0.0), out=illumination)
    steepness_east *= steepness_east
    steepness_north *= steepness_north
    steepness_east += steepness_north
    steepness_north[...] = steepness_east
    steepness_north += np.float32(1.0)
    np.sqrt(steepness_north, out=steepness_north)
    illumination /= steepness_north
    np.sqrt(steepness_east, out=steepness_east)
    np.arctan(steepness_east, out=steepness_east)
    steepness_east *= np.float32(180.0 / np.pi)
    return illumination, steepness_east


def terrain_type(
    elevation: Float32Array,
    slope: Float32Array,
    *,
    least_range: float,
    steep: float,
    steep_share: float,
) -> TerrainType:
    """Tell flat from gentle from rugged terrain.

    Parameters
    ----------
    elevation : ndarray of float32
        Metres; NaN is left out.
    slope : ndarray of float32
        Degrees; NaN is left out.
    least_range : float
        Height range in metres below which the terrain is flat (AC_Dem_P2p_Val).
    steep : float
        Slope in degrees above which a pixel is steep (AC_Slope_Th).
    steep_share : float
        Share of steep pixels above which terrain is rugged whatever its height range
        (AC_Topo_Corr_Th).

    Returns
    -------
    TerrainType
        Flat below ``least_range``; gentle below 300 m where few pixels are steep; else rugged.
    """
    if np.isnan(elevation).all():
        return TerrainType.FLAT
    height_range = float(np.nanmax(elevation) - np.nanmin(elevation))
    if height_range < least_range:
        return TerrainType.FLAT
    known = np.count_nonzero(~np.isnan(slope))
    share = np.count_nonzero(slope > np.float32(steep)) / max(known, 1)
    if height_range < GENTLE_RANGE and share <= steep_share:
        return TerrainType.GENTLE
    return TerrainType.RUGGED
