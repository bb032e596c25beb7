"""Differences of two products."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sen2cor.imagery import images, jpeg2000
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.product_comparison import compare_products, count_class_changes, main


def change(path: Path, edit: np.ndarray, value: int) -> None:
    numbers = images.read(path)
    numbers[edit] = value
    info = jpeg2000.read_info(path)
    assert info.grid is not None
    images.write(path, numbers, info.grid, info.tile_size)


@pytest.fixture
def changed(finished_product: Path, tmp_path: Path) -> Path:
    """A copy with known changes of B04, AOT and the classes at 60 m."""
    copy = tmp_path / finished_product.name
    shutil.copytree(finished_product, copy)
    images_of = open_level2a(copy).tiles[0].images
    top = np.zeros(images.read(images_of["B04", 60]).shape, np.bool_)
    top[0] = True
    change(images_of["B04", 60], top, 5000)
    change(images_of["AOT", 60], top, 0)
    change(images_of["SCL", 60], top, 9)
    return copy


def test_known_changes_are_found(finished_product: Path, changed: Path) -> None:
    first, second = open_level2a(finished_product), open_level2a(changed)
    found = {(row.kind, row.resolution): row for row in compare_products(first, second)}
    red = images.read(first.tiles[0].images["B04", 60]) / 1e4
    assert found["B04", 60].changed == pytest.approx(1 / len(red))
    assert found["B04", 60].bias == pytest.approx((0.5 - red[0]).sum() / red.size)
    assert found["B04", 60].largest == pytest.approx(np.abs(0.5 - red[0]).max())
    assert found["AOT", 60].only_first == red.shape[1]
    assert found["AOT", 60].changed == 0.0
    assert all(
        row.largest == 0.0 for key, row in found.items() if key not in (("B04", 60), ("AOT", 60))
    )
    (pairs,) = [pairs for _, size, pairs in count_class_changes(first, second) if size == 60]
    assert pairs[:, 9].sum() == red.shape[1] and pairs.sum() == red.size


def test_text(finished_product: Path, changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(finished_product), str(changed)]) == 0
    text = capsys.readouterr().out
    assert "-> cloud, high probability" in text and "B04 60 m" in text
    assert "100.00% of the classes at 20 m agree" in text
    assert main([str(finished_product), str(changed.parent)]) == 3
    assert "no Level-2A product metadata" in capsys.readouterr().err
