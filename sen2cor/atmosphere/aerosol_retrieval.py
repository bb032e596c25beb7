"""Aerosol optical thickness from pixels of known reflectance.

Reference pixels (`sen2cor.atmosphere.dark_vegetation`) are gathered in blocks of about a kilometre.
In each, the optical thickness is found at which the look-up table turns what the sensor sees into
what the ground is known to reflect; a quantile keeps odd pixels out. What is averaged, filled and
smoothed is the inverse of visibility: it is proportional to the optical thickness at any one
elevation, but does not follow the elevation itself. Y. J. Kaufman et al., IEEE Trans. Geosci.
Remote Sensing 35 (1997) 1286-1298; R. Richter and D. Schlaepfer, ATCOR user guide, DLR-IB 565-01.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates, minimum_filter, uniform_filter

from sen2cor.atmosphere import path_scaling
from sen2cor.atmosphere.adjacency import neighbourhood_mean
from sen2cor.atmosphere.aerosol_choice import Trial, choose
from sen2cor.atmosphere.blocks import Blocks
from sen2cor.atmosphere.dark_vegetation import (
    DARK_VEGETATION,
    NIR,
    RED,
    SWIR,
    ReferencePixels,
    other_dark_pixels,
    reference_vegetation,
    vegetation_index,
)
from sen2cor.atmosphere.functions import AtmosphereState, band_functions
from sen2cor.atmosphere.gap_filling import central_value, fill_gaps
from sen2cor.atmosphere.geometry import NodeGeometry
from sen2cor.atmosphere.inversion import adjacency_inversion, flat_inversion, signal
from sen2cor.atmosphere.negative_check import NegativeShares, raised_visibility
from sen2cor.atmosphere.relief import Elevation, Relief
from sen2cor.atmosphere.sites import SiteFunctions, Sites, site_functions
from sen2cor.atmosphere.table import LookUpTable
from sen2cor.grids import Float32Array
from sen2cor.interpolation import bilinear, positions
from sen2cor.settings.correction import CorrectionSettings

BoolArray = npt.NDArray[np.bool_]

CONFIGURED = "configured visibility"
"""Source of a visibility that nothing but the settings tell."""

VISIBILITIES = (5.0, 120.0)
"""Least and greatest visibility in km."""

_BLUE = path_scaling.BLUE
_CLEAREST, _HAZIEST = 1.0 / VISIBILITIES[1], 1.0 / VISIBILITIES[0]
_NODES = 18
_CURVE_NODES = 512
_BLOCK = 960.0
_QUANTILE = 0.35
"""Of the reference pixels of a block. What spoils them (soil between crowns, haze, mixed pixels)
brightens: the middle of the 20th to 50th percentile is taken, as over land in L. A. Remer et al.,
J. Atmos. Sci. 62 (2005) 947-973."""

_SAMPLE = 20000
_MUCH_WATER = 99.0
_LITTLE_CLEAR = 4.0
_BRIGHT = 5.0
"""Times the mean red of the scene: nothing brighter is a reference."""

_GREEN = "B03"
_SNOW_RATIO = 0.5
"""Of green to 1.6 um, above which a green pixel of a scene with snow has some in it."""


@dataclass
class AerosolScene:
    """What the aerosol retrieval sees of a tile, on the coarse grid.

    Attributes
    ----------
    geometry : NodeGeometry
    toa : callable
        Top-of-atmosphere reflectance of a band, ndarray of float32, shape (rows, cols).
    land, water, ground : ndarray of bool, shape (rows, cols)
        Land that may serve as reference; water; no cloud, shadow or gap in the pixel.
    valid : int
        Number of pixels with data.
    snowy : bool
        Whether vegetation may have snow in it.
    elevation : float or Relief
    ozone : float
        Dobson units.
    adjacency : int
        Half width in pixels of the neighbourhood whose light is scattered into a pixel; 0: none.
    """

    geometry: NodeGeometry
    toa: Callable[[str], Float32Array]
    land: BoolArray
    water: BoolArray
    ground: BoolArray
    valid: int
    snowy: bool
    elevation: Elevation
    ozone: float
    adjacency: int
    _surroundings: dict[str, Float32Array] = field(default_factory=dict)

    def surroundings(self, band: str) -> Float32Array:
        """Top-of-atmosphere reflectance of the neighbourhood.

        Where adjacency is left out it is that of the pixel itself: so in the near infrared, for at
        a shore the contrast is too large to judge dark water by what is left of it.
        """
        if self.adjacency == 0 or band == NIR:
            return self.toa(band)
        if band not in self._surroundings:
            self._surroundings[band] = neighbourhood_mean(
                self.toa(band), self.ground, self.adjacency
            )
        return self._surroundings[band]

    def elevation_at(self, rows: Float32Array, cols: Float32Array) -> Float32Array:
        """Elevation of places in km."""
        if isinstance(self.elevation, Relief):
            return _at(self.elevation.elevation, rows, cols)
        return np.full(rows.shape, self.elevation, np.float32)


class _Surface(dict[str, Float32Array]):
    """Surface reflectance by band, computed when it is asked for."""

    def __init__(self, scene: AerosolScene, table: LookUpTable, state: AtmosphereState) -> None:
        super().__init__()
        self._scene, self._table, self._state = scene, table, state

    def __missing__(self, band: str) -> Float32Array:
        scene = self._scene
        functions = band_functions(self._table, band, scene.geometry, self._state)
        if scene.adjacency == 0 or band == NIR:
            inversion = flat_inversion(functions)
        else:
            inversion = adjacency_inversion(functions, signal(scene.surroundings(band), functions))
        self[band] = inversion(scene.toa(band))
        return self[band]


@dataclass(frozen=True)
class Fallback:
    """Visibility where the scene tells nothing.

    Attributes
    ----------
    visibility : float
        Km.
    source : str
        Where it comes from.
    """

    visibility: float
    source: str


@dataclass(frozen=True)
class Aerosol:
    """What was found out about the aerosol of a tile.

    Attributes
    ----------
    table : LookUpTable
        The one that fits, of several.
    aot550 : ndarray of float32, shape (rows, cols)
        At the elevation of each pixel.
    source : str
        Kind of the reference pixels, or of what stood in for them.
    reference : ReferencePixels or None
    visibility, first_visibility : float
        Mean of the scene in km; before it was raised for the sake of negative pixels.
    path_factor : float
        Of the blue path radiance, as applied.
    raw_path_factor : float or None
        As found; None where there are too few reference pixels.
    path_reason : str
        Why it is applied so.
    stays_negative : bool
        Whether dark pixels are negative at any visibility, so that it was not raised.
    trials : tuple of Trial
        Of AUTO.
    """

    table: LookUpTable
    aot550: Float32Array
    source: str
    reference: ReferencePixels | None
    visibility: float
    first_visibility: float
    path_factor: float = 1.0
    raw_path_factor: float | None = None
    path_reason: str = ""
    stays_negative: bool = False
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True)
class _Blocked:
    """Reference pixels of a scene by blocks; arrays of shape (n,) for the blocks that have some.

    ``departure`` is what the typical pixel differs by from the pixel of mean values.
    """

    blocks: Blocks
    occupied: BoolArray
    counts: Float32Array
    sites: Sites
    departure: Float32Array


def retrieve_aerosol(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    water_vapour: Float32Array,
    start: Float32Array,
    settings: CorrectionSettings,
    *,
    fallback: Fallback,
    mapped: bool,
    season: str,
) -> Aerosol:
    """Find the aerosol of a tile.

    Parameters
    ----------
    scene : AerosolScene
    tables : sequence of LookUpTable
        Candidates; the first where there is no dark vegetation to choose by.
    water_vapour : ndarray of float32, shape (rows, cols)
        Column in cm.
    start : ndarray of float32, same shape
        Optical thickness at 550 nm with which the reference pixels are looked for.
    settings : CorrectionSettings
    fallback : Fallback
    mapped : bool
        Whether it varies over the tile, or is the mean of the scene.
    season : str
        By date and latitude, where seasons cannot be told apart otherwise.

    Returns
    -------
    Aerosol
    """
    table = tables[0]
    state = AtmosphereState(start, water_vapour, scene.ozone, scene.elevation)
    clear = 100.0 * float(scene.ground.sum()) / max(scene.valid, 1)
    if clear < _LITTLE_CLEAR:
        source = f"{fallback.source}, for only {clear:.1f} % of the pixels are clear"
        return _constant(scene, table, replace(fallback, source=source))
    surface = _Surface(scene, table, state)
    land = scene.land & _inner(scene.geometry.grid.shape, settings.limit_area_path_rad_scale)
    red = scene.toa(RED)
    land &= red <= _BRIGHT * red[scene.ground].mean(dtype=np.float64)
    if scene.snowy:
        land &= surface[_GREEN] < np.float32(_SNOW_RATIO) * surface[SWIR[1]]
    reference = _reference_pixels(scene, surface, land, settings, fallback)
    if reference is None:
        return _constant(scene, table, fallback)
    blocked = _by_blocks(scene, table, surface, reference, state)
    trials: tuple[Trial, ...] = ()
    if len(tables) > 1 and reference.kind == DARK_VEGETATION:
        trials = tuple(
            Trial(candidate, _double_ratio(scene, candidate, blocked, reference, settings))
            for candidate in tables
        )
        table = choose(trials, season, settings.aerosol_type_ratio_th).table
    values, mean = central_value(
        _on_grid(blocked, _inverse_visibilities(scene, table, blocked, reference)),
        _on_grid(blocked, blocked.counts),
    )
    mean = float(np.clip(mean, _CLEAREST, _HAZIEST))
    if mapped:
        inverse = _map(scene, blocked, values, mean, settings)
    else:
        inverse = np.full(start.shape, mean, np.float32)
    factor = _raised(scene, table, surface, inverse, water_vapour, settings)
    if factor is not None:
        inverse = np.clip(inverse / np.float32(factor), _CLEAREST, _HAZIEST)
    found = Aerosol(
        table=table,
        aot550=_optical_thickness(scene, table, inverse),
        source=reference.kind,
        reference=reference,
        visibility=1.0 / float(inverse.mean()),
        first_visibility=1.0 / mean,
        stays_negative=factor is None,
        trials=trials,
    )
    return _with_path_factor(scene, found, inverse, blocked, settings)


def _reference_pixels(
    scene: AerosolScene,
    surface: Mapping[str, Float32Array],
    land: BoolArray,
    settings: CorrectionSettings,
    fallback: Fallback,
) -> ReferencePixels | None:
    reference = None
    if 100.0 * scene.water.sum() <= _MUCH_WATER * scene.ground.sum():
        reference = reference_vegetation(surface, land, scene.valid, settings)
    if reference is None and fallback.source == CONFIGURED:
        # away from the shore, whose light reaches over the water
        open_water = minimum_filter(scene.water & scene.ground, 2 * scene.adjacency + 1)
        reference = other_dark_pixels(surface, land, open_water, scene.valid, settings)
    return reference


def _inner(shape: tuple[int, int], margin: float) -> BoolArray:
    """Whole image, without so many per cent of its rows and columns at the edges."""
    inner = np.zeros(shape, bool)
    rows, cols = (round(size * margin / 200.0) for size in shape)
    inner[rows : shape[0] - rows, cols : shape[1] - cols] = True
    return inner


def _by_blocks(
    scene: AerosolScene,
    table: LookUpTable,
    surface: Mapping[str, Float32Array],
    reference: ReferencePixels,
    state: AtmosphereState,
) -> _Blocked:
    shape = scene.geometry.grid.shape
    blocks = Blocks(shape, max(1, round(_BLOCK / scene.geometry.grid.pixel_size)))
    counts = blocks.counts(reference.mask)
    occupied = counts > 0
    rows, cols = (at[occupied] for at in np.meshgrid(*blocks.centres(), indexing="ij"))

    def mean(values: Float32Array) -> Float32Array:
        return blocks.means(values, reference.mask)[occupied]

    if isinstance(scene.elevation, Relief):
        elevation = mean(scene.elevation.elevation)
    else:
        elevation = np.full(rows.shape, scene.elevation, np.float32)
    bands = dict.fromkeys((reference.target, reference.predictor, _BLUE, RED))
    sites = Sites(
        rows=rows,
        cols=cols,
        elevation=elevation,
        water_vapour=mean(state.water_vapour),
        toa={band: mean(scene.toa(band)) for band in bands},
        surroundings={band: mean(scene.surroundings(band)) for band in bands},
    )
    residual = (
        surface[reference.target] - np.float32(reference.ratio) * surface[reference.predictor]
    )
    residual -= np.float32(reference.constant)
    typical = blocks.quantiles(residual, reference.mask, _QUANTILE)[occupied]
    at_mean = _residual(scene, table, sites, reference, mean(state.aot550))
    return _Blocked(blocks, occupied, counts[occupied].astype(np.float32), sites, typical - at_mean)


def _functions(
    scene: AerosolScene, table: LookUpTable, band: str, sites: Sites, aot550: Float32Array
) -> SiteFunctions:
    return site_functions(table, band, scene.geometry, sites, aot550, scene.ozone)


def _surface(
    scene: AerosolScene, table: LookUpTable, band: str, sites: Sites, aot550: Float32Array
) -> Float32Array:
    functions = _functions(scene, table, band, sites, aot550)
    return functions.surface(sites.toa[band], sites.surroundings[band])


def _residual(
    scene: AerosolScene,
    table: LookUpTable,
    sites: Sites,
    reference: ReferencePixels,
    aot550: Float32Array,
) -> Float32Array:
    """Reflectance of the target band beyond what is expected."""
    residual = _surface(scene, table, reference.target, sites, aot550) - np.float32(
        reference.constant
    )
    if reference.ratio:
        expected = _surface(scene, table, reference.predictor, sites, aot550)
        residual -= np.float32(reference.ratio) * expected
    return residual


def _inverse_visibilities(
    scene: AerosolScene, table: LookUpTable, blocked: _Blocked, reference: ReferencePixels
) -> Float32Array:
    """Solve for the inverse visibility (1/km) of each block, shape (n,).

    Below the clearest visibility the residual goes on as a straight line, so that the mean over
    blocks that scatter is not biased by the end of the table.
    """
    nodes = np.linspace(_CLEAREST, _HAZIEST, _NODES, dtype=np.float32)
    aot = table.aot_from_visibility(1.0 / nodes[:, np.newaxis], blocked.sites.elevation)
    residual = _residual(scene, table, blocked.sites, reference, aot) + blocked.departure
    falling = np.minimum.accumulate(residual, axis=0)
    lower = np.clip((falling > 0.0).sum(axis=0) - 1, 0, _NODES - 2)[np.newaxis]
    first = np.take_along_axis(residual, lower, 0)[0]
    step = first - np.take_along_axis(residual, lower + 1, 0)[0]
    share = np.divide(first, step, out=np.ones_like(first), where=step > 1e-6)
    inverse = nodes[lower[0]] + share * (nodes[1] - nodes[0])
    return np.asarray(np.clip(inverse, -_CLEAREST, _HAZIEST), np.float32)


def _on_grid(blocked: _Blocked, values: Float32Array) -> Float32Array:
    grid = np.full(blocked.occupied.shape, np.nan, np.float32)
    grid[blocked.occupied] = values
    return grid


def _map(
    scene: AerosolScene,
    blocked: _Blocked,
    values: Float32Array,
    mean: float,
    settings: CorrectionSettings,
) -> Float32Array:
    """Inverse visibility per pixel."""
    side, pixel = blocked.blocks.side, scene.geometry.grid.pixel_size
    filled = fill_gaps(
        values,
        _on_grid(blocked, blocked.counts),
        mean,
        settings.ddv_gap_filling,
        side * pixel / 1000.0,
    )
    rows, cols = (positions(size, side) for size in scene.land.shape)
    pixels = bilinear(filled, rows, cols)
    window = 2 * round(500.0 * settings.ddv_smoothing_window / pixel) + 1
    for _ in range(2):
        pixels = uniform_filter(pixels, window, mode="nearest")
    result: Float32Array = np.clip(pixels, _CLEAREST, _HAZIEST)
    return result


def _raised(
    scene: AerosolScene,
    table: LookUpTable,
    surface: Mapping[str, Float32Array],
    inverse: Float32Array,
    water_vapour: Float32Array,
    settings: CorrectionSettings,
) -> float | None:
    """Factor on the visibility that dark pixels ask for."""
    red = surface[RED]
    green = scene.land & (red < settings.dbv_red_veget_refl_th)
    green &= vegetation_index(surface) > settings.dbv_red_veget_tst_ndvi_th
    groups = []
    for mask, band in ((green, RED), (scene.water & scene.ground, NIR)):
        index = np.flatnonzero(mask)
        rows, cols = np.unravel_index(index[:: max(1, index.size // _SAMPLE)], mask.shape)
        y, x = rows.astype(np.float32), cols.astype(np.float32)
        sites = Sites(
            y,
            x,
            scene.elevation_at(y, x),
            water_vapour[rows, cols],
            {band: scene.toa(band)[rows, cols]},
            {band: scene.surroundings(band)[rows, cols]},
        )
        groups.append((band, sites, inverse[rows, cols]))

    def shares(factor: float) -> NegativeShares:
        found = []
        limits = (0.0, settings.cut_off_aot_iter_water)
        for (band, sites, values), limit in zip(groups, limits, strict=True):
            if values.size == 0:
                found.append(0.0)
                continue
            visibility = np.clip(np.float32(factor) / values, *VISIBILITIES)
            aot = table.aot_from_visibility(visibility, sites.elevation)
            found.append(float((_surface(scene, table, band, sites, aot) < limit).mean()))
        return NegativeShares(*found)

    return raised_visibility(shares, settings.cut_off_aot_iter_vegetation)


def _path_ratio(
    scene: AerosolScene,
    table: LookUpTable,
    band: str,
    expected: Float32Array,
    blocked: _Blocked,
    aot550: Float32Array,
) -> float:
    """Path radiance of the scene over that of the table: what is not reflected by the ground."""
    sites = blocked.sites
    functions = _functions(scene, table, band, sites, aot550)
    path = sites.toa[band] - functions.signal(expected, sites.surroundings[band])
    return central_value(path / functions.offset, blocked.counts)[1]


def _expected_red(
    scene: AerosolScene,
    table: LookUpTable,
    blocked: _Blocked,
    reference: ReferencePixels,
    aot550: Float32Array,
) -> Float32Array:
    swir = _surface(scene, table, reference.predictor, blocked.sites, aot550)
    return np.float32(reference.ratio) * swir + np.float32(reference.constant)


def _double_ratio(
    scene: AerosolScene,
    table: LookUpTable,
    blocked: _Blocked,
    reference: ReferencePixels,
    settings: CorrectionSettings,
) -> float:
    inverse = _inverse_visibilities(scene, table, blocked, reference)
    visibility = 1.0 / np.clip(inverse, _CLEAREST, _HAZIEST)
    aot = table.aot_from_visibility(visibility, blocked.sites.elevation)
    red = _expected_red(scene, table, blocked, reference, aot)
    blue = np.float32(settings.red_blue_refl_ratio) * red
    return _path_ratio(scene, table, _BLUE, blue, blocked, aot) / _path_ratio(
        scene, table, RED, red, blocked, aot
    )


def _with_path_factor(
    scene: AerosolScene,
    found: Aerosol,
    inverse: Float32Array,
    blocked: _Blocked,
    settings: CorrectionSettings,
) -> Aerosol:
    """Add the factor of the blue path radiance where there is enough dark vegetation."""
    reference = found.reference
    if reference is None or reference.kind != DARK_VEGETATION:
        return found
    number = int(reference.mask.sum())
    few = number < settings.spr_refl_percentage / 100.0 * scene.land.sum()
    few |= number < settings.spr_refl_promille / 1000.0 * scene.valid
    if few:
        return found
    sites = blocked.sites
    visibility = 1.0 / _at(inverse, sites.rows, sites.cols)
    aot = found.table.aot_from_visibility(visibility, sites.elevation)
    red = _expected_red(scene, found.table, blocked, reference, aot)
    expected = settings.red_blue_refl_ratio
    raw, least = (
        _path_ratio(scene, found.table, _BLUE, np.float32(ratio) * red, blocked, aot)
        for ratio in (expected, max(expected, path_scaling.BLUEST_CANOPY))
    )
    factor, reason = path_scaling.applied_factor(raw, least, settings)
    return replace(found, raw_path_factor=raw, path_factor=factor, path_reason=reason)


def _optical_thickness(
    scene: AerosolScene, table: LookUpTable, inverse: Float32Array
) -> Float32Array:
    if isinstance(scene.elevation, Relief):
        return table.aot_from_visibility(1.0 / inverse, scene.elevation.elevation)
    nodes = np.linspace(_CLEAREST, _HAZIEST, _CURVE_NODES, dtype=np.float32)
    curve = table.aot_from_visibility(1.0 / nodes, scene.elevation)
    return np.interp(inverse, nodes, curve).astype(np.float32)


def _constant(scene: AerosolScene, table: LookUpTable, fallback: Fallback) -> Aerosol:
    visibility = float(np.clip(fallback.visibility, *VISIBILITIES))
    inverse = np.full(scene.land.shape, 1.0 / visibility, np.float32)
    return Aerosol(
        table=table,
        aot550=_optical_thickness(scene, table, inverse),
        source=fallback.source,
        reference=None,
        visibility=visibility,
        first_visibility=visibility,
    )


def _at(field: Float32Array, rows: Float32Array, cols: Float32Array) -> Float32Array:
    places = np.stack([rows, cols])
    return np.asarray(map_coordinates(field, places, order=1, mode="nearest"), np.float32)
