"""Pixel grids, angle grids, and blocks of rows: value types that all packages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sen2cor.raster.array_types import Float32Array

Run = Callable[[Callable[[slice], None], Iterable[slice]], Iterable[object]]
"""Calls a function for every block, as `map` does; the blocks may run in parallel."""

BLOCK_ROWS = 64
"""Rows of a block: at 10 m, one float32 block of a full tile takes less than 3 MB of cache."""


def row_blocks(rows: int, height: int = BLOCK_ROWS) -> list[slice]:
    """Cut an image into blocks of rows, from top to bottom.

    Parameters
    ----------
    rows : int
        Rows of the image.
    height : int
        Rows of a block; the last block may be smaller.
    """
    return [slice(top, min(top + height, rows)) for top in range(0, rows, height)]


@dataclass(frozen=True)
class Grid:
    """A north-up raster in a projected coordinate system.

    Attributes
    ----------
    epsg : int
        EPSG code of the projection (UTM zone on WGS 84).
    ulx, uly : float
        Easting and northing of the outer corner of the upper left pixel, in metres.
    pixel_size : float
        In metres, the same in x and y.
    rows, cols : int
        Size in pixels.
    """

    epsg: int
    ulx: float
    uly: float
    pixel_size: float
    rows: int
    cols: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL geotransform."""
        return self.ulx, self.pixel_size, 0.0, self.uly, 0.0, -self.pixel_size

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north edges in metres."""
        south = self.uly - self.rows * self.pixel_size
        return self.ulx, south, self.ulx + self.cols * self.pixel_size, self.uly

    def pad(self, pixels: int) -> Grid:
        """Extend the grid by some pixels on every side."""
        distance = pixels * self.pixel_size
        return Grid(
            self.epsg,
            self.ulx - distance,
            self.uly + distance,
            self.pixel_size,
            self.rows + 2 * pixels,
            self.cols + 2 * pixels,
        )


@dataclass(frozen=True)
class AngleGrid:
    """Zenith and azimuth on a regular grid of nodes, as in the tile metadata.

    Node (i, j) lies ``i * step`` metres south and ``j * step`` metres east of the outer corner of
    the upper left pixel of the tile.

    Attributes
    ----------
    zenith, azimuth : ndarray of float32, shape (nodes south, nodes east)
        Degrees; azimuth clockwise from north. Without NaN unless stated.
    step : float
        Node spacing in metres.
    """

    zenith: Float32Array
    azimuth: Float32Array
    step: float


@dataclass(frozen=True)
class TileGeometry:
    """Sun and view angles of a tile.

    Attributes
    ----------
    sun : AngleGrid
    view : mapping of band name to AngleGrid
        View angles of a band, merged over its detectors.
    mean_solar_zenith, mean_solar_azimuth : float
        Degrees.
    detector_view : mapping of band name to mapping of detector number to AngleGrid
        View angles of each detector; NaN at nodes that it does not see.
    """

    sun: AngleGrid
    view: Mapping[str, AngleGrid]
    mean_solar_zenith: float
    mean_solar_azimuth: float
    detector_view: Mapping[str, Mapping[int, AngleGrid]] = field(default_factory=dict)
