"""What the images of a tile may ask of the threads that write them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sen2cor.classification import QualityBit, SceneClass
from sen2cor.imagery import images
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.image_jobs import TileImageJobs
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.product.psd import PSD
from sen2cor.raster.grids import Grid
from sen2cor.settings.l2a_cal_sc_gipp import ClassificationSettings

GRID = Grid(32633, 3e5, 5.9e6, 20.0, 90, 90)


def test_quality_mask_shows_clouds_and_the_shadow_of_the_relief(tmp_path: Path) -> None:
    """With one thread: a job that waited for others would never end."""
    classes = np.full(GRID.shape, SceneClass.VEGETATION, np.uint8)
    classes[10, 5] = SceneClass.HIGH_PROBA_CLOUDS
    shadow = np.zeros(GRID.shape, np.bool_)
    shadow[40:50] = True
    output: Any = SimpleNamespace(
        image_path=lambda kind, resolution: tmp_path / f"{kind}_{resolution}m.jp2",
        psd=PSD["14.2"],
    )
    settings = ClassificationSettings(generate_quality_mask=True, cloud_dilation=60.0)
    with start_workers(1) as pool:
        jobs = TileImageJobs(output, TilePixels({20: GRID}, {}, 1e-4, {}), 20, pool)
        jobs.run(jobs.plan_quality_mask(classes, settings, shadow, None))
    mask = images.read(tmp_path / "QUA_20m.jp2")
    assert np.flatnonzero(mask[10] & QualityBit.CLOUD).tolist() == [2, 3, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(mask & QualityBit.TOPOGRAPHIC_SHADOW > 0, shadow)
