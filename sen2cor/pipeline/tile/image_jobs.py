"""All images of a tile at one resolution, written several at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.bands import TILE_SIZES, VISIBLE
from sen2cor.classification import Classification
from sen2cor.classification.quality_mask import compute_quality_mask
from sen2cor.imagery import images
from sen2cor.imagery.image_writer import ImageWriter
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.band_correction import (
    BandCorrection,
    write_band,
    write_map,
    write_true_colour,
    write_uncertainty,
)
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import GroundIllumination, TileTerrain
from sen2cor.pipeline.tile.tile_atmosphere import COARSE, TileAtmosphere
from sen2cor.product.level2a.content import QualityPercentages
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.raster.array_types import BoolArray, Float32Array, Pixels, UInt8Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import nearest, positions
from sen2cor.settings.cal_sc_gipp import ClassificationSettings

WriteImage = Callable[[], None]


@dataclass
class TileImageJobs:
    """The images of a tile at one resolution.

    Attributes
    ----------
    output : Level2ATile
    pixels : TilePixels
    resolution : {60, 20, 10}
    workers : Workers
    """

    output: Level2ATile
    pixels: TilePixels
    resolution: int
    workers: Workers
    _kept: dict[str, Inversion | TerrainInversion] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)

    @property
    def grid(self) -> Grid:
        """Grid of the images."""
        return self.pixels.grids[self.resolution]

    def write(self, jobs: list[WriteImage]) -> None:
        """Write images, several at once."""
        self.workers.map(lambda job: job(), jobs)

    def class_images(self, found: Classification) -> list[WriteImage]:
        """Classes and probabilities; the quality percentages follow from them."""
        self.output.quality = QualityPercentages.of(found.scene_class, self.resolution)
        return [
            partial(self._whole, kind, image)
            for kind, image in (
                ("SCL", found.scene_class),
                ("CLD", found.cloud_probability),
                ("SNW", found.snow_probability),
            )
        ]

    def quality_images(
        self,
        classes: UInt8Array,
        settings: ClassificationSettings,
        shadow: BoolArray | None,
        reference: BoolArray | None,
    ) -> list[WriteImage]:
        """Mask of what to leave out.

        Parameters
        ----------
        classes : ndarray of uint8, shape (rows, cols) of the grid
        settings : ClassificationSettings
        shadow : ndarray of bool, same shape, or None
            Shadow of the relief; None where it is not known.
        reference : ndarray of bool, shape (rows, cols) of the coarse grid, or None
            Pixels whose aerosol was retrieved there; None: it was not asked for.
        """
        factor, all_rows = COARSE / self.resolution, slice(0, self.grid.rows)

        def write() -> None:
            mask = compute_quality_mask(
                classes,
                self.grid.pixel_size,
                cloud_dilation=settings.cloud_dilation,
                shadow_dilation=settings.shadow_dilation,
                topographic_shadow=shadow,
                aot_interpolated=None
                if reference is None
                else upsample_nearest(~reference, factor, self.grid, all_rows),
            )
            self._whole("QUA", mask)

        return [write]

    def elevation_images(self, terrain: TileTerrain) -> list[WriteImage]:
        """Elevation model."""

        def write() -> None:
            with self._writer("DEM", np.uint16) as writer:
                for rows in row_blocks(self.grid.rows):
                    writer.write_rows(terrain.image(self.resolution, rows))

        return [write]

    def reference_images(self, reference: BoolArray) -> list[WriteImage]:
        """Pixels of the coarse grid from which the aerosol was found: 1, elsewhere 0."""
        factor, all_rows = COARSE / self.resolution, slice(0, self.grid.rows)

        def write() -> None:
            self._whole(
                "DDV", upsample_nearest(reference.astype(np.uint8), factor, self.grid, all_rows)
            )

        return [write]

    def atmosphere_images(
        self, found: TileAtmosphere, no_data: Callable[[slice], BoolArray]
    ) -> list[WriteImage]:
        """Aerosol optical thickness and water vapour."""

        def write(kind: str, values: Float32Array, scale: float) -> None:
            with self._writer(kind, np.uint16) as writer:
                write_map(writer, values, self.grid, COARSE / self.resolution, scale, no_data)

        return [
            partial(write, "AOT", found.state.aot550, AOT_QUANTIFICATION),
            partial(write, "WVP", found.state.water_vapour, WATER_VAPOUR_QUANTIFICATION),
        ]

    def reflectance_images(
        self, atmosphere: TileAtmosphere, light: GroundIllumination | None, quantification: float
    ) -> list[WriteImage]:
        """Surface reflectance of all bands and the true colour image, the costly ones first."""
        psd = self.output.psd

        def correction(band: str) -> BandCorrection:
            inversion = self._inversion(atmosphere, band)
            return BandCorrection(band, self.resolution, self.pixels, inversion, COARSE, light)

        def band_image(band: str) -> None:
            self.pixels.load(band, [COARSE])
            with self._writer(band, np.uint16) as writer:
                write_band(writer, correction(band), self.grid, quantification, psd.boa_offset)

        def colour_image() -> None:
            with self._writer("TCI", np.uint8, components=3) as writer:
                write_true_colour(writer, [correction(band) for band in VISIBLE], self.grid)

        # the band that has still to be decoded takes longest
        bands = sorted(
            psd.reflectance_bands[self.resolution], key=lambda band: band in self.pixels.native
        )
        jobs: list[WriteImage] = [partial(band_image, band) for band in bands]
        if psd.true_colour:
            # it is slow to write, so it comes early
            jobs.insert(1, colour_image)
        return jobs

    def uncertainty_images(
        self, atmosphere: TileAtmosphere, light: GroundIllumination | None, quantification: float
    ) -> list[WriteImage]:
        """Standard uncertainty of the surface reflectance of all bands."""

        def write(band: str) -> None:
            self.pixels.load(band, [COARSE])
            inversion = self._inversion(atmosphere, band)
            correction = BandCorrection(
                band, self.resolution, self.pixels, inversion, COARSE, light
            )
            found = atmosphere.uncertainty(band)
            with self._writer(f"UNC_{band}", np.uint16) as writer:
                write_uncertainty(writer, correction, found, self.grid, quantification)

        return [partial(write, band) for band in self.output.psd.reflectance_bands[self.resolution]]

    def _inversion(self, atmosphere: TileAtmosphere, band: str) -> Inversion | TerrainInversion:
        """Inversion of a band; one at a time, for it needs many fields of the coarse grid.

        Those of the colour image are kept, for they are asked for twice.
        """
        with self._turn:
            inversion = self._kept.get(band) or atmosphere.inversion(band)
            if band in VISIBLE:
                self._kept[band] = inversion
            return inversion

    def _writer(self, kind: str, dtype: npt.DTypeLike, components: int = 1) -> ImageWriter:
        path = self.output.image_path(kind, self.resolution)
        return images.open_writer(path, self.grid, dtype, TILE_SIZES[self.resolution], components)

    def _whole(self, kind: str, image: Pixels) -> None:
        with self._writer(kind, image.dtype) as writer:
            writer.write_rows(image)


def upsample_nearest(field: Pixels, factor: float, grid: Grid, rows: slice) -> Pixels:
    """Some rows of a map of a coarser grid, each pixel as the nearest one has it.

    Parameters
    ----------
    field : ndarray, shape (rows, cols) of the coarser grid
    factor : float
        Pixels of the result along one side of a pixel of the map.
    grid : Grid
        Of the result.
    rows : slice
    """
    if factor == 1.0:
        return field[rows]
    at = nearest(positions(rows.stop - rows.start, factor, rows.start), field.shape[0])
    return field[at][:, nearest(positions(grid.cols, factor), field.shape[1])]
