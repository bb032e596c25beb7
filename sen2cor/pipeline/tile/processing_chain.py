"""One tile: decode, classify, retrieve the atmosphere, correct, write, at one resolution after
another.

The 60 and 20 m products are each classified and corrected on their own; 10 m takes the classes,
the aerosol and the water vapour of 20 m (of those of an earlier run only the classes).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.bands import PROCESSED_BANDS, VISIBLE
from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    GroundMasks,
    SceneClass,
)
from sen2cor.errors import ProcessingError
from sen2cor.imagery import images
from sen2cor.imagery.preview import make_preview, preview_grid, true_colour
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.run.console import Progress
from sen2cor.pipeline.tile.atmosphere_retrieval import retrieve_atmosphere
from sen2cor.pipeline.tile.classification_step import classify_tile
from sen2cor.pipeline.tile.image_jobs import TileImageJobs, WriteImage, upsample_nearest
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import FINE, TileTerrain, prepare_terrain
from sen2cor.pipeline.tile.tile_atmosphere import COARSE, TileAtmosphere
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.content import TileRetrieval
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.raster.array_types import BoolArray, UInt8Array
from sen2cor.settings import Settings

WEIGHTS = {60: 4.0, 20: 26.0, 10: 40.0}
"""Share of a resolution in the time of a tile; decoding takes the rest to 100."""

DECODING = 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TileJob:
    """What is to be done with one tile.

    Attributes
    ----------
    product : Level1CProduct
    tile : Level1CTile
    output : Level2ATile
    settings : Settings
    tables : tuple of LookUpTable
        Candidates; see `sen2cor.pipeline.run.table_selection`.
    resolutions : tuple of int
        In the order of processing.
    classification_only : bool
    """

    product: Level1CProduct
    tile: Level1CTile
    output: Level2ATile
    settings: Settings
    tables: tuple[LookUpTable, ...]
    resolutions: tuple[int, ...]
    classification_only: bool = False

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands to decode at the start; B08 comes when 10 m is written."""
        return CLASSIFICATION_BANDS if self.classification_only else PROCESSED_BANDS[20]

    @property
    def weight(self) -> float:
        """Weight of the tile in the progress of a run."""
        return DECODING + sum(WEIGHTS[resolution] for resolution in self.resolutions)


def process_tile(job: TileJob, workers: Workers, progress: Progress) -> None:
    """Process a tile at all its resolutions.

    Raises
    ------
    Sen2CorError
        The tile cannot be read, processed or written.
    """
    with ThreadPoolExecutor(1) as aside:
        # one thread is enough for the relief, while the others decode
        relief = aside.submit(prepare_terrain, job.tile, job.settings, workers)
        pixels = TilePixels.decode(job.product, job.tile, job.bands, workers)
        pixels.derive(COARSE, job.bands, workers)
        progress.step("L2A_Tables", f"{len(job.bands)} bands imported", DECODING)
        terrain = relief.result()
    chain = _TileChain(job, pixels, terrain, workers)
    for resolution in job.resolutions:
        if resolution == 10:
            chain.ten_metres(progress)
        else:
            chain.classified(resolution, progress)
        progress.step(
            "L2A_ProcessTile",
            f"end of processing with resolution {resolution} m",
            WEIGHTS[resolution],
        )
    _write_preview(job, pixels)


