"""The processing chain of a tile: decode, classify, retrieve the atmosphere, correct, write.

::

    13 bands (JPEG 2000) --decode once--> uint16 at native resolution
    60 m: block means -> classification -> cirrus, AOT, water vapour -> reflectance -> images
    20 m: block means -> classification -> cirrus, AOT, water vapour -> reflectance -> images
    10 m: B02 B03 B04 B08, classes and atmosphere of 20 m -> reflectance -> images

60 and 20 m are classified and corrected independently. If 20 m was made by an earlier run, 10 m
reads its classes from the product and retrieves the atmosphere again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.bands import NO_DATA, PROCESSED_BANDS, VISIBLE
from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    DETECTOR_BANDS,
    Classification,
    GroundMasks,
    SceneClass,
    find_cloud_detector,
)
from sen2cor.errors import ProcessingError
from sen2cor.imagery import images
from sen2cor.imagery.image_writer import Coding
from sen2cor.imagery.picture_samples import PictureSamples
from sen2cor.pipeline.execution.progress import TileProgress
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.angle_limits import check_angles
from sen2cor.pipeline.tile.atmosphere_retrieval import retrieve_atmosphere
from sen2cor.pipeline.tile.classification_step import classify_tile
from sen2cor.pipeline.tile.image_jobs import TileImageJobs, WriteImage, upsample_nearest
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import FINE, TileTerrain, prepare_terrain
from sen2cor.pipeline.tile.tile_correction import COARSE, TileCorrection, describe_radiometry
from sen2cor.product.checksums import REMEDY_LEVEL2A, Checksums
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.content import QualityPercentages, TileOutcome, TileRetrieval
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.raster.array_types import BoolArray, UInt8Array
from sen2cor.raster.windows import Window
from sen2cor.settings import Settings

WEIGHTS = {60: 4.0, 20: 26.0, 10: 40.0}
"""Percentage of a tile's time that each resolution takes; decoding takes the rest."""

DECODING_WEIGHT = 30.0
"""Percentage of a tile's time that decoding takes."""

_FULL_TILE = 10980 * 10980
"""Pixels of a full tile at 10 m."""

_FIXED_TIME = 0.02
"""Time of a tile without pixels, as a fraction of that of a full tile."""

