"""Real products of the reference data: complete ones, and metadata of each format."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sen2cor.bands import BANDS
from sen2cor.errors import InputError
from sen2cor.product.level1c.angles import detector_parallax, read_geometry
from sen2cor.product.level1c.auxiliary_data import read_ecmwf
from sen2cor.product.level1c.masks import read_detectors, read_mask
from sen2cor.product.level1c.product_metadata import read_product_metadata
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level1c.tile_metadata import open_tile_document, read_grids, read_tile_metadata
from sen2cor.raster.grids import Grid
from tests.product.level1c_builder import image_file

CLOUDY_TILE = "S2A_OPER_MSI_L1C_TL_SGS__20160905T073438_A006291_T53HLA_N02.04"


def only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        pytest.skip(f"{pattern} not in the reference data")
    return found[0]


@pytest.mark.parametrize(
    ("tile", "spacecraft", "baseline", "sun", "weather", "view"),
    [
        ("56JKT", "S2B", "02.05", (54.2690, 35.2123), (281.09, 1.3585), (10.77, 11.75)),
        ("55JEJ", "S2A", "02.06", (22.4881, 80.2567), (277.39, 1.4372), (1.87, 11.91)),
    ],
)
def test_complete_products(
    reference_data: Path,
    caplog: pytest.LogCaptureFixture,
    tile: str,
    spacecraft: str,
    baseline: str,
    sun: tuple[float, float],
    weather: tuple[float, float],
    view: tuple[float, float],
) -> None:
    product = open_level1c(only(reference_data, f"l1c_products/*_T{tile}_*.SAFE"), checksums=False)
    assert product.psd == "14.2"
    assert (product.spacecraft, product.processing_baseline) == (spacecraft, baseline)
    assert product.name == product.root.name
    assert product.datastrips[0].metadata_path is not None
    (only_tile,) = product.tiles
    assert only_tile.mgrs == tile
    geometry = only_tile.geometry
    assert (geometry.mean_solar_zenith, geometry.mean_solar_azimuth) == pytest.approx(sun, abs=1e-4)
    for grid in (geometry.sun, *geometry.view.values()):
        assert grid.zenith.shape == grid.azimuth.shape == (23, 23)
        assert np.isfinite(grid.zenith).all()
        assert np.isfinite(grid.azimuth).all()
    red = geometry.view["B04"].zenith
    assert (red.min(), red.max()) == pytest.approx(view, abs=0.01)
    found = only_tile.read_ecmwf()
    assert found is not None
    assert (found.ozone, found.water_vapour) == pytest.approx(weather, rel=1e-4)
    sizes = {resolution: grid.shape for resolution, grid in only_tile.grids.items()}
    assert sizes == {60: (29, 29), 20: (86, 86), 10: (172, 172)}
    assert [grid.pixel_size for grid in only_tile.grids.values()] == [3840.0, 1280.0, 640.0]
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "size of the images differs" in record.getMessage()


def test_defective_pixels_of_a_real_mask(reference_data: Path) -> None:
    folder = only(reference_data, "l1c_products/*_T55JEJ_*.SAFE/GRANULE/*/QI_DATA")
    grid = Grid(32755, 499980.0, 6900040.0, 60.0, 1830, 1830)
    mask = read_mask(folder, "DEFECT", "B10", grid)
    assert mask is not None
    # 23172 pixels of 10 m, in strips of one detector
    assert 36 * mask.sum() == pytest.approx(23172, rel=0.05)
    nodata = read_mask(folder, "NODATA", "B11", grid)
    assert nodata is not None
    assert not nodata.any()


def test_clouds_of_a_real_mask_agree_with_gdal(reference_data: Path) -> None:
    """176372 pixels of 60 m, as gdal_rasterize finds."""
    folder = only(reference_data, f"metadata/l1c_psd13_six_tiles/*/GRANULE/{CLOUDY_TILE}/QI_DATA")
    grid = Grid(32753, 300000.0, 6100000.0, 60.0, 1830, 1830)
    mask = read_mask(folder, "CLOUDS", "B00", grid)
    assert mask is not None
    assert mask.sum() == 176372


def test_six_tiles_with_tiny_images(
    reference_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = only(reference_data, "metadata/l1c_psd13_six_tiles/*.SAFE")
    with pytest.raises(InputError, match=r"none of 6 tiles can be used: .*B01, B02"):
        open_level1c(source, checksums=False)
    root = copy_with_images(source, tmp_path)
    caplog.clear()
    product = open_level1c(root, checksums=False)
    assert product.psd == "13.1"
    assert product.name == source.name
    assert [tile.mgrs for tile in product.tiles] == [
        "53HLA",
        "53HMA",
        "53HNA",
        "53HNV",
        "53HPA",
        "53HPV",
    ]
    assert all(tile.read_ecmwf() is not None for tile in product.tiles)
    assert {grid.epsg for tile in product.tiles for grid in tile.grids.values()} == {32753}
    (tile,) = open_level1c(root / "GRANULE" / CLOUDY_TILE, checksums=False).tiles
    assert tile.tile_id == CLOUDY_TILE


@pytest.mark.parametrize(
    ("archive", "psd", "tile"),
    [("l1c_psd13_one_tile", "13.1", "33UVB"), ("l1c_psd14_one_tile", "14.2", "33VUC")],
)
def test_archives(reference_data: Path, tmp_path: Path, archive: str, psd: str, tile: str) -> None:
    path = only(reference_data, f"metadata/{archive}.zip")
    with pytest.raises(InputError, match="zip archive"):
        open_level1c(path, checksums=False)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    root = add_images(only(tmp_path, "*.SAFE"))
    product = open_level1c(root, checksums=False)
    assert product.psd == psd
    assert product.tiles[0].mgrs == tile
    assert product.datastrips[0].metadata_path is not None
    assert product.tiles[0].mask("CLOUDS", None, product.tiles[0].grids[20]) is None


def test_baseline_05_09(
    reference_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = only(reference_data, "metadata/psd15_baseline_05.09/*MSIL1C*.SAFE")
    metadata = read_product_metadata(source / "MTD_MSIL1C.xml")
    assert metadata.psd == "15"
    assert set(metadata.radiometric_offsets.values()) == {-1000}
    document = open_tile_document(only(source, "GRANULE/*/MTD_TL.xml"))
    tile = read_tile_metadata(document)
    assert (tile.mgrs, tile.grids[10].epsg) == ("34UCF", 32634)
    # the angles were cut out of these metadata
    with pytest.raises(InputError, match=r"Sun_Angles_Grid and .*Mean_Sun_Angle are both missing"):
        read_geometry(document)
    with pytest.raises(InputError, match="B01, B02, B03"):
        open_level1c(source, checksums=False)
    # and its ECMWF data were blanked, unlike that of the Level-2A product made from it
    weather = only(source, "GRANULE/*/AUX_DATA/AUX_ECMWFT")
    assert read_ecmwf(weather, tile.grids[10]) is None
    assert "implausible ozone" in caplog.text
    weather = only(
        reference_data, "metadata/psd15_baseline_05.09/*MSIL2A*/GRANULE/*/AUX_DATA/AUX_ECMWFT"
    )
    found = read_ecmwf(weather, tile.grids[10])
    assert found is not None
    assert found.ozone == pytest.approx(278.0, abs=2.0)
    assert found.water_vapour == pytest.approx(2.32, abs=0.05)


@pytest.mark.parametrize("folder", ["l2a_sen2cor_2.3.1", "l2a_baseline_05.11"])
def test_level2a_products_are_refused(reference_data: Path, folder: str) -> None:
    with pytest.raises(InputError, match="is a Level-2A product"):
        open_level1c(only(reference_data, f"metadata/{folder}/*.SAFE"))


def copy_with_images(source: Path, parent: Path) -> Path:
    """Link the metadata of a read-only product and add images."""
    root = parent / source.name
    for path in source.rglob("*"):
        target = root / path.relative_to(source)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    return add_images(root)


def add_images(root: Path) -> Path:
    for folder in (root / "GRANULE").iterdir():
        images = folder / "IMG_DATA"
        images.mkdir(exist_ok=True)
        for band in BANDS:
            (images / f"T_{band.name}.jp2").write_bytes(image_file(band.resolution, 1500))
    return root


@pytest.mark.parametrize(
    ("folder", "tile"),
    [("l1c_psd13_six_tiles", "*53HLA*"), ("l1c_psd15_baseline_05.10", "*31TCJ_A044807*")],
    ids=["polygons", "raster"],
)
def test_detectors_and_parallax(reference_data: Path, folder: str, tile: str) -> None:
    """Neighbouring detectors see stripes; they displace along the orbit in opposite senses."""
    tile_folder = only(reference_data, f"metadata/{folder}/*.SAFE/GRANULE/{tile}")
    metadata = next(path for path in tile_folder.glob("*.xml") if "INSPIRE" not in path.name)
    document = open_tile_document(metadata)
    geometry = read_geometry(document)
    grid = read_grids(document)[60]
    for band, size in (("B02", -0.008), ("B8A", 0.011), ("B09", 0.0155)):
        detectors = read_detectors(tile_folder / "QI_DATA", band, grid)
        assert detectors is not None
        present = np.unique(detectors[detectors > 0])
        np.testing.assert_array_equal(np.diff(present), 1)
        parallax = detector_parallax(geometry, band, "B10")
        for number in present:
            east, north = parallax[int(number)]
            along = north if number % 2 == 0 else -north
            assert along == pytest.approx(size, rel=0.15)
            assert abs(east) < 0.4 * abs(north)
