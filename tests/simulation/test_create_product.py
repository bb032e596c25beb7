"""Complete products: small scenes, all formats."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from datetime import timezone
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from osgeo import gdal

from sen2cor.bands import BANDS
from sen2cor.errors import InputError, OutputError
from sen2cor.imagery import images, jpeg2000
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.psd import PSD
from sen2cor.simulation.cli import main
from sen2cor.simulation.create_product import simulate, wrap_images
from sen2cor.simulation.level1c_writer.datastrip_document import datastrip_metadata
from sen2cor.simulation.level1c_writer.description import ProductDescription, TileDescription
from sen2cor.simulation.level1c_writer.product_document import product_metadata
from sen2cor.simulation.level1c_writer.tile_document import tile_metadata
from sen2cor.simulation.mgrs_tiles import tile_grid
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.scenes import SCENES

SIZE = 1200


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(SCENES["summer"], tmp_path_factory.mktemp("compact"), size=SIZE)


def _description(version: str) -> ProductDescription:
    scene, psd = SCENES["summer"], PSD[version]
    names = ["32UQD"] if psd.compact else ["32UQD", "32UPD"]
    tiles = [
        TileDescription(name, Overpass(tile_grid(name), scene.sensing_time, scene.track))
        for name in names
    ]
    return ProductDescription(psd, "S2B", scene.sensing_time, 65, 10832, tiles)


@pytest.mark.parametrize("version", ["13.1", "14.2", "14.5"])
def test_metadata_are_valid(version: str, reference_data: Path) -> None:
    product = _description(version)
    folder = reference_data / "psd_schemas" / f"S2-PDGS-TAS-DI-PSD-V{version}_Schema"
    documents = {
        "S2_User_Product_Level-1C_Metadata.xsd": product_metadata(product),
        "S2_PDI_Level-1C_Tile_Metadata.xsd": tile_metadata(product, product.tiles[0]),
        "S2_PDI_Level-1C_Datastrip_Metadata.xsd": datastrip_metadata(product),
    }
    for name, document in documents.items():
        schema = etree.XMLSchema(etree.parse(str(folder / name)))
        assert schema.validate(etree.fromstring(document)), schema.error_log.last_error


def test_the_reader_opens_a_scene(compact: Path) -> None:
    scene = SCENES["summer"]
    product = open_level1c(compact)
    tile = product.tiles[0]
    assert product.psd == "14.2"
    assert product.spacecraft == "S2A"
    assert tile.sensing_time.astimezone(timezone.utc) == scene.sensing_time
    for band in BANDS:
        info = jpeg2000.read_info(tile.bands[band.name])
        assert info.grid == tile.grids[band.resolution]
        assert info.rows == SIZE // band.resolution


def test_the_reader_finds_the_auxiliary_data_of_a_scene(compact: Path) -> None:
    driver = gdal.GetDriverByName("GRIB")
    if driver is None or driver.GetMetadataItem("DCAP_CREATECOPY") is None:
        pytest.skip("this GDAL does not write GRIB")
    scene = SCENES["summer"]
    auxiliary = open_level1c(compact).tiles[0].read_ecmwf()
    assert auxiliary is not None
    assert auxiliary.water_vapour == pytest.approx(scene.water_vapour, rel=1e-4)
    assert auxiliary.ozone == pytest.approx(scene.ozone, rel=1e-3)


def test_truth_stands_beside_the_product(compact: Path) -> None:
    truth = compact.with_suffix(".truth")
    summary = json.loads((truth / "truth.json").read_text())
    assert summary["product"] == compact.name
    assert summary["dark_canopies"] == {"pixels": 0}  # there is no forest in this corner
    for band in BANDS:
        ground = np.load(truth / f"reflectance_{band.name}_{band.resolution}m.npy")
        assert ground.dtype == np.uint16
        assert ground.shape == (SIZE // band.resolution,) * 2
    aerosol = np.load(truth / "aot550_60m.npy")
    assert 0.5 < aerosol.mean() / SCENES["summer"].aot550 < 1.6


def test_manifest_lists_every_file_with_its_size(compact: Path) -> None:
    manifest = etree.parse(str(compact / "manifest.safe"))
    listed = {}
    for stream in manifest.iter("byteStream"):
        listed[stream.find("fileLocation").get("href")[2:]] = (
            int(stream.get("size")),
            stream.findtext("checksum"),
        )
    files = {p.relative_to(compact).as_posix(): p for p in compact.rglob("*") if p.is_file()}
    del files["manifest.safe"]
    assert set(listed) == set(files)
    for name, path in files.items():
        size, digest = listed[name]
        assert size == path.stat().st_size
        assert digest == hashlib.md5(path.read_bytes()).hexdigest()


def test_a_scene_is_the_same_every_time(compact: Path, tmp_path: Path) -> None:
    again = simulate(SCENES["summer"], tmp_path, size=SIZE)
    assert again.name == compact.name
    bands = list(compact.rglob("*_B0[24].jp2"))
    assert len(bands) == 2
    for first in bands:
        second = again / first.relative_to(compact)
        np.testing.assert_array_equal(jpeg2000.read(first), jpeg2000.read(second))


def test_a_product_that_is_there_is_not_overwritten(compact: Path) -> None:
    with pytest.raises(OutputError, match="already"):
        simulate(SCENES["summer"], compact.parent, size=SIZE)


def test_offset_and_raster_masks_of_the_later_baselines(compact: Path, tmp_path: Path) -> None:
    path = simulate(SCENES["summer"], tmp_path, size=SIZE, psd="15")
    product = open_level1c(path)
    assert product.psd == "15"
    assert set(product.radiometric_offsets.values()) == {-1000}
    tile, plain = product.tiles[0], open_level1c(compact).tiles[0]
    shifted = jpeg2000.read(tile.bands["B04"]).astype(int)
    np.testing.assert_array_equal(shifted - 1000, jpeg2000.read(plain.bands["B04"]))
    clouds = tile.mask("CLOUDS", None, tile.grids[60])
    assert clouds is not None
    outlined = plain.mask("CLOUDS", None, plain.grids[60])
    assert outlined is not None
    assert (clouds != outlined).mean() < 0.05


def test_long_names_with_two_tiles(tmp_path: Path) -> None:
    path = simulate(SCENES["winter"], tmp_path, size=600, psd="13.1", mgrs=("34UEC", "34UDC"))
    product = open_level1c(path)
    assert product.psd == "13.1"
    assert [tile.mgrs for tile in product.tiles] == ["34UEC", "34UDC"]
    assert (path.with_suffix(".truth") / "34UDC" / "truth.json").is_file()


def test_given_pixels_are_wrapped(compact: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bands"
    folder.mkdir()
    for image in compact.rglob("IMG_DATA/*_B*.jp2"):
        shutil.copy(image, folder)
    product = open_level1c(wrap_images(folder, tmp_path, spacecraft="S2B"))
    tile = product.tiles[0]
    assert product.spacecraft == "S2B"
    assert tile.geometry.mean_solar_zenith == pytest.approx(34.2, abs=0.3)
    source = next(compact.rglob("*_B8A.jp2"))
    np.testing.assert_array_equal(jpeg2000.read(tile.bands["B8A"]), jpeg2000.read(source))
    next(folder.glob("*_B10.jp2")).unlink()
    with pytest.raises(InputError, match="B10"):
        wrap_images(folder, tmp_path)


def test_missing_and_saturated_pixels_stay_what_they_are(compact: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bands"
    folder.mkdir()
    for image in compact.rglob("IMG_DATA/*_B*.jp2"):
        shutil.copy(image, folder)
    special = next(folder.glob("*_B04.jp2"))
    numbers = jpeg2000.read(special).copy()
    numbers[0, :3] = 0, 65535, 65000
    grid = jpeg2000.read_info(special).grid
    assert grid is not None
    images.write(special, numbers, grid, 1024)
    tile = open_level1c(wrap_images(folder, tmp_path, psd="15")).tiles[0]
    shifted = jpeg2000.read(tile.bands["B04"])
    np.testing.assert_array_equal(shifted[0, :3], [0, 65535, 65534])
    np.testing.assert_array_equal(shifted[1:].astype(int) - 1000, numbers[1:])


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--scene", "moon"], 2, "moon"),
        (["--size", "1.01"], 2, "0.06"),
        (["--size", "0.0601"], 2, "0.06"),
        (["--size", "nan"], 2, "0.06"),
        (["--size", "inf"], 2, "0.06"),
        (["--size", "-6"], 2, "0.06"),
        (["--size", "0"], 2, "0.06"),
        (["--size", "110.4"], 2, "109.8"),
        (["--seed", "-1"], 2, "--seed"),
        (["--tiles", "99XXX"], 2, "99XXX"),
        (["--tiles", "32UQD", "32UPD"], 2, "13.1"),
        (["--wrap", "nowhere"], 3, "nowhere"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    code: int,
    text: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments, "--output", str(tmp_path)]) == code
    message = capsys.readouterr().err
    assert text in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("size", ["0.06", "0.18", "0.66"])
@pytest.mark.parametrize("scene", ["summer", "winter"])
def test_small_and_odd_sizes_without_warnings(
    scene: str, size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["--scene", scene, "--size", size, "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""


def test_the_command_prints_the_product_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--list"]) == 0
    assert "winter" in capsys.readouterr().out
    assert main(["--scene", "arid", "--size", "0.6", "--output", str(tmp_path)]) == 0
    assert Path(capsys.readouterr().out.splitlines()[-1]).is_dir()
