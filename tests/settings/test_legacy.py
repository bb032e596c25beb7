"""Files of other versions of Sen2Cor, as users have them on their disks."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from sen2cor.errors import ConfigurationError
from sen2cor.settings import Settings, packaged_configuration_folder
from sen2cor.settings.documents import CLASSIFICATION, CORRECTION, DOCUMENTS, USER, Document
from tests.settings.conftest import ARGUMENT, Load, wrap

SIX_SCHEMES = """
    <UP_Scheme_1C>S2_User_Product_Level-1C_Metadata</UP_Scheme_1C>
    <UP_Scheme_2A>S2_User_Product_Level-2A_Metadata</UP_Scheme_2A>
    <Tile_Scheme_1C>S2_PDI_Level-1C_Tile_Metadata</Tile_Scheme_1C>
    <Tile_Scheme_2A>S2_PDI_Level-2A_Tile_Metadata</Tile_Scheme_2A>
    <DS_Scheme_1C>S2_PDI_Level-1C_Datastrip_Metadata</DS_Scheme_1C>
    <DS_Scheme_2A>S2_PDI_Level-2A_Datastrip_Metadata</DS_Scheme_2A>
"""
FLAGS = """
    <WV_Correction>1</WV_Correction>
    <VIS_Update_Mode>1</VIS_Update_Mode>
    <WV_Watermask>1</WV_Watermask>
    <Cirrus_Correction>FALSE</Cirrus_Correction>
    <BRDF_Correction>0</BRDF_Correction>
    <BRDF_Lower_Bound>0.22</BRDF_Lower_Bound>
"""
CALIBRATION = """
    <DEM_Unit>0</DEM_Unit>
    <Adj_Km>1.000</Adj_Km>
    <Visibility>23.0</Visibility>
    <Altitude>0.100</Altitude>
    <Smooth_WV_Map>100.0</Smooth_WV_Map>
    <WV_Threshold_Cirrus>0.25</WV_Threshold_Cirrus>
"""


def user_file(common: str, atmosphere: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{USER.root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="L2A_GIPP.xsd">
  <Common_Section>
    <Log_Level>INFO</Log_Level>
    <!-- can be an unsigned integer value or AUTO -->
    <Nr_Processes>1</Nr_Processes>
    <Target_Directory>DEFAULT</Target_Directory>
    <DEM_Directory>NONE</DEM_Directory>
    {common}
    <GIPP_Scheme>L2A_GIPP</GIPP_Scheme>
    <SC_Scheme>L2A_CAL_SC_GIPP</SC_Scheme>
    <AC_Scheme>L2A_CAL_AC_GIPP</AC_Scheme>
  </Common_Section>
  <Scene_Classification><Filters><Median_Filter>0</Median_Filter></Filters></Scene_Classification>
  <Atmospheric_Correction>{atmosphere}</Atmospheric_Correction>
</{USER.root}>"""


def blocks(*versions: str) -> str:
    return "".join(
        f'<PSD_Scheme PSD_Version="{version}" '
        f'PSD_Reference="S2-PDGS-TAS-DI-PSD-V{version}_Schema">{SIX_SCHEMES}</PSD_Scheme>'
        for version in versions
    )


def look_up_tables(ozone: str = "h") -> str:
    return f"""<Look_Up_Tables>
      <Aerosol_Type>RURAL</Aerosol_Type><Mid_Latitude>SUMMER</Mid_Latitude>
      <Ozone_Content>{ozone}</Ozone_Content></Look_Up_Tables>"""


REST = f"<Flags>{FLAGS}</Flags><Calibration>{CALIBRATION}</Calibration>"

USER_FILES = {
    "2.1": user_file(
        SIX_SCHEMES,
        f"<References><Atm_Data_Filename>w99000_wv08_mari.atm</Atm_Data_Filename></References>{REST}",
    ),
    "2.2": user_file(SIX_SCHEMES, look_up_tables() + REST),
    "2.3": user_file(
        "<DEM_Reference>http://example.org/srtm/</DEM_Reference>"
        "<Generate_DEM_Output>FALSE</Generate_DEM_Output>"
        "<Generate_TCI_Output>TRUE</Generate_TCI_Output>" + blocks("13.1", "14.2"),
        look_up_tables() + REST,
    ),
    "2.8": user_file(
        "<Nr_Threads>AUTO</Nr_Threads><Generate_DDV_Output>FALSE</Generate_DDV_Output>"
        "<Downsample_20_to_60>TRUE</Downsample_20_to_60>" + blocks("14.2", "14.5"),
        look_up_tables("0")
        + f"<Flags>{FLAGS}<DEM_Terrain_Correction>TRUE</DEM_Terrain_Correction></Flags>"
        f"<Calibration>{CALIBRATION}"
        "<Database_Compression_Level>0</Database_Compression_Level></Calibration>",
    ),
    "2.12": user_file(
        "<Region_Of_Interest></Region_Of_Interest>"
        "<Force_Exit_On_DEM_Error>FALSE</Force_Exit_On_DEM_Error>" + blocks("14.9", "15.0"),
        look_up_tables() + REST,
    ),
}

