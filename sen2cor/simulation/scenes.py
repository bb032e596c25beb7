"""The built-in scenes: place, time, atmosphere, clouds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class Scene:
    """What a scene is made of.

    Attributes
    ----------
    name : str
    description : str
    landscape : str
        Key of `landscape.LANDSCAPES`.
    mgrs : str
        Tile, such as ``"32UQD"``.
    sensing_time : datetime
        UTC.
    relative_orbit, absolute_orbit : int
    track : float
        Kilometres from the ground track westwards to the upper left corner of the tile.
    season : str
        Of the profiles of the gases: ``"summer"`` or ``"winter"``, middle latitudes.
    elevation : float
        Of the (flat) ground above sea level, km.
    aot550, water_vapour, ozone, pressure : float
        Means of the scene: aerosol optical thickness, cm above the ground, Dobson units, hPa at
        sea level.
    aot_variation, water_variation : float
        Standard deviations over some kilometres, relative.
    cloud_cover, cloud_scale, cloud_height, cloud_depth : float
        Share of the scene, metres, metres above the ground, largest optical thickness.
    cirrus_cover, cirrus_height, cirrus_depth : float
        The same of the cirrus, its depth as largest reflectance in the visible.
    """

    name: str
    description: str
    landscape: str
    mgrs: str
    sensing_time: datetime
    relative_orbit: int
    absolute_orbit: int
    track: float
    season: str
    elevation: float
    aot550: float
    water_vapour: float
    ozone: float
    pressure: float
    aot_variation: float
    water_variation: float
    cloud_cover: float
    cloud_scale: float
    cloud_height: float
    cloud_depth: float
    cirrus_cover: float
    cirrus_height: float = 9500.0
    cirrus_depth: float = 0.05


SCENES: Mapping[str, Scene] = {
    scene.name: scene
    for scene in (
        Scene(
            "summer",
            "fields, forests, lakes and towns of Central Europe in July, fair-weather clouds",
            "summer", "32UQD", datetime(2017, 7, 19, 10, 20, 31, tzinfo=timezone.utc),
            65, 10832, 118.0, "summer", 0.1,
            aot550=0.18, water_vapour=2.1, ozone=325.0, pressure=1016.0,
            aot_variation=0.14, water_variation=0.08,
            cloud_cover=0.06, cloud_scale=800.0, cloud_height=1500.0, cloud_depth=40.0,
            cirrus_cover=0.06, cirrus_depth=0.04,
        ),
        Scene(
            "arid",
            "sand, gravel, rock and irrigated circles of a desert in April, few clouds, dust haze",
            "arid", "39RVH", datetime(2017, 4, 21, 7, 6, 21, tzinfo=timezone.utc),
            106, 9560, 138.0, "summer", 0.1,
            aot550=0.28, water_vapour=1.5, ozone=285.0, pressure=1010.0,
            aot_variation=0.12, water_variation=0.10,
            cloud_cover=0.03, cloud_scale=1100.0, cloud_height=2600.0, cloud_depth=25.0,
            cirrus_cover=0.10, cirrus_depth=0.03,
        ),
        Scene(
            "winter",
            "snow on fields and lakes, dark conifers, a low sun in February, banks of cloud",
            "winter", "34UEC", datetime(2017, 2, 22, 9, 40, 31, tzinfo=timezone.utc),
            36, 8730, 128.0, "winter", 0.1,
            aot550=0.10, water_vapour=0.55, ozone=370.0, pressure=1022.0,
            aot_variation=0.12, water_variation=0.10,
            cloud_cover=0.06, cloud_scale=1800.0, cloud_height=1000.0, cloud_depth=30.0,
            cirrus_cover=0.04, cirrus_depth=0.03,
        ),
    )
}  # fmt: skip
"""Scenes by name."""
