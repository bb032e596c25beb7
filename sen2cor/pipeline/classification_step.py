"""The classification of a tile: pixels and masks of Level-1C in, maps of classes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    Relief,
    SunGeometry,
    classify_rows,
    defective_of,
    median_filter,
    no_data_of,
)
from sen2cor.grids import Float32Array, Grid
from sen2cor.pipeline.snow_climatology import snow_possible
from sen2cor.pipeline.tile_pixels import TilePixels
from sen2cor.pipeline.workers import Workers, row_blocks
from sen2cor.product.level1c import Level1CTile
from sen2cor.settings.classification import ClassificationSettings

BoolArray = npt.NDArray[np.bool_]


def classify_tile(
    pixels: TilePixels,
    tile: Level1CTile,
    resolution: int,
    settings: ClassificationSettings,
    workers: Workers,
    *,
    snow_map: Path | None = None,
    elevation: Float32Array | None = None,
    relief: Relief | None = None,
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
    relief : Relief, optional
        Slopes and their light.

    Returns
    -------
    Classification
    """
    grid = pixels.grids[resolution]
    masked = _mask(tile, "NODATA", grid, workers)
    flagged = _mask(tile, "DEFECT", grid, workers)
    saturated = _mask(tile, "SATURA", grid, workers)
    no_data = np.zeros(grid.shape, bool)
    defective = np.zeros(grid.shape, bool)

    def find_gaps(rows: slice) -> None:
        numbers = {band: pixels.numbers(band, resolution, rows) for band in CLASSIFICATION_BANDS}
        no_data[rows] = no_data_of(numbers, None if masked is None else masked[rows])
        masks = [mask[rows] for mask in (flagged, saturated) if mask is not None]
        defective[rows] = defective_of(numbers, masks)

    def reflectance(rows: slice) -> dict[str, Float32Array]:
        return {band: pixels.reflectance(band, resolution, rows) for band in CLASSIFICATION_BANDS}

    workers.map(find_gaps, row_blocks(grid.rows))
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
        relief=relief,
        defective=defective,
        run=workers.map,
    )
    if settings.median_filter > 1:
        smoothed = median_filter(result.scene_class, settings.median_filter)
        result = Classification(smoothed, result.cloud_probability, result.snow_probability)
    return result


def _mask(tile: Level1CTile, kind: str, grid: Grid, workers: Workers) -> BoolArray | None:
    """Union of a mask over the bands that the classification looks at."""
    masks = [
        mask
        for mask in workers.map(lambda band: tile.mask(kind, band, grid), CLASSIFICATION_BANDS)
        if mask is not None
    ]
    return np.logical_or.reduce(masks) if masks else None