_UNUSED = {element.name: element for element in CORRECTION.unused}
SENSOR = "\n".join(_UNUSED["Sensor"].shipped).replace("<Calibration>", '<Calibration units="um">')
REFERENCES = "<References><Lib_Dir>lib</Lib_Dir></References>"

CORRECTION_FILES = {
    "2.2": wrap(CORRECTION, "Atmospheric_Correction", REFERENCES + SENSOR),
    "2.3": wrap(
        CORRECTION,
        "Atmospheric_Correction",
        "<Scaling_Limiter>false</Scaling_Limiter><Scaling_Disabler>false</Scaling_Disabler>"
        f"<Rho_Retrieval_Step2>true</Rho_Retrieval_Step2>{REFERENCES}{SENSOR}",
    ),
    "2.8": wrap(
        CORRECTION,
        "",
        "<Flags><Scaling_Limiter>true</Scaling_Limiter>"
        "<Scaling_Disabler>true</Scaling_Disabler>"
        f"<Rho_Retrieval_Step2>true</Rho_Retrieval_Step2></Flags>{REFERENCES}"
        "<Calibration><min_sc_blu>0.8</min_sc_blu><max_sc_blu>1.1</max_sc_blu>"
        f"<AC_Min_Ddv_Area>3.0</AC_Min_Ddv_Area></Calibration>{SENSOR}",
    ),
}


def schema(document: Document) -> etree.XMLSchema:
    folder: Path = packaged_configuration_folder()
    return etree.XMLSchema(etree.parse(folder / f"{document.name}.xsd"))


@pytest.mark.parametrize("version", USER_FILES)
def test_user_files_are_read_and_valid(load: Load, version: str) -> None:
    settings = load(USER_FILES[version])
    assert settings.calibration.visibility == 23.0
    assert settings.flags.cirrus_correction is False
    schema(USER).assertValid(etree.fromstring(USER_FILES[version].encode()))


@pytest.mark.parametrize("version", CORRECTION_FILES)
def test_correction_files_are_read_and_valid(load: Load, version: str) -> None:
    assert load(ac=CORRECTION_FILES[version]).correction.lib_dir == "lib"
    schema(CORRECTION).assertValid(etree.fromstring(CORRECTION_FILES[version].encode()))


def test_2_1_names_the_look_up_table_by_its_file(load: Load) -> None:
    settings = load(USER_FILES["2.1"])
    assert settings.look_up_tables.aerosol_type == "MARITIME"
    assert settings.look_up_tables.mid_latitude == "WINTER"
    assert settings.look_up_tables.ozone_content == 377.0
    (note,) = settings.warnings
    assert "without effect: UP_Scheme_1C" in note


@pytest.mark.parametrize("name", ["lut.atm", "h99000_wv20_rura", "q99000_wv20_rura.atm"])
def test_2_1_file_name_that_says_nothing_is_refused(load: Load, name: str) -> None:
    element = f"<Atm_Data_Filename>{name}</Atm_Data_Filename>"
    with pytest.raises(ConfigurationError, match=f"Atm_Data_Filename = '{name}'.*h99000"):
        load(wrap(USER, "Atmospheric_Correction/References", element))


def test_look_up_tables_beat_the_file_name_with_a_warning(load: Load) -> None:
    content = (
        "<References><Atm_Data_Filename>w99000_wv08_rura.atm</Atm_Data_Filename></References>"
        "<Look_Up_Tables><Mid_Latitude>SUMMER</Mid_Latitude></Look_Up_Tables>"
    )
    settings = load(wrap(USER, "Atmospheric_Correction", content))
    assert settings.look_up_tables.mid_latitude == "SUMMER"
    assert settings.look_up_tables.ozone_content == 377.0
    (warning,) = settings.warnings
    assert "Atm_Data_Filename contradicts Mid_Latitude" in warning


def test_elements_without_effect_are_named_in_one_note(load: Load) -> None:
    schemes = SIX_SCHEMES.replace("S2_PDI_Level-2A_Tile_Metadata", "a b")
    common = (
        '<PSD_Scheme PSD_Version="x"/><Region_Of_Interest>0,0</Region_Of_Interest>'
        f"<GIPP_Scheme>L2A_GIPP</GIPP_Scheme>{blocks('14.9', '15')}"
        f"<PSD_Scheme>{schemes}</PSD_Scheme>"
        "<Downsample_20_to_60>TRUE</Downsample_20_to_60>"
    )
    text = wrap(USER, "Common_Section", common)
    settings = load(text)
    (note,) = settings.warnings
    names = note.split("without effect: ")[1].split(" (")[0].split(", ")
    assert names == ["Region_Of_Interest", "PSD_Scheme", "Downsample_20_to_60"]
    assert settings.differences() == ()
    schema(USER).assertValid(etree.fromstring(text.encode()))


