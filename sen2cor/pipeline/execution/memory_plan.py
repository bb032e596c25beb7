"""What a tile needs of memory at its peak, by plan.

Pixels stay uint16 in the resolution of their band, with their block means at 20 and 60 m, until
they are corrected by blocks of rows (`sen2cor.raster.grids.BLOCK_ROWS`). Everything that
describes the atmosphere is a field of the 60 m grid. What stays longest is decoded last (B08) or
released first (bands of 20 m before 10 m). The numbers below follow from the arrays that live at
the same time, and are held against ``make benchmark``.
"""

from __future__ import annotations

from sen2cor.bands import BAND
from sen2cor.pipeline.tile.processing_chain import TileJob

BASE = 250_000_000
"""Interpreter, libraries, look-up tables."""

CODING = 1024 * 8
"""For each thread and column of its image: a row of the codestream's tiles (1024 rows) as uint16,
its copy in the encoder and what the codec keeps of it (int32)."""

CLASSIFICATION = 10
"""For each pixel at 20 m while classes, probabilities and masks are found."""

FIELDS = 100
"""For each pixel of the 60 m grid: state of the atmosphere, masks, the inversions of the colours of
the true colour image, and what the inversion of one more band takes."""

RELIEF = 13
"""For each pixel at 20 m: heights with their margin, slope, light and shadow."""

RELIEF_FIELDS = 80
"""For each pixel of the 60 m grid, beside `FIELDS`: relief, and light in the inversions."""


def tile_memory(job: TileJob, threads: int) -> int:
    """Bytes that a tile needs at its peak.

    Parameters
    ----------
    job : TileJob
    threads : int
        That work on it.

    Notes
    -----
    Two bytes for each pixel of each decoded band and of each block mean at 20 and 60 m, and what
    the constants of this module name.
    """
    pixels = {resolution: grid.rows * grid.cols for resolution, grid in job.tile.grids.items()}
    numbers = sum(
        pixels[resolution]
        for band in job.bands
        for resolution in pixels
        if resolution >= BAND[band].resolution
    )
    fine, coarse = CLASSIFICATION, FIELDS
    if job.settings.dem_directory is not None:
        fine, coarse = fine + RELIEF, coarse + RELIEF_FIELDS
    return (
        BASE
        + 2 * numbers
        + fine * pixels[20]
        + coarse * pixels[60]
        + CODING * threads * job.tile.grids[10].cols
    )
