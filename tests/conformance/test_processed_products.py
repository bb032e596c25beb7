"""Products of the command, with all optional images, validate against the official schemas."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from sen2cor.product.level2a import metadata_schemas
from sen2cor.product.psd import PSD
from tests.command import configuration, product_in, run, run_process
from tests.conformance.written import DOCUMENTS
from tests.small_product import write_small_product

OPTIONAL = (
    "Generate_DEM_Output",
    "Generate_DDV_Output",
    "Generate_Uncertainty_Output",
    "Generate_QA_Output",
)


@pytest.fixture(scope="module")
def process_format(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Function that makes a product of a format, PSD and images, with all that is optional."""

    @cache
    def process(psd: str, image_format: str) -> Path:
        folder = tmp_path_factory.mktemp(psd)
        level1c = write_small_product(folder / "in", psd, extent=1200)
        everything = configuration(folder, **dict.fromkeys(OPTIONAL, "TRUE"))
        options = ("--GIP_L2A", everything, "--format", image_format, "--output_dir", folder)
        result = run(*options, level1c)
        assert result.returncode == 0, result.stderr
        product = product_in(folder)
        assert result.stdout.splitlines()[-2] == f"L2A product: {product}"
        return product

    return process


@pytest.mark.parametrize(
    ("psd", "image_format"),
    [("13.1", "jp2"), ("14.2", "jp2"), ("14.5", "jp2"), ("14.5", "cog"),
     pytest.param("13.1", "cog", marks=pytest.mark.slow),
     pytest.param("14.2", "cog", marks=pytest.mark.slow)],
)  # fmt: skip
def test_documents_of_a_run_are_valid(
    reference_data: Path, process_format: Callable[[str, str], Path], psd: str, image_format: str
) -> None:
    product = process_format(psd, image_format)
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
def test_metadata_name_each_image_in_img_data(
    process_format: Callable[[str, str], Path], psd: str
) -> None:
    product = process_format(psd, "jp2")
    (metadata,) = product.glob("*MTD*L2A*.xml")
    element = PSD[psd].image_element
    listed = re.findall(f"<{element}>(.*?)</{element}>", metadata.read_text())
    images = [path.relative_to(product) for path in product.glob("GRANULE/*/IMG_DATA/**/*.jp2")]
    names = {path.stem if psd == "13.1" else str(path.with_suffix("")) for path in images}
    assert len(images) > 30
    assert len(listed) == len(set(listed))
    assert names <= set(listed)


def test_schemas_in_the_home_are_used(tmp_path: Path, small_product: Path) -> None:
    """Official schemas are read from the configuration folder."""
    folder = tmp_path / "cfg" / "S2-PDGS-TAS-DI-PSD-V14.2_L2A_Schema"
    folder.mkdir(parents=True)
    (folder / "S2_PDI_Level-2A_Tile_Metadata.xsd").write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="other"/></schema>'
    )
    result = run_process("--resolution", "60", "--output_dir", tmp_path, small_product,
                         SEN2COR_HOME=str(tmp_path))  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "S2_PDI_Level-2A_Tile_Metadata.xsd" in result.stderr
