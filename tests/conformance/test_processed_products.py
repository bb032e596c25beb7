"""Products of the command, with all optional images, validate against the official schemas."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from sen2cor.product.level2a import metadata_schemas
from sen2cor.product.psd import PSD
from tests.command import configuration, product_in, run
from tests.conformance.written import DOCUMENTS
from tests.small_product import write_small_product

OPTIONAL = (
    "Generate_DEM_Output",
    "Generate_DDV_Output",
    "Generate_Uncertainty_Output",
    "Generate_QA_Output",
)


@pytest.mark.parametrize("image_format", ["jp2", "cog"])
@pytest.mark.parametrize("psd", ["13.1", "14.2", "14.5"])
def test_documents_of_a_run_are_valid(
    reference_data: Path, tmp_path: Path, psd: str, image_format: str
) -> None:
    level1c = write_small_product(tmp_path / "in", psd)
    everything = configuration(tmp_path, **dict.fromkeys(OPTIONAL, "TRUE"))
    options = ("--GIP_L2A", everything, "--format", image_format, "--output_dir", tmp_path)
    result = run(*options, level1c)
    assert result.returncode == 0, result.stderr
    product = product_in(tmp_path)
    checked = 0
    for file_name, patterns in DOCUMENTS.items():
        schema = metadata_schemas.load_official_schema(
            reference_data / "psd_schemas", PSD[psd], file_name
        )
        assert schema is not None
        for path in (path for pattern in patterns for path in product.glob(pattern)):
            assert metadata_schemas.find_problems(etree.parse(path).getroot(), schema) == [], (
                path.name
            )
            checked += 1
    assert checked == len(DOCUMENTS)


@pytest.mark.parametrize("psd", PSD)
def test_metadata_name_each_image_in_img_data(tmp_path: Path, psd: str) -> None:
    level1c = write_small_product(tmp_path / "in", psd)
    assert run("--output_dir", tmp_path, level1c).returncode == 0
    product = product_in(tmp_path)
    (metadata,) = product.glob("*MTD*L2A*.xml")
    element = PSD[psd].image_element
    listed = re.findall(f"<{element}>(.*?)</{element}>", metadata.read_text())
    images = [path.relative_to(product) for path in product.glob("GRANULE/*/IMG_DATA/**/*.jp2")]
    names = {path.stem if psd == "13.1" else str(path.with_suffix("")) for path in images}
    assert len(listed) == len(set(listed))
    assert names <= set(listed)


def test_schemas_in_the_home_are_used(tmp_path: Path, small_product: Path) -> None:
    """Official schemas are read from the configuration folder."""
    folder = tmp_path / "cfg" / "S2-PDGS-TAS-DI-PSD-V14.2_L2A_Schema"
    folder.mkdir(parents=True)
    (folder / "S2_PDI_Level-2A_Tile_Metadata.xsd").write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="other"/></schema>'
    )
    result = run("--resolution", "60", "--output_dir", tmp_path, small_product,
                 SEN2COR_HOME=str(tmp_path))  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "S2_PDI_Level-2A_Tile_Metadata.xsd" in result.stderr
