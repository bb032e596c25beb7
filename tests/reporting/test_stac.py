"""STAC items of a small product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.stac import build_items, write_items

pystac = pytest.importorskip("pystac", reason="the extra 'stac' is not installed")


def test_item_is_valid(finished_product: Path) -> None:
    (item,) = build_items(open_level2a(finished_product))
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


def test_extensions_read_their_fields(finished_product: Path) -> None:
    from pystac.extensions.eo import EOExtension
    from pystac.extensions.projection import ProjectionExtension
    from pystac.extensions.raster import RasterExtension
    from pystac.extensions.sat import SatExtension
    from pystac.extensions.view import ViewExtension

    product = open_level2a(finished_product)
    (item,) = build_items(product)
    (tile,) = product.tiles
    assert EOExtension.ext(item).cloud_cover == pytest.approx(product.cloud_cover, abs=1e-4)
    assert ProjectionExtension.ext(item).epsg == tile.grids[10].epsg
    assert SatExtension.ext(item).relative_orbit == product.relative_orbit
    assert ViewExtension.ext(item).sun_elevation == pytest.approx(90.0 - tile.solar_zenith)
    (band,) = RasterExtension.ext(item.assets["B02"]).bands
    assert band.scale == pytest.approx(1.0 / product.quantification)


def test_option_writes_item_and_quick_looks(small_product: Path, tmp_path: Path) -> None:
    from sen2cor.cli import main

    arguments = [str(small_product), "--output_dir", str(tmp_path), "--resolution", "60"]
    assert main([*arguments, "--no-report"]) == 0
    assert len(list(tmp_path.iterdir())) == 1
    # what exists already is not made again, but gets its companions
    assert main([*arguments, "--no-report", "--stac", "--quicklook"]) == 0
    assert len(list(tmp_path.glob("*.json"))) == 1
    assert {path.stem.rpartition("_")[2] for path in tmp_path.glob("*.png")} == {
        "TCI", "SCL", "AOT", "WVP", "CLD",
    }  # fmt: skip
