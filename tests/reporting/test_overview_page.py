"""Page of the products of a folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from lxml import html

from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.overview_page import list_products, main

pytest.importorskip("jinja2", reason="the extra 'report' is not installed")


def test_page_lists_the_products_and_leads_to_their_reports(
    finished_product: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / finished_product.name).symlink_to(finished_product)
    broken = tmp_path / "S2A_MSIL2A_BROKEN.SAFE"
    broken.mkdir()
    (broken / "MTD_MSIL2A.xml").write_text("<broken/>")
    stem = finished_product.name.removesuffix(".SAFE")
    (tmp_path / f"{stem}_TCI.png").write_bytes(b"")
    assert main([str(tmp_path)]) == 0
    assert "left out" in caplog.text
    page = html.fromstring((tmp_path / "index.html").read_text())
    links = page.xpath("//a/@href")
    assert links and all((tmp_path / unquote(link)).is_file() for link in links)
    assert not [link for link in page.xpath("//@src") if "//" in link]
    (row,) = list_products(tmp_path)
    text = page.xpath("string(//tbody)")
    assert finished_product.name in text and "33UUU" in text
    assert row.aot is not None and f"{row.aot:.3f}" in text
    assert row.cloud_cover == open_level2a(finished_product).cloud_cover
    assert row.seconds is not None and row.seconds > 0


def test_a_folder_without_products_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 3
    assert "holds no Level-2A product" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
