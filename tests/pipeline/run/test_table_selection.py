"""Which tables the settings name, and how many AUTO asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.errors import AuxiliaryDataError
from sen2cor.pipeline.run import table_selection
from sen2cor.pipeline.run.table_selection import load_tables
from sen2cor.settings import Settings, load_settings


def loaded(settings: Settings) -> LookUpTable:
    (table,) = load_tables(SimpleNamespace(spacecraft="S2B"), settings)  # type: ignore[arg-type]
    return table


def chosen(model: str | None, aerosol_type: str = "MARITIME") -> Settings:
    shipped = load_settings(environ={})
    look_up_tables = replace(
        shipped.look_up_tables,
        aerosol_type=aerosol_type,
        aerosol_model=model,
        mid_latitude="SUMMER",
    )
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
        "<Aerosol_Model>URBAN</Aerosol_Model><Mid_Latitude>SUMMER</Mid_Latitude>"
        "</Look_Up_Tables></Atmospheric_Correction>"
        "</Level-2A_Ground_Image_Processing_Parameter>"
    )
    assert loaded(load_settings(path, environ={})).name == "S2B_URBAN_SUMMER"


def test_the_original_has_no_such_aerosol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_selection, "find_sen2cor_tables", lambda settings: tmp_path)
    with pytest.raises(AuxiliaryDataError, match=r"Aerosol_Model .* no aerosol DESERT"):
        loaded(chosen("DESERT"))


@pytest.mark.parametrize(
    ("aerosol_type", "mid_latitude", "names"),
    [
        ("AUTO", "WINTER", ["RURAL_WINTER", "MARITIME_WINTER"]),
        ("MARITIME", "AUTO", ["MARITIME_SUMMER", "MARITIME_WINTER"]),
        ("AUTO", "AUTO", ["RURAL_SUMMER", "RURAL_WINTER", "MARITIME_SUMMER", "MARITIME_WINTER"]),
    ],
)
def test_auto_loads_candidates_in_their_order(
    aerosol_type: str, mid_latitude: str, names: list[str]
) -> None:
    shipped = load_settings(environ={})
    group = replace(shipped.look_up_tables, aerosol_type=aerosol_type, mid_latitude=mid_latitude)
    tables = load_tables(SimpleNamespace(spacecraft="S2A"), replace(shipped, look_up_tables=group))  # type: ignore[arg-type]
    assert [table.name for table in tables] == [f"S2A_{name}" for name in names]


@pytest.mark.parametrize(
    ("given", "in_metadata", "asked"),
    [(None, 267.4, 267.4), (None, None, None), (450.0, 267.4, 450.0)],
)
def test_ozone_column_of_the_originals_tables(
    given: float | None,
    in_metadata: float | None,
    asked: float | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weather = None if in_metadata is None else SimpleNamespace(ozone=in_metadata)
    product = SimpleNamespace(
        spacecraft="S2A", tiles=[SimpleNamespace(read_ecmwf=lambda: weather)] * 2
    )
    calls = []
    monkeypatch.setattr(table_selection, "find_sen2cor_tables", lambda settings: tmp_path)
    monkeypatch.setattr(
        table_selection, "load_atm_files", lambda *args, ozone: calls.append(ozone) or args
    )
    shipped = load_settings(environ={})
    group = replace(
        shipped.look_up_tables, aerosol_type="RURAL", mid_latitude="SUMMER", ozone_content=given
    )
    load_tables(product, replace(shipped, look_up_tables=group))  # type: ignore[arg-type]
    assert calls == [pytest.approx(asked)]
