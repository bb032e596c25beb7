"""What a tile needs of memory at its peak, by plan."""

from __future__ import annotations

from sen2cor.bands import BAND
from sen2cor.pipeline.tile_chain import TileJob

BASE = 400_000_000
"""Interpreter, libraries, look-up tables, and what the allocator keeps."""

CODING = 1024 * 12
"""For each thread and column of its image: a row of the codestream's tiles (1024 rows) as uint16,
its copy in the encoder and what the codec keeps of it (int32)."""

CLASSIFICATION = 24
"""For each pixel at 20 m while classes, probabilities and masks are found."""

FIELDS = 160
"""For each pixel of the 60 m grid: state of the atmosphere, angles and inversions."""


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
    return (
        BASE
        + 2 * numbers
        + CLASSIFICATION * pixels[20]
        + FIELDS * pixels[60]
        + CODING * threads * job.tile.grids[10].cols
    )
