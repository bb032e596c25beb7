"""Region of interest: pixels of the whole tile, metadata of a part, refusals."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sen2cor import process
from sen2cor.errors import OutputError, UsageError
from sen2cor.imagery import images
from sen2cor.product.level2a.reader import Level2ATileReader, open_level2a
from sen2cor.raster.coordinates import geographic
from tests.command import run
from tests.small_product import write_small_product

WEST, NORTH = 300000.0, 5900040.0
BOX = (WEST + 1210.0, NORTH - 2300.0, WEST + 2650.0, NORTH - 1000.0)
ROWS, COLS = (16, 39), (20, 45)


@pytest.fixture(scope="module")
def level1c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_product(tmp_path_factory.mktemp("level1c"), extent=4800)


@pytest.fixture(scope="module")
def whole(level1c: Path, tmp_path_factory: pytest.TempPathFactory) -> Level2ATileReader:
    return make(level1c, tmp_path_factory.mktemp("whole"))


def make(level1c: Path, folder: Path, **options: Any) -> Level2ATileReader:
    outcome = process(level1c, output_directory=folder, report=False, **options)
    (tile,) = open_level2a(outcome.product).tiles
    return tile


def test_pixels_are_those_of_the_tile(
    level1c: Path,
    whole: Level2ATileReader,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With all of it as context; all kinds of images, at all resolutions."""
    with caplog.at_level(logging.WARNING):
        part = make(level1c, tmp_path, bbox=BOX, bbox_crs="EPSG:32633")
    assert "invalid metadata" not in caplog.text
    assert part.images.keys() == whole.images.keys()
    for (kind, resolution), path in part.images.items():
        if resolution is None:
            continue
        factor = 60 // resolution
        rows, cols = (slice(first * factor, last * factor) for first, last in (ROWS, COLS))
        expected = images.read(whole.images[kind, resolution])[rows, cols].astype(int)
        found = images.read(path).astype(int)
        assert found.shape == expected.shape, kind
        difference = np.abs(found - expected)
        assert difference.max() <= 1, (kind, resolution)
        assert (difference == 0).mean() > 0.95, (kind, resolution)


@pytest.mark.many_cases
@pytest.mark.parametrize("psd", ["15", "14.2", "13.1"])
def test_metadata(tmp_path: Path, caplog: pytest.LogCaptureFixture, psd: str) -> None:
    level1c = write_small_product(tmp_path / "in", psd=psd, extent=4800)
    before = {path: path.read_bytes() for path in level1c.rglob("*.xml")}
    with caplog.at_level(logging.WARNING):
        part = make(level1c, tmp_path, bbox=BOX, bbox_crs="EPSG:32633", resolution=60)
    assert "invalid metadata" not in caplog.text
    for resolution, grid in part.grids.items():
        assert grid.bounds == (WEST + 1200.0, NORTH - 2340.0, WEST + 2700.0, NORTH - 960.0)
        assert grid.pixel_size == resolution
    product = open_level2a(part.folder.parents[1])
    corners = np.array(
        geographic(32633, [WEST + 1200.0, WEST + 2700.0], [NORTH - 2340.0, NORTH - 960.0])
    )
    text = next(product.path.glob("*MTD*SAFL2A*.xml"), product.path / "MTD_MSIL2A.xml").read_text()
    outline = np.array(text.split("<EXT_POS_LIST>")[1].split("<")[0].split(), float)
    assert outline[::2].min() == pytest.approx(corners[1].min(), abs=2e-3)
    assert outline[1::2].max() == pytest.approx(corners[0].max(), abs=2e-3)
    record = json.loads(next(product.path.rglob("*run.json")).read_text())
    assert record["region"]["system"] == "EPSG:32633"
    assert before == {path: path.read_bytes() for path in level1c.rglob("*.xml")}


def test_resolutions_one_after_another(
    level1c: Path, whole: Level2ATileReader, tmp_path: Path
) -> None:
    """10 m later; a third run has nothing to do; whole tiles and other regions are refused."""
    place = {"bbox": BOX, "bbox_crs": "EPSG:32633", "output_directory": tmp_path, "report": False}
    process(level1c, resolution=20, **place)
    outcome = process(level1c, resolution=10, **place)
    (part,) = open_level2a(outcome.product).tiles
    found = images.read(part.images["B04", 10]).astype(int)
    rows, cols = (slice(first * 6, last * 6) for first, last in (ROWS, COLS))
    expected = images.read(whole.images["B04", 10])[rows, cols].astype(int)
    assert np.abs(found - expected).max() <= 1
    assert process(level1c, resolution=10, **place).already_processed
    stamps = {path: path.stat().st_mtime_ns for path in outcome.product.rglob("*.jp2")}
    for changes in (
        {"bbox": None},
        {"bbox": (*BOX[:2], BOX[2] + 600.0, BOX[3])},
        {"bbox": None, "refresh": True},
    ):
        with pytest.raises(OutputError, match="another region"):
            process(level1c, resolution=20, **(place | changes))
    assert stamps == {path: path.stat().st_mtime_ns for path in outcome.product.rglob("*.jp2")}


def test_context_is_not_written(level1c: Path, tmp_path: Path) -> None:
    """Less of the tile is read; the result has the same size."""
    part = make(
        level1c, tmp_path, bbox=BOX, bbox_crs="EPSG:32633", resolution=20, region_context=0.3
    )
    assert images.read(part.images["B04", 20]).shape == (23 * 3, 25 * 3)


def test_area_of_a_vector_file(level1c: Path, tmp_path: Path) -> None:
    longitude, latitude = geographic(
        32633, [BOX[0], BOX[2], BOX[2], BOX[0]], [BOX[1], BOX[1], BOX[3], BOX[3]]
    )
    ring = [[x, y] for x, y in zip(longitude.tolist(), latitude.tolist(), strict=True)]
    path = tmp_path / "field.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon",
         "coordinates": [[*ring, ring[0]]]}}]}))  # fmt: skip
    found = run("--aoi", path, "--sc_only", "--resolution", "60", "--format", "cog",
                "--output_dir", tmp_path, level1c)  # fmt: skip
    assert found.returncode == 0, found.stderr
    (product,) = tmp_path.glob("*MSIL2A*.SAFE")
    (tile,) = open_level2a(product).tiles
    west, south, east, north = tile.grids[60].bounds
    assert west <= BOX[0] < BOX[2] <= east
    assert south <= BOX[1] < BOX[3] <= north
    assert images.read(tile.images["SCL", 60]).shape == tile.grids[60].shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bbox", "10", "50", "9", "51"], "west, south, east, north"),
        (["--bbox", "9", "nan", "10", "51"], "west, south, east, north"),
        (["--bbox", "-60", "-10", "-59", "-9"], "outside the product: tile 33UUU: 12.0"),
        (["--bbox", "9", "50", "10", "51", "--bbox-crs", "EPSG:1"], "region of interest"),
        (["--bbox", "9", "50", "10", "51", "--aoi", "a.json"], "cannot be combined"),
        (["--aoi", "nowhere.json"], "cannot be read as a vector file"),
        (["--bbox", "9", "50", "10", "51", "--roi-context", "-1"], "0 km or more"),
    ],
)
def test_refusals(level1c: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    found = run(*arguments, "--output_dir", tmp_path / "out", level1c)
    assert found.returncode == UsageError.exit_code
    assert message in found.stderr
    assert not list(tmp_path.rglob("*.SAFE"))
