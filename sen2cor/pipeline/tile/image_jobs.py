"""Jobs that write the images of a tile at one resolution; several run at once.

The ``plan_`` methods only make jobs. Nothing is written, and no state changes, before
`TileImageJobs.run` runs them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.atmosphere.toa_uncertainty import Radiometry
from sen2cor.bands import BAND, BANDS, NO_DATA, TILE_SIZES, VISIBLE
from sen2cor.classification import Classification
from sen2cor.classification.quality_mask import compute_quality_mask
from sen2cor.imagery import images
from sen2cor.imagery.image_writer import Coding, WindowWriter
from sen2cor.imagery.picture_samples import PictureSamples
from sen2cor.imagery.preview import make_preview, preview_grid, true_colour
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.band_correction import (
    AnyWriter,
    BandCorrection,
    TrueColour,
    write_band,
    write_map,
    write_true_colour,
    write_uncertainty,
)
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import GroundIllumination, TileTerrain
from sen2cor.pipeline.tile.tile_correction import COARSE, TileCorrection
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.raster.array_types import BoolArray, Float32Array, Pixels, UInt8Array, UInt16Array
from sen2cor.raster.grids import Grid
from sen2cor.raster.pixel_angles import ANGLE_ROWS, PixelAngles
from sen2cor.raster.resampling import nearest, positions
from sen2cor.raster.windows import Window
from sen2cor.reporting.image_descriptions import ANGLE_QUANTIFICATION, describe_image
from sen2cor.settings.l2a_cal_sc_gipp import ClassificationSettings

WriteImage = Callable[[], None]
"""Job that writes one image."""


@dataclass
class TileImageJobs:
    """Makes and runs the jobs for the images of a tile at one resolution.

    Attributes
    ----------
    output : Level2ATile
    pixels : TilePixels
    resolution : {60, 20, 10}
    workers : Workers
    region : Window or None
        Part of the grid that is written; None: all of it.
    coding : Coding
        Of reflectance, uncertainty and true colour; the others have no arithmetic bypass.
    samples : PictureSamples or None
        Receives samples of the images of reflectance, maps and classes.
    report : callable
        Receives the number of jobs that have ended and that of all, in any thread.
    """

    output: Level2ATile
    pixels: TilePixels
    resolution: int
    workers: Workers
    region: Window | None = None
    coding: Coding = field(default_factory=Coding)
    samples: PictureSamples | None = None
    report: Callable[[int, int], None] = lambda done, jobs: None
    _lock: Lock = field(default_factory=Lock)

    @property
    def grid(self) -> Grid:
        """Grid of the images."""
        return self.pixels.grids[self.resolution]

    def run(self, jobs: list[WriteImage]) -> None:
        """Run jobs, several at once, in their order."""
        ended = itertools.count(1)

        def run(job: WriteImage) -> None:
            job()
            self.report(next(ended), len(jobs))

        self.workers.map(run, jobs)

    def plan_classes(self, classification: Classification) -> list[WriteImage]:
        """Plan scene classes, cloud and snow probability (SCL, CLD, SNW)."""
        return [
            partial(self._write_whole, kind, image)
            for kind, image in (
                ("SCL", classification.scene_class),
                ("CLD", classification.cloud_probability),
                ("SNW", classification.snow_probability),
            )
        ]

    def plan_quality_mask(
        self,
        classes: UInt8Array,
        settings: ClassificationSettings,
        shadow: BoolArray | None,
        reference: BoolArray | None,
    ) -> list[WriteImage]:
        """Plan the mask of pixels that are not clear ground (QUA).

        Parameters
        ----------
        classes : ndarray of uint8, shape (rows, cols) of the grid
        settings : ClassificationSettings
        shadow : ndarray of bool, same shape, or None
            Topographic shadow; None without an elevation model.
        reference : ndarray of bool, shape (rows, cols) of the coarse grid, or None
            Pixels on which the aerosol was retrieved; None if it was not retrieved.
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
            self._write_whole("QUA", mask)

        return [write]

    def plan_elevation(self, terrain: TileTerrain) -> list[WriteImage]:
        """Plan the elevation (DEM)."""

        def write() -> None:
            with self._open_writer("DEM", np.uint16) as writer:
                for rows in writer.blocks():
                    writer.write_rows(terrain.image(self.resolution, rows))

        return [write]

    def plan_reference_pixels(self, reference: BoolArray) -> list[WriteImage]:
        """Plan the reference pixels of the aerosol retrieval (DDV): 1, elsewhere 0."""
        factor, all_rows = COARSE / self.resolution, slice(0, self.grid.rows)

        def write() -> None:
            self._write_whole(
                "DDV", upsample_nearest(reference.astype(np.uint8), factor, self.grid, all_rows)
            )

        return [write]

    def plan_atmosphere_maps(
        self, correction: TileCorrection, no_data: Callable[[slice], BoolArray]
    ) -> list[WriteImage]:
        """Plan aerosol optical thickness and water vapour (AOT, WVP)."""

        def write(kind: str, values: Float32Array, scale: float) -> None:
            with self._open_writer(kind, np.uint16) as writer:
                write_map(writer, values, self.grid, COARSE / self.resolution, scale, no_data)

        return [
            partial(write, "AOT", correction.state.aot550, AOT_QUANTIFICATION),
            partial(write, "WVP", correction.state.water_vapour, WATER_VAPOUR_QUANTIFICATION),
        ]

    def plan_reflectance(
        self,
        correction: TileCorrection,
        illumination: GroundIllumination | None,
        quantification: float,
    ) -> list[WriteImage]:
        """Plan surface reflectance of all bands and true colour (TCI).

        The true colour image waits for rows of its bands, whose jobs stand before its own. A band
        that is not decoded yet comes last: then the bytes of the colours need no memory any more.
        """
        psd = self.output.psd
        colours = TrueColour() if psd.true_colour else None

        def correct(band: str) -> BandCorrection:
            inversion = self._find_inversion(correction, band)
            return BandCorrection(
                band, self.resolution, self.pixels, inversion, COARSE, illumination
            )

        def write_reflectance(band: str) -> None:
            try:
                self.pixels.load(band, [COARSE])
                with self._open_writer(band, np.uint16, quantification=quantification) as writer:
                    write_band(writer, correct(band), quantification, psd.boa_offset, colours)
            except BaseException as error:
                if colours is not None:
                    colours.abandon(error)
                raise

        def write_colours(colours: TrueColour) -> None:
            with self._open_writer("TCI", np.uint8, components=3) as writer:
                write_true_colour(writer, colours)

        bands = sorted(psd.reflectance_bands[self.resolution], key=lambda band: band not in VISIBLE)
        jobs: list[WriteImage] = [partial(write_reflectance, band) for band in bands]
        if colours is not None:
            jobs.insert(len(VISIBLE), partial(write_colours, colours))
        return jobs

    def plan_preview(self) -> list[WriteImage]:
        """Plan the preview from top-of-atmosphere reflectance (PVI), unless it exists."""
        path, grid = self.output.image_path("PVI", None), self.pixels.grids[10]
        part: tuple[slice, ...] = (slice(None),)
        if self.region is not None:
            grid, part = self.region.crop(grid), self.region.slices(COARSE)

        def write() -> None:
            bands = [self.pixels.toa_reflectance(band, COARSE)[part] for band in VISIBLE]
            numbers = [self.pixels.numbers(band, COARSE)[part] for band in VISIBLE]
            image = make_preview(true_colour(bands, np.any(np.equal(numbers, NO_DATA), axis=0)))
            description, coding = describe_image("PVI", 1.0, 0.0), self._choose_coding("PVI")
            images.write(path, image, preview_grid(grid), len(image), description, coding)

        return [] if path.is_file() else [write]

    def plan_uncertainty(
        self,
        correction: TileCorrection,
        illumination: GroundIllumination | None,
        radiometry: Radiometry,
        no_data: Callable[[slice], BoolArray],
    ) -> list[WriteImage]:
        """Plan the standard uncertainty of surface reflectance and optical thickness (UNC)."""
        quantification = radiometry.quantification_value

        def write(band: str) -> None:
            self.pixels.load(band, [COARSE])
            inversion = self._find_inversion(correction, band)
            band_correction = BandCorrection(
                band, self.resolution, self.pixels, inversion, COARSE, illumination
            )
            uncertainty = correction.uncertainty(band, self.resolution, radiometry)
            kind = f"UNC_{band}"
            with self._open_writer(kind, np.uint16, quantification=quantification) as writer:
                write_uncertainty(writer, band_correction, uncertainty, quantification)

        def write_aot() -> None:
            values = correction.input_uncertainty.aot_uncertainty(correction.state.aot550)
            with self._open_writer("UNC_AOT", np.uint16) as writer:
                factor = COARSE / self.resolution
                write_map(writer, values, self.grid, factor, AOT_QUANTIFICATION, no_data)

        bands = self.output.psd.reflectance_bands[self.resolution]
        return [*(partial(write, band) for band in bands), write_aot]

    def plan_angles(
        self, tile: Level1CTile, no_data: Callable[[slice], BoolArray], *, by_band: bool
    ) -> list[WriteImage]:
        """Plan zenith and azimuth of the sun and of the view, of each band or their mean."""
        angles = PixelAngles(tile.geometry, self.grid, tile.read_detectors)
        bands = [band.name for band in BANDS if band.name != "B10"]

        def write(
            kinds: tuple[str, str], compute: Callable[[slice], tuple[Float32Array, Float32Array]]
        ) -> None:
            with (
                self._open_writer(kinds[0], np.uint16) as zenith_writer,
                self._open_writer(kinds[1], np.uint16) as azimuth_writer,
            ):
                for rows in zenith_writer.blocks(ANGLE_ROWS):
                    without = no_data(rows)
                    for writer, degrees in zip(
                        (zenith_writer, azimuth_writer), compute(rows), strict=True
                    ):
                        writer.write_rows(encode_angles(degrees, without))

        jobs: list[WriteImage] = [partial(write, ("SZA", "SAA"), angles.sun)]
        if not by_band:
            return [*jobs, partial(write, ("VZA", "VAA"), partial(angles.view, bands))]
        return jobs + [
            partial(write, (f"VZA_{band}", f"VAA_{band}"), partial(angles.view, [band]))
            for band in bands
        ]

    def _find_inversion(
        self, correction: TileCorrection, band: str
    ) -> Inversion | TerrainInversion:
        """Return the inversion of a band; one is computed at a time, as it takes much memory."""
        with self._lock:
            return correction.inversion(band)

    def _open_writer(
        self,
        kind: str,
        dtype: npt.DTypeLike,
        components: int = 1,
        quantification: float = 1.0,
    ) -> AnyWriter:
        """Open an image; the quantification is that of reflectance and its uncertainty."""
        grid = self.grid if self.region is None else self.region.crop(self.grid)
        writer = images.open_writer(
            self.output.image_path(kind, self.resolution),
            grid,
            dtype,
            TILE_SIZES[self.resolution],
            components,
            describe_image(kind, quantification, self.output.psd.boa_offset),
            self._choose_coding(kind),
        )
        if self.samples is not None and components == 1:
            writer.observe = self.samples.gather(kind, grid, dtype)
        if self.region is None:
            return writer
        return WindowWriter(writer, *self.region.slices(self.resolution))

    def _choose_coding(self, kind: str) -> Coding:
        """Return the coding of an image; smooth ones would grow by the arithmetic bypass."""
        if kind in BAND or kind == "TCI" or kind.startswith("UNC_"):
            return self.coding
        return replace(self.coding, arithmetic_bypass=False)

    def _write_whole(self, kind: str, image: Pixels) -> None:
        with self._open_writer(kind, image.dtype) as writer:
            for rows in writer.blocks():
                writer.write_rows(image[rows])


def encode_angles(degrees: Float32Array, no_data: BoolArray) -> UInt16Array:
    """Encode angles in hundredths of a degree; 0 is no data, so an angle of 0 becomes 0.01.

    Parameters
    ----------
    degrees : ndarray of float32
        0 to 360.
    no_data : ndarray of bool, same shape
    """
    numbers = (degrees * np.float32(ANGLE_QUANTIFICATION) + np.float32(0.5)).astype(np.uint16)
    np.maximum(numbers, 1, out=numbers)
    numbers[no_data] = NO_DATA
    return numbers


def upsample_nearest(field: Pixels, factor: float, grid: Grid, rows: slice) -> Pixels:
    """Upsample some rows of a map by its nearest pixels.

    Parameters
    ----------
    field : ndarray, shape (rows, cols) of the coarser grid
    factor : float
        Pixels of the result along one side of a pixel of the map.
    grid : Grid
        Grid of the result.
    rows : slice
        Rows of that grid.
    """
    if factor == 1.0:
        return field[rows]
    at = nearest(positions(rows.stop - rows.start, factor, rows.start), field.shape[0])
    return field[at][:, nearest(positions(grid.cols, factor), field.shape[1])]
