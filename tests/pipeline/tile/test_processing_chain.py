"""The chain of a tile as a whole, on one thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal, osr

from tests.command import configuration, product_in, start, stopped
from tests.small_product import write_small_product


def _ridges(path: Path) -> None:
    """Write an elevation model of ridges, 120 m high, over the small product and around it."""
    size = 1500
    heights = 300.0 + 60.0 * np.sin(2.0 * np.pi * np.arange(size) / 60.0)
    system = osr.SpatialReference()
    system.ImportFromEPSG(32633)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), size, size, 1, gdal.GDT_Float32)
    dataset.SetProjection(system.ExportToWkt())
    dataset.SetGeoTransform((290000.0, 20.0, 0.0, 5910000.0, 0.0, -20.0))
    rows = np.repeat(heights[np.newaxis], size, axis=0).astype(np.float32)
    dataset.WriteRaster(0, 0, size, size, rows.tobytes(), buf_type=gdal.GDT_Float32)


def test_one_thread_writes_all_images_over_slopes(tmp_path: Path) -> None:
    """What a writing thread asks for must be there: it would wait for itself."""
    level1c = write_small_product(tmp_path, extent=1200)
    _ridges(tmp_path / "ridges.tif")
    wanted = ("DEM", "DDV", "QA", "Uncertainty")
    user = configuration(
        tmp_path,
        DEM_Directory=tmp_path / "ridges.tif",
        Nr_Threads=1,
        **{f"Generate_{name}_Output": "TRUE" for name in wanted},
    )
    process = start("--no-report", "--GIP_L2A", user, "--output_dir", tmp_path / "out", level1c)
    _, errors = stopped(process)
    assert process.returncode == 0, errors
    images = [path.name for path in product_in(tmp_path / "out").rglob("*_20m.jp2")]
    for kind in ("DEM", "DDV", "QUA", "UNC_B04", "UNC_AOT", "B04"):
        assert any(f"_{kind}_20m" in name for name in images), (kind, images)
