"""Level-2A products as xarray datasets: pixels, scales, no data, grids, attributes, laziness."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from osgeo import osr

from sen2cor import open_level2a
from sen2cor.bands import REFLECTANCE_BANDS
from sen2cor.errors import AuxiliaryDataError, InputError, UsageError
from sen2cor.imagery import cog, images, jpeg2000
from sen2cor.product.level2a.origin import is_foreign
from sen2cor.product.level2a.reader import open_level2a as read_level2a
from tests.command import product_in, run
from tests.small_product import write_small_product, write_tiles

xarray = pytest.importorskip("xarray")


@pytest.fixture(scope="module")
def geotiff(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("geotiff")
    options = (
        "--format",
        "cog",
        "--resolution",
        60,
        "--no-report",
        "--set",
        "Generate_QA_Output=1",
    )
    assert run(*options, "--output_dir", folder, small_product).returncode == 0
    return product_in(folder)


def test_pixels_are_those_of_the_images(finished_product: Path) -> None:
    dataset = open_level2a(finished_product, resolution=20)
    (tile,) = read_level2a(finished_product).tiles
    numbers = images.read(tile.images["B05", 20])
    values = dataset["B05"].values
    assert values.dtype == np.float32 and values.shape == numbers.shape
    np.testing.assert_allclose(values[numbers > 0], numbers[numbers > 0] / 10000.0, atol=1e-6)
    assert np.isnan(values[numbers == 0]).all()
    np.testing.assert_allclose(
        dataset["AOT"], images.read(tile.images["AOT", 20]) / 1000.0, atol=1e-6
    )
    np.testing.assert_array_equal(dataset["SCL"], images.read(tile.images["SCL", 20]))
    np.testing.assert_array_equal(dataset["TCI"], images.read(tile.images["TCI", 20]))
    assert set(REFLECTANCE_BANDS[20]) <= set(dataset.data_vars)
    assert "B08" not in dataset and "PVI" not in dataset


def test_coarser_images_are_repeated_on_the_finest_grid(finished_product: Path) -> None:
    dataset = open_level2a(finished_product)
    (tile,) = read_level2a(finished_product).tiles
    assert dataset["B8A"].shape == dataset["B08"].shape == tile.grids[10].shape
    numbers = images.read(tile.images["SCL", 20])
    np.testing.assert_array_equal(dataset["SCL"], numbers.repeat(2, 0).repeat(2, 1))
    sizes = [dataset[name].attrs["native_resolution"] for name in ("B04", "B8A", "B01")]
    assert sizes[:2] == [10, 20] and dataset["B04"].attrs["wavelength_um"] == pytest.approx(0.665)


def test_parts_are_read_lazily(finished_product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = open_level2a(finished_product)["B8A"].values
    read: list[object] = []
    reader = jpeg2000.read

    def note(path: Path, rows: slice | None = None) -> object:
        read.append((path.name.rsplit("_", 2)[1], rows))
        return reader(path, rows)

    monkeypatch.setattr(jpeg2000, "read", note)
    dataset = open_level2a(finished_product)
    assert read == []
    part = dataset["B8A"].isel(y=slice(33, 37), x=slice(100, 90, -3))
    np.testing.assert_array_equal(part, whole[33:37, 100:90:-3])
    assert read == [("B8A", slice(16, 19))]
    assert float(dataset["B8A"][5, 7]) == whole[5, 7]
    np.testing.assert_array_equal(dataset["B8A"][:, [3, 9]], whole[:, [3, 9]])
    assert dataset["B8A"][3:3].shape == (0, whole.shape[1])
    assert dataset["TCI"][4, :, 1].shape == (whole.shape[1],)


def test_georeference_time_and_attributes(finished_product: Path) -> None:
    dataset = open_level2a(finished_product, resolution=60)
    assert float(dataset.x[0]) == 300030.0 and float(dataset.y[0]) == 5900010.0
    assert float(dataset.x[1] - dataset.x[0]) == 60.0 == float(dataset.y[0] - dataset.y[1])
    reference = osr.SpatialReference(dataset.spatial_ref.attrs["crs_wkt"])
    assert reference.GetAuthorityCode(None) == "32633"
    transform = [float(text) for text in dataset.spatial_ref.attrs["GeoTransform"].split()]
    assert transform == [300000.0, 60.0, 0.0, 5900040.0, 0.0, -60.0]
    assert str(dataset.time.values).startswith("2017-06-16T10:21:01")
    assert dataset.attrs["tile"] == "33UUU" and dataset.attrs["processing_baseline"] == "02.05"
    classes = dataset["SCL"].attrs
    assert list(classes["flag_values"]) == list(range(12))
    assert len(classes["flag_meanings"].split()) == 12
    assert dataset["B04"].encoding["grid_mapping"] == "spatial_ref"


def test_geotiff_is_opened_like_jpeg2000(geotiff: Path, finished_product: Path) -> None:
    ours = open_level2a(geotiff)
    theirs = open_level2a(finished_product, resolution=60)
    assert set(theirs.data_vars) <= set(ours.data_vars)
    for name in ("B02", "B8A", "SCL", "TCI"):
        np.testing.assert_array_equal(ours[name], theirs[name])
    masks = ours["QUA"].attrs
    assert ours["QUA"].dtype == np.uint16
    assert list(masks["flag_masks"]) == [2**bit for bit in range(9)]
    (tile,) = read_level2a(geotiff).tiles
    np.testing.assert_array_equal(ours["QUA"][5:9], cog.read(tile.images["QUA", 60])[5:9])


def test_products_of_the_ground_segment_with_an_offset(tmp_path: Path) -> None:
    product = write_small_product(tmp_path, psd="15", extent=1200)
    assert run("--resolution", 60, "--no-report", product).returncode == 0
    level2a = product_in(tmp_path)
    for path in [*level2a.glob("*run.json"), *level2a.rglob("*GIP*"), *level2a.glob("*report*")]:
        path.unlink()
    metadata = level2a / "MTD_MSIL2A.xml"
    metadata.write_text(metadata.read_text().replace('version="0.1.0"', 'version="2.4.0"'))
    assert is_foreign(level2a)
    dataset = open_level2a(level2a)
    (tile,) = read_level2a(level2a).tiles
    numbers = images.read(tile.images["B04", 60]).astype(float)
    valid = numbers > 0
    np.testing.assert_allclose(
        dataset["B04"].values[valid], (numbers[valid] - 1000) / 1e4, atol=1e-6
    )


def test_several_tiles_and_selection(tmp_path: Path, finished_product: Path) -> None:
    product = write_tiles(tmp_path, ("33UUU", "33UVU"), 1200)
    assert run("--sc_only", "--resolution", 60, "--no-report", product).returncode == 0
    (level2a,) = tmp_path.glob("*USER*.SAFE")
    with pytest.raises(UsageError, match="33UUU, 33UVU"):
        open_level2a(level2a)
    assert open_level2a(level2a, tile="33UVU").attrs["tile"] == "33UVU"
    with pytest.raises(UsageError, match="no tile 32TMR"):
        open_level2a(level2a, tile="32TMR")
    assert list(open_level2a(finished_product, images=["SCL", "B04"])) == ["SCL", "B04"]
    with pytest.raises(UsageError, match="B08 at 20 m"):
        open_level2a(finished_product, resolution=20, images=["B08"])
    with pytest.raises(UsageError, match="no images of 60 m"):
        shutil.copytree(finished_product, tmp_path / "copy")
        for path in (tmp_path / "copy").rglob("*_60m.*"):
            path.unlink()
        open_level2a(tmp_path / "copy", resolution=60)


def test_errors(tmp_path: Path, finished_product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no Level-2A product metadata"):
        open_level2a(tmp_path)

    def find_spec(name: str) -> Callable[..., object] | None:
        return None

    monkeypatch.setattr("sen2cor.optional_packages.find_spec", find_spec)
    with pytest.raises(AuxiliaryDataError, match=r"pip install 'sen2cor\[xarray\]'"):
        open_level2a(finished_product)


def test_chunks_where_dask_is_installed(finished_product: Path) -> None:
    pytest.importorskip("dask")
    dataset = open_level2a(finished_product)
    assert dataset.chunks
    assert float(dataset["B04"].mean()) > 0


def test_datasets_are_written_as_netcdf(finished_product: Path, tmp_path: Path) -> None:
    dataset = open_level2a(finished_product, resolution=60, images=["B04"])
    dataset.to_netcdf(tmp_path / "product.nc", engine="scipy")
    with xarray.open_dataset(tmp_path / "product.nc", engine="scipy") as again:
        np.testing.assert_array_equal(again["B04"], dataset["B04"])


def test_angles_are_those_of_the_images(small_product: Path, tmp_path: Path) -> None:
    options = ("--resolution", 60, "--no-report", "--set", "Generate_Angle_Output=BANDS")
    assert run(*options, "--output_dir", tmp_path, small_product).returncode == 0
    written = open_level2a(product_in(tmp_path))
    computed = open_level2a(product_in(tmp_path), angles="bands")
    kinds = ["SZA", "SAA", *(f"V{axis}A_{band}" for axis in "ZA" for band in ("B01", "B08", "B12"))]
    for kind in kinds:
        np.testing.assert_allclose(computed[kind], written[kind], atol=0.0051)
        assert computed[kind].attrs["units"] == "degree"
    assert "VZA_B10" not in written and "VZA" not in written
    assert np.ptp(written["SZA"].values) < 0.1 and 30 < float(written["SZA"][0, 0]) < 33
    mean = open_level2a(product_in(tmp_path), images=["B04"], angles="mean")
    assert set(mean.data_vars) == {"B04", "SZA", "SAA", "VZA", "VAA"}
    bands = np.mean([computed[name] for name in computed if str(name).startswith("VZA_")], axis=0)
    assert np.abs(mean["VZA"].values - bands).max() < 0.3
    assert float(mean["VZA"][3, 4]) == mean["VZA"].values[3, 4]
    with pytest.raises(UsageError, match="must be mean or bands"):
        open_level2a(product_in(tmp_path), angles="all")


def test_angle_images_of_the_mean_and_what_a_second_run_says(
    small_product: Path, tmp_path: Path
) -> None:
    options = ("--resolution", 60, "--no-report", "--output_dir", tmp_path, small_product)
    assert run(*options, "--set", "Generate_Angle_Output=MEAN").returncode == 0
    (tile,) = read_level2a(product_in(tmp_path)).tiles
    for kind in ("SZA", "SAA", "VZA", "VAA"):
        assert images.read(tile.images[kind, 60]).min() > 0
    again = run(*options, "--set", "Generate_Angle_Output=MEAN")
    assert again.returncode == 0 and "switched on" not in again.stderr
    again = run(*options, "--set", "Generate_Angle_Output=BANDS")
    assert "Generate_Angle_Output: switched on, but the existing product" in again.stderr