@dataclass
class _TileChain:
    """The steps of a tile, and what one resolution leaves to the next.

    Attributes
    ----------
    atmosphere, classes
        Of 20 m, for 10 m.
    """

    job: TileJob
    pixels: TilePixels
    terrain: TileTerrain | None
    workers: Workers
    atmosphere: TileAtmosphere | None = None
    classes: UInt8Array | None = None

    def classified(self, resolution: int, progress: Progress) -> None:
        """60 or 20 m: classes, atmosphere, surface reflectance."""
        pixels, terrain, settings = self.pixels, self.terrain, self.job.settings
        pixels.derive(resolution, self.job.bands, self.workers)
        classes = classify_tile(
            pixels,
            self.job.tile,
            resolution,
            settings.classification,
            self.workers,
            snow_map=settings.snow_map,
            elevation=None if terrain is None else terrain.at(resolution).elevation,
            terrain=None if terrain is None else terrain.terrain_illumination(resolution),
        )
        if terrain is not None:
            # quick to derive again, and large
            terrain.release(FINE)
        progress.step("L2A_SceneClass", f"end of classification {resolution} m")
        scene_class = classes.scene_class
        to_write = TileImageJobs(self.job.output, pixels, resolution, self.workers)
        if self.job.classification_only:
            to_write.write(self._class_images(to_write, classes, None))
        else:
            found = self._atmosphere(scene_class, resolution)
            progress.step("L2A_AtmCorr", f"end of AOT and WV retrieval {resolution} m")
            # first, while the relief is there, whose shadow they may show
            of_classes = self._class_images(to_write, classes, found.reference)
            of_surface = self._images(
                to_write, found, scene_class, lambda rows: scene_class[rows] == 0
            )
            to_write.write(of_surface + of_classes)
            # 10 m belongs to 20 m, whatever was made before
            if resolution == 20:
                self.atmosphere, self.classes = found, scene_class
            else:
                self.atmosphere = self.classes = None
        if resolution != COARSE:
            pixels.release(resolution)

    def _class_images(
        self, to_write: TileImageJobs, classes: Classification, reference: BoolArray | None
    ) -> list[WriteImage]:
        settings, terrain = self.job.settings.classification, self.terrain
        writes = to_write.class_images(classes)
        if settings.generate_quality_mask:
            shadow = None if terrain is None else terrain.at(to_write.resolution).shadow
            writes += to_write.quality_images(classes.scene_class, settings, shadow, reference)
        return writes

    def ten_metres(self, progress: Progress) -> None:
        """10 m: surface reflectance with the atmosphere of 20 m."""
        if self.atmosphere is None or self.classes is None:
            self.classes = _classes_of_product(self.job.output)
            self.atmosphere = self._atmosphere(self.classes, 20)
            progress.step("L2A_AtmCorr", "end of AOT and WV retrieval 20 m")
        pixels = self.pixels
        pixels.keep(PROCESSED_BANDS[10])
        to_write = TileImageJobs(self.job.output, pixels, 10, self.workers)
        to_write.write(
            self._images(
                to_write,
                self.atmosphere,
                self.classes,
                lambda rows: pixels.numbers("B02", 10, rows) == 0,
            )
        )

    def _atmosphere(self, classes: UInt8Array, resolution: int) -> TileAtmosphere:
        masks = GroundMasks.from_classes(
            classes, COARSE // resolution, self.pixels.grids[COARSE].shape
        )
        job = self.job
        found = retrieve_atmosphere(
            self.pixels,
            job.tile,
            masks,
            job.tables,
            job.settings,
            terrain=self.terrain,
            run=self.workers.map,
        )
        job.output.retrieval = TileRetrieval(
            mean_aot=float(found.state.aot550.mean()),
            mean_water_vapour=float(found.state.water_vapour.mean()),
            aot_method=found.retrieval.aot_method,
            ozone=found.state.ozone,
            ozone_source=found.retrieval.ozone_source,
            dem_type=None if self.terrain is None else self.terrain.kind,
            details={
                **found.retrieval.account(),
                "cirrus": found.cirrus.reason or "corrected",
                "elevation": None if self.terrain is None else self.terrain.describe(),
            },
        )
        return found

    def _images(
        self,
        to_write: TileImageJobs,
        atmosphere: TileAtmosphere,
        classes: UInt8Array,
        no_data: Callable[[slice], BoolArray],
    ) -> list[WriteImage]:
        """All images but those of the classes, the large ones first."""
        common = self.job.settings.common
        factor = max(20 / to_write.resolution, 1.0)

        def vegetation(rows: slice) -> BoolArray:
            found = upsample_nearest(classes, factor, to_write.grid, rows) == SceneClass.VEGETATION
            return np.asarray(found)

        light = None
        if self.terrain is not None:
            if atmosphere.slopes is not None:
                light = self.terrain.ground_illumination(to_write.resolution, vegetation)
            self.terrain.release(FINE)
        writes = to_write.reflectance_images(
            atmosphere, light, self.job.product.quantification_value
        )
        writes += to_write.atmosphere_images(atmosphere, no_data)
        if self.terrain is not None and common.generate_dem_output:
            writes += to_write.elevation_images(self.terrain)
        if common.generate_uncertainty_output:
            writes += to_write.uncertainty_images(
                atmosphere, light, self.job.product.quantification_value
            )
        if common.generate_ddv_output and to_write.resolution != 10:
            writes += to_write.reference_images(atmosphere.reference)
        return writes


def _classes_of_product(output: Level2ATile) -> UInt8Array:
    """Class map of a 20 m product of an earlier run."""
    path = output.image_path("SCL", 20)
    if not path.is_file():
        raise ProcessingError(
            f"{path}: 10 m needs the classes of the 20 m product; run it with --resolution 20 first"
        )
    logger.info(
        "10 m takes up the classes of the 20 m product of an earlier run; aerosol, water vapour "
        "and the factor of the blue path radiance are found again at 20 m"
    )
    return images.read(path).astype(np.uint8)


def _write_preview(job: TileJob, pixels: TilePixels) -> None:
    """Write the preview image, from top-of-atmosphere reflectance."""
    path = job.output.image_path("PVI", None)
    if path.is_file():
        return
    bands = [pixels.toa_reflectance(band, COARSE) for band in VISIBLE]
    no_data = np.any([pixels.numbers(band, COARSE) == 0 for band in VISIBLE], axis=0)
    image = make_preview(true_colour(bands, no_data))
    images.write(path, image, preview_grid(job.tile.grids[10]), image.shape[0])
