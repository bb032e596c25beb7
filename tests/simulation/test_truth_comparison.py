"""Table of errors against the truth of a scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.bands import BANDS
from sen2cor.errors import InputError
from sen2cor.imagery import images
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.simulation.truth_comparison import compare_with_truth, main


@pytest.fixture
def truth(finished_product: Path, tmp_path: Path) -> Path:
    """Truth that equals the product but for a known error of B04 and AOT."""
    product = open_level2a(finished_product)
    (tile,) = product.tiles
    for band in BANDS:
        path = tile.images.get((band.name, band.resolution))
        if path is not None:
            values = (images.read(path).astype(float) + product.offset) / product.quantification
            error = 0.1 if band.name == "B04" else 0.0
            name = f"reflectance_{band.name}_{band.resolution}m.npy"
            np.save(tmp_path / name, np.rint(1e4 * (values + error)))
    for kind, name in (("AOT", "aot550"), ("WVP", "water_vapour")):
        values = images.read(tile.images[kind, 60]) / 1e3
        np.save(tmp_path / f"{name}_60m.npy", values + (0.01 if kind == "AOT" else 0.0))
    shape = tile.grids[20].shape
    for name in ("cirrus_reflectance", "cloud_optical_thickness", "shadow_optical_thickness"):
        np.save(tmp_path / f"{name}_20m.npy", np.zeros(shape))
    return tmp_path


def test_errors_are_product_minus_truth(finished_product: Path, truth: Path) -> None:
    found = {row.quantity: row for row in compare_with_truth(open_level2a(finished_product), truth)}
    assert found["reflectance B04"].bias == pytest.approx(-0.1, abs=1e-4)
    assert found["reflectance B04"].within < 0.1
    assert found["reflectance B08"].rms == pytest.approx(0.0, abs=1e-4)
    assert found["reflectance B08"].within == 1.0
    assert found["aerosol optical thickness"].bias == pytest.approx(-0.01, abs=1e-3)
    assert len(found) == 14


def test_clouds_are_left_out(finished_product: Path, truth: Path) -> None:
    path = truth / "cloud_optical_thickness_20m.npy"
    cloud = np.load(path)
    cloud[: len(cloud) // 2] = 1.0
    np.save(path, cloud)
    rows = list(compare_with_truth(open_level2a(finished_product), truth))
    (red,) = (row for row in rows if row.quantity == "reflectance B04")
    assert red.pixels == 2 * cloud.size
    np.save(path, np.ones_like(cloud))
    rows = list(compare_with_truth(open_level2a(finished_product), truth))
    assert all(row.pixels == 0 and np.isnan(row.bias) for row in rows)


def test_table_and_errors(
    finished_product: Path, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(finished_product), str(truth)]) == 0
    assert "reflectance B12" in capsys.readouterr().out
    (truth / "aot550_60m.npy").write_bytes(b"")
    assert main([str(finished_product), str(truth)]) == InputError.exit_code
    assert "no truth" in capsys.readouterr().err
