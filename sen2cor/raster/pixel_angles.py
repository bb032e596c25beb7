"""Sun and view angles of every pixel, from the grids of the tile and the footprints of detectors.

Directions are interpolated as unit vectors, so that azimuths have no jump at north. A detector has
angles only at the nodes that it sees, every 5 km; at the others its direction is the linear
function of the position that fits them, since it varies smoothly across the detector. Source of
grids and footprints: Sentinel-2 Products Specification Document, ``Tile_Angles``, ``MSK_DETFOO``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array, UInt8Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry, row_blocks

ANGLE_KINDS = ("SZA", "SAA", "VZA", "VAA")
"""Zenith and azimuth of the sun, zenith and azimuth of the view."""

ANGLE_ROWS = 512
"""Rows to compute at once: footprints are read once for each call."""


def to_directions(
    zenith: npt.NDArray[np.floating[Any]], azimuth: npt.NDArray[np.floating[Any]]
) -> Float64Array:
    """Convert angles in degrees to unit vectors: east, north and up along the last axis."""
    polar, around = np.radians(zenith, dtype=np.float64), np.radians(azimuth, dtype=np.float64)
    east, north = np.sin(polar) * np.sin(around), np.sin(polar) * np.cos(around)
    return np.stack([east, north, np.cos(polar)], -1)


def to_angles(
    east: npt.NDArray[np.floating[Any]],
    north: npt.NDArray[np.floating[Any]],
    up: npt.NDArray[np.floating[Any]],
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.floating[Any]]]:
    """Convert vectors of any length to zenith and azimuth (0 to 360) in degrees."""
    zenith = np.degrees(np.arctan2(np.hypot(east, north), up))
    return zenith, np.degrees(np.arctan2(east, north)) % 360.0


def fill_directions(
    directions: Float64Array, valid: BoolArray, slope: Float64Array | None = None
) -> Float64Array:
    """Fill gaps by the linear function of the position that fits the other directions.

    Parameters
    ----------
    directions : ndarray of float64, shape (rows, cols, 3)
    valid : ndarray of bool, shape (rows, cols)
        At least one node.
    slope : ndarray of float64, shape (2, 3), optional
        Change per node to the south and east, used where the valid nodes lie on one line and show
        only a part of it; by default nothing changes across that line.

    Returns
    -------
    ndarray of float64, same shape
        Valid directions unchanged; the others are not of unit length.
    """
    own, rank = fit_slope(directions, valid)
    if rank == 2 or slope is None:
        slope = own
    position = np.moveaxis(np.indices(valid.shape), 0, -1).astype(np.float64)
    position -= position[valid].mean(axis=0)
    filled = directions.copy()
    filled[~valid] = directions[valid].mean(axis=0) + position[~valid] @ slope
    return filled


def fit_slope(directions: Float64Array, valid: BoolArray) -> tuple[Float64Array, int]:
    """Fit the slope of `fill_directions`, of least norm; return it with its rank."""
    position = np.argwhere(valid).astype(np.float64)
    position -= position.mean(axis=0)
    known = directions[valid]
    slope, _, rank, _ = np.linalg.lstsq(position, known - known.mean(axis=0), rcond=None)
    return slope, int(rank)


@dataclass(frozen=True)
class PixelAngles:
    """Angles of the pixels of a grid.

    Attributes
    ----------
    geometry : TileGeometry
    grid : Grid
        In the projection of the tile, with its upper left corner.
    read_detectors : callable
        Returns which detector sees each pixel of a band, given the band and a grid: uint8, 0 where
        none does; None where the product does not tell. Such pixels have the angles of the grid
        that is merged over the detectors.
    """

    geometry: TileGeometry
    grid: Grid
    read_detectors: Callable[[str, Grid], UInt8Array | None]
    _nodes: dict[tuple[str, int], Float32Array] = field(default_factory=dict)

    def sun(self, rows: slice) -> tuple[Float32Array, Float32Array]:
        """Compute zenith and azimuth of the sun in some rows.

        Returns
        -------
        zenith, azimuth : ndarray of float32, shape (rows, cols)
            Degrees; azimuth clockwise from north, 0 to 360.
        """
        return self._compute(
            rows, lambda part: self._interpolate(("sun", 0), self.geometry.sun, part)
        )

    def view(self, bands: Sequence[str], rows: slice) -> tuple[Float32Array, Float32Array]:
        """Compute zenith and azimuth of the view in some rows, the mean direction of the bands.

        Parameters
        ----------
        bands : sequence of str
        rows : slice
            Start and stop.

        Returns
        -------
        zenith, azimuth : ndarray of float32, shape (rows, cols)
            As of `sun`.
        """
        grid = self.grid
        block = Grid(
            grid.epsg, grid.ulx, grid.uly - rows.start * grid.pixel_size, grid.pixel_size,
            rows.stop - rows.start, grid.cols,
        )  # fmt: skip
        detectors = {band: self.read_detectors(band, block) for band in bands}

        def add_bands(part: slice) -> Float32Array:
            total = np.zeros((3, part.stop - part.start, grid.cols), np.float32)
            for band, seen in detectors.items():
                here = None if seen is None else seen[part.start - rows.start :][: total.shape[1]]
                total += self._view_direction(band, part, here)
            return total

        return self._compute(rows, add_bands)

    def _compute(
        self, rows: slice, directions: Callable[[slice], Float32Array]
    ) -> tuple[Float32Array, Float32Array]:
        """Compute the angles of some rows by small blocks, given their directions."""
        angles = np.empty((2, rows.stop - rows.start, self.grid.cols), np.float32)
        for inner in row_blocks(rows.stop - rows.start):
            part = slice(rows.start + inner.start, rows.start + inner.stop)
            angles[:, inner] = to_angles(*directions(part))
        return angles[0], angles[1]

    def _view_direction(self, band: str, rows: slice, detectors: UInt8Array | None) -> Float32Array:
        """Direction of a band, shape (3, rows, cols), given the detectors of these rows."""
        grids = {
            number: angles
            for number, angles in self.geometry.detector_view.get(band, {}).items()
            if np.isfinite(angles.zenith).any()
        }
        merged = self.geometry.view[band]
        numbers = [] if detectors is None else np.unique(detectors).tolist()
        if detectors is None or any(number not in grids for number in numbers):
            result = self._interpolate((band, 0), merged, rows)
        else:
            result = np.empty((3, *detectors.shape), np.float32)
        for number in numbers:
            if detectors is not None and number in grids:
                seen = detectors == number
                across = np.flatnonzero(seen.any(axis=0))
                cols = slice(int(across[0]), int(across[-1]) + 1)
                own = self._interpolate((band, number), grids[number], rows, cols, grids)
                np.copyto(result[:, :, cols], own, where=seen[:, cols])
        return result

    def _interpolate(
        self,
        key: tuple[str, int],
        angles: AngleGrid,
        rows: slice,
        cols: slice | None = None,
        others: Mapping[int, AngleGrid] | None = None,
    ) -> Float32Array:
        """Interpolate directions to pixels, shape (3, rows, cols); those of the nodes are kept.

        A detector with few nodes takes the slope of the one with the most, which differs little.
        """
        if key not in self._nodes:
            directions, valid = _directions_of(angles)
            if not valid.all():
                nodes_of = [_directions_of(other) for other in (others or {}).values()]
                most = max(nodes_of, key=lambda one: int(one[1].sum()), default=None)
                directions = fill_directions(
                    directions, valid, None if most is None else fit_slope(*most)[0]
                )
            self._nodes[key] = directions.astype(np.float32)
        nodes = self._nodes[key]
        cols = cols or slice(0, self.grid.cols)
        nodes_per_pixel = np.float32(self.grid.pixel_size / angles.step)
        south, east = (
            (np.arange(start, stop, dtype=np.float32) + np.float32(0.5)) * nodes_per_pixel
            for start, stop in ((rows.start, rows.stop), (cols.start, cols.stop))
        )
        from sen2cor.raster.resampling import bilinear  # scipy, which readers do without

        return np.stack([bilinear(nodes[..., axis], south, east) for axis in range(3)])


def _directions_of(angles: AngleGrid) -> tuple[Float64Array, BoolArray]:
    """Return the directions of the nodes, and which nodes have one."""
    directions = to_directions(angles.zenith, angles.azimuth)
    return directions, np.isfinite(directions).all(axis=-1)
