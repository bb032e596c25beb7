"""Coordinate systems: map coordinates, longitude and latitude, grid convergence.

Points are in the traditional order everywhere: east before north, longitude before latitude.
Geographic coordinates are degrees on WGS 84.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float64Array
from sen2cor.raster.grids import Grid

Position = tuple[float, float]
"""Longitude and latitude in degrees."""

WGS84 = 4326
"""EPSG code of longitude and latitude on WGS 84."""

_CONVERGENCE_STEP = 100.0
"""Half length in metres of the line along the grid's north whose bearing is the convergence."""

_ECCENTRICITY_SQUARED = 0.00669438
"""Of the WGS 84 ellipsoid (NIMA TR8350.2)."""


def spatial_reference(system: int | str) -> Any:
    """Make the OSR object of an EPSG code, a well-known text or a name such as ``EPSG:32632``."""
    from osgeo import osr

    osr.UseExceptions()
    if isinstance(system, int):
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(system)
    elif ":" in system and "[" not in system:
        reference = osr.SpatialReference()
        reference.SetFromUserInput(system)
    else:
        reference = osr.SpatialReference(system)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def wkt(epsg: int) -> str:
    """Well-known text of a coordinate system."""
    return str(spatial_reference(epsg).ExportToWkt())


def epsg_code(projection: str) -> int | None:
    """EPSG code of a well-known text, None where it has none."""
    code = spatial_reference(projection).GetAuthorityCode(None)
    return None if code is None else int(code)


def is_geographic(projection: str) -> bool:
    """Whether a well-known text describes longitude and latitude."""
    return bool(spatial_reference(projection).IsGeographic())


def transform(
    source: int | str, target: int | str, x: npt.ArrayLike, y: npt.ArrayLike
) -> tuple[Float64Array, Float64Array]:
    """Transform points from one coordinate system to another.

    Parameters
    ----------
    source, target : int or str
        EPSG code or well-known text.
    x, y : array_like of float, broadcastable
        East and north, or longitude and latitude, in the source.

    Returns
    -------
    (ndarray of float64, ndarray of float64)
        The same in the target.
    """
    from osgeo import osr

    east, north = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
    transformation = osr.CoordinateTransformation(
        spatial_reference(source), spatial_reference(target)
    )
    points = np.column_stack([east.ravel(), north.ravel()]).tolist()
    found = np.asarray(transformation.TransformPoints(points))
    return found[:, 0].reshape(east.shape), found[:, 1].reshape(east.shape)


def geographic(
    epsg: int, easting: npt.ArrayLike, northing: npt.ArrayLike
) -> tuple[Float64Array, Float64Array]:
    """Longitude and latitude of map coordinates in metres."""
    return transform(epsg, WGS84, easting, northing)


def grid_centre(grid: Grid) -> tuple[float, float]:
    """Longitude and latitude of the centre of a grid."""
    easting = grid.ulx + grid.cols * grid.pixel_size / 2
    northing = grid.uly - grid.rows * grid.pixel_size / 2
    longitude, latitude = geographic(grid.epsg, easting, northing)
    return longitude.item(), latitude.item()


def footprint(grid: Grid) -> list[Position]:
    """Longitude and latitude of the corners, counter-clockwise from the upper left, closed."""
    west, south, east, north = grid.bounds
    longitude, latitude = geographic(
        grid.epsg, [west, west, east, east, west], [north, south, south, north, north]
    )
    return list(zip(longitude.tolist(), latitude.tolist(), strict=True))


def split_at_date_line(ring: Sequence[Position]) -> list[list[Position]]:
    """Split the outline of an area that crosses the date line (RFC 7946, section 3.1.9).

    Parameters
    ----------
    ring : sequence of Position
        The corners, closed; neighbours are less than 180 degrees apart.

    Returns
    -------
    list of list of Position
        Closed rings with the same sense: one, or one on either side, the western side of the area
        first. Longitudes are within -180 and 180.
    """
    unwrapped = unwrap_longitudes(np.array([longitude for longitude, _ in ring]), ring[0][0])
    if unwrapped.min() < -180.0:
        unwrapped = unwrapped + 360.0
    if unwrapped.max() <= 180.0:
        return [list(ring)]
    points = [(float(x), y) for x, (_, y) in zip(unwrapped, ring, strict=True)]
    if unwrapped.min() >= 180.0:
        return [[(x - 360.0, y) for x, y in points]]
    east = [(x - 360.0, y) for x, y in _clip_at_date_line(points, side=-1)]
    return [_clip_at_date_line(points, side=1), east]


def _clip_at_date_line(points: Sequence[Position], side: int) -> list[Position]:
    """Cut a closed ring with continuous longitudes at 180 degrees; ``side`` 1 keeps the west."""
    kept: list[Position] = []
    for (x, y), (next_x, next_y) in itertools.pairwise(points):
        if side * (180.0 - x) >= 0:
            kept.append((x, y))
        if (180.0 - x) * (180.0 - next_x) < 0:
            kept.append((180.0, y + (next_y - y) * (180.0 - x) / (next_x - x)))
    return [*kept, kept[0]]


def bounding_box(
    rings: Sequence[Sequence[Position]],
) -> tuple[float, float, float, float]:
    """West, south, east and north of the rings of `split_at_date_line`.

    West is greater than east if the area crosses the date line (RFC 7946, section 5.2).
    """
    latitudes = [latitude for ring in rings for _, latitude in ring]
    west = min(longitude for longitude, _ in rings[0])
    east = max(longitude for longitude, _ in rings[-1])
    return west, min(latitudes), east, max(latitudes)


def unwrap_longitudes(longitude: Float64Array, centre: float) -> Float64Array:
    """Shift longitudes by whole turns to within 180 degrees of a centre (date line)."""
    unwrapped: Float64Array = centre + (longitude - centre + 180) % 360 - 180
    return unwrapped


def wrap_longitude(longitude: float) -> float:
    """Shift a longitude by whole turns to -180 up to, but without, 180 degrees."""
    return (longitude + 180.0) % 360.0 - 180.0


def grid_convergence(epsg: int, easting: npt.ArrayLike, northing: npt.ArrayLike) -> Float64Array:
    """Angle from true north to the north of a projection.

    Parameters
    ----------
    epsg : int
        EPSG code of the projection.
    easting, northing : array_like of float, one shape
        Metres.

    Returns
    -------
    ndarray of float64, same shape
        Degrees, positive where grid north lies east of true north: the azimuth in the grid is the
        true azimuth minus the convergence.
    """
    x, y = np.asarray(easting, np.float64), np.asarray(northing, np.float64)
    (west, south), (east, north) = (
        geographic(epsg, x, y + step) for step in (-_CONVERGENCE_STEP, _CONVERGENCE_STEP)
    )
    longitude = unwrap_longitudes(east - west, 0.0)
    middle = np.radians(0.5 * (south + north))
    # ratio of the radii of curvature of WGS 84: of the meridian to the prime vertical
    ratio = (1.0 - _ECCENTRICITY_SQUARED) / (1.0 - _ECCENTRICITY_SQUARED * np.sin(middle) ** 2)
    bearing = np.arctan2(longitude * np.cos(middle), (north - south) * ratio)
    convergence: Float64Array = np.degrees(bearing)
    return convergence
