"""The built-in scenes: tile, time, landscape, atmosphere, clouds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sen2cor.simulation.synthetic_terrain import TerrainShape


@dataclass(frozen=True)
class Scene:
    """Description of a scene.

    Attributes
    ----------
    name : str
    description : str
    landscape : str
        Key of `landscapes.LANDSCAPES`.
    mgrs : str
        Tile, such as ``"32UQD"``.
    sensing_time : datetime
        UTC.
    relative_orbit, absolute_orbit : int
    track : float
        Kilometres from the ground track westwards to the upper left corner of the tile.
    season : str
        Of the mid-latitude atmospheric profiles: ``"summer"`` or ``"winter"``.
    elevation : float
        Of the (flat) ground above sea level, km.
    aot550, water_vapour, ozone, pressure : float
        Means of the scene: aerosol optical thickness, cm above the surface, Dobson units, hPa at
        sea level.
    aot_variation, water_variation : float
        Standard deviations over some kilometres, relative.
    cloud_cover, cloud_scale, cloud_height, cloud_depth : float
        Fraction of the scene, metres, metres above the ground, largest optical thickness.
    cirrus_cover, cirrus_height, cirrus_depth : float
        The same of the cirrus; depth is its largest reflectance in the visible.
    aerosol : str
        One of `sen2cor.radiative_transfer.aerosol.AEROSOLS`.
    states : str
        Scene whose atmospheric states are used; empty: its own.
    extent : float
        Largest extent in km for which the states are valid.
    loads : tuple of float
        Aerosol optical thickness of the states relative to the mean of the scene.
    terrain : TerrainShape, optional
        None: flat terrain.
    canopies : str
        Band ratios of dark canopies, a key of `canopies.CANOPIES`.
    cloud_softness : float
        Width of the thin edges of clouds, relative to `cloud_scale`.
    ice_clouds : bool
        Whether clouds absorb in the short-wave infrared like ice, else like droplets.
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
    aerosol: str = "rural"
    states: str = ""
    extent: float = 109.8
    loads: tuple[float, ...] = (0.65, 1.0, 1.4)
    terrain: TerrainShape | None = None
    canopies: str = "modelled"
    cloud_softness: float = 0.35
    ice_clouds: bool = False

    @property
    def states_name(self) -> str:
        """Scene whose atmospheric states are used."""
        return self.states or self.name


_UTC = timezone.utc
_SMALL = 12.0
"""Extent in km of scenes with one solar zenith angle and little variation of the view."""


def _small(
    name: str,
    description: str,
    landscape: str,
    overpass: tuple[str, datetime, float],
    **others: Any,
) -> Scene:
    """Make a scene of small extent, without clouds by default.

    Parameters
    ----------
    name, description, landscape : str
    overpass : (str, datetime, float)
        Tile, time and track.
    others
        Further fields.
    """
    mgrs, time, track = overpass
    values: dict[str, Any] = {
        "season": "summer", "elevation": 0.1, "ozone": 320.0, "pressure": 1015.0,
        "aot_variation": 0.08, "water_variation": 0.06, "cloud_cover": 0.0, "cloud_scale": 800.0,
        "cloud_height": 1500.0, "cloud_depth": 40.0, "cirrus_cover": 0.0, "extent": _SMALL,
    }  # fmt: skip
    return Scene(name, description, landscape, mgrs, time, 1, 10000, track, **{**values, **others})


_SUMMER = "32UQD", datetime(2017, 7, 19, 10, 20, 31, tzinfo=_UTC), 118.0
_COAST = "31UES", datetime(2017, 7, 2, 10, 50, 0, tzinfo=_UTC), -90.0
_LOW_SUN = "33UUU", datetime(2017, 2, 20, 10, 10, 0, tzinfo=_UTC), 30.0

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
        _small(
            "clear", "the summer scene without clouds", "summer", _SUMMER,
            aot550=0.18, water_vapour=2.1, ozone=325.0, states="summer",
        ),
        _small(
            "cirrus_land", "the summer scene below cirrus", "summer", _SUMMER,
            aot550=0.18, water_vapour=2.1, ozone=325.0, states="summer",
            cirrus_cover=0.7, cirrus_depth=0.05,
        ),
        _small(
            "haze", "fields and forests of Central Europe in September, thick haze", "summer",
            ("32UQD", datetime(2017, 9, 3, 10, 20, 31, tzinfo=_UTC), 60.0),
            aot550=0.6, water_vapour=3.0, ozone=300.0,
        ),
        _small(
            "tropical", "fields and forests below a high sun, 8 km of visibility, damp air",
            "summer", ("21MXT", datetime(2017, 9, 20, 14, 17, 0, tzinfo=_UTC), -60.0),
            aot550=0.9, water_vapour=4.5, ozone=260.0, loads=(0.7, 1.0, 1.35),
        ),
        _small(
            "north", "fields and forests below a low sun in October, clear and dry air", "summer",
            ("34VEM", datetime(2017, 10, 12, 10, 0, 0, tzinfo=_UTC), 90.0),
            aot550=0.1, water_vapour=0.3, ozone=290.0, season="winter",
        ),
        _small(
            "mie", "fields and forests, phase function of the haze by Mie's theory", "summer",
            ("30TYM", datetime(2017, 10, 1, 10, 50, 0, tzinfo=_UTC), 40.0),
            aot550=0.25, water_vapour=1.5, ozone=300.0, aerosol="rural_mie",
        ),
        _small(
            "dust", "desert in September, desert aerosol", "arid",
            ("39RVH", datetime(2017, 9, 12, 7, 6, 21, tzinfo=_UTC), 100.0),
            aot550=0.35, water_vapour=1.2, ozone=280.0, aerosol="desert",
        ),
        _small(
            "coast", "beach, fields and forests beside turbid and clear sea, maritime aerosol",
            "coast", _COAST,
            aot550=0.2, water_vapour=2.5, ozone=340.0, aerosol="maritime", elevation=0.0,
        ),
        _small(
            "cirrus_sea", "the coast below cirrus", "coast", _COAST,
            aot550=0.2, water_vapour=2.5, ozone=340.0, aerosol="maritime", elevation=0.0,
            states="coast", cirrus_cover=0.7, cirrus_depth=0.05,
        ),
        _small(
            "steep", "forests and meadows on steep slopes in September", "montane",
            ("32TPT", datetime(2017, 9, 24, 10, 10, 0, tzinfo=_UTC), 80.0),
            aot550=0.12, water_vapour=1.2, ozone=290.0, elevation=1.0,
            loads=(0.55, 1.0, 1.6), terrain=TerrainShape(1.0, 0.32, 1700.0),
        ),
        _small(
            "low_haze", "bare fields, meadows and conifers below a low sun, thick haze", "thawed",
            _LOW_SUN, aot550=0.6, water_vapour=0.8, ozone=350.0, season="winter",
            loads=(0.14, 0.35, 0.7, 1.2),
        ),
        _small(
            "low_clear", "bare fields, meadows and conifers below a low sun, clear air", "thawed",
            _LOW_SUN, aot550=0.1, water_vapour=0.8, ozone=350.0, season="winter",
            states="low_haze",
        ),
    )
}  # fmt: skip
"""Scenes by name."""
