"""Rectangles of whole pixels of 60 m, the smallest common multiple of all resolutions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.coordinates import transform
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry

PIXEL = 60
"""Metres."""

_EDGE_POINTS = 21
"""Points along an edge of a box that is transformed to another coordinate system."""

_ANGLE_STEP = 1000.0
"""Metres between the nodes of the angles of a window."""


@dataclass(frozen=True)
class Window:
    """A part of a tile.

    Attributes
    ----------
    row, col : int
        First row and column, pixels of 60 m from the upper left corner of the tile.
    rows, cols : int
        Size in such pixels.
    """

    row: int
    col: int
    rows: int
    cols: int

    @classmethod
    def around(
        cls, bounds: tuple[float, float, float, float], epsg: int | str, grid: Grid
    ) -> Window | None:
        """Find the pixels that a box touches.

        Parameters
        ----------
        bounds : tuple of float
            West, south, east and north edge.
        epsg : int or str
            Coordinate system of the box: EPSG code or any definition that GDAL knows.
        grid : Grid
            Grid of 60 m of the tile.

        Returns
        -------
        Window or None
            None if the box is outside the tile.
        """
        west, south, east, north = bounds
        steps = np.linspace(0.0, 1.0, _EDGE_POINTS)
        x, y = west + steps * (east - west), south + steps * (north - south)
        edge_x = np.concatenate([x, x, np.full_like(y, west), np.full_like(y, east)])
        edge_y = np.concatenate([np.full_like(x, south), np.full_like(x, north), y, y])
        easting, northing = transform(epsg, grid.epsg, edge_x, edge_y)
        if not (np.isfinite(easting).all() and np.isfinite(northing).all()):
            return None
        size = grid.pixel_size
        left, right = ((edge - grid.ulx) / size for edge in (easting.min(), easting.max()))
        top, bottom = ((grid.uly - edge) / size for edge in (northing.max(), northing.min()))
        if right <= 0.0 or bottom <= 0.0 or left >= grid.cols or top >= grid.rows:
            return None
        row, col = max(math.floor(top), 0), max(math.floor(left), 0)
        rows = min(max(math.ceil(bottom), row + 1), grid.rows) - row
        cols = min(max(math.ceil(right), col + 1), grid.cols) - col
        return cls(row, col, rows, cols)

    def widen(self, metres: float, grid: Grid) -> Window:
        """Add a margin on all sides, as far as the tile reaches."""
        margin = math.ceil(metres / grid.pixel_size)
        row, col = max(self.row - margin, 0), max(self.col - margin, 0)
        return Window(
            row,
            col,
            min(self.row + self.rows + margin, grid.rows) - row,
            min(self.col + self.cols + margin, grid.cols) - col,
        )

    def within(self, outer: Window) -> Window:
        """Return this window relative to one that contains it."""
        return replace(self, row=self.row - outer.row, col=self.col - outer.col)

    def slices(self, resolution: int) -> tuple[slice, slice]:
        """Return the rows and columns of an image of the tile."""
        factor = PIXEL // resolution
        return (
            slice(self.row * factor, (self.row + self.rows) * factor),
            slice(self.col * factor, (self.col + self.cols) * factor),
        )

    def crop(self, grid: Grid) -> Grid:
        """Return the part of a grid of the tile."""
        rows, cols = self.slices(round(grid.pixel_size))
        return replace(
            grid,
            ulx=grid.ulx + cols.start * grid.pixel_size,
            uly=grid.uly - rows.start * grid.pixel_size,
            rows=rows.stop - rows.start,
            cols=cols.stop - cols.start,
        )

    def crop_geometry(self, geometry: TileGeometry) -> TileGeometry:
        """Return the angles with nodes from the corner of the window; the means stay."""
        return replace(
            geometry,
            sun=self._crop_angles(geometry.sun),
            view={band: self._crop_angles(grid) for band, grid in geometry.view.items()},
            detector_view={
                band: {number: self._crop_angles(grid) for number, grid in detectors.items()}
                for band, detectors in geometry.detector_view.items()
            },
        )

    def _crop_angles(self, grid: AngleGrid) -> AngleGrid:
        """Interpolate angles at nodes from the corner of the window; NaN where the nearest is."""
        rows, cols = (
            np.asarray(
                (first * PIXEL + _ANGLE_STEP * np.arange(math.ceil(size * PIXEL / _ANGLE_STEP) + 1))
                / grid.step,
                np.float32,
            )
            for first, size in ((self.row, self.rows), (self.col, self.cols))
        )
        from sen2cor.raster.resampling import bilinear, nearest  # scipy, which readers do without

        azimuth = np.radians(grid.azimuth)
        valid = np.isfinite(grid.zenith) & np.isfinite(azimuth)
        zenith, east, north = (
            bilinear(_extend(values, valid), rows, cols)
            for values in (grid.zenith, np.sin(azimuth), np.cos(azimuth))
        )
        seen = valid[np.ix_(nearest(rows, valid.shape[0]), nearest(cols, valid.shape[1]))]
        return AngleGrid(
            np.where(seen, zenith, np.float32(np.nan)),
            np.where(seen, np.degrees(np.arctan2(east, north)) % 360.0, np.nan).astype(np.float32),
            _ANGLE_STEP,
        )


def _extend(values: Float32Array, valid: BoolArray) -> Float32Array:
    """Fill gaps by the linear function of the position that fits the other values."""
    if valid.all() or not valid.any():
        return np.where(valid, values, np.float32(0.0))
    row, col = (index.astype(np.float64) for index in np.indices(valid.shape))
    terms = np.stack([np.ones_like(row), row, col], axis=-1)
    slope = np.linalg.lstsq(terms[valid], values[valid].astype(np.float64), rcond=None)[0]
    return np.where(valid, values, (terms @ slope).astype(np.float32))
