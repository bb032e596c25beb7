"""The pixels of a tile: decoded once, kept as uint16, served at any resolution by rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np

from sen2cor.bands import BAND
from sen2cor.errors import ProcessingError
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.product import radiometry
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.raster.array_types import Float32Array, UInt16Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import bilinear_pixels, block_mean_pixels

SATURATED = 65535
"""Digital number of a saturated pixel of Level-1C."""


@dataclass
class TilePixels:
    """Digital numbers of the bands of a tile; 0 is no data.

    Attributes
    ----------
    grids : mapping of resolution to Grid
    native : dict of band name to ndarray of uint16
        At the band's own resolution.
    scale : float
        Reflectance of one digital number.
    offsets : mapping of band name to int
        Added to the digital number before scaling.
    files : mapping of band name to Path
        Images from which `load` decodes bands that come later.
    """

    grids: Mapping[int, Grid]
    native: dict[str, UInt16Array]
    scale: float
    offsets: Mapping[str, int]
    files: Mapping[str, Path] = field(default_factory=dict)
    _coarser: dict[tuple[str, int], UInt16Array] = field(default_factory=dict)
    _loading: Lock = field(default_factory=Lock)

    @classmethod
    def decode(
        cls, product: Level1CProduct, tile: Level1CTile, bands: Iterable[str], workers: Workers
    ) -> TilePixels:
        """Decode bands of a tile, several at once.

        Raises
        ------
        InputError
            An image cannot be decoded.
        ProcessingError
            A band, or all of them, hold no data.
        """
        names = sorted(bands, key=lambda name: BAND[name].resolution)
        images = workers.map(lambda name: jpeg2000.read(tile.bands[name]), names)
        native = dict(zip(names, images, strict=True))
        _check_data(native, tile)
        return cls(
            grids=tile.grids,
            native=native,
            scale=1.0 / product.quantification_value,
            offsets=product.radiometric_offsets,
            files=tile.bands,
        )

    def load(self, band: str, resolutions: Iterable[int]) -> None:
        """Decode a band that was left out so far, and compute its block means; from any thread.

        Raises
        ------
        InputError
            The image cannot be decoded.
        ProcessingError
            It holds no data.
        """
        with self._loading:
            if band in self.native:
                return
            numbers = jpeg2000.read(self.files[band])
            _check_band(numbers, band, self.files[band])
            for resolution in resolutions:
                self._coarser[band, resolution] = block_mean_pixels(
                    numbers, resolution // BAND[band].resolution, self.grids[resolution].shape
                )
            self.native[band] = numbers

    def derive(self, resolution: int, bands: Iterable[str], workers: Workers) -> None:
        """Compute the block means that a coarser resolution needs, once."""
        wanted = [
            name
            for name in bands
            if BAND[name].resolution < resolution and (name, resolution) not in self._coarser
        ]
        shape = self.grids[resolution].shape
        jobs = [(name, rows) for name in wanted for rows in row_blocks(shape[0])]
        for name in wanted:
            self._coarser[name, resolution] = np.empty(shape, np.uint16)

        def fill(job: tuple[str, slice]) -> None:
            name, rows = job
            factor = resolution // BAND[name].resolution
            fine = self.native[name][rows.start * factor : rows.stop * factor]
            target = self._coarser[name, resolution]
            target[rows] = block_mean_pixels(fine, factor, (rows.stop - rows.start, shape[1]))

        workers.map(fill, jobs)

    def release(self, resolution: int) -> None:
        """Release the block means of a resolution."""
        for key in [key for key in self._coarser if key[1] == resolution]:
            del self._coarser[key]

    def keep(self, bands: Iterable[str]) -> None:
        """Release all other bands at their own resolution; block means stay."""
        for name in self.native.keys() - set(bands):
            del self.native[name]

    def numbers(self, band: str, resolution: int, rows: slice | None = None) -> UInt16Array:
        """Digital numbers of a band at a resolution.

        Parameters
        ----------
        band : str
        resolution : {60, 20, 10}
            Coarser than the band's own: `derive` must have been called.
        rows : slice, optional
            All rows by default.

        Returns
        -------
        ndarray of uint16, shape (rows, cols)
        """
        native = BAND[band].resolution
        grid = self.grids[resolution]
        chosen = rows or slice(0, grid.rows)
        if native == resolution:
            return self.native[band][chosen]
        if native < resolution:
            return self._coarser[band, resolution][chosen]
        return bilinear_pixels(self.native[band], native // resolution, chosen, grid.cols)

    def toa_reflectance(
        self, band: str, resolution: int, rows: slice | None = None
    ) -> Float32Array:
        """Top-of-atmosphere reflectance; no data come out as the reflectance of number 0."""
        numbers = self.numbers(band, resolution, rows)
        return radiometry.reflectance(numbers, self.offsets[band], self.scale)


def _check_data(native: Mapping[str, UInt16Array], tile: Level1CTile) -> None:
    if not any(numbers.any() for numbers in native.values()):
        raise ProcessingError(f"{tile.folder}: no valid pixel in any band; the tile is skipped")
    for name, numbers in native.items():
        _check_band(numbers, name, tile.folder)


def _check_band(numbers: UInt16Array, name: str, place: Path) -> None:
    if not numbers.any():
        raise ProcessingError(f"{place}: no data in band {name}; fetch the product again")
