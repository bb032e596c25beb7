"""Pixels of a tile: decoded once, kept as uint16, available at each resolution by rows.

When a band is decoded, invalid digital numbers become no data (0): those of lost packets, which the
masks of the product mark, and remnants of lossy compression outside the swath.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from scipy.ndimage import binary_opening

from sen2cor.bands import BAND, BANDS, NO_DATA, RESOLUTIONS
from sen2cor.classification import dilate_euclidean, find_outside_swath
from sen2cor.classification.validity import MAX_REMNANT
from sen2cor.errors import ProcessingError
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.product import radiometry
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt16Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import bilinear_pixels, block_mean_pixels, nearest, positions

logger = logging.getLogger(__name__)

_FINE, _MIDDLE = 10, 20
"""Resolutions in metres of the bands that together tell the edge of the swath."""

_EDGE = 5.0
"""Pixels of 20 m beside the outside of the swath where remnants are looked for."""

_CIRRUS_BAND = "B10"
"""Hardly brighter than the remnants where there are data."""


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
    read_band : callable, optional
        Decodes the image of a band; `load` calls it for bands that are needed late.
    lost : callable
        Returns the mask of pixels without valid data of a band at its native resolution, or None.
    outside : ndarray of bool, shape (rows, cols) of the 20 m grid, or None
        Outside the swath or near its edge, see `_clear_remnants`; None: nowhere.
    late_gaps : mapping of band name to ndarray of bool, shape (rows, cols) of the 20 m grid
        Where bands that are decoded late have no data.
    """

    grids: Mapping[int, Grid]
    native: dict[str, UInt16Array]
    scale: float
    offsets: Mapping[str, int]
    read_band: Callable[[str], UInt16Array] | None = None
    lost: Callable[[str], BoolArray | None] = lambda band: None
    outside: BoolArray | None = None
    late_gaps: Mapping[str, BoolArray] = field(default_factory=dict)
    _coarser: dict[tuple[str, int], UInt16Array] = field(default_factory=dict)
    _loading: Lock = field(default_factory=Lock)

    @classmethod
    def decode(
        cls,
        product: Level1CProduct,
        tile: Level1CTile,
        bands: Iterable[str],
        workers: Workers,
        late_bands: Iterable[str] = (),
        report: Callable[[str], None] = lambda band: None,
    ) -> TilePixels:
        """Decode bands of a tile, several in parallel.

        Parameters
        ----------
        product : Level1CProduct
        tile : Level1CTile
        bands : iterable of str
        workers : Workers
        late_bands : iterable of str
            Bands that are not decoded yet: only their gaps are found.
        report : callable
            Receives the name of each band when it is decoded, in any thread.

        Raises
        ------
        InputError
            An image cannot be decoded.
        ProcessingError
            A band contains no data.
        """
        names = sorted(bands, key=lambda name: BAND[name].resolution)

        def find_lost(band: str) -> BoolArray | None:
            return tile.mask("LOST+NODATA", band, tile.grids[BAND[band].resolution])

        def read(name: str) -> UInt16Array:
            numbers = _without_lost(name, tile.read_band(name), find_lost)
            report(name)
            return numbers

        images = workers.map(read, names)
        native = dict(zip(names, images, strict=True))
        outside = _clear_remnants(native, workers)
        _check_bands(native, tile)
        return cls(
            grids=tile.grids,
            native=native,
            scale=1.0 / product.quantification_value,
            offsets=product.radiometric_offsets,
            read_band=tile.read_band,
            lost=find_lost,
            outside=outside,
            late_gaps={
                name: _find_gaps(tile.read_band(name, reduce=1), tile.grids[_MIDDLE])
                for name in late_bands
            },
        )

    def find_bands_with_gaps(self, but: Collection[str]) -> list[str]:
        """Return the decoded bands, except some, that have no data somewhere."""
        return [
            name for name, numbers in self.native.items() if name not in but and not numbers.all()
        ]

    def find_late_gaps(self, resolution: int) -> dict[str, BoolArray]:
        """Return where bands that are decoded late have no data, on the grid of 60 or 20 m."""
        step = resolution // _MIDDLE
        at = [
            np.minimum(np.arange(size) * step + step // 2, have - 1)
            for size, have in zip(
                self.grids[resolution].shape, self.grids[_MIDDLE].shape, strict=True
            )
        ]
        return {name: gaps[np.ix_(*at)] for name, gaps in self.late_gaps.items() if gaps.any()}

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
            if self.read_band is None:
                raise ValueError(f"no image of band {band} to decode")
            numbers = _without_lost(band, self.read_band(band), self.lost)
            if self.outside is not None:
                resolution = BAND[band].resolution
                same = [
                    other
                    for name, other in self.native.items()
                    if BAND[name].resolution == resolution
                ]
                _clear_dark({band: numbers}, [numbers, *same], self.outside, resolution)
            _check_band(numbers, f"band {band}")
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


def _without_lost(
    band: str, numbers: UInt16Array, find_lost: Callable[[str], BoolArray | None]
) -> UInt16Array:
    """Set a band to no data where its mask says so."""
    lost = find_lost(band)
    if lost is None or not lost.any():
        return numbers
    logger.warning(
        "the masks of the product mark %d pixels of band %s as lost or without data",
        np.count_nonzero(lost),
        band,
    )
    return np.where(lost, np.uint16(NO_DATA), numbers)


def _find_gaps(half: UInt16Array, grid: Grid) -> BoolArray:
    """Find where a band of 10 m has no data, by its image at half its resolution.

    The low pass of the compression can make single dark pixels beside bright ones 0; patches of
    3 x 3 pixels with nothing but 0 have no data.
    """
    zero = half[: grid.rows, : grid.cols] == NO_DATA
    gaps = np.zeros(grid.shape, np.bool_)
    if zero.any():
        gaps[: zero.shape[0], : zero.shape[1]] = binary_opening(zero, np.ones((3, 3), np.bool_))
    return gaps


def _clear_remnants(native: Mapping[str, UInt16Array], workers: Workers) -> BoolArray | None:
    """Set remnants of lossy compression outside the swath to no data.

    Pixels of 20 m are outside by all bands of 10 and 20 m together. Where bands end at different
    pixels and at the edges of pixels, remnants lie beside such pixels: there a pixel is also
    cleared if all bands of its own resolution are that dark.

    Returns
    -------
    ndarray of bool, shape (rows, cols) of the 20 m grid, or None
        Pixels outside or within some pixels of them; None if there are none.
    """
    names = {
        resolution: [band.name for band in BANDS if band.resolution == resolution]
        for resolution in RESOLUTIONS
    }
    fine, middle = (
        [native[name] for name in names[resolution] if name in native]
        for resolution in (_FINE, _MIDDLE)
    )
    if not fine or not middle:
        return None
    rows, cols = (
        min(size // 2, have) for size, have in zip(fine[0].shape, middle[0].shape, strict=True)
    )
    outside = np.zeros(middle[0].shape, np.bool_)

    def find_in_rows(block: slice) -> None:
        fine_rows = slice(2 * block.start, 2 * block.stop)
        if fine[0][fine_rows].min(initial=MAX_REMNANT + 1) <= MAX_REMNANT:
            outside[block, :cols] = find_outside_swath(
                [band[fine_rows] for band in fine], [band[block, :cols] for band in middle]
            )

    workers.map(find_in_rows, row_blocks(rows))
    if not outside.any():
        return None
    near = dilate_euclidean(outside, _EDGE)
    cleared = [
        name
        for resolution, group in names.items()
        for name in _clear_dark(
            {name: native[name] for name in group if name in native},
            [native[name] for name in group if name in native and name != _CIRRUS_BAND],
            near,
            resolution,
        )
    ]
    if cleared:
        logger.warning(
            "digital numbers of 1 to %d outside the swath in %s (lossy compression); "
            "using no data there",
            MAX_REMNANT,
            ", ".join(cleared),
        )
    return near


def _clear_dark(
    targets: Mapping[str, UInt16Array],
    bands: Sequence[UInt16Array],
    near: BoolArray,
    resolution: int,
) -> list[str]:
    """Set remnants to no data where all bands are dark, near pixels outside the swath.

    Parameters
    ----------
    targets : mapping of band name to ndarray of uint16
        Modified.
    bands : sequence of ndarray of uint16, same shape
        Without any, nothing is modified.
    near : ndarray of bool, shape (rows, cols) of the 20 m grid
    resolution : {60, 20, 10}
        Of the bands.

    Returns
    -------
    list of str
        Bands that were modified.
    """
    if not bands:
        return []
    at_rows, at_cols = (
        nearest(positions(size, _MIDDLE / resolution), have)
        for size, have in zip(bands[0].shape, near.shape, strict=True)
    )
    cleared = set()
    for rows in row_blocks(bands[0].shape[0]):
        dark = near[at_rows[rows]][:, at_cols]
        for band in bands:
            if not dark.any():
                break
            dark &= band[rows] <= MAX_REMNANT
        for name, target in targets.items():
            remnants = dark & (target[rows] != NO_DATA) & (target[rows] <= MAX_REMNANT)
            if remnants.any():
                target[rows][remnants] = NO_DATA
                cleared.add(name)
    return [name for name in targets if name in cleared]


def _check_bands(native: Mapping[str, UInt16Array], tile: Level1CTile) -> None:
    if not any(numbers.any() for numbers in native.values()):
        raise ProcessingError(f"{tile.folder}: no valid pixels in any band")
    for name, numbers in native.items():
        _check_band(numbers, f"{tile.folder}: band {name}")


def _check_band(numbers: UInt16Array, what: str) -> None:
    if not numbers.any():
        raise ProcessingError(f"{what} contains no data; download the product again")
