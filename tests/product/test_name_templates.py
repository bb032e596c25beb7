"""Names are built and read back by the same templates."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sen2cor.errors import ConfigurationError, InputError
from sen2cor.product.name_templates import (
    DATASTRIP_ID,
    TILE_ID,
    fields,
    to_level1c,
    to_level2a,
)
from sen2cor.product.psd import PSD, Layout, output_psd

LAYOUTS = [layout for psd in PSD.values() for layout in (psd.level1c, psd.level2a)]
TIMES = st.datetimes(datetime(2015, 6, 23), datetime(2040, 1, 1)).map(
    lambda moment: moment.strftime("%Y%m%dT%H%M%S")
)
FIELDS = st.fixed_dictionaries(
    {
        "spacecraft": st.sampled_from(["S2A", "S2B", "S2C"]),
        "file_class": st.sampled_from(["OPER", "USER"]),
        "level": st.sampled_from(["1C", "2A"]),
        "unit": st.sampled_from(["TL", "CO"]),
        "centre": st.sampled_from(["SGS_", "2BPS", "EPA_", "MPS_"]),
        "datastrip_centre": st.sampled_from(["SGS_", "2BPS"]),
        "absolute_orbit": st.from_regex(r"[0-9]{6}", fullmatch=True),
        "relative_orbit": st.from_regex(r"[01][0-9]{2}", fullmatch=True),
        "mgrs": st.from_regex(r"[0-6][0-9][C-X][A-Z]{2}", fullmatch=True),
        "baseline": st.from_regex(r"[0-9]{2}\.[0-9]{2}", fullmatch=True),
        "created": TIMES,
        "start": TIMES,
        "stop": TIMES,
        "datatake_start": TIMES,
        "datastrip_start": TIMES,
        "datastrip_created": TIMES,
        "discriminator": TIMES,
        "resolution": st.sampled_from(["10", "20", "60"]),
        "ending": st.sampled_from(["jp2", "tif"]),
    }
).map(lambda found: {**found, "baseline_digits": found["baseline"].replace(".", "")})


@given(FIELDS)
def test_every_name_can_be_read_back(values: dict[str, str]) -> None:
    for layout in LAYOUTS:
        for template in (
            layout.product,
            layout.product_metadata,
            layout.datastrip_folder,
            layout.datastrip_metadata,
            layout.tile_folder,
            layout.tile_metadata,
        ):
            parsed = template.parse(template.build(values))
            assert parsed == {name: values[name] for name in parsed}
        for kind in layout.images:
            parsed = layout.images[kind].parse(layout.image(kind or "B8A", values))
            known = {**values, "kind": "B8A", "band": "B8A"}
            assert parsed == {name: known[name] for name in parsed}


@given(FIELDS)
def test_identifiers_change_level_and_back(values: dict[str, str]) -> None:
    level1c = {**values, "file_class": "OPER", "level": "1C"}
    for template in (TILE_ID, DATASTRIP_ID):
        identifier = template.build(level1c)
        renamed = to_level2a(identifier, "USER")
        assert template.parse(renamed)["level"] == "2A"
        assert template.parse(renamed)["file_class"] == "USER"
        assert to_level1c(renamed) == identifier
        assert template.parse(to_level2a(identifier, "OPER"))["file_class"] == "OPER"


def _tile_fields() -> dict[str, str]:
    return fields(
        tile_id="S2A_OPER_MSI_L1C_TL_SGS__20170403T160402_A009300_T32VNJ_N02.04",
        datastrip_id="S2A_OPER_MSI_L1C_DS_SGS__20170403T160402_S20170403T105022_N02.04",
        datatake_start=datetime(2017, 4, 3, 10, 50, 21),
        relative_orbit=51,
        discriminator=datetime(2017, 4, 3, 10, 50, 22),
        resolution=20,
        ending="jp2",
    )


@pytest.mark.parametrize(
    ("version", "kind", "name"),
    [
        (
            "13.1",
            "B02",
            "IMG_DATA/R20m/S2A_USER_MSI_L2A_TL_SGS__20170403T160402_A009300_T32VNJ_B02_20m.jp2",
        ),
        (
            "13.1",
            "SCL",
            "IMG_DATA/S2A_USER_SCL_L2A_TL_SGS__20170403T160402_A009300_T32VNJ_20m.jp2",
        ),
        ("14.2", "AOT", "IMG_DATA/R20m/L2A_T32VNJ_20170403T105021_AOT_20m.jp2"),
        ("14.2", "CLD", "QI_DATA/L2A_T32VNJ_20170403T105021_CLD_20m.jp2"),
        ("14.2", "PVI", "QI_DATA/L2A_T32VNJ_20170403T105021_PVI.jp2"),
        ("14.2", "DEM", "AUX_DATA/L2A_T32VNJ_20170403T105021_DEM_20m.jp2"),
        ("14.5", "TCI", "IMG_DATA/R20m/T32VNJ_20170403T105021_TCI_20m.jp2"),
        ("15", "SNW", "QI_DATA/MSK_SNWPRB_20m.jp2"),
        ("15", "CLD", "QI_DATA/MSK_CLDPRB_20m.jp2"),
        ("14.2", "QUA", "QI_DATA/L2A_T32VNJ_20170403T105021_QUA_20m.jp2"),
        ("15", "QUA", "QI_DATA/MSK_QA_20m.jp2"),
        ("15", "UNC_AOT", "QI_DATA/T32VNJ_20170403T105021_UNC_AOT_20m.jp2"),
        ("15", "UNC_B8A", "QI_DATA/T32VNJ_20170403T105021_UNC_B8A_20m.jp2"),
    ],
)
def test_image_names_of_level2a(version: str, kind: str, name: str) -> None:
    assert PSD[version].level2a.image(kind, _tile_fields()) == name


def test_products_and_folders_of_level2a() -> None:
    layout = PSD["14.2"].level2a
    found = _tile_fields()
    assert layout.product.build(found) == (
        "S2A_MSIL2A_20170403T105021_N0204_R051_T32VNJ_20170403T105022.SAFE"
    )
    assert layout.tile_folder.build(found) == "L2A_T32VNJ_A009300_20170403T105022"
    assert layout.datastrip_folder.build(found) == "DS_SGS__20170403T160402_S20170403T105022"


@pytest.mark.parametrize(
    ("level1c", "level2a"),
    [
        (
            "S2A_OPER_PRD_MSIL1C_PDMC_20160905T104813_R002_V20160905T005712_20160905T010424.SAFE",
            "S2A_USER_PRD_MSIL2A_PDMC_20160905T104813_R002_V20160905T005712_20160905T010424.SAFE",
        ),
        ("S2A_OPER_MTD_SAFL1C_PDMC_2016.xml", "S2A_USER_MTD_SAFL2A_PDMC_2016.xml"),
        ("L1C_T32VNJ_A008156_20170113T104402", "L2A_T32VNJ_A008156_20170113T104402"),
        (
            "S2A_OPER_MSI_L1C_CO_SGS__20170403T160402_A009300_T32VNJ_N02.04",
            "S2A_USER_MSI_L2A_CO_SGS__20170403T160402_A009300_T32VNJ_N02.04",
        ),
    ],
)
def test_level2a_names_follow_from_level1c(level1c: str, level2a: str) -> None:
    assert to_level2a(level1c, "USER") == level2a


def test_a_foreign_name_is_refused() -> None:
    layout = PSD["14.2"].level1c
    assert layout.product.match("LC08_L1TP_193024.SAFE") is None
    with pytest.raises(ValueError, match=r"LC08.*is not of the form"):
        layout.product.parse("LC08_L1TP_193024.SAFE")
    with pytest.raises(ValueError, match="'resolution'"):
        PSD["14.2"].level2a.image("B02", {"mgrs": "32VNJ", "datatake_start": "20170403T105021"})
    with pytest.raises(ValueError, match="cannot be the mgrs"):
        layout.tile_folder.build({**_tile_fields(), "mgrs": "../etc"})


def test_output_format_follows_the_input_unless_forced() -> None:
    assert output_psd("14.2").version == "14.2"
    assert output_psd("15", "14.2").version == "14.2"
    with pytest.raises(ConfigurationError, match=r"13\.1"):
        output_psd("14.2", "13.1")
    with pytest.raises(ConfigurationError, match="not known"):
        output_psd("14.2", "16")
    with pytest.raises(InputError):
        output_psd("12")


def test_complete_resolutions() -> None:
    assert set(PSD["14.2"].images(10)) == {"B02", "B03", "B04", "B08", "AOT", "WVP", "TCI"}
    assert "TCI" not in PSD["13.1"].images(20)
    assert "B01" in PSD["15"].images(20)
    assert "B10" not in PSD["15"].images(60)
    assert PSD["14.2"].images(20, classification_only=True) == ("SCL", "CLD", "SNW")
    assert PSD["14.2"].images(10, classification_only=True) == ()


def test_compact_paths_stay_short() -> None:
    """SIIMPC-677: well below the 256 characters of some file systems."""
    for psd in PSD.values():
        if psd.compact:
            assert _longest(psd.level2a) < 200


def _longest(layout: Layout) -> int:
    found = _tile_fields()
    folder = f"{layout.product.build(found)}/GRANULE/{layout.tile_folder.build(found)}"
    return max(len(f"{folder}/{layout.image(kind or 'B02', found)}") for kind in layout.images)


def test_real_level1c_names(reference_data: Path) -> None:
    layout = PSD["14.2"].level1c
    products = list((reference_data / "l1c_products").glob("*.SAFE"))
    assert products
    for product in products:
        assert layout.product.match(product.name)
        for tile in (product / "GRANULE").iterdir():
            found = layout.tile_folder.parse(tile.name)
            for image in (tile / "IMG_DATA").iterdir():
                parsed = layout.images[""].parse(str(image.relative_to(tile)))
                assert parsed["mgrs"] == found["mgrs"]
