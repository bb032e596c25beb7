"""One scene as products of two processing baselines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.imagery import jpeg2000
from sen2cor.product.psd import PSD
from sen2cor.simulation.level1c_writer import description
from tests.command import product_in, run
from tests.small_product import write_small_product

BASELINES = {"14.5": "_N0301_", "15": "_N0509_"}


def test_baselines_03_01_and_05_give_the_same_reflectance_within_one_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offset of 1000 is subtracted on reading and added on writing."""
    monkeypatch.setitem(description.BASELINES, "14.5", "03.01")
    products = {}
    for psd, baseline in BASELINES.items():
        level1c = write_small_product(tmp_path / psd, psd, 1200)
        text = (level1c / "MTD_MSIL1C.xml").read_text()
        assert baseline in level1c.name
        assert ("RADIO_ADD_OFFSET" in text) == (psd == "15")
        assert run(level1c, "--output_dir", tmp_path / psd).returncode == 0
        products[psd] = product_in(tmp_path / psd)
    compared = 0
    for path in sorted(products["14.5"].rglob("*_B??_??m.jp2")):
        name = path.relative_to(products["14.5"] / "GRANULE").parts[1:]
        (other,) = (products["15"] / "GRANULE").glob(f"*/{'/'.join(name)}")
        early = jpeg2000.read(path).astype(int)
        late = jpeg2000.read(other).astype(int) + PSD["15"].boa_offset
        # up to baseline 03 the smallest number of a valid pixel is 1
        assert np.abs(early - np.maximum(late, 1)).max() <= 1, path.name
        compared += 1
    assert compared == 11 + 9 + 4
