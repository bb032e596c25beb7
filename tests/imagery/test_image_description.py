"""Images speak for themselves: tags of GeoTIFF, metadata box of JPEG 2000, no file beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal

from sen2cor.bands import BANDS
from sen2cor.classification.quality_mask import QualityBit
from sen2cor.imagery import images
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.raster.grids import Grid
from sen2cor.reporting.image_descriptions import QUALITY_BITS, TITLES, describe_image
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES, parse_colour

gdal.UseExceptions()

SIDE = 700


def write(path: Path, kind: str, dtype: str = "uint16", components: int = 1) -> Any:
    shape = (SIDE, SIDE) if components == 1 else (SIDE, SIDE, components)
    pixels = np.random.default_rng(1).integers(0, 12, shape).astype(dtype)
    grid = Grid(32633, 300000.0, 5900040.0, 20.0, SIDE, SIDE)
    images.write(path, pixels, grid, 640, describe_image(kind, 10000.0, -1000.0))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    np.testing.assert_array_equal(images.read(path), pixels)
    dataset = gdal.Open(str(path))
    assert dataset.GetFileList() == [str(path)]
    return dataset


def test_geotiff_of_reflectance_has_scale_offset_and_wavelength(tmp_path: Path) -> None:
    dataset = write(tmp_path / "image.tif", "B8A")
    band = dataset.GetRasterBand(1)
    assert (band.GetScale(), band.GetOffset()) == pytest.approx((0.0001, -0.1))
    assert band.GetNoDataValue() == 0
    assert (band.GetDescription(), band.GetUnitType()) == ("B8A", "1")
    items = band.GetMetadata()
    assert (items["BANDNAME"], items["WAVELENGTH"], items["WAVELENGTH_UNIT"]) == (
        "B8A", "865", "nm",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "scale", "offset", "unit", "no_data"),
    [("AOT", 0.001, 0.0, "1", 0), ("WVP", 0.001, 0.0, "cm", 0), ("DEM", 1.0, -10000.0, "m", 0),
     ("UNC_B04", 0.0001, 0.0, "1", 0), ("CLD", None, None, "%", None)],
)  # fmt: skip
def test_geotiff_of_maps_has_units(
    tmp_path: Path, kind: str, scale: float, offset: float, unit: str, no_data: int | None
) -> None:
    dataset = write(tmp_path / "image.tif", kind)
    band = dataset.GetRasterBand(1)
    assert (band.GetScale(), band.GetOffset()) == (scale, offset)
    assert (band.GetUnitType(), band.GetNoDataValue()) == (unit, no_data)


def test_geotiff_of_classes_has_colours_and_names(tmp_path: Path) -> None:
    dataset = write(tmp_path / "image.tif", "SCL", "uint8")
    band = dataset.GetRasterBand(1)
    table = band.GetColorTable()
    for code, colour in enumerate(PALETTES["standard"]):
        assert table.GetColorEntry(code)[:3] == parse_colour(colour)
    items = band.GetMetadata()
    assert items["flag_values"].split() == [str(code) for code in range(12)]
    names = [name.replace("_", " ") for name in items["flag_meanings"].split()]
    assert names == [name.replace(",", "") for name in SCENE_CLASS_NAMES]
    overview = np.unique(band.GetOverview(0).ReadAsArray())
    assert set(overview) <= set(range(12))


def test_overviews_of_a_bit_mask_are_its_pixels(tmp_path: Path) -> None:
    dataset = write(tmp_path / "image.tif", "QUA")
    band = dataset.GetRasterBand(1)
    assert band.GetNoDataValue() is None
    np.testing.assert_array_equal(
        band.GetOverview(0).ReadAsArray() & ~np.bitwise_or.reduce(np.arange(12)), 0
    )
    whole = band.ReadAsArray()
    blocks = [whole[row::2, col::2] for row in (0, 1) for col in (0, 1)]
    assert np.any([block == band.GetOverview(0).ReadAsArray() for block in blocks], axis=0).all()
    assert band.GetMetadataItem("flag_masks").split() == [str(int(bit)) for bit in QualityBit]


def test_names_of_bits_are_those_of_the_quality_mask() -> None:
    names = [bit.name.lower().replace("_", " ") for bit in QualityBit]
    known = [name.replace(" or ", " ").replace("aerosol", "aot") for name in QUALITY_BITS]
    assert known == names


@pytest.mark.parametrize(
    ("kind", "dtype", "expected"),
    [("B04", "uint16", {"SCALE": "0.0001", "OFFSET": "-0.1", "NODATA": "0", "WAVELENGTH": "665"}),
     ("WVP", "uint16", {"SCALE": "0.001", "UNIT": "cm"}),
     ("SCL", "uint8", {"flag_values": "0 1 2 3 4 5 6 7 8 9 10 11", "NODATA": "0"})],
)  # fmt: skip
def test_jpeg2000_has_the_same_as_metadata(
    tmp_path: Path, kind: str, dtype: str, expected: dict[str, str]
) -> None:
    dataset = write(tmp_path / "image.jp2", kind, dtype)
    items = dataset.GetMetadata()
    assert expected.items() <= items.items()
    assert items["TITLE"] == describe_image(kind, 1.0, 0.0).title
    # the pixels of other decoders stay codes: no palette in the file
    assert dataset.GetRasterBand(1).GetColorTable() is None


def test_colour_images_stay_colour_images(tmp_path: Path) -> None:
    dataset = write(tmp_path / "image.tif", "TCI", "uint8", 3)
    kinds = [dataset.GetRasterBand(number).GetColorInterpretation() for number in (1, 2, 3)]
    assert kinds == [gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand]


def test_each_kind_is_described() -> None:
    for kind in (*(band.name for band in BANDS), "UNC_B04", *TITLES):
        assert describe_image(kind, 10000.0, 0.0).title


def test_markup_in_texts_is_escaped() -> None:
    assert '<MDI key="TITLE">a &lt; b</MDI>' in ImageDescription(title="a < b").build_xml()
