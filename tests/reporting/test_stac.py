"""STAC items of a small product."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from sen2cor.errors import AuxiliaryDataError
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.raster.grids import Grid
from sen2cor.reporting import stac_collection
from sen2cor.reporting.image_descriptions import describe_image
from sen2cor.reporting.stac import _list_asset_fields, build_items, write_items

pystac = pytest.importorskip("pystac", reason="the extra 'stac' is not installed")


BASE = "https://data.example.org/level 2a/"


@pytest.mark.parametrize("base", [None, BASE])
def test_item_is_valid(finished_product: Path, base: str | None) -> None:
    (item,) = build_items(open_level2a(finished_product), base)
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


def test_base_gives_addresses_and_a_link_to_itself(finished_product: Path) -> None:
    (item,) = build_items(open_level2a(finished_product), BASE.removesuffix("/").replace(" ", "_"))
    start = "https://data.example.org/level_2a/"
    document = item.to_dict()
    (link,) = (link for link in document["links"] if link["rel"] == "self")
    assert link["href"] == f"{start}{item.id}.json"
    for asset in document["assets"].values():
        assert asset["href"].startswith(f"{start}{finished_product.name}/")
        assert (finished_product.parent / asset["href"].removeprefix(start)).is_file()


def test_assets_say_what_they_are(finished_product: Path) -> None:
    (item,) = build_items(open_level2a(finished_product))
    document = item.to_dict()
    properties, assets = document["properties"], document["assets"]
    assert properties["grid:code"] == "MGRS-33UUU"
    assert properties["proj:code"] == f"EPSG:{properties['proj:epsg']}" == "EPSG:32633"
    classes = assets["SCL"]["classification:classes"]
    assert [entry["value"] for entry in classes] == list(range(12))
    assert all(re.fullmatch("[0-9A-Za-z_-]+", entry["name"]) for entry in classes)
    assert all(re.fullmatch("[0-9A-F]{6}", entry["color_hint"]) for entry in classes)
    assert [entry["name"] for entry in classes if entry["nodata"]] == ["no_data"]
    assert assets["B04"]["roles"] == ["data", "reflectance"]
    assert assets["WVP"]["raster:bands"][0]["unit"] == "cm"
    assert assets["run"]["href"].endswith("_run.json")


def test_quality_mask_has_bit_fields() -> None:
    fields = _list_asset_fields(
        SimpleNamespace(grids={20: Grid(32633, 0.0, 0.0, 20.0, 3, 3)}),
        "QUA",
        20,
        describe_image("QUA", 1.0, 0.0),
    )
    bits = fields["classification:bitfields"]
    assert [(field["offset"], field["length"]) for field in bits] == [(bit, 1) for bit in range(9)]
    assert bits[2]["name"] == "cloud"
    assert "nodata" not in fields["raster:bands"][0]


@pytest.mark.parametrize("base", [None, "https://data.example.org/level2a"])
def test_collection_of_a_folder(finished_product: Path, tmp_path: Path, base: str | None) -> None:
    (tmp_path / finished_product.name).symlink_to(finished_product)
    (tmp_path / "S2A_MSIL1C_OTHER.SAFE").mkdir()
    options = [] if base is None else ["--stac-base", base]
    assert stac_collection.main([str(tmp_path), *options]) == 0
    collection = json.loads((tmp_path / "collection.json").read_text())
    assert pystac.validation.validate_dict({**collection, "stac_extensions": []})
    listed = json.loads((tmp_path / "items.json").read_text())
    (item,) = listed["features"]
    assert item["collection"] == collection["id"]
    (link,) = (link for link in collection["links"] if link["rel"] == "item")
    assert link["href"] == f"{base or '.'}/{item['id']}.json"
    assert json.loads((tmp_path / f"{item['id']}.json").read_text()) == item
    assert collection["item_assets"]["B04"]["eo:bands"][0]["name"] == "B04"
    ((west, _, east, _),) = collection["extent"]["spatial"]["bbox"]
    assert (west, east) == (item["bbox"][0], item["bbox"][2])


def test_a_folder_without_products_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stac_collection.main([str(tmp_path)]) == 3
    assert "holds no Level-2A product" in capsys.readouterr().err


def test_missing_extra_is_an_error_before_the_work(
    small_product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sen2cor import process

    monkeypatch.setattr("sen2cor.optional_packages.is_available", lambda extra: False)
    for options in ({"stac": True}, {"stac_base": "https://host"}, {"report": True}):
        with pytest.raises(AuxiliaryDataError, match="pip install"):
            process(small_product, output_directory=tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


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
    (path,) = tmp_path.glob("*.json")
    looks = {
        key: asset for key, asset in json.loads(path.read_text())["assets"].items() if "look" in key
    }
    assert len(looks) == 5
    assert all((tmp_path / asset["href"]).is_file() for asset in looks.values())
    assert looks["quicklook-TCI"]["roles"] == ["thumbnail"]
