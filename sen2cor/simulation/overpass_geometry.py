"""Sun and view directions of a simulated overpass.

The sun's position follows the low-precision formulae of the Astronomical Almanac (Michalsky 1988,
Solar Energy 40, 227; 0.01 degree). The view directions are those of a pushbroom camera of twelve
staggered detectors on a straight ground track over a round Earth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND
from sen2cor.raster.array_types import Float64Array
from sen2cor.raster.coordinates import geographic
from sen2cor.raster.grids import Grid

NODES = 23
"""Nodes of the angle grids of a tile along each side."""

STEP = 5000.0
"""Spacing of the nodes, metres."""

DETECTORS = range(1, 13)

_EARTH_RADIUS = 6371.0
_ALTITUDE = 786.0
_INCLINATION = 98.62
_SWATH = 290.0
"""Kilometres and degrees, Sentinel-2 User Handbook (2015)."""

_ALONG_TRACK_TANGENT = {
    "B02": 0.0094, "B08": 0.0119, "B03": 0.0143, "B10": 0.0176, "B04": 0.0189, "B05": 0.0214,
    "B11": 0.0235, "B06": 0.0239, "B07": 0.0264, "B8A": 0.0288, "B12": 0.0294, "B01": 0.0313,
    "B09": 0.0338,
}  # fmt: skip
"""Tangent of the angle between the views of a band and nadir, along the track.

