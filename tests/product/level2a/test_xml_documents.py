"""Contents of the metadata of Level-2A."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sen2cor.product.level2a.content import (
    Accuracy,
    Provenance,
    QualityPercentages,
    TileOutcome,
    TileRetrieval,
)
from sen2cor.product.level2a.shared_elements import write_ground_reference
from sen2cor.product.level2a.writer import Level2AWriter
from sen2cor.product.psd import PSD, SCENE_CLASSES
from tests.product.level1c_samples import TILES, stand_in, write_level1c

AREAS = (100, 1, 2, 3, 40, 20, 10, 4, 5, 6, 7, 2)
RUN = Provenance(
    "1.2.3",
    datetime(2020, 1, 1, tzinfo=timezone.utc),
    b"<x/>",
    look_up_tables=("rural_summer",),
    dem_type="SRTM",
    accuracy=Accuracy(3.0, 8.0, 12.0),
)


def _product(tmp_path: Path, version: str, forced: str | None = None, **kwargs: Any) -> Path:
    level1c = stand_in(write_level1c(tmp_path, version, **kwargs), version)
    with Level2AWriter.begin(level1c, tmp_path / "out", psd=forced) as product:
        for index, level1c_tile in enumerate(level1c.tiles):
            tile = product.add_tile(level1c_tile)
            for resolution in (60, 20, 10):
                for kind in tile.list_kinds(resolution):
                    tile.image_path(kind, resolution).write_bytes(b"jp2")
            tile.image_path("PVI").write_bytes(b"jp2")
            tile.image_path("DEM", 20).write_bytes(b"jp2")
            areas = AREAS if index == 0 else (0,) * 6 + (800,) + (0,) * 5
            retrieval = TileRetrieval(0.12, 1.5, "SEN2COR_DDV", 300.0, "AUX_ECMWFT")
            product.set_outcome(level1c_tile, TileOutcome(QualityPercentages(areas), retrieval))
        return product.finish(RUN)


def _main(root: Path) -> Any:
    return etree.parse(next(root.glob("*MTD*L2A*.xml"))).getroot()


def _tile(root: Path) -> Any:
    return etree.parse(sorted(root.glob("GRANULE/*/*MTD*.xml"))[0]).getroot()


def test_siimpc_805_origin_and_cloud_cover_in_format_14(tmp_path: Path) -> None:
    root = _product(tmp_path, "14.2")
    main = _main(root)
    info = main.find(".//L2A_Product_Info")
    assert info.findtext("PRODUCT_URI_1C") == root.name.replace("MSIL2A", "MSIL1C")
    assert info.findtext("PRODUCT_URI_2A") == root.name
    for document in (main, _tile(root)):
        shares = [
            float(document.findtext(f".//{name}"))
            for name in (
                "MEDIUM_PROBA_CLOUDS_PERCENTAGE",
                "HIGH_PROBA_CLOUDS_PERCENTAGE",
                "THIN_CIRRUS_PERCENTAGE",
            )
        ]
        found = document.find(".//CLOUD_COVERAGE_PERCENTAGE")
        assert float(found.text) == pytest.approx(sum(shares), abs=1e-6) == 18.0
        assert found.getprevious().tag == "THIN_CIRRUS_PERCENTAGE"
        assert found.getnext().tag == "SNOW_ICE_PERCENTAGE"


def test_format_13_knows_neither_origin_nor_cloud_cover(tmp_path: Path) -> None:
    root = _product(tmp_path, "13.1")
    for document in (_main(root), _tile(root)):
        text = etree.tostring(document).decode()
        assert "CLOUD_COVERAGE_PERCENTAGE" not in text
        assert "PRODUCT_URI_1C" not in text
        assert "LOW_PROBA_CLOUDS_PERCENTAGE" in text
    classes = [found.text for found in _main(root).iter("L2A_SCENE_CLASSIFICATION_TEXT")]
    assert classes[5] == "SC_BARE_SOIL_DESERT"
    assert classes[7] == "SC_CLOUD_LOW_PROBA"
    assert _main(root).findtext(".//PRODUCT_URI") == root.name


def test_percentages_of_several_tiles_are_weighted_by_pixels(tmp_path: Path) -> None:
    main = _main(_product(tmp_path, "13.1", tiles=TILES))
    content = main.find(".//Image_Content_QI")
    assert float(content.findtext("NODATA_PIXEL_PERCENTAGE")) == pytest.approx(10.0)
    assert float(content.findtext("WATER_PERCENTAGE")) == pytest.approx(90.0)
    assert float(content.findtext("VEGETATION_PERCENTAGE")) == pytest.approx(
        100 * 40 / 900, abs=1e-5
    )


def test_siitbx_113_the_scale_is_that_of_level1c(tmp_path: Path) -> None:
    main = _main(_product(tmp_path, "14.2"))
    values = main.find(".//L1C_L2A_Quantification_Values_List")
    assert [(found.tag, float(found.text), found.get("unit")) for found in values] == [
        ("L1C_TOA_QUANTIFICATION_VALUE", 1000.0, "none"),
        ("L2A_BOA_QUANTIFICATION_VALUE", 1000.0, "none"),
        ("L2A_AOT_QUANTIFICATION_VALUE", 1000.0, "none"),
        ("L2A_WVP_QUANTIFICATION_VALUE", 1000.0, "cm"),
    ]


def test_granule_lists_of_format_14(tmp_path: Path) -> None:
    root = _product(tmp_path, "14.2")
    lists = list(_main(root).iter("Granule_List"))
    assert len(lists) == 3
    twenty = [found.text.rsplit("_", 2)[1] for found in lists[1].iter("IMAGE_FILE_2A")]
    assert twenty[-7:] == ["DEM", "SCL", "SNW", "CLD", "AOT", "WVP", "TCI"]
    assert twenty[:9] == ["B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12"]
    named = [found.text for found in _main(root).iter("IMAGE_FILE_2A")]
    assert len(named) > 30
    for name in named:
        assert (root / f"{name}.jp2").is_file()


def test_auxiliary_data_name_what_was_used(tmp_path: Path) -> None:
    data = _main(_product(tmp_path, "14.2")).find(".//Aux_Data")
    assert data.findtext("L2A_PRODUCTION_DEM_TYPE") == "SRTM"
    assert data.findtext("L2A_LIBRADTRAN_LUTS") == "rural_summer"
    gipp = data.find("L2A_GIPP_List/GIPP_FILENAME")
    assert (gipp.get("type"), gipp.get("version")) == ("GIP_Level-2Ap", "1.2.3")


def test_accuracies_as_the_run_states_them(tmp_path: Path) -> None:
    content = _main(_product(tmp_path, "14.2")).find(".//Image_Content_QI")
    assert float(content.findtext("RADIATIVE_TRANSFER_ACCURAY")) == 3.0
    assert float(content.findtext("WATER_VAPOUR_RETRIEVAL_ACCURACY")) == 8.0
    assert float(content.findtext("AOT_RETRIEVAL_ACCURACY")) == 12.0


def test_tile_metadata_of_format_14(tmp_path: Path) -> None:
    root = _product(tmp_path, "14.2")
    tile = _tile(root)
    assert tile.tag.endswith("Level-2A_Tile_ID")
    assert "psd-12" in tile.tag
    identifier = tile.find(".//TILE_ID_2A")
    assert identifier.text == "S2A_USER_MSI_L2A_TL_SGS__20170403T160402_A009300_T32TQM_N02.04"
    assert identifier.get("metadataLevel") == "Brief"
    assert tile.findtext(".//SENSING_TIME") == "2017-04-03T10:50:22.460Z"
    assert tile.findtext(".//L1C_Image_Content_QI/CLOUDY_PIXEL_PERCENTAGE") == "7.1"
    mask = tile.findtext(".//L1C_Pixel_Level_QI/MASK_FILENAME")
    assert (root / mask).is_file()
    assert tile.findtext(".//CLOUD_CONFIDENCE_MASK") == "L2A_T32TQM_20170403T105021_CLD_20m"
    assert tile.findtext(".//PVI_FILENAME") == "L2A_T32TQM_20170403T105021_PVI"


def test_format_15_keeps_negative_reflectance(tmp_path: Path) -> None:
    root = _product(tmp_path, "15")
    main = _main(root)
    offsets = {found.get("band_id"): found.text for found in main.iter("BOA_ADD_OFFSET")}
    assert offsets == {str(band): "-1000" for band in range(13)}
    assert "psd-15" in main.tag
    assert main.findtext(".//PROCESSING_LEVEL") == "Level-2A"
    assert main.findtext(".//PRODUCT_TYPE") == "S2MSI2A"
    assert float(main.findtext(".//GRANULE_MEAN_AOT")) == pytest.approx(0.12)
    assert float(main.findtext(".//Cloud_Coverage_Assessment")) == 18.0
    tile = _tile(root)
    assert tile.findtext(".//L1C_TILE_ID").startswith("S2A_OPER_MSI_L1C_TL")
    masks = {found.get("type") for found in tile.iter("MASK_FILENAME")}
    assert masks == {"MSK_CLOUDS", "MSK_CLDPRB", "MSK_SNWPRB"}
    for found in tile.iter("MASK_FILENAME"):
        assert (root / found.text).is_file()
    assert (root / tile.findtext(".//PVI_FILENAME")).is_file()
    assert float(tile.findtext(".//OZONE_VALUE")) == 300.0


def test_format_14_5_has_no_offsets(tmp_path: Path) -> None:
    root = _product(tmp_path, "14.2", forced="14.5")
    main = _main(root)
    assert not list(main.iter("BOA_ADD_OFFSET"))
    assert not list(main.iter("GRANULE_MEAN_AOT"))
    assert len(list(main.iter("Granule_List"))) == 1
    images = [found.text for found in main.iter("IMAGE_FILE")]
    assert len(images) > 30
    assert all("/IMG_DATA/" in name for name in images)


def test_datastrip_lists_each_tile_once(tmp_path: Path) -> None:
    root = _product(tmp_path, "13.1", tiles=TILES)
    datastrip = etree.parse(next(root.glob("DATASTRIP/*/*.xml"))).getroot()
    listed = [found.get("tileId") for found in datastrip.iter("Tile")]
    assert len(listed) == len(set(listed)) == 2
    assert all("_USER_MSI_L2A_TL_" in tile_id for tile_id in listed)


@pytest.mark.parametrize(
    ("given", "as_list", "expected"),
    [
        ("<GRI_List><GRI_FILENAME>G</GRI_FILENAME></GRI_List>", False, ["G"]),
        ("<GRI_FILENAME>G</GRI_FILENAME>", True, ["G"]),
        ("", False, ["NONE"]),
        ("", True, []),
    ],
)
def test_ground_reference_keeps_its_name(given: str, as_list: bool, expected: list[str]) -> None:
    auxiliary = etree.fromstring(f"<A>{given}</A>")
    write_ground_reference(auxiliary, as_list=as_list)
    assert [found.text for found in auxiliary.iter("GRI_FILENAME")] == expected
    assert (auxiliary.find("GRI_List") is not None) == as_list


def test_a_second_finish_does_not_append(tmp_path: Path) -> None:
    root = _product(tmp_path, "14.2")
    level1c = stand_in(tmp_path / root.name.replace("MSIL2A", "MSIL1C"), "14.2")
    first = etree.tostring(_tile(root))
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        product.add_tile(level1c.tiles[0])
        product.set_outcome(level1c.tiles[0], TileOutcome(QualityPercentages(AREAS)))
        product.finish(RUN)
    assert etree.tostring(_tile(root)) == first


def test_percentages_of_nothing_are_zero() -> None:
    assert QualityPercentages().percentages == (0.0,) * 12
    assert QualityPercentages((5,) + (0,) * 11).percentages == (100.0,) + (0.0,) * 11
    assert QualityPercentages.combine([]) == QualityPercentages()


@given(st.lists(st.integers(0, 10**8), min_size=12, max_size=12))
def test_percentages_add_up(areas: list[int]) -> None:
    quality = QualityPercentages(tuple(areas))
    valid = sum(quality.percentages[1:])
    assert valid == pytest.approx(100.0 if sum(areas[1:]) else 0.0, abs=1e-4)
    assert 0.0 <= quality.cloud_coverage <= 100.0


def test_rounded_shares_of_clouds_are_not_more_than_all() -> None:
    quality = QualityPercentages((0,) * 8 + (1, 1, 4, 0))
    assert sum(quality.percentages) > 100.0
    assert quality.cloud_coverage == 100.0


def test_classes_are_counted_by_area() -> None:
    classes = np.array([[0, 4], [4, 11]], np.uint8)
    fine = QualityPercentages.from_classes(classes.repeat(3, 0).repeat(3, 1), 20)
    assert fine == QualityPercentages.from_classes(classes, 60)
    assert fine.percentages[0] == 25.0
    assert fine.percentages[4] == pytest.approx(66.666667)


def test_every_format_has_twelve_classes() -> None:
    for psd in PSD.values():
        assert len(psd.class_texts) == len(psd.class_percentages) == len(SCENE_CLASSES)
