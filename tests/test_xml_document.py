"""The only parser of XML: what it refuses, and how errors name file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sen2cor
from sen2cor.errors import ConfigurationError, InputError
from sen2cor.product.level2a.metadata_schemas import load_official_schema
from sen2cor.product.psd import PSD
from sen2cor.xml_document import parse_xml

SECRET = "file:///etc/hostname"
DEEP = b"<x>" * 300 + b"</x>" * 300
LONG = b"<x>" + b"a" * 11_000_000 + b"</x>"


@pytest.mark.parametrize("editable", [False, True])
@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE x [<!ENTITY a SYSTEM "{SECRET}">]>',
        '<!DOCTYPE x [<!ENTITY b "bb"><!ENTITY a "&b;&b;">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_document_type_declarations_are_refused(
    declaration: str, editable: bool, tmp_path: Path
) -> None:
    path = tmp_path / "MTD_DS.xml"
    path.write_text(f'<?xml version="1.0"?>{declaration}<x/>')
    with pytest.raises(InputError, match=r"MTD_DS\.xml: a document type declaration"):
        parse_xml(path, editable=editable)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"<broken", 1),
        (b"<x>\n<y></x>", 2),
        (b'<?xml version="1.0" encoding="no-such"?>\n<x/>', 1),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<x>\xff</x>', 2),
        (b'<?xml version="1.0" encoding="UTF-16"?><x/>', 1),
        (DEEP, 1),
        (LONG, 1),
    ],
    ids=["empty", "cut", "tags", "unknown encoding", "bytes", "wrong encoding", "depth", "size"],
)
def test_what_cannot_be_parsed_is_named_with_its_line(
    content: bytes, line: int, tmp_path: Path
) -> None:
    path = tmp_path / "L2A_GIPP.xml"
    path.write_bytes(content)
    message = rf"L2A_GIPP\.xml, line {line}: not well-formed XML .*; mend it"
    with pytest.raises(ConfigurationError, match=message):
        parse_xml(path, ConfigurationError, "mend it")


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent: cannot be read"):
        parse_xml(tmp_path / "absent")


def test_editable_documents_are_complete_and_may_be_large(tmp_path: Path) -> None:
    path = tmp_path / "MTD_DS.xml"
    path.write_bytes(b"<x>\n  <!-- kept -->\n  <y/>\n</x>")
    assert len(parse_xml(path)) == 1
    assert len(parse_xml(path, editable=True)) == 2
    assert parse_xml(path, editable=True).text is None
    for content in (DEEP, LONG):
        path.write_bytes(content)
        assert parse_xml(path, editable=True).tag == "x"


def test_schemas_find_what_they_include(tmp_path: Path) -> None:
    folder = tmp_path / "a%20b #ü" / "S2-PDGS-TAS-DI-PSD-V14.2_Schema"
    folder.mkdir(parents=True)
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{}</xs:schema>'
    (folder / "inner.xsd").write_text(schema.format('<xs:element name="x"/>'))
    (folder / "outer.xsd").write_text(
        schema.format('<xs:include schemaLocation="./inner.xsd"/><xs:element name="y"/>')
    )
    (tmp_path / "x.xml").write_text("<x/>")
    found = load_official_schema(folder.parent, PSD["14.2"], "outer.xsd")
    assert found is not None
    assert found.validate(parse_xml(tmp_path / "x.xml"))


def test_no_other_module_parses_files() -> None:
    package = Path(sen2cor.__file__).parent
    parsers = re.compile(r"XMLParser\(|etree\.(parse|iterparse)\(|minidom")
    found = {path.name for path in package.rglob("*.py") if parsers.search(path.read_text())}
    assert found == {"xml_document.py"}