_PROCESS, _IMPORT = "L2A_ProcessTile", "L2A_Tables"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TileJob:
    """Description of the processing of one tile, which may be sent to another process.

    Attributes
    ----------
    product : Level1CProduct
    tile : Level1CTile
    output : Level2ATile
    settings : Settings
    tables : tuple of LookUpTable
        Candidates; see `sen2cor.pipeline.run.table_selection`.
    resolutions : tuple of int
        Resolutions to process, in this order.
    classification_only : bool
    picture_shape : (rows, cols) or None
        Of the pictures for which images are sampled; None: no samples.
    region : Window or None
        Part of the tile that is written; the rest is context. None: all of it.
    """

    product: Level1CProduct
    tile: Level1CTile
    output: Level2ATile
    settings: Settings
    tables: tuple[LookUpTable, ...]
    resolutions: tuple[int, ...]
    classification_only: bool = False
    picture_shape: tuple[int, int] | None = None
    region: Window | None = None

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands to decode at the start; of the others, B08 is decoded when 10 m is written."""
        return select_bands(self.settings, classification_only=self.classification_only)

    @property
    def late_bands(self) -> tuple[str, ...]:
        """Bands that are decoded when 10 m is written."""
        return () if self.classification_only or "B08" in self.bands else ("B08",)

    @property
    def weight(self) -> float:
        """Weight of the tile in the progress of the product."""
        return self.scale * (
            DECODING_WEIGHT + sum(WEIGHTS[resolution] for resolution in self.resolutions)
        )

    @property
    def scale(self) -> float:
        """Time of the tile as a fraction of that of a full tile."""
        rows, cols = self.tile.grids[10].shape
        return _FIXED_TIME + rows * cols / _FULL_TILE


def select_bands(settings: Settings, *, classification_only: bool) -> tuple[str, ...]:
    """Return the bands to decode at the start of a tile."""
    bands = CLASSIFICATION_BANDS if classification_only else PROCESSED_BANDS[20]
    if find_cloud_detector(settings.classification.cloud_detector) is None:
        return bands
    return tuple(dict.fromkeys((*bands, *DETECTOR_BANDS)))


def process_tile(job: TileJob, workers: Workers, progress: TileProgress) -> TileOutcome:
    """Process a tile at all resolutions of its job, and write its images.

    Raises
    ------
    Sen2CorError
        The tile cannot be read, processed or written.
    """
    check_angles(job.tile, () if job.classification_only else job.tables)
    scale, number = job.scale, len(job.bands)
    progress.step(_IMPORT, f"start of import of {number} bands of tile {job.tile.mgrs}")
    with ThreadPoolExecutor(1) as terrain_thread:
        # one thread is enough for the terrain while the others decode
        prepared = terrain_thread.submit(prepare_terrain, job.tile, job.settings, workers)
        pixels = TilePixels.decode(
            job.product,
            job.tile,
            job.bands,
            workers,
            job.late_bands,
            lambda band: progress.part(
                _IMPORT, f"band {band} imported", scale * DECODING_WEIGHT / number
            ),
        )
        pixels.compute_block_means(COARSE, job.bands, workers)
        later = ", ".join(sorted(job.late_bands))
        progress.step(
            _IMPORT,
            f"{number} bands imported" + (f", {later} follows at 10 m" if later else ""),
            scale * DECODING_WEIGHT,
        )
        terrain = prepared.result()
    samples = PictureSamples(job.picture_shape) if job.picture_shape else None
    chain = _ProcessingChain(job, pixels, terrain, workers, progress, samples)
    chain.sample_toa(job.bands)
    quality: QualityPercentages | None = None
    retrieval: TileRetrieval | None = None
    scene_20m: _Scene | None = None
    for resolution in job.resolutions:
        if resolution == 10:
            if scene_20m is None:
                scene_20m = chain.restore_scene_20m()
                retrieval = chain.summarize_retrieval(scene_20m.correction)
            chain.write_10m(scene_20m)
        else:
            classification = chain.classify(resolution)
            classes = classification.scene_class
            if job.region is not None:
                classes = classes[job.region.slices(resolution)]
            quality = QualityPercentages.from_classes(classes, resolution)
            if job.classification_only:
                chain.write_classes(classification, resolution)
            else:
                correction = chain.retrieve_atmosphere(classification.scene_class, resolution)
                retrieval = chain.summarize_retrieval(correction)
                chain.write(classification, correction, resolution)
                if resolution == 20:
                    scene_20m = _Scene(classification.scene_class, correction)
                del correction
            # the next resolution needs the memory
            del classification
            chain.release(resolution)
        progress.step(
            _PROCESS,
            f"end of processing with resolution {resolution} m",
            scale * WEIGHTS[resolution],
        )
    if 10 in job.resolutions:
        chain.sample_toa(job.late_bands)
    return TileOutcome(quality, retrieval, samples)


@dataclass(frozen=True)
class _Scene:
    """What 10 m takes from 20 m.

    Attributes
    ----------
    classes : ndarray of uint8, shape (rows, cols) of the 20 m grid
    correction : TileCorrection
    """

    classes: UInt8Array
    correction: TileCorrection


@dataclass(frozen=True)
class _ProcessingChain:
    """The steps of the chain, with what all of them need."""

    job: TileJob
    pixels: TilePixels
    terrain: TileTerrain | None
    workers: Workers
    progress: TileProgress
    samples: PictureSamples | None

    def sample_toa(self, bands: tuple[str, ...]) -> None:
        """Sample Level-1C for pictures, before bands are released."""
        if self.samples is not None:
            for band in bands:
                numbers = self.pixels.numbers(band, COARSE)
                if self.job.region is not None:
                    numbers = numbers[self.job.region.slices(COARSE)]
                self.samples.add_toa(band, numbers)

    def classify(self, resolution: int) -> Classification:
        """Classify the scene at 60 or 20 m."""
        terrain, settings = self.terrain, self.job.settings
        self.pixels.compute_block_means(resolution, self.job.bands, self.workers)
        classification = classify_tile(
            self.pixels,
            self.job.tile,
            resolution,
            settings.classification,
            self.workers,
            snow_map=settings.snow_map,
            elevation=None if terrain is None else terrain.at(resolution).elevation,
            terrain=None if terrain is None else terrain.terrain_illumination(resolution),
        )
        if terrain is not None:
            # large, and quick to derive again
            terrain.release(FINE)
        self.progress.step("L2A_SceneClass", f"end of classification {resolution} m")
        return classification

    def retrieve_atmosphere(self, classes: UInt8Array, resolution: int) -> TileCorrection:
        """Retrieve cirrus, aerosol and water vapour, given the classes at 60 or 20 m."""
        masks = GroundMasks.from_classes(
            classes, COARSE // resolution, self.pixels.grids[COARSE].shape
        )
        correction = retrieve_atmosphere(
            self.pixels,
            self.job.tile,
            masks,
            self.job.tables,
            self.job.settings,
            terrain=self.terrain,
            run=self.workers.map,
        )
        self.progress.step("L2A_AtmCorr", f"end of AOT and WV retrieval {resolution} m")
        return correction

    def restore_scene_20m(self) -> _Scene:
        """Read the classes of a 20 m product of an earlier run; retrieve its atmosphere again."""
        path = self.job.output.image_path("SCL", 20)
        if not path.is_file():
            raise ProcessingError(
                f"{path}: 10 m needs the scene classification of 20 m; run --resolution 20 first"
            )
        logger.info(
            "10 m uses the scene classification at 20 m of an earlier run; "
            "aerosol and water vapour are retrieved again"
        )
        if self.job.product.checksums.active:
            root = self.job.output.folder.parent.parent
            Checksums.read(root, REMEDY_LEVEL2A).verify(path, "scene classification")
        classes = images.read(path).astype(np.uint8)
        return _Scene(classes, self.retrieve_atmosphere(classes, 20))

    def summarize_retrieval(self, correction: TileCorrection) -> TileRetrieval:
        """Summarize the atmosphere for metadata and records."""
        terrain = self.terrain
        return TileRetrieval(
            mean_aot=float(correction.state.aot550.mean()),
            mean_water_vapour=float(correction.state.water_vapour.mean()),
            aot_method=correction.retrieval.aot_method,
            ozone=correction.state.ozone,
            ozone_source=correction.retrieval.ozone_source,
            dem_type=None if terrain is None else terrain.kind,
            details={
                **correction.retrieval.details(),
                "cirrus": correction.cirrus.reason or "corrected",
                "elevation": None if terrain is None else terrain.describe(),
            },
        )

    def write(
        self, classification: Classification, correction: TileCorrection, resolution: int
    ) -> None:
        """Correct and write all images at 60 or 20 m."""
        jobs = self._start_jobs(resolution)
        scene_class = classification.scene_class
        # planned first: they may need the topographic shadow, which the correction releases
        of_classes = self._plan_classes(jobs, classification, correction.reference_mask)
        of_surface = self._plan_surface(
            jobs, scene_class, correction, lambda rows: scene_class[rows] == SceneClass.NO_DATA
        )
        jobs.run(of_surface + of_classes + jobs.plan_preview())

    def write_classes(self, classification: Classification, resolution: int) -> None:
        """Write the images of the classification alone."""
        jobs = self._start_jobs(resolution)
        jobs.run(self._plan_classes(jobs, classification, None) + jobs.plan_preview())

    def write_10m(self, scene: _Scene) -> None:
        """Correct and write all images at 10 m, with the classes and atmosphere of 20 m."""
        self.pixels.release_all_but(PROCESSED_BANDS[10])
        jobs = self._start_jobs(10)
        jobs.run(
            self._plan_surface(
                jobs,
                scene.classes,
                scene.correction,
                lambda rows: np.all(
                    [self.pixels.numbers(band, 10, rows) == NO_DATA for band in VISIBLE], axis=0
                ),
            )
            + jobs.plan_preview()
        )

    def release(self, resolution: int) -> None:
        """Release the block means of a finished resolution; 60 m stays for the atmosphere."""
        if resolution != COARSE:
            self.pixels.release(resolution)

    def _start_jobs(self, resolution: int) -> TileImageJobs:
        weight = self.job.scale * WEIGHTS[resolution]

        def report(done: int, jobs: int) -> None:
            self.progress.part(
                _PROCESS, f"image {done} of {jobs} with resolution {resolution} m", weight / jobs
            )

        common = self.job.settings.common
        coding = Coding(common.jpeg2000_bypass, common.cog_level)
        return TileImageJobs(
            self.job.output,
            self.pixels,
            resolution,
            self.workers,
            self.job.region,
            coding,
            self.samples,
            report,
        )

    def _plan_classes(
        self, jobs: TileImageJobs, classification: Classification, reference: BoolArray | None
    ) -> list[WriteImage]:
        """Plan the images of the classification."""
        settings, terrain = self.job.settings.classification, self.terrain
        planned = jobs.plan_classes(classification)
        if settings.generate_quality_mask:
            shadow = None if terrain is None else terrain.at(jobs.resolution).shadow
            planned += jobs.plan_quality_mask(
                classification.scene_class, settings, shadow, reference
            )
        return planned

    def _plan_surface(
        self,
        jobs: TileImageJobs,
        classes: UInt8Array,
        correction: TileCorrection,
        no_data: Callable[[slice], BoolArray],
    ) -> list[WriteImage]:
        """Plan all images but those of the classification, the large ones first."""
        common = self.job.settings.common
        quantification = self.job.product.quantification_value
        upsampling = max(20 / jobs.resolution, 1.0)

        def find_vegetation(rows: slice) -> BoolArray:
            nearest = upsample_nearest(classes, upsampling, jobs.grid, rows)
            return np.asarray(nearest == SceneClass.VEGETATION)

        illumination = None
        if self.terrain is not None:
            if correction.slopes is not None:
                illumination = self.terrain.ground_illumination(jobs.resolution, find_vegetation)
            self.terrain.release(FINE)
        planned = jobs.plan_reflectance(correction, illumination, quantification)
        planned += jobs.plan_atmosphere_maps(correction, no_data)
        if self.terrain is not None and common.generate_dem_output:
            planned += jobs.plan_elevation(self.terrain)
        if common.generate_uncertainty_output:
            radiometry = describe_radiometry(self.job.product, self.job.tile)
            planned += jobs.plan_uncertainty(correction, illumination, radiometry, no_data)
        if common.generate_angle_output is not None and jobs.resolution != 10:
            by_band = common.generate_angle_output == "BANDS"
            planned += jobs.plan_angles(self.job.tile, no_data, by_band=by_band)
        if common.generate_ddv_output and jobs.resolution != 10:
            planned += jobs.plan_reference_pixels(correction.reference_mask)
        return planned
