"""Scenes of known aerosol: a design of surfaces and states, and their reflectance.

Each scene is a mosaic of measured surface reflectance (`tests.validation.surface_mosaics`) below
the atmosphere of a Sen2Cor look-up table file (`tests.validation.atm_forward_model`). Every kind of
surface meets all combinations of visibility and solar zenith angle; water vapour, aerosol type,
elevation and view are drawn at random. The aerosol optical thickness of a visibility is that of the
processor's relation, which is fitted to the files.

The instrument adds noise: the signal-to-noise ratio of each band at its native pixel size, averaged
over 60 m, and one digital number.

With ``physical``, two approximations of the files are undone, for both concern what a sensor would
see:

- The fluxes of the files contain the product of the band averages of gas absorption on both ways.
  The line-saturated average over the whole path, as LOWTRAN7 gives it, is larger: by a quarter in
  B09, by 3 % in B12.
- The files neglect polarisation. The molecular path reflectance of 6SV replaces that to which the
  files extrapolate without aerosol: it differs by up to 0.006 in B01 and B02. The difference is the
  same at all optical thicknesses, although aerosol reduces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter

from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.look_up_tables.atm_files import ELEVATION
from sen2cor.atmosphere.look_up_tables.look_up_table import Gas
from sen2cor.bands import BAND
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry
from sen2cor.simulation.sensor import noise_level
from tests.validation.atm_forward_model import Air, ForwardModel, Terms, own_table
from tests.validation.atm_reference import AtmFile
from tests.validation.surface_mosaics import BANDS, PIXEL, Mosaic, Pools, draw_mosaic

SIZE = 150
"""Rows and columns of a scene."""

ADJACENCY = 17
"""Half width of the surroundings in pixels: 1 km, the range that the processor assumes."""

VEGETATED: Mapping[str, Mapping[str, float]] = {
    "forest": {"forest": 1.0},
    "forest, grass": {"forest": 0.5, "grass": 0.5},
    "forest, soil": {"forest": 0.4, "soil": 0.6},
    "grass, crops, soil": {"grass": 0.35, "crops": 0.3, "soil": 0.35},
    "urban, parks": {"urban": 0.75, "forest": 0.1, "grass": 0.15},
    "coast, forest": {"clear water": 0.4, "sand": 0.05, "forest": 0.55},
    "all covers": {"clear water": 0.1, "sand": 0.05, "forest": 0.15, "grass": 0.15, "crops": 0.1,
                   "dry grass": 0.15, "soil": 0.2, "urban": 0.1},
}  # fmt: skip
"""Kinds of scenes with dark vegetation: fraction of each cover."""

BARE: Mapping[str, Mapping[str, float]] = {
    "soil": {"soil": 1.0},
    "sand": {"sand": 1.0},
    "urban": {"urban": 1.0},
    "clear water": {"clear water": 1.0},
    "turbid water": {"turbid water": 1.0},
    "soil, water": {"clear water": 0.3, "soil": 0.7},
    "dry grass, soil": {"dry grass": 0.7, "soil": 0.3},
}
"""Kinds of scenes without dark vegetation."""

KINDS = VEGETATED | BARE
WITHOUT_LAND = ("clear water", "turbid water")

CLEAREST = 0.02
"""Aerosol optical thickness of a scene with nearly no aerosol."""

VISIBILITIES = (10.0, 15.0, 30.0, 60.0, 120.0, None)
"""Km; None: `CLEAREST`."""

SOLAR_ZENITHS = (25.0, 50.0, 65.0)
WATER_VAPOUR = (1.0, 2.9)
"""Cm above sea level."""

OZONE = 331.0
_MARITIME, _ELEVATED = 0.25, 0.25
"""Fractions of the scenes with maritime aerosol, and at 0.5 km."""

_POLARISED = ("B01", "B02", "B03", "B04")
"""Bands in which scattering by molecules matters."""

_VIEW_ZENITHS = (1.0, 9.0)
_DIGITAL_NUMBER = 1e-4
_SOLAR_AZIMUTH = 150.0


@dataclass(frozen=True)
class State:
    """One scene of the design.

    Attributes
    ----------
    number : int
    kind : str
    visibility : float or None
        Km; None: `CLEAREST`.
    solar_zenith, view_zenith, relative_azimuth : float
        Degrees.
    water_vapour : float
        Column of the file above sea level, cm.
    aerosol : str
        ``RURAL`` or ``MARITIME``.
    elevation : float
        Km.
    """

    number: int
    kind: str
    visibility: float | None
    solar_zenith: float
    view_zenith: float
    relative_azimuth: float
    water_vapour: float
    aerosol: str
    elevation: float

    @property
    def vegetated(self) -> bool:
        """Whether there is dark vegetation."""
        return self.kind in VEGETATED

    @property
    def aot550(self) -> float:
        """Aerosol optical thickness at 550 nm at the elevation of the surface."""
        if self.visibility is None:
            return CLEAREST
        return float(own_table(self.aerosol).aot_from_visibility(self.visibility, self.elevation))


@dataclass(frozen=True)
class TrueScene:
    """A scene and its truth.

    Attributes
    ----------
    state : State
    scene : AerosolScene
    mosaic : Mosaic
    water_vapour : float
        Column above the surface in cm.
    """

    state: State
    scene: AerosolScene
    mosaic: Mosaic
    water_vapour: float


def design(seed: int) -> Iterator[State]:
    """Draw the states of all scenes."""
    number = 0
    for index, kind in enumerate(KINDS):
        random = np.random.default_rng([seed, index])
        for visibility in VISIBILITIES:
            for solar_zenith in SOLAR_ZENITHS:
                yield State(
                    number=number,
                    kind=kind,
                    visibility=visibility,
                    solar_zenith=solar_zenith,
                    view_zenith=float(random.uniform(*_VIEW_ZENITHS)),
                    relative_azimuth=float(random.uniform(0.0, 180.0)),
                    water_vapour=float(random.choice(WATER_VAPOUR)),
                    aerosol="MARITIME" if random.random() < _MARITIME else "RURAL",
                    elevation=0.5 if random.random() < _ELEVATED else 0.0,
                )
                number += 1


def build_scene(
    state: State,
    pools: Pools,
    data: Path,
    seed: int,
    *,
    physical: bool = False,
    calibration: float = 0.0,
    size: int = SIZE,
) -> TrueScene:
    """Draw the mosaic of a state, and compute its reflectance at the top of the atmosphere.

    Parameters
    ----------
    state : State
    pools : Pools
    data : Path
        Folder of the reference data.
    seed : int
        The surface depends on it and on the number of the state.
    physical : bool
        Whether the approximations of the files are undone.
    calibration : float
        Relative standard deviation of the calibration errors of the bands.
    size : int
        Rows and columns.
    """
    random = np.random.default_rng([seed, 1000 + state.number])
    wide = draw_mosaic(pools, KINDS[state.kind], size + 2 * ADJACENCY, random)
    model = _forward_model(data, state.aerosol, state.water_vapour)
    errors = np.random.default_rng([seed, 2000 + state.number]).normal(0.0, 1.0, len(BANDS))
    gain = dict(zip(BANDS, 1.0 + calibration * errors, strict=True))
    inner = (slice(ADJACENCY, -ADJACENCY),) * 2
    toa, ground = {}, {}
    for band in BANDS:
        terms = terms_of(model, band, state, physical=physical)
        surface = wide.reflectance[band]
        mean = uniform_filter(surface, 2 * ADJACENCY + 1, mode="nearest")
        ground[band] = surface[inner]
        toa[band] = add_noise(
            band, gain[band] * terms.toa(surface, mean)[inner], state.solar_zenith, random
        )
    mosaic = Mosaic(ground, wide.water[inner])
    return TrueScene(state, _scene(state, toa, mosaic), mosaic, _column(model, state.elevation))


def terms_of(model: ForwardModel, band: str, state: State, *, physical: bool) -> Terms:
    """Terms of a state, as in the files or without their approximations."""
    air = Air(
        state.aot550,
        state.elevation,
        state.solar_zenith,
        state.view_zenith,
        state.relative_azimuth,
    )
    terms = model.terms(band, air)
    if not physical:
        return terms
    return replace(
        terms,
        path=terms.path + _polarisation(model, band, air),
        two_way=terms.two_way * _saturation(model, band, air),
    )


def _polarisation(model: ForwardModel, band: str, air: Air) -> float:
    """Path reflectance of the molecules in 6SV minus that of the files."""
    if band not in _POLARISED:
        return 0.0
    own = own_table(model.file.aerosol)
    molecules = own.scattering(
        band,
        aot550=0.0,
        elevation=air.elevation,
        solar_zenith=air.solar_zenith,
        view_zenith=air.view_zenith,
        relative_azimuth=air.relative_azimuth,
    ).rayleigh_reflectance
    down, up = _air_masses(air)
    gas = _gas(model, band, air, down + up)
    clear = model.terms(band, replace(air, aot550=0.0))
    return float(gas.ozone * gas.other * molecules - clear.path)


def _saturation(model: ForwardModel, band: str, air: Air) -> float:
    """Two-way absorption relative to the product of both ways; upwards that of the nadir."""
    down, up = _air_masses(air)
    both, first, second = (
        float(gas.ozone * gas.other * gas.water)
        for gas in (_gas(model, band, air, mass) for mass in (down + up, down, 1.0))
    )
    return both / (first * second)


def _air_masses(air: Air) -> tuple[float, float]:
    down, up = (1.0 / np.cos(np.radians(a)) for a in (air.solar_zenith, air.view_zenith))
    return float(down), float(up)


def _gas(model: ForwardModel, band: str, air: Air, air_mass: float) -> Gas:
    own = own_table(model.file.aerosol)
    return own.gas(
        band,
        water_vapour=_column(model, air.elevation),
        ozone=OZONE,
        elevation=air.elevation,
        air_mass=air_mass,
    )


def _scene(state: State, toa: Mapping[str, Float32Array], mosaic: Mosaic) -> AerosolScene:
    shape = mosaic.water.shape
    nodes = int(np.ceil(max(shape) * PIXEL / 5000.0)) + 1

    def angles(zenith: float, azimuth: float) -> AngleGrid:
        return AngleGrid(*(np.full((nodes, nodes), a, np.float32) for a in (zenith, azimuth)), 5e3)

    sun = angles(state.solar_zenith, _SOLAR_AZIMUTH)
    view = angles(state.view_zenith, _SOLAR_AZIMUTH + state.relative_azimuth)
    geometry = TileGeometry(
        sun, dict.fromkeys((*BANDS, "B08"), view), state.solar_zenith, _SOLAR_AZIMUTH
    )
    land = mosaic.water == 0.0
    return AerosolScene(
        geometry=NodeGeometry.over(Grid(32633, 3e5, 5.9e6, PIXEL, *shape), geometry),
        toa=toa.__getitem__,
        land=land,
        water=mosaic.water > 0.5,
        ground=np.ones(shape, bool),
        clear_land=land,
        valid=land.size,
        snowy=False,
        elevation=state.elevation,
        ozone=OZONE,
        adjacency=ADJACENCY,
    )


def add_noise(
    band: str, toa: np.ndarray, solar_zenith: float, random: np.random.Generator
) -> Float32Array:
    """Add the noise of the mean of the native pixels, and that of one digital number."""
    native = PIXEL / BAND[band].resolution
    noise = noise_level(band, toa.astype(np.float32), "S2A", solar_zenith) / native
    sigma = np.hypot(noise, _DIGITAL_NUMBER)
    return np.asarray(toa + sigma * random.standard_normal(toa.shape), np.float32)


def _column(model: ForwardModel, elevation: float) -> float:
    """Column above the surface in cm."""
    return float(model.file.column[elevation == ELEVATION][0])


@cache
def _forward_model(data: Path, aerosol: str, water_vapour: float) -> ForwardModel:
    name = f"h99000_wv{round(10 * water_vapour):02d}_{aerosol.lower()[:4]}.atm"
    return ForwardModel(AtmFile.of_path(data / "esa_lut" / "S2A" / "20_60" / name))
