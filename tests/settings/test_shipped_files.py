"""The shipped files, the schemas and the table agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from sen2cor.classification.parameters import ClassificationThresholds
from sen2cor.settings import Settings, load_settings, packaged_configuration_folder
from sen2cor.settings.documents import DOCUMENTS, Document
from sen2cor.settings.l2a_cal_sc_gipp import THRESHOLDS
from sen2cor.settings.shipped_files import parameter_tables, shipped_files

CFG = Path(__file__).resolve().parents[2] / "cfg"

DEFAULTS_OF_2_3 = {
    "Log_Level": "INFO",
    "Nr_Processes": 1,
    "Target_Directory": None,
    "DEM_Directory": None,
    "DEM_Reference": None,
    "Generate_DEM_Output": False,
    "Generate_TCI_Output": True,
    "Median_Filter": 0,
    "WV_Correction": 1,
    "VIS_Update_Mode": 1,
    "WV_Watermask": 1,
    "Cirrus_Correction": True,
    "BRDF_Correction": 0,
    "BRDF_Lower_Bound": 0.22,
    "DEM_Unit": 0,
    "Adj_Km": 1.0,
    "Visibility": 40.0,
    "Altitude": 0.1,
    "Smooth_WV_Map": 100.0,
    "WV_Threshold_Cirrus": 0.25,
    "Scaling_Limiter": False,
    "Rho_Retrieval_Step2": True,
    "T1_B04": 0.06,
    "T2_NDSI_CLD": -0.16,
    "T_CLOUD_MP": 0.20,
    "T_CLOUD_HP": 0.80,
    "T2_B10": 0.035,
}


def schema(document: Document) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(CFG / f"{document.name}.xsd"))


def test_files_are_those_of_the_table() -> None:
    for name, content in shipped_files().items():
        assert (CFG / name).read_bytes() == content, (
            f"write {name} anew: sen2cor.settings.shipped_files"
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_shipped_file_is_valid(document: Document) -> None:
    schema(document).assertValid(etree.parse(CFG / f"{document.name}.xml"))


def test_shipped_files_give_the_defaults() -> None:
    settings = load_settings(environ={})
    assert settings.differences() == ()
    assert settings.warnings == ()
    assert not any(settings.missing.values())
    values = {parameter.name: value for parameter, value in settings.values()}
    assert {name: values[name] for name in DEFAULTS_OF_2_3} == DEFAULTS_OF_2_3


def test_defaults_without_files_are_the_same() -> None:
    loaded, built_in = load_settings(environ={}), Settings()
    assert list(loaded.values()) == list(built_in.values())
    assert loaded.common == built_in.common
    assert loaded.digest() == built_in.digest()


def test_every_threshold_of_the_classification_has_an_element() -> None:
    names = {parameter.name.lower() for parameter in THRESHOLDS}
    assert names == set(ClassificationThresholds.__dataclass_fields__)


def test_element_names_are_unique_over_the_files() -> None:
    names = [name for document in DOCUMENTS for name in document.by_element]
    names += [unused.name for document in DOCUMENTS for unused in document.unused]
    assert len(names) == len(set(names))


def test_every_element_is_explained() -> None:
    table = parameter_tables()
    for document in DOCUMENTS:
        for parameter in document.parameters:
            assert f"**{parameter.name}** |" in table
    for parameter, _ in Settings().values():
        assert parameter.meaning


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_elements_without_effect_ship_as_in_2_3(document: Document) -> None:
    tree = etree.parse(CFG / f"{document.name}.xml")
    for unused in document.unused:
        found = tree.findall(f"./{unused.group}/{unused.name}")
        assert bool(found) == bool(unused.shipped), unused.name
        for element in found:
            texts = {text.strip() for text in element.itertext()} - {""}
            assert texts
            assert unused.is_shipped(texts), unused.name
            assert not unused.is_shipped({*texts, "changed"}), unused.name


def test_packaged_folder_is_the_source_tree_here() -> None:
    assert packaged_configuration_folder() == CFG


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_schema_refuses_what_the_reader_refuses(document: Document) -> None:
    tree = etree.parse(CFG / f"{document.name}.xml")
    check = schema(document)
    for parameter in document.parameters:
        element = tree.find(f".//{parameter.name}")
        if parameter.kind.simple_type().count("Length"):
            continue  # any text is allowed
        kept, element.text = element.text, "not a value"
        assert not check.validate(tree), parameter.name
        element.text = kept
    assert check.validate(tree)
