"""The terrain of a tile: elevation, slope, illumination, cast shadow, sky view.

Unknown elevation is NaN. Where the elevation of a pixel or of one of its neighbours is unknown,
slope and illumination are NaN too, and the correction assumes flat terrain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.ndimage import binary_dilation

from sen2cor.dem.horizon import cast_shadow, sky_view_factor
from sen2cor.dem.illumination import SunDirections, gradient, illumination_and_slope
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Grid, Run, row_blocks
from sen2cor.raster.resampling import bilinear, positions

MAX_GENTLE_RANGE = 300.0
"""Elevation range in metres up to which terrain with few steep pixels is gentle."""


class TerrainType(Enum):
    """Type of the terrain, which decides how far it is corrected."""

    FLAT = "flat at its mean elevation"
    GENTLE = "elevation varies, slopes are not corrected"
    RUGGED = "slopes are corrected"


@dataclass(frozen=True)
class Terrain:
    """The terrain on one grid.

    Attributes
    ----------
    elevation : ndarray of float32, shape (rows, cols)
        Metres; NaN where unknown.
    slope : ndarray of float32, shape (rows, cols)
        Degrees.
    illumination : ndarray of float32, shape (rows, cols)
        Illumination ratio: cosine of the incidence angle of the direct beam over the cosine of
        the solar zenith angle. 1 on flat ground, 0 in self shadow.
    shadow : ndarray of bool, shape (rows, cols)
        Where the terrain hides the sun: cast shadow and self shadow.
    sky_view : ndarray of float32, shape (rows, cols), or None
        Sky view factor; 1 where the elevation is unknown.
    """

    elevation: Float32Array
    slope: Float32Array
    illumination: Float32Array
    shadow: BoolArray
    sky_view: Float32Array | None = None

    def interpolate_illumination(
        self, rows: slice, cols: int, factor: int = 1
    ) -> tuple[Float32Array, Float32Array]:
        """Direct illumination of some rows of this grid or of a finer one.

        Parameters
        ----------
        rows : slice
            Rows of the result (start and stop).
        cols : int
            Columns of the result.
        factor : int
            Pixel size of this grid over that of the result.

        Returns
        -------
        illumination : ndarray of float32, shape (rows.stop - rows.start, cols)
            Illumination ratio: 0 in shadow, 1 where the elevation is unknown.
        sunlit : ndarray of float32, same shape
            Fraction of the pixel outside the shadow.
        """
        if factor == 1:
            return self._illumination_of_rows(rows)
        at = positions(rows.stop - rows.start, factor, rows.start)
        across = positions(cols, factor)
        top = max(0, int(np.floor(at[0])))
        illumination, sunlit = self._illumination_of_rows(slice(top, int(np.floor(at[-1])) + 2))
        at -= np.float32(top)
        return bilinear(illumination, at, across), bilinear(sunlit, at, across)

    def _illumination_of_rows(self, rows: slice) -> tuple[Float32Array, Float32Array]:
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
    with_sky_view: bool = False,
    run: Run = map,
) -> Terrain:
    """Derive slope, illumination and shadow, and the sky view factor on request.

    Parameters
    ----------
    elevation : ndarray of float32, shape (rows + 2 margin, cols + 2 margin)
        Metres; NaN where unknown. Its centre is the tile.
    margin : int
        Pixels around the tile, at least 1.
    grid : Grid
        Of the tile.
    sun : SunDirections
    with_sky_view : bool
        Whether to compute the sky view factor: costly, and smooth enough for a coarse grid.
    run : callable
        Calls a function for every block of rows, as `map` does.

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
        # unknown terrain must not hide the sun or the sky
        lowest = np.float32(0.0) if unknown.all() else np.nanmin(elevation)
        known = np.where(unknown, lowest, elevation)
        void = binary_dilation(unknown, np.ones((3, 3), bool))[inner]
    slope = np.empty(grid.shape, np.float32)
    illumination = np.empty(grid.shape, np.float32)

    def fill(block: slice) -> None:
        around = known[
            block.start + margin - 1 : block.stop + margin + 1, margin - 1 : margin + cols + 1
        ]
        gradient_east, gradient_north = gradient(around, grid.pixel_size)
        sun_east, sun_north = sun.at(
            grid.pixel_size, np.arange(block.start, block.stop), np.arange(cols)
        )
        illumination[block], slope[block] = illumination_and_slope(
            gradient_east, gradient_north, sun_east, sun_north
        )

    list(run(fill, row_blocks(rows)))
    shadow = cast_shadow(known, grid.pixel_size, sun.centre(grid))[inner]
    sky_view = sky_view_factor(known, margin, grid.pixel_size, run=run) if with_sky_view else None
    if void is not None:
        slope[void] = np.nan
        illumination[void] = np.nan
        shadow &= ~void
        if sky_view is not None:
            sky_view[void] = 1.0
    return Terrain(elevation[inner], slope, illumination, shadow, sky_view)


def classify_terrain(
    elevation: Float32Array,
    slope: Float32Array,
    *,
    min_range: float,
    steep_slope: float,
    max_steep_fraction: float,
) -> TerrainType:
    """Classify the terrain as flat, gentle or rugged.

    Parameters
    ----------
    elevation : ndarray of float32
        Metres; NaN is left out.
    slope : ndarray of float32
        Degrees; NaN is left out.
    min_range : float
        Elevation range in metres below which terrain is flat (AC_Dem_P2p_Val).
    steep_slope : float
        Slope in degrees above which a pixel is steep (AC_Slope_Th).
    max_steep_fraction : float
        Fraction of steep pixels above which terrain is rugged whatever its elevation range
        (AC_Topo_Corr_Th).

    Returns
    -------
    TerrainType
        Flat below ``min_range``; gentle below 300 m where few pixels are steep; else rugged.
    """
    if np.isnan(elevation).all():
        return TerrainType.FLAT
    elevation_range = float(np.nanmax(elevation) - np.nanmin(elevation))
    if elevation_range < min_range:
        return TerrainType.FLAT
    known = np.count_nonzero(~np.isnan(slope))
    steep_fraction = np.count_nonzero(slope > np.float32(steep_slope)) / max(known, 1)
    if elevation_range < MAX_GENTLE_RANGE and steep_fraction <= max_steep_fraction:
        return TerrainType.GENTLE
    return TerrainType.RUGGED
