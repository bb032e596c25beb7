"""The manifest lists every file once, truthfully."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from lxml import etree

from sen2cor.product.level2a.manifest import build_manifest
from sen2cor.product.psd import PSD

METADATA = """<n1:P xmlns:n1="https://psd-14"><n1:General_Info>
<PRODUCT_START_TIME>2017-04-03T10:50:21.026Z</PRODUCT_START_TIME>
<GENERATION_TIME>2020-01-01T00:00:00Z</GENERATION_TIME>
<Datatake datatakeIdentifier="GS2B_20170403T105021_009300_N02.04">
<SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME><SENSING_ORBIT_NUMBER>51</SENSING_ORBIT_NUMBER>
<SENSING_ORBIT_DIRECTION>ASCENDING</SENSING_ORBIT_DIRECTION></Datatake>
<EXT_POS_LIST>46 10 46 11</EXT_POS_LIST></n1:General_Info></n1:P>"""

FILES = {
    "MTD_MSIL2A.xml": METADATA,
    "INSPIRE.xml": "<i/>",
    "GRANULE/L2A_A/MTD_TL.xml": "<t/>",
    "GRANULE/L2A_A/IMG_DATA/R10m/B02_10m.jp2": "image",
    "GRANULE/L2A_A/QI_DATA/x y.weird": "?",
    "GRANULE/L2A_A/QI_DATA/x_y.other": "??",
    "GRANULE/L2A_B/MTD_TL.xml": "<t/>",
    "DATASTRIP/DS/MTD_DS.xml": "<d/>",
    "DATASTRIP/DS/QI_DATA/a.xml": "<q/>",
    "HTML/index.html": "<h/>",
    "rep_info/a.xsd": "<s/>",
    "AUX_DATA/note": "",
    "elsewhere/file": "!",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "X.SAFE"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "manifest.safe").write_text("of an earlier run")
    return folder


@pytest.mark.parametrize("version", ["14.2", "15"])
def test_every_file_once_with_size_and_checksum(root: Path, version: str) -> None:
    document = build_manifest(root, PSD[version], root / "MTD_MSIL2A.xml", None)
    found = {}
    for entry in document.find("dataObjectSection"):
        stream = entry.find("byteStream")
        href = stream.find("fileLocation").get("href")
        assert href.startswith("./")
        assert href not in found
        found[href] = stream
    assert set(found) == {f"./{name}" for name in FILES}
    for href, stream in found.items():
        content = (root / href).read_bytes()
        assert int(stream.get("size")) == len(content)
        checksum = stream.find("checksum")
        if version == "15":
            assert checksum.get("checksumName") == "SHA3-256"
            assert checksum.text == hashlib.sha3_256(content).hexdigest().upper()
        else:
            assert checksum.get("checksumName") == "MD5"
            assert checksum.text == hashlib.md5(content).hexdigest()


def test_every_object_is_pointed_to_once_from_the_map(root: Path) -> None:
    document = build_manifest(root, PSD["14.2"], root / "MTD_MSIL2A.xml", None)
    objects = [entry.get("ID") for entry in document.find("dataObjectSection")]
    package = document.find("informationPackageMap")
    pointers = [pointer.get("dataObjectID") for pointer in package.iter("dataObjectPointer")]
    assert sorted(objects) == sorted(pointers)
    identifiers = [found.get("ID") for found in document.iter() if found.get("ID")]
    assert len(identifiers) == len(set(identifiers))


def test_tiles_and_datastrips_have_their_containers(root: Path) -> None:
    document = build_manifest(root, PSD["14.2"], root / "MTD_MSIL2A.xml", None)
    units = {found.get("ID") for found in document.iter("{urn:ccsds:schema:xfdu:1}contentUnit")}
    assert {"Tiles", "Tile1", "Tile2", "IMG_DATA_Tile1", "QI_DATA_Tile1", "Datastrips"} <= units
    assert document.get("version") == (
        "esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a_user_product"
    )


def test_without_a_level1c_manifest_the_metadata_are_asked(root: Path) -> None:
    document = build_manifest(root, PSD["14.2"], root / "MTD_MSIL2A.xml", root / "absent")
    text = etree.tostring(document).decode()
    assert ">009300<" in text
    assert 'groundTrackDirection="ascending"' in text
    assert ">46 10 46 11<" in text
    assert "<safe:number>2B</safe:number>" in text
    assert 'start="2020-01-01T00:00:00Z"' in text


def test_acquisition_is_taken_from_the_level1c_manifest(root: Path, tmp_path: Path) -> None:
    source = tmp_path / "manifest.safe"
    source.write_text(
        '<x><metadataSection><metadataObject ID="platform" classification="DESCRIPTION" '
        'category="DMD"><kept/></metadataObject><metadataObject ID="processing"><old/>'
        "</metadataObject></metadataSection></x>"
    )
    document = build_manifest(root, PSD["14.2"], root / "MTD_MSIL2A.xml", source)
    text = etree.tostring(document).decode()
    assert "<kept" in text
    assert "<old" not in text
    assert "Generation of Level-2A User Product" in text


def test_a_broken_level1c_manifest_is_not_used(root: Path, tmp_path: Path) -> None:
    source = tmp_path / "manifest.safe"
    source.write_text("<broken")
    document = build_manifest(root, PSD["14.2"], root / "MTD_MSIL2A.xml", source)
    assert "Sentinel-SAFE" in etree.tostring(document).decode()
