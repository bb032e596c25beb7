"""Simulation of one tile of a scene, in two passes.

The first pass simulates the surface block by block and stores its reflectance, the truth, on disk.
The second pass reads it band by band and simulates the atmosphere, which depends on the
neighbourhood of a pixel, the sensor and the image.
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, BAND_NAMES, BANDS
from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.raster.grids import row_blocks
from sen2cor.raster.resampling import repeat_pixels
from sen2cor.simulation import cloud_layers, synthetic_terrain
from sen2cor.simulation.canopies import CanopyReflectance, sample_ratios, summarize_ratios
from sen2cor.simulation.cloud_layers import TileClouds
from sen2cor.simulation.forward_model import (
    ADJACENCY_RANGE,
    BandAtmosphere,
    PixelStates,
    band_atmosphere,
    environment_reflectance,
    relative_pressure,
    toa_reflectance,
)
from sen2cor.simulation.landscapes import LANDSCAPES, SNOW, SURFACE_CLASSES, SURFACE_NAMES
from sen2cor.simulation.level1c_writer.description import ProductDescription, TileDescription
from sen2cor.simulation.level1c_writer.mask_files import outlines
from sen2cor.simulation.level1c_writer.product_writer import ProductWriter
from sen2cor.simulation.scenes import Scene
from sen2cor.simulation.sensor import QUANTIFICATION, digital_numbers, generator, noise_level
from sen2cor.simulation.slope_irradiance import (
    SlopeIrradiance,
    irradiance_on_slopes,
    sky_irradiance,
)
from sen2cor.simulation.smooth_fields import (
    COARSE,
    SCALE_HEIGHT,
    SmoothFields,
    block_mean_by_columns,
    make_fields,
)
from sen2cor.simulation.surface_spectra import band_reflectance

logger = logging.getLogger(__name__)

_BLOCK_ROWS = 240
"""Rows of 10 m simulated at a time; a multiple of 6."""

_WORKERS = 2
"""Blocks, and bands, simulated in parallel; more would need more memory."""

TRUTH_BAND = "B03"
"""Band in whose view the truth shows clouds and cirrus."""

CLOUD, SHADOW, CIRRUS = 9, 3, 10
"""Codes of the scene classification."""

_MIN_CLOUD_THICKNESS = 1.0
"""Optical thickness above which the truth is cloud, or shadow towards the sun."""

_MIN_CIRRUS_REFLECTANCE = 0.004
"""Reflectance above which the truth is cirrus."""

_SHADED_ENVIRONMENT = 0.25
"""Diffuse fraction of the irradiance of a shaded environment."""


class TileSimulator:
    """Simulates one tile: truth, images, masks and metadata.

    Parameters
    ----------
    scene : Scene
    product : ProductDescription
    tile : TileDescription
        Its percentages and cloud outlines are set.
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
        self.terrain = self._make_terrain()

    def simulate(self) -> None:
        """Write the truth, the images and the masks of the tile."""
        self.truth.mkdir(parents=True, exist_ok=True)
        fields = make_fields(self.scene, self.tile, self.grids[COARSE], self.terrain, self.seed)
        clouds = self._clouds(fields)
        layers = self._describe_clouds(clouds, fields)
        coarse = self._make_ground(*layers)
        del layers
        np.save(self.truth / "aot550_60m.npy", fields.aot550)
        np.save(self.truth / "water_vapour_60m.npy", fields.water_vapour)
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(
                pool.map(
                    lambda band: self._simulate_band(band, fields, clouds, coarse.pop(band)),
                    BAND_NAMES,
                )
            )
        self.writer.finish_tile(self.tile)

    def _sun(self) -> tuple[float, float]:
        """Mean solar zenith angle, and azimuth from grid north, degrees."""
        zenith, azimuth = self.tile.mean_sun()
        return zenith, azimuth - self.tile.overpass.convergence()

    def _make_terrain(self) -> synthetic_terrain.SceneTerrain | None:
        """Derive the terrain of the scene, if any, and store its truth and elevation model."""
        shape, grid = self.scene.terrain, self.grids[synthetic_terrain.RESOLUTION]
        if shape is None:
            return None
        terrain = synthetic_terrain.derive_terrain(shape, grid, *self._sun(), self.seed)
        self.truth.mkdir(parents=True, exist_ok=True)
        synthetic_terrain.write_elevation_model(
            self.truth / "dem" / "elevation.tif", shape, grid, self.seed
        )
        stored = {
            "elevation": terrain.elevation,
            "incidence": terrain.incidence,
            "sunny": terrain.sunlit,
        }
        for name, layer in stored.items():
            np.save(self.truth / f"{name}_{synthetic_terrain.RESOLUTION}m.npy", layer)
        return terrain

    def _view(self, band: str, fields: SmoothFields) -> tuple[Float32Array, Float32Array]:
        """Zenith and azimuth (from true north) of the view at 60 m, as in the metadata."""
        grid = self.grids[COARSE]
        x = grid.ulx + (np.arange(grid.cols) + 0.5) * COARSE
        y = grid.uly - (np.arange(grid.rows) + 0.5) * COARSE
        zenith, azimuth = self.tile.overpass.view(band, fields.detector, x[None, :], y[:, None])
        return zenith.astype(np.float32), azimuth.astype(np.float32)

    def _clouds(self, fields: SmoothFields) -> TileClouds:
        turn = np.float32(self.tile.overpass.convergence())
        cumulus = cloud_layers.cumulus_layer(self.scene, self.grids[10], self.seed)
        shade = cumulus.project(
            self.grids[cloud_layers.RESOLUTION], fields.solar_zenith, fields.solar_azimuth - turn
        )
        cumulus = cumulus.crop_to_sight(self.grids[10])
        cirrus = cloud_layers.cirrus_layer(self.scene, self.grids[10], self.seed)
        cirrus = cirrus.crop_to_sight(self.grids[10])
        return TileClouds(self.grids[cloud_layers.RESOLUTION], cumulus, cirrus, shade)

    def _describe_clouds(
        self, clouds: TileClouds, fields: SmoothFields
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """Store the truth; return clouds in sight, clouds towards the sun, cirrus in sight."""
        grid = self.grids[cloud_layers.RESOLUTION]
        zenith, azimuth = self._view(TRUTH_BAND, fields)
        azimuth -= np.float32(self.tile.overpass.convergence())
        depth, cirrus = clouds.rows_in_sight(
            slice(0, grid.rows), cloud_layers.RESOLUTION, zenith, azimuth
        )
        cloudy = depth > _MIN_CLOUD_THICKNESS
        self.tile.cloudy_percentage = 100.0 * float(cloudy.mean())
        self.tile.cloud_polygons = outlines(cloudy, grid)
        for name, layer in (
            ("cloud_optical_thickness", depth),
            ("shadow_optical_thickness", clouds.shade),
            ("cirrus_reflectance", cirrus),
        ):
            np.save(self.truth / f"{name}_20m.npy", layer.astype(np.float16))
        return depth, clouds.shade, cirrus

    def _make_ground(
        self, depth: Float32Array, shade: Float32Array, cirrus: Float32Array
    ) -> dict[str, Float32Array]:
        """First pass: store the truth; return the reflectance at 60 m, reduced in cloud shadow."""
        logger.info("%s: ground", self.tile.mgrs)
        grid = self.grids[10]
        x = grid.ulx + (np.arange(grid.cols) + 0.5) * 10.0
        table = band_reflectance(self.product.spacecraft)
        columns = {
            band: np.array([table[surface][band] for surface in SURFACE_NAMES], np.float32)
            for band in BAND_NAMES
        }
        stored = {
            band.name: self._create_truth(f"reflectance_{band.name}", band.resolution, np.uint16)
            for band in BANDS
        }
        surface = self._create_truth("surface", 10, np.uint8)
        classes = self._create_truth("scene_class", 20, np.uint8)
        coarse = {name: np.empty(self.grids[COARSE].shape, np.float32) for name in BAND_NAMES}

        def make(rows: slice) -> Float64Array:
            y = grid.uly - (np.arange(rows.start, rows.stop) + 0.5) * 10.0
            ground = LANDSCAPES[self.scene.landscape](y, x, self.seed)
            surface[rows] = np.where(ground.fraction > 0.5, ground.second, ground.first)
            canopies = CanopyReflectance(self.scene.canopies, ground, y, x, columns, self.seed)
            dark: dict[str, Float32Array] = {}
            for band in BANDS:
                fine = ground.reflectance(columns[band.name])
                canopies.apply(fine, band.name)
                if band.name in ("B02", "B04", "B12"):
                    dark[band.name] = fine[canopies.where]
                native = block_mean_by_columns(fine, band.resolution // 10)
                numbers = np.rint(native * QUANTIFICATION).astype(np.uint16)
                start = rows.start * 10 // band.resolution
                stored[band.name][start : start + len(numbers)] = numbers
                start = rows.start * 10 // COARSE
                mean = block_mean_by_columns(native, COARSE // band.resolution)
                coarse[band.name][start : start + len(mean)] = mean
            return sample_ratios(dark)

        with ThreadPoolExecutor(_WORKERS) as pool:
            ratios = list(pool.map(make, row_blocks(grid.rows, _BLOCK_ROWS)))
        half = slice(None, None, 2)
        classes[:] = SURFACE_CLASSES[surface[half, half]]
        np.save(self.truth / f"ground_class_{cloud_layers.RESOLUTION}m.npy", classes)
        self.tile.snow_percentage = 100.0 * float((classes == SNOW).mean())
        classes[shade > _MIN_CLOUD_THICKNESS] = SHADOW
        classes[cirrus > _MIN_CIRRUS_REFLECTANCE] = CIRRUS
        classes[depth > _MIN_CLOUD_THICKNESS] = CLOUD
        self._write_summary(np.concatenate(ratios))
        lit = block_mean_by_columns(
            cloud_layers.direct_transmittance(shade), COARSE // cloud_layers.RESOLUTION
        )
        for name in BAND_NAMES:
            coarse[name] *= (1.0 - _SHADED_ENVIRONMENT) * lit + _SHADED_ENVIRONMENT
        return coarse

    def _create_truth(self, name: str, resolution: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
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
            "adjacency": f"exp(-r / {ADJACENCY_RANGE:.0f} m)",
            "aerosol": scene.aerosol.upper(),
            "canopies": scene.canopies,
            "codes": "scattering by 6SV, gas by LOWTRAN7",
            "reflectance": f"DN / {QUANTIFICATION}",
            "surfaces": list(SURFACE_NAMES),
            "clouds": f"as seen in {TRUTH_BAND}; displaced in other bands",
            "scene_classes": "4 vegetation, 5 not vegetated, 6 water, 11 snow; above them 3 "
            "shadow (optical thickness towards the sun above 1), 9 cloud (above 1), "
            "10 cirrus (reflectance above 0.004); ground_class: without what is above",
            "dark_canopies": summarize_ratios(ratios),
        }
        (self.truth / "truth.json").write_text(json.dumps(summary, indent=1) + "\n")

    def _band_atmosphere(
        self, band: str, fields: SmoothFields, view_zenith: Float32Array, view_azimuth: Float32Array
    ) -> BandAtmosphere:
        difference = np.abs(fields.solar_azimuth - view_azimuth) % 360.0
        pixels = PixelStates(
            aot550=fields.aot550,
            water_vapour=fields.water_vapour,
            solar_zenith=fields.solar_zenith,
            view_zenith=view_zenith,
            relative_azimuth=np.minimum(difference, 360.0 - difference),
            elevation=fields.elevation,
        )
        water_fraction_above = float(np.exp(-self.scene.cloud_height / (1000.0 * SCALE_HEIGHT)))
        return band_atmosphere(
            self.scene.states_name, self.product.spacecraft, band, pixels, water_fraction_above
        )

    def _slope_irradiance(
        self, band: str, atmosphere: BandAtmosphere, reflectance: Float32Array
    ) -> SlopeIrradiance:
        """Irradiance of the slopes in one band, at 20 m.

        Parameters
        ----------
        band : str
        atmosphere : BandAtmosphere
        reflectance : ndarray of float32
            Of the ground at 60 m.
        """
        assert self.terrain is not None
        wavelength = BAND[band].wavelength
        zenith, azimuth = self._sun()
        depth = -np.log(atmosphere.down_direct.mean()) * np.cos(np.radians(zenith))
        molecules = 0.00857 * wavelength**-4.0 * relative_pressure(self.scene.elevation)
        sky = sky_irradiance(self.terrain, zenith, azimuth, molecules, max(depth - molecules, 0.0))
        factor = COARSE // synthetic_terrain.RESOLUTION
        fraction = atmosphere.down_direct / (atmosphere.down_direct + atmosphere.down_diffuse)
        return irradiance_on_slopes(
            self.terrain,
            zenith,
            sky,
            repeat_pixels(reflectance, factor),
            repeat_pixels(fraction, factor),
        )

    def _simulate_band(
        self, band: str, fields: SmoothFields, clouds: TileClouds, radiated: Float32Array
    ) -> None:
        """Second pass: simulate the image of one band from the stored ground."""
        logger.info("%s: band %s", self.tile.mgrs, band)
        resolution = next(b.resolution for b in BANDS if b.name == band)
        grid = self.grids[resolution]
        view_zenith, view_azimuth = self._view(band, fields)
        atmosphere = self._band_atmosphere(band, fields, view_zenith, view_azimuth)
        view_azimuth -= np.float32(self.tile.overpass.convergence())
        irradiance: SlopeIrradiance | None = None
        if self.terrain is not None:
            irradiance = self._slope_irradiance(band, atmosphere, radiated)
            factor = COARSE // synthetic_terrain.RESOLUTION
            direct, diffuse = (
                block_mean_by_columns(part, factor)
                for part in (irradiance.direct, irradiance.diffuse)
            )
            received = atmosphere.down_direct * direct + atmosphere.down_diffuse * diffuse
            radiated = radiated * received / (atmosphere.down_direct + atmosphere.down_diffuse)
        environment = environment_reflectance(radiated, COARSE)
        ground = np.load(self.truth / f"reflectance_{band}_{resolution}m.npy", mmap_mode="r")
        random = generator(self.seed, band)
        zenith = float(fields.solar_zenith.mean())
        factor = COARSE // resolution
        with self.writer.open_image(self.tile, band) as image:
            for rows in row_blocks(grid.rows, _BLOCK_ROWS * 10 // resolution):
                coarse_rows = slice(rows.start // factor, rows.stop // factor)
                here = BandAtmosphere(
                    *(
                        repeat_pixels(part[coarse_rows], factor)
                        for part in vars(atmosphere).values()
                    )
                )
                reflectance = ground[rows].astype(np.float32) / np.float32(QUANTIFICATION)
                sight = view_zenith[coarse_rows], view_azimuth[coarse_rows]
                depth, cirrus = clouds.rows_in_sight(rows, resolution, *sight)
                (shade,) = cloud_layers.resample_rows((clouds.shade,), rows, resolution)
                direct_illumination: Float32Array = cloud_layers.direct_transmittance(shade)
                diffuse_illumination: Float32Array | float = 1.0
                if irradiance is not None:
                    direct, diffuse_illumination = cloud_layers.resample_rows(
                        (irradiance.direct, irradiance.diffuse), rows, resolution
                    )
                    direct_illumination = direct_illumination * direct
                toa = toa_reflectance(
                    here,
                    reflectance,
                    repeat_pixels(environment[coarse_rows], factor),
                    direct_illumination,
                    diffuse_illumination,
                )
                above = here.dry * here.water_above
                toa = cloud_layers.add_clouds(
                    toa, here.dry, above, band, depth, cirrus, self.scene.ice_clouds
                )
                noise = random.standard_normal(toa.shape, np.float32)
                toa += noise * noise_level(band, toa, self.product.spacecraft, zenith)
                image.write_rows(digital_numbers(toa, self.product.offset))
