"""Aerosol_Model of L2A_GIPP takes an aerosol of our own in place of Aerosol_Type."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sen2cor.atmosphere.table import LookUpTable
from sen2cor.errors import AuxiliaryDataError
from sen2cor.pipeline import product_run
from sen2cor.settings import Settings, load_settings


def loaded(settings: Settings) -> LookUpTable:
    return product_run._load_table(SimpleNamespace(spacecraft="S2B"), settings)  # type: ignore[arg-type]


def chosen(model: str | None, aerosol_type: str = "MARITIME") -> Settings:
    shipped = load_settings(environ={})
    look_up_tables = replace(shipped.look_up_tables, aerosol_type=aerosol_type, aerosol_model=model)
    return replace(shipped, look_up_tables=look_up_tables)


@pytest.mark.parametrize("model", ["URBAN", "DESERT", "RURAL_MIE"])
@pytest.mark.parametrize("aerosol_type", ["MARITIME", "AUTO"])
def test_model_stands_in_place_of_the_type(model: str, aerosol_type: str) -> None:
    assert loaded(chosen(model, aerosol_type)).name == f"S2B_{model}_SUMMER"


def test_by_default_the_type_decides() -> None:
    assert load_settings(environ={}).look_up_tables.aerosol_model is None
    assert loaded(chosen(None)).name == "S2B_MARITIME_SUMMER"


def test_element_is_read(tmp_path: Path) -> None:
    path = tmp_path / "L2A_GIPP.xml"
    path.write_text(
        "<Level-2A_Ground_Image_Processing_Parameter><Atmospheric_Correction><Look_Up_Tables>"
        "<Aerosol_Model>URBAN</Aerosol_Model></Look_Up_Tables></Atmospheric_Correction>"
        "</Level-2A_Ground_Image_Processing_Parameter>"
    )
    assert loaded(load_settings(path, environ={})).name == "S2B_URBAN_SUMMER"


def test_the_original_has_no_such_aerosol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_run, "_original_tables", lambda settings: tmp_path)
    with pytest.raises(AuxiliaryDataError, match=r"Aerosol_Model .* have no aerosol DESERT"):
        loaded(chosen("DESERT"))
