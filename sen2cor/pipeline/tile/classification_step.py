"""The classification of a tile: pixels and masks of Level-1C in, maps of classes out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

import numpy as np

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    SunGeometry,
    TerrainIllumination,
    classify_rows,
    find_defective,
    find_no_data,
    median_filter,
)
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.snow_climatology import snow_possible
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.settings.cal_sc_gipp import ClassificationSettings


def classify_tile(
    pixels: TilePixels,
    tile: Level1CTile,
    resolution: int,
    settings: ClassificationSettings,
    workers: Workers,
    *,
    snow_map: Path | None = None,
    elevation: Float32Array | None = None,
    terrain: TerrainIllumination | None = None,
) -> Classification:
    """Classify a tile at 60 or 20 m.

    Parameters
    ----------
    pixels : TilePixels
        With `CLASSIFICATION_BANDS` derived at the resolution.
    tile : Level1CTile
    resolution : {60, 20}
    settings : ClassificationSettings
    workers : Workers
    snow_map : Path, optional
        Snow climatology; without, snow is possible everywhere.
    elevation : ndarray of float32, shape of the grid, optional
        Metres above sea level; NaN where unknown.
    terrain : TerrainIllumination, optional
        Slopes and their light.

    Returns
    -------
    Classification
    """
    grid = pixels.grids[resolution]
    no_data, defective = _gaps(pixels, tile, resolution, workers)

    def reflectance(rows: slice) -> dict[str, Float32Array]:
        return {
            band: pixels.toa_reflectance(band, resolution, rows) for band in CLASSIFICATION_BANDS
        }

    result = classify_rows(
        reflectance,
        no_data,
        sun=SunGeometry(
            tile.geometry.mean_solar_zenith, tile.geometry.mean_solar_azimuth, resolution
        ),
        thresholds=settings.thresholds,
        rules=settings.rules,
        snow_possible=snow_map is None or snow_possible(snow_map, grid),
        elevation=elevation,
        relief=terrain,
        defective=defective,
        run=workers.map,
    )
    if settings.median_filter > 1:
        smoothed = median_filter(result.scene_class, settings.median_filter)
        result = Classification(smoothed, result.cloud_probability, result.snow_probability)
    return result


def _gaps(
    pixels: TilePixels, tile: Level1CTile, resolution: int, workers: Workers
) -> tuple[BoolArray, BoolArray]:
    """Pixels without data, and saturated or defective ones."""
    grid = pixels.grids[resolution]
    masked = _mask(tile, ("NODATA",), grid, workers)
    flagged = _mask(tile, ("DEFECT", "SATURA"), grid, workers)
    no_data = np.zeros(grid.shape, bool)
    defective = np.zeros(grid.shape, bool)

    def find(rows: slice) -> None:
        numbers = {band: pixels.numbers(band, resolution, rows) for band in CLASSIFICATION_BANDS}
        no_data[rows] = find_no_data(numbers, None if masked is None else masked[rows])
        defective[rows] = find_defective(numbers, [] if flagged is None else [flagged[rows]])

    workers.map(find, row_blocks(grid.rows))
    return no_data, defective


def _mask(
    tile: Level1CTile, kinds: Iterable[str], grid: Grid, workers: Workers
) -> BoolArray | None:
    """Union of masks over the bands that the classification looks at; one at a time is kept."""
    merged: list[BoolArray] = []
    lock = Lock()

    def add(job: tuple[str, str]) -> None:
        mask = tile.mask(*job, grid)
        if mask is None:
            return
        with lock:
            if merged:
                merged[0] |= mask
            else:
                merged.append(mask)

    workers.map(add, [(kind, band) for kind in kinds for band in CLASSIFICATION_BANDS])
    return merged[0] if merged else None
