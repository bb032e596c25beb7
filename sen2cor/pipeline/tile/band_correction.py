"""From digital numbers of Level-1C to those of Level-2A, encoded by blocks of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Condition

import numpy as np

from sen2cor import interruption
from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.atmosphere.uncertainty import slope_uncertainty
from sen2cor.bands import NO_DATA, VISIBLE
from sen2cor.imagery.image_writer import ImageWriter, WindowWriter
from sen2cor.imagery.preview import scale_to_byte
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import GroundIllumination
from sen2cor.pipeline.tile.tile_correction import BandUncertainty
from sen2cor.product.radiometry import MAX_NUMBER, fold_calibration, to_digital_numbers
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array, UInt16Array
from sen2cor.raster.grids import Grid
from sen2cor.raster.resampling import bilinear, positions


class BandCorrection:
    """Correction of one band at one resolution, by blocks of rows.

    Parameters
    ----------
    band : str
    resolution : {60, 20, 10}
    pixels : TilePixels
    inversion : Inversion or TerrainInversion
        On the coarse grid.
    coarse : int
        Pixel size of the coarse grid in metres (nominal).
    ground : GroundIllumination, optional
        Illumination of the slopes at the resolution; required by a TerrainInversion.
    """

    def __init__(
        self,
        band: str,
        resolution: int,
        pixels: TilePixels,
        inversion: Inversion | TerrainInversion,
        coarse: int,
        ground: GroundIllumination | None = None,
    ) -> None:
        self.band, self.resolution = band, resolution
        self._pixels = pixels
        self._ground = ground
        self._factor = coarse / resolution
        gain, bias = fold_calibration(
            inversion.gain, inversion.bias, pixels.offsets[band], pixels.scale
        )
        self._inversion = replace(inversion, gain=gain, bias=bias)
        self._cols = positions(pixels.grids[resolution].cols, self._factor)

    def surface_reflectance(self, rows: slice) -> tuple[Float32Array, UInt16Array]:
        """Compute the surface reflectance of some rows; return it with its digital numbers."""
        numbers = self._pixels.numbers(self.band, self.resolution, rows)
        toa = numbers.astype(np.float32)
        local = self._inversion.map(partial(self._interpolate, rows=rows))
        if isinstance(local, Inversion):
            return local(toa), numbers
        if self._ground is None:
            raise ValueError(
                f"{self.band}: a terrain inversion needs the illumination of the slopes"
            )
        return local(toa, *self._ground.rows(rows)), numbers

    def uncertainty(self, model: BandUncertainty, rows: slice) -> tuple[Float32Array, UInt16Array]:
        """Compute the standard uncertainty of some rows; return it with the digital numbers."""
        interpolate = partial(self._interpolate, rows=rows)
        numbers = self._pixels.numbers(self.band, self.resolution, rows)
        toa = self._pixels.toa_reflectance(self.band, self.resolution, rows)
        distance = model.geolocation / self._pixels.grids[self.resolution].pixel_size
        displaced = np.float32(distance) * self._gradient(rows)
        flat_terrain = model.flat_terrain.map(interpolate)(toa, displaced)
        local = self._inversion.map(interpolate)
        if isinstance(local, Inversion) or self._ground is None:
            return flat_terrain, numbers
        illumination = self._ground.rows(rows)
        sloped = slope_uncertainty(
            flat_terrain,
            local(numbers.astype(np.float32), *illumination),
            local,
            local.terrain_factor(*illumination),
            illumination[1],
            solar_zenith=model.solar_zenith,
            inputs=model.inputs,
        )
        return sloped, numbers

    def _gradient(self, rows: slice) -> Float32Array:
        """Norm of the gradient of the top-of-atmosphere reflectance per pixel; 0 beside no data."""
        last = self._pixels.grids[self.resolution].rows
        wider = slice(max(rows.start - 1, 0), min(rows.stop + 1, last))
        toa = self._pixels.toa_reflectance(self.band, self.resolution, wider)
        toa[self._pixels.numbers(self.band, self.resolution, wider) == NO_DATA] = np.nan
        down, across = (
            np.gradient(toa, axis=axis) if toa.shape[axis] > 1 else np.zeros_like(toa)
            for axis in (0, 1)
        )
        norm = np.nan_to_num(np.hypot(down, across))
        return np.asarray(norm[rows.start - wider.start :][: rows.stop - rows.start], np.float32)

    def _interpolate(self, field: Float32Array, rows: slice) -> Float32Array:
        if self._factor == 1.0:
            return field[rows].copy()
        at = positions(rows.stop - rows.start, self._factor, rows.start)
        return bilinear(field, at, self._cols)


AnyWriter = ImageWriter | WindowWriter


class TrueColour:
    """True colour image, gathered by blocks of rows from the bands while they are corrected.

    One thread takes the blocks from top to bottom, others put them. Blocks are kept until they are
    taken.
    """

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, int], UInt8Array] = {}
        self._changed = Condition()
        self._error: BaseException | None = None

    def put(self, band: str, rows: slice, reflectance: Float32Array, no_data: BoolArray) -> None:
        """Add some rows of red, green or blue; other bands are left out.

        Parameters
        ----------
        band : str
        rows : slice
        reflectance : ndarray of float32, shape (rows, cols)
        no_data : ndarray of bool, same shape
        """
        if band in VISIBLE:
            block = scale_to_byte(reflectance, no_data)
            with self._changed:
                self._blocks[band, rows.start] = block
                self._changed.notify_all()

    def take(self, rows: slice) -> UInt8Array:
        """Wait for some rows of all three bands, and return them.

        Returns
        -------
        ndarray of uint8, shape (rows, cols, 3)
            0 where any of the bands has no data.

        Raises
        ------
        BaseException
            That with which the correction of a band ended, see `abandon`.
        Interrupted
            A signal asked the run to stop.
        """
        keys = [(band, rows.start) for band in VISIBLE]
        with self._changed:
            while not all(key in self._blocks for key in keys):
                if self._error is not None:
                    raise self._error
                interruption.check()
                self._changed.wait(interruption.POLL)
            image = np.stack([self._blocks.pop(key) for key in keys], axis=-1)
        image[(image[..., 0] == 0) | (image[..., 1] == 0) | (image[..., 2] == 0)] = 0
        return image

    def abandon(self, error: BaseException) -> None:
        """Let `take` raise an error, as a band will not be completed."""
        with self._changed:
            self._error = error
            self._changed.notify_all()


def write_band(
    writer: AnyWriter,
    correction: BandCorrection,
    quantification: float,
    offset: int,
    colours: TrueColour | None = None,
) -> None:
    """Correct a band and write its digital numbers; add its rows to a true colour image."""
    for rows in writer.blocks():
        reflectance, source = correction.surface_reflectance(rows)
        if colours is not None:
            colours.put(correction.band, rows, reflectance, source == NO_DATA)
        writer.write_rows(to_digital_numbers(reflectance, source, quantification, offset))


def write_uncertainty(
    writer: AnyWriter,
    correction: BandCorrection,
    model: BandUncertainty,
    quantification: float,
) -> None:
    """Write the standard uncertainty of a band as digital numbers without an offset."""
    for rows in writer.blocks():
        uncertainty, source = correction.uncertainty(model, rows)
        writer.write_rows(to_digital_numbers(uncertainty, source, quantification, 0))


def write_true_colour(writer: AnyWriter, colours: TrueColour) -> None:
    """Write the true colour image while its bands are corrected."""
    for rows in writer.blocks():
        writer.write_rows(colours.take(rows))


def write_map(
    writer: AnyWriter,
    field: Float32Array,
    grid: Grid,
    factor: float,
    scale: float,
    no_data: Callable[[slice], BoolArray],
) -> None:
    """Interpolate a map of the coarse grid and write it as uint16.

    Parameters
    ----------
    writer : ImageWriter or WindowWriter
    field : ndarray of float32
        On the coarse grid, without gaps.
    grid : Grid
        Of the image.
    factor : float
        Pixels of the image along one side of a coarse pixel.
    scale : float
        Numbers per unit.
    no_data : callable
        Mask of some rows of the image: 0 is written there, 1 and more elsewhere.
    """
    cols = positions(grid.cols, factor)
    for rows in writer.blocks():
        values = bilinear(field, positions(rows.stop - rows.start, factor, rows.start), cols)
        numbers = np.clip(values * np.float32(scale) + 0.5, 1, MAX_NUMBER).astype(np.uint16)
        numbers[no_data(rows)] = 0
        writer.write_rows(numbers)