def test_changed_band_lists_have_no_effect(load: Load) -> None:
    text = CORRECTION_FILES["2.3"].replace("<fwhm>0.0188</fwhm>", "<fwhm>0.02</fwhm>")
    settings = load(ac=text)
    (note,) = settings.warnings
    assert "L2A_CAL_AC_GIPP.xml: elements without effect: Sensor" in note
    assert [each.element for each in settings.differences()] == ["Scaling_Disabler"]


def test_unused_thresholds_have_no_effect(load: Load) -> None:
    content = "<T_SDW>0.5</T_SDW><RV_B2>wide</RV_B2><T2_B12>0.12</T2_B12>"
    text = wrap(CLASSIFICATION, "Scene_Classification/Thresholds", content)
    settings = load(sc=text)
    (note,) = settings.warnings
    assert "without effect: T_SDW, RV_B2 (" in note
    assert settings.classification == Settings().classification
    schema(CLASSIFICATION).assertValid(etree.fromstring(text))


@pytest.mark.parametrize(("text", "policy"), [("TRUE", "ERROR"), ("FALSE", "FLAT")])
def test_2_9_name_of_the_missing_dem_policy(load: Load, text: str, policy: str) -> None:
    element = f"<Force_Exit_On_DEM_Error>{text}</Force_Exit_On_DEM_Error>"
    assert load(wrap(USER, "Common_Section", element)).common.dem_missing == policy


def test_our_name_of_the_missing_dem_policy_wins(load: Load) -> None:
    content = "<DEM_Missing>FLAT</DEM_Missing><Force_Exit_On_DEM_Error>1</Force_Exit_On_DEM_Error>"
    settings = load(wrap(USER, "Common_Section", content))
    assert settings.common.dem_missing == "FLAT"
    assert len(settings.warnings) == 1


def test_elements_of_later_versions_are_noted(load: Load) -> None:
    for version, names in (
        ("2.8", "Downsample_20_to_60, Database_Compression_Level"),
        ("2.12", "Region_Of_Interest"),
    ):
        (note,) = load(USER_FILES[version]).warnings
        assert f"L2A_GIPP.xml: elements without effect: {names} (" in note


def test_2_8_correction_file_without_the_wrapper(load: Load) -> None:
    settings = load(ac=CORRECTION_FILES["2.8"])
    assert settings.correction.scaling_limiter is True
    assert settings.correction.scaling_disabler is True
    assert settings.correction.min_sc_blu == 0.8
    assert settings.correction.min_ddv_area == 3.0
    assert settings.warnings == ()


def test_correction_elements_in_a_group_of_a_later_version(load: Load) -> None:
    content = "<Later><AC_Slope_Th>7</AC_Slope_Th><AC_New>1</AC_New></Later>"
    settings = load(ac=wrap(CORRECTION, "", content))
    assert settings.correction.slope_th == 7.0
    (warning,) = settings.warnings
    assert "AC_New" in warning


def test_old_file_without_the_flags_has_their_defaults(load: Load) -> None:
    settings = load(ac=CORRECTION_FILES["2.2"])
    assert settings.correction.rho_retrieval_step2 is True
    assert "Scaling_Limiter" in settings.missing["L2A_CAL_AC_GIPP"]


def test_thresholds_of_2_1_are_values(load: Load) -> None:
    old = {
        "T1_B04": 0.08, "T1_NDSI_SNW": 0.20, "T2_NDSI_SNW": 0.42, "T2_NDVI": 0.47,
        "T11_R_B02_B11": 0.8, "T12_R_B02_B11": 1.5, "T_CLOUD_MP": 0.35, "T_CLOUD_HP": 0.65,
    }  # fmt: skip
    content = "".join(f"<{name}>{value}</{name}>" for name, value in reversed(old.items()))
    settings = load(sc=wrap(CLASSIFICATION, "Scene_Classification/Thresholds", content))
    thresholds = settings.classification.thresholds
    assert {name: getattr(thresholds, name.lower()) for name in old} == old
    assert thresholds.t1_b8a == 0.15
    assert {entry.element for entry in settings.differences()} == set(old)


def test_class_names_of_later_versions_and_their_maps(load: Load) -> None:
    content = (
        "<References><Snow_Map>GlobalSnowMap.tiff</Snow_Map>"
        "<ESACCI_WaterBodies_Map>w.tif</ESACCI_WaterBodies_Map></References><Classificators>"
        "<NOT_VEGETATED>5</NOT_VEGETATED><UNCLASSIFIED>7</UNCLASSIFIED></Classificators>"
    )
    text = wrap(CLASSIFICATION, "Scene_Classification", content)
    (warning,) = load(sc=text).warnings
    assert "ESACCI_WaterBodies_Map" in warning
    schema(CLASSIFICATION).assertValid(etree.fromstring(text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_any_order(load: Load, document: Document) -> None:
    path = packaged_configuration_folder() / f"{document.name}.xml"
    root = etree.parse(path, etree.XMLParser(remove_comments=True)).getroot()
    for group in [root, *root.iterdescendants()]:
        group[:] = reversed(group[:])
    schema(document).assertValid(root)
    settings = load(**{ARGUMENT[document.name]: etree.tostring(root)})
    assert settings.differences() == ()
    assert settings.warnings == ()
