"""Metadata made from real products validate against the official schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level2a import metadata_schemas
from sen2cor.product.level2a.writer import Level2AWriter
from sen2cor.product.psd import PSD
from tests.conformance.written import DOCUMENTS, SOURCES, source, write


@pytest.mark.parametrize(
    ("name", "forced"),
    [
        ("55JEJ", None),
        ("56JKT", None),
        ("14 of early 2017", None),
        ("six tiles", None),
        ("13 with datastrip", None),
        ("55JEJ", "14.5"),
        ("56JKT", "14.5"),
    ],
)
def test_documents_are_valid(
    reference_data: Path, tmp_path: Path, name: str, forced: str | None
) -> None:
    level1c = source(reference_data, tmp_path, name)
    root = write(level1c, tmp_path / "out", forced)
    psd = PSD[forced or level1c.psd]
    checked = 0
    for file_name, patterns in DOCUMENTS.items():
        schema = metadata_schemas.load_official_schema(
            reference_data / "psd_schemas", psd, file_name
        )
        assert schema is not None
        for pattern in patterns:
            for path in root.glob(pattern):
                document = etree.parse(path, etree.XMLParser(huge_tree=True)).getroot()
                assert metadata_schemas.find_problems(document, schema) == [], path.name
                checked += 1
    has_datastrip = any(datastrip.metadata_path for datastrip in level1c.datastrips)
    assert checked == 2 + len(level1c.tiles) + has_datastrip


@pytest.mark.parametrize("name", ["55JEJ", "six tiles", "34UCF"])
def test_documents_are_valid_by_the_schemas_in_the_product(
    reference_data: Path, tmp_path: Path, name: str
) -> None:
    level1c = source(reference_data, tmp_path, name)
    root = write(level1c, tmp_path / "out", None)
    has_datastrip = any(datastrip.metadata_path for datastrip in level1c.datastrips)
    for (file_name, patterns), number in zip(
        list(DOCUMENTS.items())[:3], (1, len(level1c.tiles), has_datastrip), strict=True
    ):
        schema = etree.XMLSchema(etree.parse(root / "rep_info" / file_name))
        paths = [path for pattern in patterns for path in root.glob(pattern)]
        assert len(paths) == number
        for path in paths:
            document = etree.parse(path).getroot()
            assert metadata_schemas.find_problems(document, schema) == [], path.name
            (location,) = document.xpath("@*[local-name()='schemaLocation']")
            assert (path.parent / location.split()[1]).resolve().is_file()


def _structure(element: Any, ignored: frozenset[str]) -> Any:
    """Names of an element and its children without repetitions."""
    children: list[Any] = []
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname not in ignored:
            structure = _structure(child, ignored)
            if structure not in children:
                children.append(structure)
    return etree.QName(element).localname, tuple(children)


def test_structure_is_that_of_sen2cor_2_4(reference_data: Path, tmp_path: Path) -> None:
    root = write(source(reference_data, tmp_path, "14 of early 2017"), tmp_path / "out", None)
    folder = reference_data / "metadata" / "l2a_sen2cor_2.4.0"
    none: frozenset[str] = frozenset()
    for name, path in (
        ("MTD_MSIL2A.xml", root / "MTD_MSIL2A.xml"),
        ("MTD_TL.xml", next(root.glob("GRANULE/*/MTD_TL.xml"))),
    ):
        theirs = etree.parse(folder / name).getroot()
        ours = etree.parse(path).getroot()
        assert _structure(ours, none) == _structure(theirs, none)
        assert ours.tag == theirs.tag


def test_structure_is_that_of_baseline_05_11(reference_data: Path, tmp_path: Path) -> None:
    """PSD 15: elements and their order, except those that this processor does not write.

    The identifier of ESA's own collection, clouds over land (no land mask is used), and elements
    that the trimmed or older Level-1C metadata lack.
    """
    level1c = source(reference_data, tmp_path, "34UCF")
    root = write(level1c, tmp_path / "out", None)
    (folder,) = (reference_data / "metadata" / "l2a_baseline_05.11").iterdir()
    ignored = frozenset(
        {
            "PRODUCT_DOI",
            "CLOUDY_PIXEL_OVER_LAND_PERCENTAGE",
            "REFERENCE_BAND",
            "GRI_FILENAME",
            "Tile_Angles",
        }
    )
    for pattern in ("MTD_MSIL2A.xml", "GRANULE/*/MTD_TL.xml"):
        theirs = etree.parse(next(folder.glob(pattern))).getroot()
        ours = etree.parse(next(root.glob(pattern))).getroot()
        assert _structure(ours, ignored) == _structure(theirs, ignored)
        assert ours.tag == theirs.tag


@pytest.mark.parametrize("name", ["55JEJ", "56JKT"])
def test_a_product_as_the_reader_opens_it(reference_data: Path, tmp_path: Path, name: str) -> None:
    pattern, version = SOURCES[name]
    (path,) = reference_data.glob(pattern)
    level1c = open_level1c(path, checksums=False)
    assert level1c.psd == version
    root = write(level1c, tmp_path / "out", None)
    (tile,) = (root / "GRANULE").iterdir()
    masks = {path.name for path in (level1c.tiles[0].folder / "QI_DATA").glob("*.gml")}
    assert masks <= {path.name for path in (tile / "QI_DATA").iterdir()}
    assert (tile / "AUX_DATA" / "AUX_ECMWFT").is_file()
    with Level2AWriter.begin(
        open_level1c(level1c.tiles[0].folder, checksums=False), tmp_path / "out"
    ) as again:
        assert all(
            again.add_tile(level1c.tiles[0]).has_images(resolution) for resolution in (60, 20, 10)
        )


@pytest.mark.parametrize(
    ("name", "forced", "count"),
    [
        ("six tiles", None, 3),
        ("56JKT", None, 4),
        ("56JKT", "14.5", 4),
        ("34UCF", None, 4),
    ],
)
def test_gdal_finds_the_resolutions(
    reference_data: Path, tmp_path: Path, name: str, forced: str | None, count: int
) -> None:
    """The SENTINEL2 driver of GDAL lists each resolution, and true colour if it exists."""
    gdal = pytest.importorskip("osgeo.gdal")
    gdal.UseExceptions()
    root = write(source(reference_data, tmp_path, name), tmp_path / "out", forced)
    (metadata,) = root.glob("*MTD*L2A*.xml")
    found = [entry for entry, _ in gdal.Open(str(metadata)).GetSubDatasets()]
    assert all(entry.startswith("SENTINEL2_L2A:") for entry in found)
    resolutions = {entry.rsplit(":", 2)[1] for entry in found}
    assert {"10m", "20m", "60m"} <= resolutions
    assert len(found) >= count
