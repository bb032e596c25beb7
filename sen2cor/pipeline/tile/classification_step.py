"""Classification of a tile: pixels and masks of Level-1C to class and probability maps."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np

from sen2cor.bands import BAND_NAMES, NO_DATA
from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    DETECTOR_BANDS,
    Classification,
    ClassificationScene,
    SceneClass,
    SunGeometry,
    TerrainIllumination,
    classify_rows,
    detect_clouds,
    dilate_euclidean,
    find_cloud_detector,
    find_defective,
    find_lost,
    find_no_data,
    median_filter,
)
from sen2cor.pipeline.execution.workers import Workers
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.pipeline.tile.snow_climatology import snow_possible
from sen2cor.product.level1c.reader import Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.coordinates import grid_convergence
from sen2cor.raster.grids import Grid, row_blocks
from sen2cor.raster.resampling import bilinear, positions
from sen2cor.settings.l2a_cal_sc_gipp import ClassificationSettings

logger = logging.getLogger(__name__)

_INVALID = "LOST+DEGRADED+NODATA+SATURA+DEFECT"
"""Masks whose pixels get class 1, unless there are no data in most bands."""

_SWATH_EDGE = 300.0
"""Metres from the outside of the swath within which a pixel that lacks bands is outside too."""


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
        With `CLASSIFICATION_BANDS` derived at the resolution, and `DETECTOR_BANDS` at 60 m if
        there is a cloud detector.
    tile : Level1CTile
    resolution : {60, 20}
    settings : ClassificationSettings
    workers : Workers
    snow_map : Path, optional
        Snow climatology; None: snow is possible everywhere.
    elevation : ndarray of float32, shape of the grid, optional
        Metres above sea level; NaN where unknown.
    terrain : TerrainIllumination, optional
        Slope and illumination of the terrain.

    Returns
    -------
    Classification
    """
    grid = pixels.grids[resolution]
    no_data, defective = _find_invalid(pixels, tile, resolution, workers)

    def read_reflectance(rows: slice) -> dict[str, Float32Array]:
        return {
            band: pixels.toa_reflectance(band, resolution, rows) for band in CLASSIFICATION_BANDS
        }

    angles = tile.geometry
    scene = ClassificationScene(
        no_data=no_data,
        sun=SunGeometry(angles.mean_solar_zenith, angles.mean_solar_azimuth, resolution),
        view=angles.view["B8A"],
        convergence=_compute_convergence(grid),
        elevation=elevation,
        terrain=terrain,
        defective=defective,
        snow_possible=snow_map is None or snow_possible(snow_map, grid),
        cloud_probability=_detect_clouds(pixels, resolution, settings.cloud_detector),
    )
    result = classify_rows(read_reflectance, scene, settings.parameters, run=workers.map)
    if settings.median_filter > 1:
        smoothed = median_filter(result.scene_class, settings.median_filter)
        result = replace(result, scene_class=smoothed)
    return result


def _detect_clouds(pixels: TilePixels, resolution: int, name: str) -> UInt8Array | None:
    """Cloud probability in percent by the detector of the settings, which sees 60 m."""
    detector = find_cloud_detector(name)
    if detector is None:
        return None
    logger.info("%d m: clouds by %s", resolution, name)
    coarse = detect_clouds(
        detector, {band: pixels.toa_reflectance(band, 60) for band in DETECTOR_BANDS}
    )
    if resolution == 60:
        return coarse
    grid, factor = pixels.grids[resolution], 60 / resolution
    fine = np.empty(grid.shape, np.uint8)
    source, cols = coarse.astype(np.float32), positions(grid.cols, factor)
    for rows in row_blocks(grid.rows):
        at = positions(rows.stop - rows.start, factor, rows.start)
        fine[rows] = np.rint(bilinear(source, at, cols))
    return fine


def _compute_convergence(grid: Grid) -> float:
    """Grid convergence at the centre of a grid, degrees."""
    west, south, east, north = grid.bounds
    return float(grid_convergence(grid.epsg, (west + east) / 2, (south + north) / 2))


def _find_invalid(
    pixels: TilePixels, tile: Level1CTile, resolution: int, workers: Workers
) -> tuple[BoolArray, BoolArray]:
    """Pixels without data, and pixels that are lost in some bands, saturated or defective."""
    grid = pixels.grids[resolution]
    mask = _merge_masks(tile, grid, workers)
    bands = [*CLASSIFICATION_BANDS, *pixels.find_bands_with_gaps(CLASSIFICATION_BANDS)]
    late_gaps = pixels.find_late_gaps(resolution) if pixels.late_gaps else {}
    offset = any(pixels.offsets[name] for name in bands)
    no_data = np.zeros(grid.shape, bool)
    defective = np.zeros(grid.shape, bool)
    lost = np.zeros(grid.shape, bool)

    def find_in_rows(rows: slice) -> None:
        numbers = {band: pixels.numbers(band, resolution, rows) for band in bands}
        no_data[rows] = find_no_data({band: numbers[band] for band in CLASSIFICATION_BANDS})
        defective[rows] = find_defective(numbers, [] if mask is None else [mask[rows]])
        for band, gaps in late_gaps.items():
            numbers[band] = np.where(gaps[rows], np.uint16(NO_DATA), np.uint16(1))
        lost[rows] = find_lost(numbers, offset=offset)

    workers.map(find_in_rows, row_blocks(grid.rows))
    lost &= ~no_data
    if lost.any():
        # the bands do not end at the same pixel of the swath
        edge = lost & dilate_euclidean(no_data, _SWATH_EDGE / resolution)
        no_data |= edge
        lost &= ~edge
        defective |= lost
    if lost.any():
        logger.warning(
            "%d m: %d pixels inside the swath have no data in some bands; their class is %d",
            resolution,
            np.count_nonzero(lost),
            SceneClass.SATURATED_DEFECTIVE,
        )
    return no_data, defective


def _merge_masks(tile: Level1CTile, grid: Grid, workers: Workers) -> BoolArray | None:
    """Union of the masks of lost, saturated and defective pixels of all bands; None if none."""
    merged: list[BoolArray] = []
    lock = Lock()

    def add_mask(band: str) -> None:
        mask = tile.mask(_INVALID, band, grid)
        if mask is None:
            return
        with lock:
            if merged:
                merged[0] |= mask
            else:
                merged.append(mask)

    workers.map(add_mask, BAND_NAMES)
    return merged[0] if merged else None
