"""Surface reflectance of real pixels against the official one.

``python -m tests.validation.surface_reflectance`` wraps the Level-1C pixels of each reference pair
as a product and processes it with the steps of a run: terrain from the elevation model of the pair,
classes, aerosol and water vapour, inversion. The settings are the packaged ones, except that the
blue path radiance is not scaled, as in the official processing of the pairs. The atmosphere is
either retrieved or fitted through the same inversion: one visibility to the official B02 .. B04,
one water vapour column to B09. Tables give bias, rms and slope of the linear fit of this processor
over the official reflectance; scatter plots go to the folder ``validation``.

Unknown for the pairs are the view angles (those of the middle of the swath are used), ozone and
ECMWF water vapour, and everything outside the crop of 2.2 km: the surroundings for the adjacency
correction, and the horizons. The differences have these causes, each shown by a line or table:

- B01 and B02: the effect of the view angle on the path reflectance exceeds the remaining bias.
- B08: the official 10 m bands use a single water vapour column, about 2 cm above sea level in the
  tables of Sen2Cor; B09 and B12 require another one at each site.
- Steep terrain: the official elevation model is coarser than that of the pair. With elevations
  smoothed over 30 m the scatter in the near infrared is halve_intervals.
- Snow at a solar zenith angle of 77.6 degrees: the tables of Sen2Cor end at 70 degrees and
  reproduce the official values. The tables of this project extend further.
- A single fitted water vapour column leaves a slope in B09 that the retrieval of each pixel does
  not have.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from osgeo import gdal, osr
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize_scalar

from sen2cor.atmosphere.aerosol.reference_blocks import VISIBILITIES
from sen2cor.atmosphere.interpolation_nodes import ElevationField
from sen2cor.atmosphere.look_up_tables.atm_files import ELEVATION as TABLE_ELEVATION
from sen2cor.atmosphere.look_up_tables.atm_files import WATER_FRACTION
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.classification import GroundMasks, SceneClass
from sen2cor.imagery import images
from sen2cor.pipeline.execution.workers import Workers, start_workers
from sen2cor.pipeline.tile.atmosphere_retrieval import retrieve_atmosphere
from sen2cor.pipeline.tile.band_correction import BandCorrection
from sen2cor.pipeline.tile.classification_step import classify_tile
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import (
    FINE,
    GroundIllumination,
    TileTerrain,
    prepare_terrain,
)
from sen2cor.pipeline.tile.tile_correction import COARSE, TileCorrection
from sen2cor.product.level1c.reader import Level1CTile, open_level1c
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.settings import Settings
from sen2cor.simulation.create_product import wrap_images

ROOT = Path(__file__).resolve().parents[2]
BANDS = tuple(band for band in BAND_NAMES if band != "B10")
VISIBLE = ("B02", "B03", "B04")
NEAR_INFRARED = ("B05", "B06", "B07", "B08", "B8A")
SHORT_WAVE = ("B11", "B12")

SEASON, AEROSOL, OZONE = "SUMMER", "RURAL", 331.0
SLOPE_CLASSES = (0.0, 6.0, 12.0, 20.0, 90.0)
"""Bounds in degrees."""

BLUE_TO_RED = ("B01", *VISIBLE)
VIEWS = ((11.0, 105.0), (3.0, 105.0), (3.0, 285.0), (11.0, 285.0))
"""View zenith and azimuth from the west to the east edge of a descending swath."""

WATER_BOUNDS = (0.1, 5.0)
SMOOTHING = (0.0, 15.0, 30.0, 45.0)
"""Widths of the elevation filter in metres."""

ELEVATION = "elevation"
"""Folder of the elevation model."""

_FIT_PASSES = 3
_SIDE = 2220
"""Side in metres that whole pixels of all resolutions cover."""


@dataclass(frozen=True)
class Wanted:
    """Upper limits of the rms.

    Attributes
    ----------
    fitted, retrieved, level : mapping of band to float
        With fitted atmosphere, with retrieved atmosphere, and with fitted atmosphere without
        terrain correction.
    slopes : bool
        Whether slopes of linear fits must be between 0.93 and 1.07, with fitted atmosphere.
    """

    fitted: Mapping[str, float] = field(default_factory=dict)
    retrieved: Mapping[str, float] = field(default_factory=dict)
    level: Mapping[str, float] = field(default_factory=dict)
    slopes: bool = False


SLOPE_LIMITS = (0.93, 1.07)
_OF_38D = (*VISIBLE, *NEAR_INFRARED, *SHORT_WAVE)
_OF_433D = dict.fromkeys(VISIBLE, 0.008)


@dataclass(frozen=True)
class Site:
    """AxisPosition and time of a pair, and its required accuracy.

    Attributes
    ----------
    file : str
    mgrs : str
        Tile.
    longitude, latitude : float
        Of the middle, degrees.
    time : datetime
    offsets : (int, int)
        Of the digital numbers of Level-1C and Level-2A.
    wanted : Wanted or None
        None: only plausibility is checked.
    """

    file: str
    mgrs: str
    longitude: float
    latitude: float
    time: datetime
    offsets: tuple[int, int]
    wanted: Wanted | None


SITES = (
    Site(
        "38D_378R_2_3", "36MXB", 34.07, -3.40, datetime(2023, 6, 10, 7, 46, tzinfo=timezone.utc),
        (0, 0), Wanted(dict.fromkeys(_OF_38D, 0.006), dict.fromkeys(_OF_38D, 0.012), slopes=True),
    ),
    Site(
        "433D_629L_3_1", "18HYC", -72.48, -38.83,
        datetime(2020, 4, 8, 14, 37, tzinfo=timezone.utc), (-1000, -1000),
        Wanted(
            _OF_433D | dict.fromkeys((*NEAR_INFRARED, *SHORT_WAVE), 0.02),
            level=_OF_433D | dict.fromkeys((*NEAR_INFRARED, *SHORT_WAVE), 0.03),
        ),
    ),
    Site(
        "609U_541L_3_0", "17ULA", -83.95, 54.78, datetime(2020, 1, 11, 16, 45, tzinfo=timezone.utc),
        (-1000, 0), None,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Agreement:
    """Agreement of a reflectance with a reference.

    Attributes
    ----------
    bias, rms : float
        Of reflectance minus reference.
    slope : float
        Of the linear fit over the reference.
    """

    bias: float
    rms: float
    slope: float

    @classmethod
    def of(cls, own: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]) -> Agreement:
        """Compare two arrays of one shape."""
        x, y = (values.astype(np.float64).ravel() for values in (reference, own))
        error = y - x
        centred = x - x.mean()
        return cls(
            float(error.mean()),
            float(np.sqrt(np.mean(error**2))),
            float(centred @ y / (centred @ centred)),
        )


@dataclass
class Scene:
    """A pair as a tile with its terrain, classes and settings.

    Attributes
    ----------
    site : Site
    tile : Level1CTile
    pixels : TilePixels
    official : mapping of band to ndarray of float32
        Surface reflectance at the native resolution.
    terrain : TileTerrain
    classes : ndarray of uint8
        At 20 m.
    settings : Settings
    """

    site: Site
    tile: Level1CTile
    pixels: TilePixels
    official: Mapping[str, Float32Array]
    terrain: TileTerrain
    classes: npt.NDArray[np.uint8]
    settings: Settings
    _light: dict[int, GroundIllumination] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        data: Path,
        site: Site,
        folder: Path,
        pool: Workers,
        smoothing: float = 0.0,
        moved: float = 0.0,
    ) -> Scene:
        """Wrap a pair as a product, open it and classify it.

        Parameters
        ----------
        data : Path
            Folder of the reference data.
        site : Site
        folder : Path
            For the product; empty.
        pool : Workers
        smoothing : float
            Width (standard deviation) in metres of a Gaussian filter of the elevation.
        moved : float
            Metres by which the elevation is moved to the east and to the south.
        """
        with np.load(data / "l1c_l2a_pairs" / f"{site.file}.npz") as stream:
            arrays = dict(stream)
        elevation = gaussian_filter(arrays["DEM_10m"].astype(np.float32), smoothing / 10.0)
        grid = _grid(site)
        _write_elevation(
            elevation, replace(grid, ulx=grid.ulx + moved, uly=grid.uly - moved), folder
        )
        product = open_level1c(_wrapped(site, arrays, grid, folder))
        tile = product.tiles[0]
        shipped = Settings()
        settings = replace(
            shipped,
            common=replace(shipped.common, dem_directory=str(folder / ELEVATION)),
            correction=replace(shipped.correction, scaling_disabler=True),
        )
        pixels = TilePixels.decode(product, tile, BAND_NAMES, pool)
        for resolution in (COARSE, FINE):
            pixels.compute_block_means(resolution, BAND_NAMES, pool)
        terrain = prepare_terrain(tile, settings, pool)
        assert terrain is not None
        classes = classify_tile(
            pixels,
            tile,
            FINE,
            settings.classification,
            pool,
            elevation=terrain.at(FINE).elevation,
            terrain=terrain.terrain_illumination(FINE),
        ).scene_class
        official = {
            band: np.float32(1e-4) * (_cropped(arrays, "L2A", band) + np.float32(site.offsets[1]))
            for band in BANDS
        }
        return cls(site, tile, pixels, official, terrain, classes, settings)

    def retrieved(self, table: LookUpTable) -> TileCorrection:
        """Retrieve the atmosphere with the steps of the processor."""
        masks = GroundMasks.from_classes(
            self.classes, COARSE // FINE, self.pixels.grids[COARSE].shape
        )
        return retrieve_atmosphere(
            self.pixels, self.tile, masks, [table], self.settings, terrain=self.terrain
        )

    def fitted(self, atmosphere: TileCorrection) -> TileCorrection:
        """Fit visibility and water vapour to the official reflectance."""

        def cost(found: TileCorrection, bands: Sequence[str]) -> float:
            return sum(self.agreement(found, band).rms ** 2 for band in bands)

        least, most = (1.0 / visibility for visibility in reversed(VISIBILITIES))
        for _ in range(_FIT_PASSES):
            at = atmosphere
            inverse = _least(lambda value: cost(_hazy(at, value), VISIBLE), (least, most))  # noqa: B023
            at = _hazy(at, inverse)
            column = _least(lambda value: cost(_humid(at, value), ("B09",)), WATER_BOUNDS)  # noqa: B023
            atmosphere = _humid(at, column)
        return atmosphere

    def surface(self, atmosphere: TileCorrection, band: str) -> Float32Array:
        """Compute the surface reflectance at the native resolution."""
        resolution = BAND[band].resolution
        light = self._ground_illumination(resolution) if atmosphere.slopes is not None else None
        correction = BandCorrection(
            band, resolution, self.pixels, atmosphere.inversion(band), COARSE, light
        )
        return correction.surface_reflectance(slice(0, self.pixels.grids[resolution].rows))[0]

    def agreement(
        self,
        atmosphere: TileCorrection,
        band: str,
        chosen: npt.NDArray[np.bool_] | slice = slice(None),
    ) -> Agreement:
        """Compare a band with the official one, over all pixels or some."""
        return Agreement.of(self.surface(atmosphere, band)[chosen], self.official[band][chosen])

    def slope(self, resolution: int) -> Float32Array:
        """Slope of the terrain in degrees."""
        slope = self.terrain.at(max(resolution, FINE)).slope
        factor = max(FINE // resolution, 1)
        return np.repeat(np.repeat(slope, factor, axis=0), factor, axis=1)

    def _ground_illumination(self, resolution: int) -> GroundIllumination:
        """Illumination of the slopes; vegetation is not needed without empirical correction."""
        if resolution not in self._light:
            cols = self.pixels.grids[resolution].cols
            self._light[resolution] = self.terrain.ground_illumination(
                resolution, lambda rows: np.zeros((rows.stop - rows.start, cols), bool)
            )
        return self._light[resolution]


def _least(cost: Callable[[float], float], bounds: tuple[float, float]) -> float:
    return float(minimize_scalar(cost, bounds=bounds, method="bounded").x)


def _elevation(atmosphere: TileCorrection) -> Float32Array | float:
    ground = atmosphere.state.elevation
    return ground.elevation if isinstance(ground, ElevationField) else ground


def _hazy(atmosphere: TileCorrection, inverse_visibility: float) -> TileCorrection:
    """Return the atmosphere with a uniform visibility."""
    aot = atmosphere.table.aot_from_visibility(1.0 / inverse_visibility, _elevation(atmosphere))
    field_of_aot = np.broadcast_to(aot, atmosphere.geometry.grid.shape).astype(np.float32)
    return replace(atmosphere, state=replace(atmosphere.state, aot550=field_of_aot))


def _humid(atmosphere: TileCorrection, column: float) -> TileCorrection:
    """Return the atmosphere with a uniform water vapour column."""
    field_of_column = np.full(atmosphere.geometry.grid.shape, column, np.float32)
    return replace(atmosphere, state=replace(atmosphere.state, water_vapour=field_of_column))


def _cropped(arrays: Mapping[str, npt.NDArray[np.int16]], level: str, band: str) -> Float32Array:
    size = _SIDE // BAND[band].resolution
    return arrays[f"{level}_{band}"][:size, :size].astype(np.float32)


def _grid(site: Site) -> Grid:
    """Grid of a pair at 10 m."""
    epsg = (32700 if site.latitude < 0.0 else 32600) + int(site.mgrs[:2])
    east, north = _projected(epsg, site.longitude, site.latitude)
    ulx, uly = (60.0 * round(at / 60.0) for at in (east - _SIDE / 2, north + _SIDE / 2))
    return Grid(epsg, ulx, uly, 10.0, _SIDE // 10, _SIDE // 10)


def _write_elevation(elevation: Float32Array, grid: Grid, folder: Path) -> None:
    """Write the elevation model; it may be larger than the grid."""
    rows, cols = elevation.shape
    (folder / ELEVATION).mkdir()
    raster = gdal.GetDriverByName("GTiff").Create(
        str(folder / ELEVATION / "elevation.tif"), cols, rows, 1, gdal.GDT_Float32
    )
    raster.SetGeoTransform(grid.geotransform)
    raster.SetProjection(_projection(grid.epsg).ExportToWkt())
    raster.WriteRaster(0, 0, cols, rows, elevation.tobytes())
    raster.FlushCache()


def _wrapped(
    site: Site, arrays: Mapping[str, npt.NDArray[np.int16]], grid: Grid, folder: Path
) -> Path:
    """Write images and wrap them as a product."""
    source = folder / "images"
    source.mkdir()
    for band in BAND_NAMES:
        numbers = _cropped(arrays, "L1C", band) + site.offsets[0]
        size = float(BAND[band].resolution)
        own_grid = replace(grid, pixel_size=size, rows=len(numbers), cols=len(numbers))
        path = source / f"T{site.mgrs}_{site.time:%Y%m%dT%H%M%S}_{band}.jp2"
        images.write(path, np.maximum(numbers, 1).astype(np.uint16), own_grid, 1024)
    return wrap_images(source, folder)


def _projection(epsg: int) -> osr.SpatialReference:
    result = osr.SpatialReference()
    result.ImportFromEPSG(epsg)
    result.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return result


def _projected(epsg: int, longitude: float, latitude: float) -> tuple[float, float]:
    transformation = osr.CoordinateTransformation(_projection(4326), _projection(epsg))
    x, y, _ = transformation.TransformPoint(longitude, latitude)
    return x, y


@dataclass(frozen=True)
class Variant:
    """One column of the tables.

    Attributes
    ----------
    title : str
    atmosphere : TileCorrection
    wanted : mapping of band to float
        Upper limits of the rms.
    slopes : bool
        Whether the slope of the fit is checked.
    """

    title: str
    atmosphere: TileCorrection
    wanted: Mapping[str, float]
    slopes: bool = False


def variants(
    title: str, full: TileCorrection, wanted: Mapping[str, float], site: Wanted
) -> list[Variant]:
    """List the variants of an atmosphere: packaged settings, and changed or disabled steps."""
    steps = [
        Variant(f"{title}, Adj_Km 1", full, wanted, site.slopes),
        Variant("Adj_Km 0.5", replace(full, adjacency_range=0.5), wanted, site.slopes),
        Variant("no adjacency", replace(full, adjacency_range=0.0), {}),
    ]
    if full.slopes is not None:
        steps.append(Variant("no terrain", replace(full, slopes=None), site.level))
    return steps


def render_table(scene: Scene, columns: Sequence[Variant]) -> list[str]:
    """Render the table of a pair; values beyond their limits are marked."""
    lines = [
        f"{'':5s}" + "".join(f"{column.title:>26s}" for column in columns),
        f"{'':5s}" + "".join(f"{_state(column.atmosphere):>26s}" for column in columns),
    ]
    for band in BANDS:
        row = f"{band:5s}"
        for column in columns:
            found = scene.agreement(column.atmosphere, band)
            limit = column.wanted.get(band)
            judged = column.slopes and limit is not None
            rms_mark = "!" if limit is not None and found.rms > limit else " "
            low, high = SLOPE_LIMITS
            slope_mark = "!" if judged and not low <= found.slope <= high else " "
            row += f"{1000 * found.bias:+10.1f}{1000 * found.rms:8.1f}{rms_mark}"
            row += f"{found.slope:6.2f}{slope_mark}"
        lines.append(row)
    return lines


def _state(atmosphere: TileCorrection) -> str:
    state = atmosphere.state
    return f"AOT {state.aot550.mean():.3f} WV {state.water_vapour.mean():.2f}"


def slope_table(scene: Scene, full: TileCorrection) -> list[str]:
    """Render the table by classes of slope, with and without terrain correction."""
    level = replace(full, slopes=None)
    lines = [
        "rms (0.001) by slope of the terrain, with / without terrain correction",
        f"{'':5s}"
        + "".join(
            f"{f'{low:.0f}..{high:.0f} deg {fraction:.0%}':>22s}"
            for low, high, fraction in _slope_fractions(scene.slope(FINE))
        ),
    ]
    for band in BANDS:
        slope = scene.slope(BAND[band].resolution)
        row = f"{band:5s}"
        for low, high in pairwise(SLOPE_CLASSES):
            chosen = (slope >= low) & (slope < high)
            if chosen.sum() < 2:
                row += f"{'-':>22s}"
                continue
            rms = [1000 * scene.agreement(state, band, chosen).rms for state in (full, level)]
            row += f"{rms[0]:13.1f} /{rms[1]:6.1f} "
        lines.append(row)
    return lines


def _slope_fractions(slope: Float32Array) -> list[tuple[float, float, float]]:
    return [
        (low, high, float(((slope >= low) & (slope < high)).mean()))
        for low, high in pairwise(SLOPE_CLASSES)
    ]


def smoothed_table(atmospheres: Mapping[float, tuple[Scene, TileCorrection]]) -> list[str]:
    """Render the table of rms by width of the elevation filter in metres."""
    lines = [
        "rms (0.001) with the elevation smoothed, by width in m: the official ones are coarser",
        f"{'':5s}" + "".join(f"{width:9.0f}" for width in atmospheres),
    ]
    for band in BANDS:
        rms = (scene.agreement(found, band).rms for scene, found in atmospheres.values())
        lines.append(f"{band:5s}" + "".join(f"{1000 * value:9.1f}" for value in rms))
    return lines


def fit_column(scene: Scene, original: TileCorrection, band: str) -> float:
    """Fit the water vapour (cm above sea level) that removes the bias of a band.

    Parameters
    ----------
    scene : Scene
    original : TileCorrection
        Retrieved with the tables of Sen2Cor, whose axis is the column above sea level.
    band : str
    """
    height = float(np.mean(_elevation(original)))
    fraction = float(np.interp(height, TABLE_ELEVATION, WATER_FRACTION[SEASON]))
    column = _least(
        lambda value: abs(scene.agreement(_humid(original, value), band).bias), WATER_BOUNDS
    )
    return column / fraction


def view_table(scene: Scene, atmosphere: TileCorrection) -> list[str]:
    """Render the table of bias by view angle across the swath, with fitted atmosphere."""
    geometry = atmosphere.geometry
    lines = ["bias (0.001) by view zenith and azimuth, degrees: " + ", ".join(BLUE_TO_RED)]
    for zenith, azimuth in VIEWS:
        view = {
            band: AngleGrid(
                np.full_like(angles.zenith, zenith),
                np.full_like(angles.azimuth, azimuth),
                angles.step,
            )
            for band, angles in geometry.angles.view.items()
        }
        seen = replace(geometry, angles=replace(geometry.angles, view=view))
        found = scene.fitted(replace(atmosphere, geometry=seen))
        bias = (1000 * scene.agreement(found, band).bias for band in BLUE_TO_RED)
        lines.append(
            f"{zenith:6.0f}{azimuth:5.0f}  "
            + "".join(f"{value:+7.1f}" for value in bias)
            + f"   {_state(found)}"
        )
    return lines


def sanity_table(scene: Scene, own: TileCorrection, original: TileCorrection) -> list[str]:
    """Render percentiles with those of the official product, and the negative fraction."""
    lines = [
        "percentiles 1, 50, 99",
        f"{'':5s}{'ours':>26s}{'with Sen2Cor tables':>26s}{'official':>26s}"
        f"{'negative, not finite':>24s}",
    ]
    for band in BANDS:
        surface = scene.surface(own, band)
        row = f"{band:5s}"
        for image in (surface, scene.surface(original, band), scene.official[band]):
            row += f"{'':5s}" + "".join(
                f"{value:7.3f}" for value in np.percentile(image, (1, 50, 99))
            )
        negative, broken = (surface < 0).mean(), (~np.isfinite(surface)).mean()
        lines.append(f"{row}{negative:15.2%} {broken:8.2%}")
    return lines


def draw(scene: Scene, rows: Sequence[tuple[str, TileCorrection]], path: Path) -> None:
    """Draw each band over the official reflectance, with the linear fits."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        2 * len(rows), 6, figsize=(20, 7 * len(rows)), layout="constrained", squeeze=False
    )
    panel = iter(panels.flat)
    for title, atmosphere in rows:
        for band in BANDS:
            axes = next(panel)
            x, y = scene.official[band].ravel(), scene.surface(atmosphere, band).ravel()
            low, high = np.percentile(np.concatenate([x, y]), (0.1, 99.9))
            margin = 0.05 * (high - low)
            ends = np.array([low - margin, high + margin])
            axes.hexbin(
                x, y, gridsize=70, extent=(*ends, *ends), bins="log", mincnt=1, cmap="viridis"
            )
            found = Agreement.of(y, x)
            middle = float(x.mean())
            axes.plot(ends, ends, "k-", linewidth=0.8)
            fit = middle + found.bias + found.slope * (ends - middle)
            axes.plot(ends, fit, "r--", linewidth=1.2)
            axes.set(xlim=ends, ylim=ends, aspect="equal")
            axes.set_title(
                f"{band}, {title}\nbias {found.bias:+.4f}  rms {found.rms:.4f}  "
                f"slope {found.slope:.2f}",
                fontsize=9,
            )
            axes.tick_params(labelsize=7)
    figure.suptitle(
        f"{scene.site.file}: surface reflectance over the official one "
        "(black: equal, red: linear fit)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=60)
    pyplot.close(figure)


def report(site: Site, data: Path, figures: Path, pool: Workers) -> list[str]:
    """Compare a pair; return lines of text."""

    def load(smoothing: float = 0.0) -> Scene:
        with tempfile.TemporaryDirectory() as folder:
            return Scene.load(data, site, Path(folder), pool, smoothing)

    scene = load()
    tables = {
        "ours": load_table("S2A", AEROSOL, SEASON),
        "Sen2Cor's tables": load_atm_files(data / "esa_lut", "S2A", AEROSOL, SEASON, ozone=OZONE),
    }
    found = {title: scene.retrieved(table) for title, table in tables.items()}
    own, original = found["ours"], found["Sen2Cor's tables"]
    elevation = scene.terrain.at(COARSE).elevation
    classes, counts = np.unique(scene.classes, return_counts=True)
    fractions = ", ".join(
        f"{SceneClass(number).name.lower()} {count / counts.sum():.0%}"
        for number, count in zip(classes, counts, strict=True)
    )
    account = own.retrieval.details()
    lines = [
        "",
        f"{site.file}: {elevation.min():.0f} to {elevation.max():.0f} m, "
        f"{scene.terrain.terrain_type.value}; "
        f"sun at {scene.tile.geometry.mean_solar_zenith:.1f} degrees; {fractions}",
        f"aerosol from {account['source']}, {account['reference_share']:.1f} % of the pixels; "
        f"visibility {account['visibility']:.0f} km",
    ]
    plots = [("retrieved", own)]
    if site.wanted is None:
        lines += sanity_table(scene, own, original)
    else:
        lines.append("bias, rms (0.001), slope over the official; !: beyond the limit")
        fits = {title: scene.fitted(atmosphere) for title, atmosphere in found.items()}
        groups = (
            ("fitted", fits, site.wanted.fitted),
            ("retrieved", found, site.wanted.retrieved),
        )
        for title, atmospheres, wanted in groups:
            steps = variants(title, atmospheres["ours"], wanted, site.wanted)
            if title != "fitted":
                steps = [replace(step, slopes=False) for step in steps]
            steps.append(Variant("Sen2Cor's tables", atmospheres["Sen2Cor's tables"], {}))
            lines += [*render_table(scene, steps), ""]
        lines += [*view_table(scene, own), ""]
        plots.insert(0, ("fitted", fits["ours"]))
        if own.slopes is not None:
            scenes = {width: load(width) for width in SMOOTHING}
            table = tables["ours"]
            lines += [
                *slope_table(scene, fits["ours"]),
                "",
                *smoothed_table({width: (s, s.retrieved(table)) for width, s in scenes.items()}),
                "",
            ]
            plots.append(("fitted, no terrain", replace(fits["ours"], slopes=None)))
    columns = (f"{band} {fit_column(scene, original, band):.1f}" for band in ("B08", "B09", "B12"))
    lines.append(
        "water vapour (cm above sea level, Sen2Cor's tables) without bias: " + ", ".join(columns)
    )
    draw(scene, plots, figures / f"surface_reflectance_{site.file}.png")
    return lines


def main() -> None:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    parser.add_argument("--figures", type=Path, default=ROOT / "validation", help="folder")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    gdal.UseExceptions()
    for site in SITES:
        with start_workers() as pool:
            print("\n".join(report(site, arguments.data, arguments.figures, pool)), flush=True)


if __name__ == "__main__":
    main()
