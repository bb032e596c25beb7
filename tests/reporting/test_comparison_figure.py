"""The picture of the demonstration."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.comparison_figure import draw_comparison

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")


def test_picture_has_three_panels(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    draw_comparison(open_level1c(small_product), open_level2a(finished_product), tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        assert image.width > 2 * image.height
        assert len(image.convert("RGB").getcolors(image.width * image.height) or []) > 100
