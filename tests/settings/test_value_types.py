"""Values of elements: what is accepted, what is refused, and how the refusal reads."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import etree

from sen2cor.errors import ConfigurationError
from sen2cor.settings.documents import DOCUMENTS, USER, Document
from sen2cor.settings.elements import Parameter
from sen2cor.settings.value_types import Boolean, Choice, Decimal, Integer, Kind, Ozone, Text
from tests.settings.conftest import ARGUMENT, Load, wrap

CHECKED = [
    (document, parameter)
    for document in DOCUMENTS
    for parameter in document.parameters
    if not isinstance(parameter.kind, Text)
]


def outside(kind: Kind) -> list[str]:
    """Return texts that a kind must refuse."""
    texts = ["wrong value", "", "nan", "1;2", "1_0", "٣"]
    if isinstance(kind, Decimal):
        texts += [f"{kind.highest + 0.01}", "inf", "0,5", "1e999"]
        texts += [] if kind.negative_is_zero else [f"{kind.lowest - 0.01}"]
    elif isinstance(kind, Integer):
        texts += [str(kind.lowest - 1), str(kind.highest + 1), f"{kind.lowest}.0"]
    elif isinstance(kind, Choice):
        texts += [value.lower() for value in kind.values if value != value.lower()]
        texts += list(kind.refused)
    elif isinstance(kind, Boolean):
        texts += ["2", "yes please", "on"]
    elif isinstance(kind, Ozone):
        texts += ["300", "a", "H", "331 DU", "-1"]
    else:
        texts = ["two words"]
    return texts


@pytest.mark.parametrize(
    ("document", "parameter"), CHECKED, ids=[parameter.name for _, parameter in CHECKED]
)
def test_wrong_value_names_file_line_element_value_and_range(
    load: Load, document: Document, parameter: Parameter
) -> None:
    for text in outside(parameter.kind):
        element = f"<{parameter.name}>{text}</{parameter.name}>"
        with pytest.raises(ConfigurationError) as caught:
            load(**{ARGUMENT[document.name]: wrap(document, parameter.group, element)})
        message = str(caught.value)
        assert caught.value.exit_code == 4
        assert f"{document.name}.xml, line 2: {parameter.name} = '{text}'" in message
        assert message.endswith(f"allowed: {parameter.kind.allowed}")


@pytest.mark.parametrize("code", ["2", "3", "4"])
def test_water_vapour_of_other_sensors_is_refused_with_the_reason(load: Load, code: str) -> None:
    text = f"<WV_Correction>{code}</WV_Correction>"
    with pytest.raises(ConfigurationError, match="not for Sentinel-2"):
        load(wrap(USER, "Atmospheric_Correction/Flags", text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("0", False),
        ("TRUE", True),
        ("FALSE", False),
        ("true", True),
        ("false", False),
        ("Yes", True),
        ("No", False),
        ("  TRUE\n", True),
    ],
)
def test_booleans_of_all_versions(load: Load, text: str, value: bool) -> None:
    element = f"<Cirrus_Correction>{text}</Cirrus_Correction>"
    settings = load(wrap(USER, "Atmospheric_Correction/Flags", element))
    assert settings.flags.cirrus_correction is value


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("0", None), ("f", 250), ("g", 290), ("h", 331), ("i", 370), ("j", 410), ("k", 450),
        ("t", 250), ("u", 290), ("v", 330), ("w", 377), ("x", 420), ("y", 460),
        ("250", 250), ("290", 290), ("330", 330), ("331", 331), ("370", 370), ("377", 377),
        ("410", 410), ("420", 420), ("450", 450), ("460", 460),
    ],
)  # fmt: skip
def test_ozone(load: Load, text: str, column: float | None) -> None:
    element = f"<Ozone_Content>{text}</Ozone_Content>"
    settings = load(wrap(USER, "Atmospheric_Correction/Look_Up_Tables", element))
    assert settings.look_up_tables.ozone_content == column


def test_negative_smoothing_is_none(load: Load) -> None:
    element = "<Smooth_WV_Map>-1</Smooth_WV_Map>"
    settings = load(wrap(USER, "Atmospheric_Correction/Calibration", element))
    assert settings.calibration.smooth_wv_map == 0.0


def test_words(load: Load) -> None:
    settings = load(
        wrap(
            USER,
            "Common_Section",
            "<Nr_Processes>AUTO</Nr_Processes><Nr_Threads>4</Nr_Threads>"
            "<PSD_Output>14.5</PSD_Output><Target_Directory>out put</Target_Directory>"
            "<DEM_Directory>NONE</DEM_Directory>",
        )
    )
    assert settings.common.processes is None
    assert settings.common.threads == 4
    assert settings.common.psd_output == "14.5"
    assert settings.common.target_directory == "out put"
    assert settings.dem_directory is None


def valid_text(kind: Kind) -> st.SearchStrategy[str]:
    """Return texts that a kind must accept."""
    if isinstance(kind, Decimal):
        numbers = st.floats(kind.lowest, kind.highest, allow_subnormal=False)
        return st.one_of(numbers.map(repr), numbers.map("{:+.3e}".format).filter(
            lambda text: kind.lowest <= float(text) <= kind.highest))  # fmt: skip
    if isinstance(kind, Integer):
        return st.integers(kind.lowest, kind.highest).map(str)
    if isinstance(kind, Choice):
        return st.sampled_from(kind.values)
    if isinstance(kind, Boolean):
        return st.sampled_from(("TRUE", "FALSE", "true", "false", "1", "0", "Yes", "No"))
    if isinstance(kind, Ozone):
        return st.sampled_from(("0", *"fghijktuvwxy", "331", "377"))
    return st.text("abc_-./", min_size=1)


@given(data=st.data())
def test_accepted_values_survive_being_written(data: st.DataObject) -> None:
    _, parameter = data.draw(st.sampled_from(CHECKED))
    text = data.draw(valid_text(parameter.kind))
    value = parameter.kind.parse(text)
    assert parameter.kind.parse(parameter.kind.render(value)) == value


@given(data=st.data())
def test_schema_type_accepts_what_the_reader_accepts(data: st.DataObject) -> None:
    _, parameter = data.draw(st.sampled_from(CHECKED))
    text = data.draw(valid_text(parameter.kind))
    parameter.kind.parse(text)
    schema = etree.XMLSchema(
        etree.fromstring(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a">'
            f"{parameter.kind.simple_type()}</xs:element></xs:schema>"
        )
    )
    element = etree.Element("a")
    element.text = text
    schema.assertValid(element)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(text=st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Co"))))
def test_any_text_is_a_value_or_a_configuration_error(load: Load, text: str) -> None:
    root = etree.Element(USER.root)
    etree.SubElement(etree.SubElement(root, "Common_Section"), "Nr_Processes").text = "".join(
        character for character in text if character.isprintable()
    )
    try:
        processes = load(etree.tostring(root, encoding="UTF-8")).common.processes
    except ConfigurationError:
        return
    assert processes is None or 0 <= processes <= 100