Differences of bands, and half the difference of neighbouring detectors in B02: from the angle grids
of Level-1C products of S2A and S2B, 2016 to 2024, in the middle of the swath. With the ground speed
they agree with the time lags between bands in the Sentinel-2 User Handbook (2015).
"""

_TANGENT_PER_KM = 1.0 / _ALTITUDE + 1.0 / _EARTH_RADIUS
"""Tangent of the view zenith angle per kilometre from the ground track, near the track."""


def sun_position(
    time: datetime, latitude: npt.ArrayLike, longitude: npt.ArrayLike
) -> tuple[Float64Array, Float64Array]:
    """Zenith and azimuth of the sun in degrees (azimuth from north, clockwise).

    Parameters
    ----------
    time : datetime
        Aware.
    latitude, longitude : array of float
        Degrees, north and east positive.
    """
    days = (time - datetime(2000, 1, 1, 12, tzinfo=timezone.utc)).total_seconds() / 86400.0
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(
        mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    obliquity = math.radians(23.439 - 4.0e-7 * days)
    right_ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    sidereal = np.radians(280.46062 + 360.98564737 * days + np.asarray(longitude, np.float64))
    hour = sidereal - right_ascension
    phi = np.radians(np.asarray(latitude, np.float64))
    up = np.sin(phi) * math.sin(declination) + np.cos(phi) * math.cos(declination) * np.cos(hour)
    east = -math.cos(declination) * np.sin(hour)
    north = math.sin(declination) * np.cos(phi) - math.cos(declination) * np.cos(hour) * np.sin(phi)
    return np.degrees(np.arccos(up)), np.degrees(np.arctan2(east, north)) % 360.0


def sun_distance_factor(time: datetime) -> float:
    """Inverse square of the distance to the sun in astronomical units (U of the metadata)."""
    days = (time - datetime(2000, 1, 1, 12, tzinfo=timezone.utc)).total_seconds() / 86400.0
    anomaly = math.radians(357.528 + 0.9856003 * days)
    distance = 1.00014 - 0.01671 * math.cos(anomaly) - 0.00014 * math.cos(2 * anomaly)
    return 1.0 / distance**2


@dataclass(frozen=True)
class Overpass:
    """One crossing of the spacecraft over a tile.

    Attributes
    ----------
    grid : Grid
        Of the tile, any pixel size.
    time : datetime
    track : float
        Kilometres from the ground track westwards to the upper left corner of the tile.
    """

    grid: Grid
    time: datetime
    track: float

    def sun(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Float64Array, Float64Array]:
        """Zenith and azimuth of the sun (degrees) at map coordinates."""
        longitude, latitude = geographic(self.grid.epsg, x, y)
        return sun_position(self.time, latitude, longitude)

    def convergence(self) -> float:
        """Grid convergence at the centre of the tile, degrees."""
        half = self.grid.rows * self.grid.pixel_size / 2
        longitude, latitude = geographic(self.grid.epsg, self.grid.ulx + half, self.grid.uly - half)
        meridian = -183.0 + 6.0 * (self.grid.epsg % 100)
        return float(
            np.degrees(
                np.arctan(np.tan(np.radians(longitude - meridian)) * np.sin(np.radians(latitude)))
            ).item()
        )

    def heading(self) -> float:
        """Direction of the descending track from grid north, degrees."""
        _, latitude = geographic(self.grid.epsg, self.grid.ulx, self.grid.uly)
        ratio = math.cos(math.radians(_INCLINATION)) / math.cos(math.radians(latitude.item()))
        # beyond the northernmost point of the track the spacecraft looks from there, flying west
        return 180.0 - math.degrees(math.asin(max(ratio, -1.0))) - self.convergence()

    def across(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Float64Array:
        """Distance from the ground track in km, positive to the west (right of the flight)."""
        ahead = math.radians(self.heading())
        right_east, right_north = math.cos(ahead), -math.sin(ahead)
        east = (np.asarray(x, np.float64) - self.grid.ulx) / 1000.0
        north = (np.asarray(y, np.float64) - self.grid.uly) / 1000.0
        return np.asarray(self.track + east * right_east + north * right_north)

    def detector(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number of the detector that observes a point: 1..12 from west to east; 0 outside."""
        position = 6.0 - self.across(x, y) / (_SWATH / 12.0)
        number = np.floor(position).astype(np.int64) + 1
        return np.where((number >= 1) & (number <= 12), number, 0)

    def view(
        self, band: str, detector: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[Float64Array, Float64Array]:
        """Zenith and azimuth (degrees) of the direction from the surface to the spacecraft.

        Parameters
        ----------
        band : str
        detector : array of int
            Odd numbers look back along the track, even ones ahead.
        x, y : array of float
            Map coordinates.
        """
        side = np.where(np.asarray(detector) % 2 == 1, 1.0, -1.0)
        along = side * (_ALONG_TRACK_TANGENT[BAND[band].name] / _TANGENT_PER_KM)
        across = self.across(x, y)
        ground = np.hypot(across, along)
        angle = ground / _EARTH_RADIUS
        nadir = np.arctan2(
            _EARTH_RADIUS * np.sin(angle),
            _ALTITUDE + _EARTH_RADIUS * (1.0 - np.cos(angle)),
        )
        zenith = np.degrees(nadir + angle)
        # the spacecraft is to the left of the point by `across`, and `along` the track
        bearing = np.degrees(np.arctan2(-across, along))
        azimuth = (self.heading() + bearing + self.convergence()) % 360.0
        return zenith, azimuth

    def nodes(self) -> tuple[Float64Array, Float64Array]:
        """Map coordinates of the nodes of the angle grids, shapes (23,) and (23,)."""
        offsets = STEP * np.arange(NODES)
        return self.grid.ulx + offsets, self.grid.uly - offsets

    def sun_nodes(self) -> tuple[Float64Array, Float64Array]:
        """Zenith and azimuth of the sun at the nodes, shape (23, 23)."""
        x, y = self.nodes()
        return self.sun(x[None, :], y[:, None])

    def view_nodes(self, band: str, detector: int) -> tuple[Float64Array, Float64Array]:
        """Zenith and azimuth of the view at the nodes; NaN outside the detector's swath."""
        x, y = self.nodes()
        zenith, azimuth = self.view(band, detector, x[None, :], y[:, None])
        seen = self.detector(x[None, :], y[:, None]) == detector
        return np.where(seen, zenith, np.nan), np.where(seen, azimuth, np.nan)
