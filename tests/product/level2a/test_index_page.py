"""Page ``HTML/UserProduct_index.html`` of Level-2A."""

from __future__ import annotations

from pathlib import Path

from sen2cor.product.level2a.index_page import INDEX_PAGE


def test_page_names_the_level2a_product(finished_product: Path) -> None:
    page = (finished_product / "HTML" / INDEX_PAGE).read_text()
    name = finished_product.name.removesuffix(".SAFE")
    assert f"<title>{name}</title>" in page and f"<h1>{name}</h1>" in page
    assert "<th>PROCESSING_LEVEL</th><td>Level-2A" in page
    assert "<th>VEGETATION_PERCENTAGE</th>" in page
    (listed,) = (
        line for line in (finished_product / "manifest.safe").read_text().splitlines()
        if INDEX_PAGE in line
    )  # fmt: skip
    assert "href" in listed
