"""One tile: decode, classify, retrieve the atmosphere, correct, write, at one resolution after
another.

The 60 and 20 m products are each classified and corrected on their own; 10 m takes the classes,
the aerosol and the water vapour of 20 m.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.lut import LookUpTable
from sen2cor.bands import PROCESSED_BANDS
from sen2cor.classification import CLASSIFICATION_BANDS, Classification
from sen2cor.errors import ProcessingError
from sen2cor.imagery import jpeg2000
from sen2cor.imagery.preview import preview, preview_grid, true_colour
from sen2cor.pipeline.atmosphere_retrieval import (
    COARSE,
    GroundMasks,
    TileAtmosphere,
    retrieve_atmosphere,
)
from sen2cor.pipeline.classification_step import classify_tile
from sen2cor.pipeline.console import Progress
from sen2cor.pipeline.reflectance import BandCorrection, write_band, write_map, write_true_colour
from sen2cor.pipeline.tile_pixels import TilePixels
from sen2cor.pipeline.workers import Workers
from sen2cor.product.level1c import Level1CProduct, Level1CTile
from sen2cor.product.level2a_tile import Level2ATile
from sen2cor.product.quality import QualityPercentages
from sen2cor.product.run_record import TileRetrieval
from sen2cor.settings import Settings

BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]

TILE_SIZES = {10: 1024, 20: 640, 60: 192}
"""Codestream tiles of Level-1C by resolution."""

WEIGHTS = {60: 4.0, 20: 26.0, 10: 40.0}
"""Share of a resolution in the time of a tile; decoding takes the rest to 100."""

DECODING = 30.0

_VISIBLE = ("B04", "B03", "B02")

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
        Candidates; see `sen2cor.pipeline.table_choice`.
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
    pixels = TilePixels.decode(job.product, job.tile, job.bands, workers)
    pixels.derive(COARSE, job.bands, workers)
    progress.step("L2A_Tables", f"{len(job.bands)} bands imported", DECODING)
    atmosphere: TileAtmosphere | None = None
    for resolution in job.resolutions:
        if resolution == 10:
            atmosphere = atmosphere or _atmosphere_of_product(pixels, job)
            pixels.keep(PROCESSED_BANDS[10])
            _write_reflectance(job, pixels, atmosphere, 10, None, workers)
        else:
            pixels.derive(resolution, job.bands, workers)
            classes = classify_tile(
                pixels,
                job.tile,
                resolution,
                job.settings.classification,
                workers,
                snow_map=job.settings.snow_map,
            )
            progress.step("L2A_SceneClass", f"end of classification {resolution} m")
            if job.classification_only:
                _run(workers, _class_images(job, classes, resolution))
            else:
                found = _atmosphere_of_classes(pixels, job, classes.scene_class, resolution)
                progress.step("L2A_AtmCorr", f"end of AOT and WV retrieval {resolution} m")
                _write_reflectance(job, pixels, found, resolution, classes, workers)
                # 10 m belongs to 20 m, whatever was made before
                atmosphere = found if resolution == 20 else None
            if resolution != COARSE:
                pixels.forget(resolution)
        progress.step(
            "L2A_ProcessTile",
            f"end of processing with resolution {resolution} m",
            WEIGHTS[resolution],
        )
    _write_preview(job, pixels)


def _atmosphere_of_classes(
    pixels: TilePixels, job: TileJob, classes: UInt8Array, resolution: int
) -> TileAtmosphere:
    masks = GroundMasks.of_classes(classes, COARSE // resolution, pixels.grids[COARSE].shape)
    atmosphere = retrieve_atmosphere(pixels, job.tile, masks, job.tables, job.settings)
    state = atmosphere.state
    job.output.retrieval = TileRetrieval(
        mean_aot=float(state.aot550.mean()),
        mean_water_vapour=float(state.water_vapour.mean()),
        aot_method=atmosphere.retrieval.aot_method,
        ozone=state.ozone,
    )
    return atmosphere


def _atmosphere_of_product(pixels: TilePixels, job: TileJob) -> TileAtmosphere:
    """Take up the atmosphere at the classes of a 20 m product of an earlier run."""
    path = job.output.image_path("SCL", 20)
    if not path.is_file():
        raise ProcessingError(
            f"{path}: 10 m needs the classes of the 20 m product; run it with --resolution 20 first"
        )
    logger.info("10 m takes up the 20 m product of an earlier run")
    classes = jpeg2000.read(path).astype(np.uint8)
    return _atmosphere_of_classes(pixels, job, classes, 20)


def _write_reflectance(
    job: TileJob,
    pixels: TilePixels,
    atmosphere: TileAtmosphere,
    resolution: int,
    classes: Classification | None,
    workers: Workers,
) -> None:
    """Write all images of a resolution, several at once, the large ones first."""
    grid = job.tile.grids[resolution]
    tile_size = TILE_SIZES[resolution]
    psd = job.output.psd
    kept: dict[str, Inversion] = {}

    def correction(band: str) -> BandCorrection:
        inversion = kept.get(band) or atmosphere.inversion(band)
        return BandCorrection(band, resolution, pixels, inversion, COARSE)

    def band_image(band: str) -> None:
        pixels.load(band, [COARSE])
        write_band(
            job.output.image_path(band, resolution),
            correction(band),
            grid,
            tile_size,
            quantification=job.product.quantification_value,
            offset=psd.boa_offset,
        )

    def colour_image() -> None:
        red, green, blue = (correction(band) for band in _VISIBLE)
        path = job.output.image_path("TCI", resolution)
        write_true_colour(path, (red, green, blue), grid, tile_size)

    def field_image(kind: str) -> None:
        state = atmosphere.state
        write_map(
            job.output.image_path(kind, resolution),
            state.aot550 if kind == "AOT" else state.water_vapour,
            grid,
            tile_size,
            factor=COARSE / resolution,
            scale=1000.0,
            no_data=_no_data_of(pixels, resolution, classes),
        )

    if psd.true_colour:
        inversions = workers.map(lambda band: atmosphere.inversion(band), _VISIBLE)
        kept.update(zip(_VISIBLE, inversions, strict=True))
    # the band that has still to be decoded takes longest: it comes first
    bands = sorted(psd.reflectance_bands[resolution], key=lambda band: band in pixels.native)
    images: list[Callable[[], None]] = [partial(band_image, band) for band in bands]
    if psd.true_colour:
        images.insert(1, colour_image)
    images += [partial(field_image, kind) for kind in ("AOT", "WVP")]
    if classes is not None:
        images += _class_images(job, classes, resolution)
    _run(workers, images)


def _class_images(
    job: TileJob, classes: Classification, resolution: int
) -> list[Callable[[], None]]:
    grid, tile_size = job.tile.grids[resolution], TILE_SIZES[resolution]
    job.output.quality = QualityPercentages.of(classes.scene_class, resolution)
    return [
        partial(jpeg2000.write, job.output.image_path(kind, resolution), image, grid, tile_size)
        for kind, image in (
            ("SCL", classes.scene_class),
            ("CLD", classes.cloud_probability),
            ("SNW", classes.snow_probability),
        )
    ]


def _no_data_of(
    pixels: TilePixels, resolution: int, classes: Classification | None
) -> Callable[[slice], BoolArray]:
    if classes is not None:
        scene_class = classes.scene_class
        return lambda rows: scene_class[rows] == 0
    return lambda rows: pixels.numbers("B02", resolution, rows) == 0


def _write_preview(job: TileJob, pixels: TilePixels) -> None:
    """Write the preview image, from top-of-atmosphere reflectance."""
    path = job.output.image_path("PVI", None)
    if path.is_file():
        return
    bands = [pixels.reflectance(band, COARSE) for band in _VISIBLE]
    no_data = np.any([pixels.numbers(band, COARSE) == 0 for band in _VISIBLE], axis=0)
    image = preview(true_colour(bands, no_data))
    grid = preview_grid(job.tile.grids[10])
    jpeg2000.write(path, image, grid, image.shape[0])


def _run(workers: Workers, images: list[Callable[[], None]]) -> None:
    workers.map(lambda write: write(), images)
