"""Where pixels and angle nodes lie: value types shared by all packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sen2cor.raster.array_types import Float32Array


@dataclass(frozen=True)
class Grid:
    """A north-up raster in a projected coordinate system.

    Attributes
    ----------
    epsg : int
        Code of the projection (UTM zone on WGS 84).
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
        """The six numbers in GDAL's order."""
        return self.ulx, self.pixel_size, 0.0, self.uly, 0.0, -self.pixel_size


@dataclass(frozen=True)
class AngleGrid:
    """Zenith and azimuth on a regular grid of nodes, as the tile metadata carry them.

    Node (i, j) lies ``i * step`` metres south and ``j * step`` metres east of the outer corner of
    the upper left pixel of the tile.

    Attributes
    ----------
    zenith, azimuth : ndarray of float32, shape (nodes south, nodes east)
        Degrees; azimuth from north, clockwise. No NaN.
    step : float
        Distance of nodes in metres.
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
    """

    sun: AngleGrid
    view: Mapping[str, AngleGrid]
    mean_solar_zenith: float
    mean_solar_azimuth: float
