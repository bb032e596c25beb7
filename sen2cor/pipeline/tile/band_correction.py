"""From the digital numbers of Level-1C to those of Level-2A, by blocks of rows into the encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from sen2cor.atmosphere.inversion import Inversion
from sen2cor.atmosphere.terrain_inversion import TerrainInversion
from sen2cor.atmosphere.uncertainty import slope_uncertainty
from sen2cor.bands import SATURATED
from sen2cor.imagery.image_writer import ImageWriter
from sen2cor.imagery.preview import true_colour
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.terrain_step import GroundIllumination
from sen2cor.pipeline.tile.tile_atmosphere import BandUncertainty
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt16Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import bilinear, positions

_LARGEST = 65534


class BandCorrection:
    """Corrects one band at one resolution, rows by rows.

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
        Of the slopes at the resolution; a rugged inversion needs it.
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
        # from digital numbers on
        gain = inversion.gain * np.float32(pixels.scale)
        bias = inversion.bias + gain * np.float32(pixels.offsets[band])
        self._inversion = replace(inversion, gain=gain, bias=bias)
        self._cols = positions(pixels.grids[resolution].cols, self._factor)

    def surface_reflectance(self, rows: slice) -> tuple[Float32Array, UInt16Array]:
        """Surface reflectance of some rows, and the digital numbers it came from."""
        numbers = self._pixels.numbers(self.band, self.resolution, rows)
        toa = numbers.astype(np.float32)
        local = self._inversion.map(partial(self._expand, rows=rows))
        if isinstance(local, Inversion):
            return local(toa), numbers
        if self._ground is None:
            raise ValueError(f"{self.band} over slopes needs their light")
        return local(toa, *self._ground.rows(rows)), numbers

    def uncertainty(self, found: BandUncertainty, rows: slice) -> tuple[Float32Array, UInt16Array]:
        """Standard uncertainty of the reflectance of some rows, and the digital numbers."""
        expand = partial(self._expand, rows=rows)
        numbers = self._pixels.numbers(self.band, self.resolution, rows)
        toa = self._pixels.toa_reflectance(self.band, self.resolution, rows)
        level = found.level.map(expand)(toa)
        local = self._inversion.map(expand)
        if isinstance(local, Inversion) or self._ground is None:
            return level, numbers
        light = self._ground.rows(rows)
        sloped = slope_uncertainty(
            level,
            local(numbers.astype(np.float32), *light),
            local,
            local.terrain_factor(*light),
            light[1],
            solar_zenith=found.solar_zenith,
            inputs=found.inputs,
        )
        return sloped, numbers

    def _expand(self, field: Float32Array, rows: slice) -> Float32Array:
        if self._factor == 1.0:
            return field[rows].copy()
        at = positions(rows.stop - rows.start, self._factor, rows.start)
        return bilinear(field, at, self._cols)


def quantize(
    reflectance: Float32Array, source: UInt16Array, quantification: float, offset: int
) -> UInt16Array:
    """Digital numbers of surface reflectance.

    Parameters
    ----------
    reflectance : ndarray of float32
        Overwritten.
    source : ndarray of uint16, same shape
        Numbers of Level-1C: 0 (no data) and 65535 (saturated) stay what they are.
    quantification : float
        Numbers per reflectance.
    offset : int
        BOA_ADD_OFFSET: reflectance = (number + offset) / quantification.

    Returns
    -------
    ndarray of uint16
        Valid pixels within 1..65534: a dark pixel is never taken for no data.
    """
    reflectance *= np.float32(quantification)
    reflectance += np.float32(0.5 - offset)
    np.clip(reflectance, 1.0, _LARGEST, out=reflectance)
    numbers = reflectance.astype(np.uint16)
    numbers[source == 0] = 0
    numbers[source == SATURATED] = SATURATED
    return numbers


def write_band(
    writer: ImageWriter, correction: BandCorrection, grid: Grid, quantification: float, offset: int
) -> None:
    """Correct a band and write it; numbers as in `quantize`."""
    for rows in row_blocks(grid.rows):
        reflectance, source = correction.surface_reflectance(rows)
        writer.write_rows(quantize(reflectance, source, quantification, offset))


def write_uncertainty(
    writer: ImageWriter,
    correction: BandCorrection,
    found: BandUncertainty,
    grid: Grid,
    quantification: float,
) -> None:
    """Write the standard uncertainty of a band; numbers as in `quantize`, without an offset."""
    for rows in row_blocks(grid.rows):
        uncertainty, source = correction.uncertainty(found, rows)
        writer.write_rows(quantize(uncertainty, source, quantification, 0))


def write_true_colour(
    writer: ImageWriter, red_green_blue: list[BandCorrection], grid: Grid
) -> None:
    """Correct red, green and blue and write them as a colour image."""
    for rows in row_blocks(grid.rows):
        bands = [correction.surface_reflectance(rows) for correction in red_green_blue]
        no_data = np.any([source == 0 for _, source in bands], axis=0)
        writer.write_rows(true_colour([reflectance for reflectance, _ in bands], no_data))


def write_map(
    writer: ImageWriter,
    field: Float32Array,
    grid: Grid,
    factor: float,
    scale: float,
    no_data: Callable[[slice], BoolArray],
) -> None:
    """Interpolate a map of the coarse grid and write it as uint16.

    Parameters
    ----------
    writer : ImageWriter
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
    for rows in row_blocks(grid.rows):
        values = bilinear(field, positions(rows.stop - rows.start, factor, rows.start), cols)
        numbers = np.clip(values * np.float32(scale) + 0.5, 1, _LARGEST).astype(np.uint16)
        numbers[no_data(rows)] = 0
        writer.write_rows(numbers)
