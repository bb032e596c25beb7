"""STAC items of a small product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sen2cor.product.level2a_reader import open_level2a
from sen2cor.reporting.stac import items_of, write_items

pystac = pytest.importorskip("pystac", reason="the extra 'stac' is not installed")


def test_item_is_valid(finished_product: Path) -> None:
    (item,) = items_of(open_level2a(finished_product))
    # the core schema comes with pystac; the schemas of extensions would be fetched
    item.stac_extensions = []
    assert item.validate()


def test_written_item_leads_to_the_images(finished_product: Path, tmp_path: Path) -> None:
    finished = open_level2a(finished_product)
    (path,) = write_items(finished)
    document = json.loads(path.read_text())
    path.unlink()
    for asset in document["assets"].values():
        assert (path.parent / asset["href"]).is_file()
    assert document["assets"]["B02"]["gsd"] == 10
    assert document["assets"]["B02_20m"]["proj:shape"] == list(finished.tiles[0].grids[20].shape)
    west, south, east, north = document["bbox"]
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
