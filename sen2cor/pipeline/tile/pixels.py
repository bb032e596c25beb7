"""Pixels of a tile: decoded once, kept as uint16, available at each resolution by rows."""

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


@dataclass
class TilePixels:
    """Digital numbers (DN) of the bands of a tile; 0 is no data.

    Attributes
    ----------
    grids : mapping of resolution to Grid
    native : dict of band name to ndarray of uint16
        At the native resolution of the band.
    scale : float
        Reflectance per digital number.
    offsets : mapping of band name to int
        Added to the digital number before scaling.
    files : mapping of band name to Path
        Images from which `load` decodes bands that are needed late.
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
        """Decode bands of a tile, several in parallel.

        Raises
        ------
        InputError
            An image cannot be decoded.
        ProcessingError
            A band contains no data.
        """
        names = sorted(bands, key=lambda name: BAND[name].resolution)
        images = workers.map(lambda name: jpeg2000.read(tile.bands[name]), names)
        native = dict(zip(names, images, strict=True))
        _check_bands(native, tile)
        return cls(
            grids=tile.grids,
            native=native,
            scale=1.0 / product.quantification_value,
            offsets=product.radiometric_offsets,
            files=tile.bands,
        )

    def load(self, band: str, resolutions: Iterable[int]) -> None:
        """Decode a band that is not there yet, with its block means; may be called by any thread.

        Raises
        ------
        InputError
            The image cannot be decoded.
        ProcessingError
            The band contains no data.
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

    def compute_block_means(self, resolution: int, bands: Iterable[str], workers: Workers) -> None:
        """Compute the block means for a coarser resolution, if they do not exist yet."""
        missing = [
            name
            for name in bands
            if BAND[name].resolution < resolution and (name, resolution) not in self._coarser
        ]
        shape = self.grids[resolution].shape
        jobs = [(name, rows) for name in missing for rows in row_blocks(shape[0])]
        for name in missing:
            self._coarser[name, resolution] = np.empty(shape, np.uint16)

        def fill(job: tuple[str, slice]) -> None:
            name, rows = job
            factor = resolution // BAND[name].resolution
            fine = self.native[name][rows.start * factor : rows.stop * factor]
            target = self._coarser[name, resolution]
            target[rows] = block_mean_pixels(fine, factor, (rows.stop - rows.start, shape[1]))

        workers.map(fill, jobs)

    def release(self, resolution: int) -> None:
        """Release the block means at a resolution."""
        for key in [key for key in self._coarser if key[1] == resolution]:
            del self._coarser[key]

    def release_all_but(self, bands: Iterable[str]) -> None:
        """Release all other bands at their native resolution; block means stay."""
        for name in self.native.keys() - set(bands):
            del self.native[name]

    def numbers(self, band: str, resolution: int, rows: slice | None = None) -> UInt16Array:
        """Return digital numbers of a band at a resolution.

        Parameters
        ----------
        band : str
        resolution : {60, 20, 10}
            If coarser than the native one: call `compute_block_means` first.
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
        """Return top-of-atmosphere reflectance; no data become the reflectance of DN 0."""
        numbers = self.numbers(band, resolution, rows)
        return radiometry.to_reflectance(numbers, self.offsets[band], self.scale)


def _check_bands(native: Mapping[str, UInt16Array], tile: Level1CTile) -> None:
    if not any(numbers.any() for numbers in native.values()):
        raise ProcessingError(f"{tile.folder}: no valid pixels in any band")
    for name, numbers in native.items():
        _check_band(numbers, name, tile.folder)


def _check_band(numbers: UInt16Array, name: str, place: Path) -> None:
    if not numbers.any():
        raise ProcessingError(f"{place}: band {name} contains no data; download the product again")
