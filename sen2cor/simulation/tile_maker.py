"""One tile of a scene, in two passes.

The first makes the ground block by block and stores its reflectance, the truth, on disk. The second
takes one band after the other from there through the atmosphere, which needs the whole
neighbourhood of a pixel, to the sensor and into its image.
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, BAND_NAMES, BANDS
from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.raster.grids import row_blocks
from sen2cor.raster.resampling import block_mean, repeat_pixels
from sen2cor.simulation import clouds, relief
from sen2cor.simulation.adjacency import REACH, surroundings
from sen2cor.simulation.atmosphere import Air, atmosphere, pressure, top_of_atmosphere
from sen2cor.simulation.canopies import CanopyColours, ratios_of, statistics
from sen2cor.simulation.description import ProductDescription, TileDescription
from sen2cor.simulation.landscape import CLASS_OF, LANDSCAPES, NAMES, SNOW
from sen2cor.simulation.patterns import fractal
from sen2cor.simulation.quality_masks import outlines
from sen2cor.simulation.scenes import Scene
from sen2cor.simulation.sensor import QUANTIFICATION, digital_numbers, generator, noise_level
from sen2cor.simulation.skylight import Light, light_on_slopes, sky_factors
from sen2cor.simulation.surfaces import band_reflectance
from sen2cor.simulation.writer import ProductWriter

logger = logging.getLogger(__name__)

COARSE = 60
"""Pixel size in metres at which the air is evaluated: the coarsest of the images."""

_BLOCK_ROWS = 240
"""Rows of 10 m made at a time; a multiple of 6."""

_WORKERS = 2
"""Blocks, and bands, made at a time; more would need more memory."""

CLOUD, SHADOW, CIRRUS = 9, 3, 10

_SCALE_HEIGHT = 2.0
"""Of aerosol and water vapour, km."""


@dataclass(frozen=True)
class Fields:
    """What varies smoothly over a tile, at 60 m.

    Attributes
    ----------
    aot550, water_vapour : ndarray of float32, shape (rows, cols)
    solar_zenith, solar_azimuth : ndarray of float32
        Degrees, azimuth from true north.
    detector : ndarray of int64
    elevation : ndarray of float32
        km.
    """

    aot550: Float32Array
    water_vapour: Float32Array
    solar_zenith: Float32Array
    solar_azimuth: Float32Array
    detector: npt.NDArray[np.int64]
    elevation: Float32Array


@dataclass(frozen=True)
class Sky:
    """Clouds as the pixels of a tile see them, at 20 m.

    Attributes
    ----------
    depth : ndarray of float32
        Optical thickness of clouds in the line of sight.
    shade : ndarray of float32
        Optical thickness of clouds towards the sun.
    cirrus : ndarray of float32
        Reflectance of cirrus in the line of sight.
    """

    depth: Float32Array
    shade: Float32Array
    cirrus: Float32Array


class TileMaker:
    """Makes one tile: its truth, its images, and what describes it.

    Parameters
    ----------
    scene : Scene
    product : ProductDescription
    tile : TileDescription
        Its percentages and outlines of clouds are filled in.
    writer : ProductWriter
    truth : Path
        Folder for the truth.
    seed : int
    """

    def __init__(
        self,
        scene: Scene,
        product: ProductDescription,
        tile: TileDescription,
        writer: ProductWriter,
        truth: Path,
        seed: int,
    ) -> None:
        self.scene = scene
        self.product = product
        self.tile = tile
        self.writer = writer
        self.truth = truth
        self.seed = seed
        self.grids = {resolution: tile.grid(resolution) for resolution in (10, 20, 60)}
        self.terrain = self._terrain()

    def make(self) -> None:
        """Make the tile: truth, images, masks."""
        self.truth.mkdir(parents=True, exist_ok=True)
        fields = self._fields()
        sky = self._sky(fields)
        self._describe_clouds(sky)
        coarse = self._ground(sky)
        np.save(self.truth / "aot550_60m.npy", fields.aot550)
        np.save(self.truth / "water_vapour_60m.npy", fields.water_vapour)
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(pool.map(lambda band: self._band(band, fields, sky, coarse.pop(band)), BAND_NAMES))
        self.writer.finish_tile(self.tile)

    def _fields(self) -> Fields:
        grid = self.grids[COARSE]
        x = grid.ulx + (np.arange(grid.cols) + 0.5) * COARSE
        y = grid.uly - (np.arange(grid.rows) + 0.5) * COARSE
        scene, seed = self.scene, self.seed
        limit = 2.2
        haze = np.clip(fractal(y, x, 9000.0, 3, seed + 501), -limit, limit)
        moist = np.clip(fractal(y, x, 12000.0, 4, seed + 601), -limit, limit)
        zenith, azimuth = self._interpolated(self.tile.overpass.sun_nodes(), x, y)
        elevation = np.full(grid.shape, scene.elevation, np.float32)
        if self.terrain is not None:
            factor = COARSE // relief.RESOLUTION
            elevation = _block_mean(self.terrain.elevation, factor) / np.float32(1000.0)
        thinner = np.exp((np.float32(scene.elevation) - elevation) / np.float32(_SCALE_HEIGHT))
        return Fields(
            np.float32(scene.aot550) * (1 + np.float32(scene.aot_variation) * haze) * thinner,
            np.float32(scene.water_vapour)
            * (1 + np.float32(scene.water_variation) * moist)
            * thinner,
            zenith,
            azimuth,
            self.tile.overpass.detector(x[None, :], y[:, None]),
            elevation,
        )

    def _sun(self) -> tuple[float, float]:
        """Mean zenith, and azimuth from the grid's north, degrees."""
        zenith, azimuth = self.tile.mean_sun()
        return zenith, azimuth - self.tile.overpass.convergence()

    def _terrain(self) -> relief.Terrain | None:
        """Return the relief of the scene, if it has one; its truth and elevation model on disk."""
        form, grid = self.scene.relief, self.grids[relief.RESOLUTION]
        if form is None:
            return None
        terrain = relief.terrain(form, grid, *self._sun(), self.seed)
        self.truth.mkdir(parents=True, exist_ok=True)
        relief.write_elevation_model(self.truth / "dem" / "elevation.tif", form, grid, self.seed)
        for name in ("elevation", "incidence", "sunny"):
            np.save(self.truth / f"{name}_{relief.RESOLUTION}m.npy", getattr(terrain, name))
        return terrain

    def _interpolated(
        self,
        nodes: tuple[Float64Array, Float64Array],
        x: Float64Array,
        y: Float64Array,
    ) -> tuple[Float32Array, Float32Array]:
        """The angles between the nodes of the metadata, linearly."""
        grid = self.grids[COARSE]
        south, east = (grid.uly - y) / 5000.0, (x - grid.ulx) / 5000.0
        row, col = south.astype(int), east.astype(int)
        down, right = (south - row)[:, None], (east - col)[None, :]

        def at(values: Float64Array) -> Float32Array:
            top = values[row][:, col] * (1 - right) + values[row][:, col + 1] * right
            low = values[row + 1][:, col] * (1 - right) + values[row + 1][:, col + 1] * right
            return np.asarray(top * (1 - down) + low * down, np.float32)

        return at(nodes[0]), at(nodes[1])

    def _view(self, band: str, fields: Fields) -> tuple[Float32Array, Float32Array]:
        grid = self.grids[COARSE]
        x = grid.ulx + (np.arange(grid.cols) + 0.5) * COARSE
        y = grid.uly - (np.arange(grid.rows) + 0.5) * COARSE
        zenith, azimuth = self.tile.overpass.view(band, fields.detector, x[None, :], y[:, None])
        return zenith.astype(np.float32), azimuth.astype(np.float32)

    def _sky(self, fields: Fields) -> Sky:
        grid = self.grids[clouds.RESOLUTION]
        factor = COARSE // clouds.RESOLUTION
        turn = np.float32(self.tile.overpass.convergence())
        view_zenith, view_azimuth = (repeat_pixels(a, factor) for a in self._view("B03", fields))
        sun_zenith = repeat_pixels(fields.solar_zenith, factor)
        sun_azimuth = repeat_pixels(fields.solar_azimuth, factor)
        cumulus = clouds.cumulus(self.scene, self.grids[10], self.seed)
        depth = cumulus.seen(grid, view_zenith, view_azimuth - turn)
        shade = cumulus.seen(grid, sun_zenith, sun_azimuth - turn)
        del cumulus
        high = clouds.cirrus(self.scene, self.grids[10], self.seed)
        return Sky(depth, shade, high.seen(grid, view_zenith, view_azimuth - turn))

    def _describe_clouds(self, sky: Sky) -> None:
        grid = self.grids[clouds.RESOLUTION]
        cloudy = sky.depth > 1.0
        self.tile.cloudy_percentage = 100.0 * float(cloudy.mean())
        self.tile.cloud_polygons = outlines(cloudy, grid)
        for name, layer in (
            ("cloud_optical_thickness", sky.depth),
            ("shadow_optical_thickness", sky.shade),
            ("cirrus_reflectance", sky.cirrus),
        ):
            np.save(self.truth / f"{name}_20m.npy", layer.astype(np.float16))

    def _ground(self, sky: Sky) -> dict[str, Float32Array]:
        """First pass: the truth on disk, and what each 60 m pixel radiates upwards."""
        grid = self.grids[10]
        x = grid.ulx + (np.arange(grid.cols) + 0.5) * 10.0
        table = band_reflectance(self.product.spacecraft)
        columns = {
            band: np.array([table[surface][band] for surface in NAMES], np.float32)
            for band in BAND_NAMES
        }
        stored = {
            band.name: self._store(f"reflectance_{band.name}", band.resolution, np.uint16)
            for band in BANDS
        }
        surface = self._store("surface", 10, np.uint8)
        classes = self._store("scene_class", 20, np.uint8)
        coarse = {name: np.empty(self.grids[COARSE].shape, np.float32) for name in BAND_NAMES}

        def make(rows: slice) -> Float64Array:
            y = grid.uly - (np.arange(rows.start, rows.stop) + 0.5) * 10.0
            ground = LANDSCAPES[self.scene.landscape](y, x, self.seed)
            surface[rows] = np.where(ground.share > 0.5, ground.second, ground.first)
            canopies = CanopyColours(self.scene.canopies, ground, y, x, columns, self.seed)
            dark: dict[str, Float32Array] = {}
            for band in BANDS:
                fine = ground.reflectance(columns[band.name])
                canopies.apply(fine, band.name)
                if band.name in ("B02", "B04", "B12"):
                    dark[band.name] = fine[canopies.where]
                native = _block_mean(fine, band.resolution // 10)
                numbers = np.rint(native * QUANTIFICATION).astype(np.uint16)
                start = rows.start * 10 // band.resolution
                stored[band.name][start : start + len(numbers)] = numbers
                start = rows.start * 10 // COARSE
                mean = _block_mean(native, COARSE // band.resolution)
                coarse[band.name][start : start + len(mean)] = mean
            return ratios_of(dark)

        with ThreadPoolExecutor(_WORKERS) as pool:
            ratios = list(pool.map(make, row_blocks(grid.rows, _BLOCK_ROWS)))
        half = slice(None, None, 2)
        classes[:] = CLASS_OF[surface[half, half]]
        np.save(self.truth / f"ground_class_{clouds.RESOLUTION}m.npy", classes)
        self.tile.snow_percentage = 100.0 * float((classes == SNOW).mean())
        classes[sky.shade > 1.0] = SHADOW
        classes[sky.cirrus > 0.004] = CIRRUS
        classes[sky.depth > 1.0] = CLOUD
        self._write_summary(np.concatenate(ratios))
        lit = _block_mean(clouds.sunlight(sky.shade), COARSE // clouds.RESOLUTION)
        for name in BAND_NAMES:
            coarse[name] *= 0.75 * lit + 0.25
        return coarse

    def _store(self, name: str, resolution: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        stored: npt.NDArray[Any] = np.lib.format.open_memmap(
            self.truth / f"{name}_{resolution}m.npy",
            mode="w+",
            dtype=dtype,
            shape=self.grids[resolution].shape,
        )
        return stored

    def _write_summary(self, ratios: Float64Array) -> None:
        scene = self.scene
        summary = {
            "product": self.product.name(),
            "scene": scene.name,
            "description": scene.description,
            "seed": self.seed,
            "spacecraft": self.product.spacecraft,
            "tile": self.tile.mgrs,
            "elevation_km": scene.elevation,
            "ozone_dobson": scene.ozone,
            "pressure_hpa": scene.pressure,
            "cloud_height_m": scene.cloud_height,
            "cirrus_height_m": scene.cirrus_height,
            "adjacency": f"exp(-r / {REACH:.0f} m)",
            "aerosol": scene.aerosol.upper(),
            "canopies": scene.canopies,
            "codes": "scattering by 6SV, gas by LOWTRAN7",
            "reflectance": f"DN / {QUANTIFICATION}",
            "surfaces": list(NAMES),
            "scene_classes": "4 vegetation, 5 not vegetated, 6 water, 11 snow; above them 3 "
            "shadow (optical thickness towards the sun above 1), 9 cloud (above 1), "
            "10 cirrus (reflectance above 0.004); ground_class: without what is above",
            "dark_canopies": statistics(ratios),
        }
        (self.truth / "truth.json").write_text(json.dumps(summary, indent=1) + "\n")

    def _air(self, band: str, fields: Fields) -> Air:
        view_zenith, view_azimuth = self._view(band, fields)
        difference = np.abs(fields.solar_azimuth - view_azimuth) % 360.0
        return atmosphere(
            self.scene.states_name,
            self.product.spacecraft,
            band,
            aot550=fields.aot550,
            water_vapour=fields.water_vapour,
            water_share_above=float(np.exp(-self.scene.cloud_height / (1000.0 * _SCALE_HEIGHT))),
            solar_zenith=fields.solar_zenith,
            view_zenith=view_zenith,
            relative_azimuth=np.minimum(difference, 360.0 - difference),
            elevation=fields.elevation,
        )

    def _light(self, band: str, air: Air, reflectance: Float32Array) -> Light:
        """Light on the slopes of the relief in one band, at 20 m.

        Parameters
        ----------
        band : str
        air : Air
        reflectance : ndarray of float32
            Of the ground at 60 m.
        """
        assert self.terrain is not None
        wavelength = BAND[band].wavelength
        zenith, azimuth = self._sun()
        depth = -np.log(air.down_direct.mean()) * np.cos(np.radians(zenith))
        molecules = 0.00857 * wavelength**-4.0 * pressure(self.scene.elevation)
        factors = sky_factors(self.terrain, zenith, azimuth, molecules, max(depth - molecules, 0.0))
        factor = COARSE // relief.RESOLUTION
        share = air.down_direct / (air.down_direct + air.down_diffuse)
        return light_on_slopes(
            self.terrain,
            zenith,
            factors,
            repeat_pixels(reflectance, factor),
            repeat_pixels(share, factor),
        )

    def _band(self, band: str, fields: Fields, sky: Sky, radiated: Float32Array) -> None:
        """Second pass: one band from the stored ground to its image."""
        logger.info("%s: band %s", self.tile.mgrs, band)
        resolution = next(b.resolution for b in BANDS if b.name == band)
        grid = self.grids[resolution]
        air = self._air(band, fields)
        light: Light | None = None
        if self.terrain is not None:
            light = self._light(band, air, radiated)
            factor = COARSE // relief.RESOLUTION
            direct, diffuse = (_block_mean(part, factor) for part in (light.direct, light.diffuse))
            received = air.down_direct * direct + air.down_diffuse * diffuse
            radiated = radiated * received / (air.down_direct + air.down_diffuse)
        around = surroundings(radiated, COARSE)
        ground = np.load(self.truth / f"reflectance_{band}_{resolution}m.npy", mmap_mode="r")
        random = generator(self.seed, band)
        zenith = float(fields.solar_zenith.mean())
        factor = COARSE // resolution
        with self.writer.image(self.tile, band) as image:
            for rows in row_blocks(grid.rows, _BLOCK_ROWS * 10 // resolution):
                few = slice(rows.start // factor, rows.stop // factor)
                here = Air(*(repeat_pixels(part[few], factor) for part in vars(air).values()))
                reflectance = ground[rows].astype(np.float32) / np.float32(QUANTIFICATION)
                layers = sky.depth, sky.shade, sky.cirrus
                depth, shade, cirrus = self._rows_of(layers, rows, resolution)
                sunlight: Float32Array = clouds.sunlight(shade)
                skylight: Float32Array | float = 1.0
                if light is not None:
                    direct, skylight = self._rows_of(
                        (light.direct, light.diffuse), rows, resolution
                    )
                    sunlight = sunlight * direct
                toa = top_of_atmosphere(
                    here, reflectance, repeat_pixels(around[few], factor), sunlight, skylight
                )
                above = here.dry * here.water_above
                toa = clouds.cover(
                    toa, here.dry, above, band, depth, cirrus, self.scene.cloud_of_ice
                )
                noise = random.standard_normal(toa.shape, np.float32)
                toa += noise * noise_level(band, toa, self.product.spacecraft, zenith)
                image.write_rows(digital_numbers(toa, self.product.offset))

    def _rows_of(
        self, layers: tuple[Float32Array, ...], rows: slice, resolution: int
    ) -> list[Float32Array]:
        """Rows of layers of 20 m at the resolution of a band."""
        if resolution >= clouds.RESOLUTION:
            factor = resolution // clouds.RESOLUTION
            part = slice(rows.start * factor, rows.stop * factor)
            return [_block_mean(layer[part], factor) for layer in layers]
        factor = clouds.RESOLUTION // resolution
        part = slice(rows.start // factor, rows.stop // factor)
        return [repeat_pixels(layer[part], factor) for layer in layers]


def _block_mean(values: Float32Array, factor: int) -> Float32Array:
    """Mean of blocks, summed along the columns first."""
    return block_mean(values, factor, first_axis=1)
