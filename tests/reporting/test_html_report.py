"""The HTML report: whole, self-contained, honest, readable."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import html

from sen2cor import optional_packages
from sen2cor.cli import main
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting import html_report
from sen2cor.reporting.html_report import HtmlReport
from sen2cor.reporting.legends import hatch
from sen2cor.reporting.palette import parse_colour
from sen2cor.settings import Settings

pytestmark = pytest.mark.html_report

pytest.importorskip("jinja2", reason="the extra 'report' is not installed")
pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

STYLE = Path(html_report.__file__).parent / "templates" / "report.css"


def page_in(folder: Path) -> Any:
    (path,) = folder.glob("*_report.html")
    return html.fromstring(path.read_text())


def assert_whole(page: Any) -> None:
    """Nothing is fetched, every anchor leads somewhere, every picture has a text."""
    sources = [*page.xpath("//@src"), *page.xpath("//@href"), *page.xpath("//@srcset")]
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert not page.xpath("//script") and "url(" not in page.xpath("string(//style)")
    identifiers = page.xpath("//@id")
    assert len(identifiers) == len(set(identifiers))
    assert {link[1:] for link in page.xpath("//a/@href")} <= set(identifiers)
    assert all(image.get("alt") for image in page.xpath("//img"))
    assert "{{" not in html.tostring(page, encoding="unicode")


@pytest.fixture
def record() -> dict[str, Any]:
    """The least that is known of a run."""
    return {
        "exit_code": 0,
        "result": "done",
        "error": None,
        "started": "2026-01-02T03:04:05+00:00",
        "ended": "2026-01-02T03:05:06+00:00",
        "seconds": 61.0,
        "peak_memory_bytes_of_a_process": 1_500_000_000,
        "versions": {"sen2cor": "1.2.3"},
        "settings": {"files": {}, "digest": "ab12", "differs_from_default": []},
        "options": {},
        "warnings": [],
    }


def test_page_in_the_product_shows_tile_and_shares(finished_product: Path) -> None:
    page = page_in(finished_product)
    assert_whole(page)
    product = open_level2a(finished_product)
    (tile,) = product.tiles
    (section,) = page.xpath(f"//section[@id='tile-{tile.mgrs}']")
    captions = [text.strip() for text in section.xpath(".//figcaption/text()")]
    assert captions[:7] == [
        "Before and after",
        "Top of atmosphere", "Surface", "Scene classification", "Aerosol optical thickness",
        "Water vapour", "Cloud probability",
    ]  # fmt: skip
    assert any("Histogram of aerosol" in caption for caption in captions)
    assert "Surface reflectance of the ground classes" in captions
    (slider,) = section.xpath(".//figure[@class='slider']/div")
    assert len(slider.xpath("img")) == 2
    rows = {
        " ".join(row.xpath("string(th)").split()): row.xpath("string(td[1])")
        for row in section.xpath(".//table[1]//tbody/tr")
    }
    assert rows["4 vegetation"] == f"{product.percentages['VEGETATION']:.2f} %"
    assert "end of classification 20 m" in rows
    assert finished_product.name in page.xpath("string(//title)")


def test_quality_mask_hatches_the_aerosol_and_its_uncertainty_is_shown(
    small_product: Path, tmp_path: Path
) -> None:
    options = ["--set", "Generate_QA_Output=TRUE", "--set", "Generate_Uncertainty_Output=TRUE"]
    arguments = [*options, "--resolution", "60", "--output_dir", str(tmp_path)]
    assert main([str(small_product), *arguments, "--report"]) == 0
    page = page_in(next(tmp_path.glob("*.SAFE")))
    captions = [text.strip() for text in page.xpath("//figcaption/text()")]
    assert "Standard uncertainty of the aerosol" in captions
    image = np.zeros((40, 40, 3), np.uint8)
    where = np.zeros((40, 40), np.bool_)
    where[:20] = True
    hatched = hatch(image, where)
    assert hatched[:20].any() and not hatched[20:].any() and not image.any()
    assert 0.1 < (hatched[:20] > 0).mean() < 0.5


def test_errors_are_not_counted_as_warnings(record: dict[str, Any]) -> None:
    record["warnings"] = ["ERROR: InputError: x", "WARNING: a", "WARNING: b"]
    page = html.fromstring(HtmlReport("X", Settings()).render(record))
    badges = [badge.text for badge in page.xpath("//header//a/span")]
    assert badges == ["1 error", "2 warnings"]


def test_page_is_in_the_manifest(finished_product: Path) -> None:
    (path,) = finished_product.glob("*_report.html")
    assert path.name in (finished_product / "manifest.safe").read_text()


def test_classification_only(small_product: Path, tmp_path: Path) -> None:
    arguments = ["--sc_only", "--resolution", "60", "--output_dir", str(tmp_path / "out")]
    assert main([str(small_product), *arguments, "--work_dir", str(tmp_path / "log")]) == 0
    page = page_in(tmp_path / "log")
    assert_whole(page)
    kinds = [text.strip() for text in page.xpath("//figcaption/text()")]
    assert "Scene classification" in kinds and "Surface" not in kinds


def test_failed_run_has_a_page(tmp_path: Path) -> None:
    bad = tmp_path / "S2A_MSIL1C_bad.SAFE"
    bad.mkdir()
    assert main([str(bad), "--work_dir", str(tmp_path / "log")]) == 3
    page = page_in(tmp_path / "log")
    assert_whole(page)
    assert "InputError" in page.xpath("string(//*[@role='alert'])")


def test_no_report_on_demand(small_product: Path, tmp_path: Path) -> None:
    arguments = ["--cr_only", "--no-report", "--output_dir", str(tmp_path / "out")]
    assert main([str(small_product), *arguments, "--work_dir", str(tmp_path / "log")]) == 0
    assert not list((tmp_path / "log").glob("*.html"))


def test_without_the_packages(
    small_product: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def absent(name: str) -> Any:
        return None if name in ("jinja2", "pystac") else util.find_spec(name)

    monkeypatch.setattr(optional_packages, "find_spec", absent)
    for option, extra in (("--report", "report"), ("--stac", "stac")):
        assert main([str(small_product), option]) == 5
        assert f"pip install 'sen2cor[{extra}]'" in capsys.readouterr().err
    arguments = ["--cr_only", "--output_dir", str(tmp_path / "out")]
    assert main([str(small_product), *arguments, "--work_dir", str(tmp_path / "log")]) == 0
    (report,) = (tmp_path / "log").glob("*_report.xml")
    assert report.read_text().count("pip install") == 1
    assert not list((tmp_path / "log").glob("*.html"))


def test_settings_that_differ_are_marked(record: dict[str, Any], tmp_path: Path) -> None:
    settings = Settings()
    settings = replace(settings, common=replace(settings.common, generate_ddv_output=True))
    page = html.fromstring(HtmlReport("S2A_X", settings).render(record))
    rows = page.xpath("//section[@id='settings']//tbody/tr")
    assert len(rows) == len(list(settings.values()))
    (marked,) = page.xpath("//tr[@class='differs']")
    assert marked.xpath("string(th)") == "Generate_DDV_Output"
    assert "differs" in marked.xpath("string(td[1])")


def test_provenance_of_the_heights(record: dict[str, Any], tmp_path: Path) -> None:
    def heights(report: HtmlReport) -> str:
        page = html.fromstring(report.render(record))
        return page.xpath("string(//tr[th='Elevation model']/td)")

    assert heights(HtmlReport("S2A_X", Settings())).startswith("none")
    settings = Settings()
    settings = replace(settings, common=replace(settings.common, dem_directory="/dem"))
    report = HtmlReport("S2A_X", settings)
    entry = {"name": "sen2cor.dem.elevation", "levelno": 20, "msg": "SRTM: N51E004.hgt"}
    for _ in range(2):
        report.handle(logging.makeLogRecord(entry))
    assert heights(report) == "folder /dem; SRTM: N51E004.hgt"


def test_tiles_that_failed_and_steps(record: dict[str, Any], tmp_path: Path) -> None:
    step = {"process": "L2A", "text": "12 bands imported", "seconds": 0.0}
    tile = {"error": None, "seconds": 75.4, "peak_memory_bytes": 0, "steps": [], "retrieval": None}
    record["tiles"] = {
        "33UUU": {**tile, "steps": [{**step, "peak_memory_bytes": 2_000_000}]},
        "33UVU": {**tile, "error": "InputError: B02 is broken"},
    }
    details = {"visibility": 34.65464, "stays_negative": False, "ratios": {}, "range": (1.5, None)}
    record["tiles"]["33UUU"]["retrieval"] = {"mean_aot": 0.2, "details": details}
    page = html.fromstring(HtmlReport("S2A_X", Settings()).render(record))
    assert_whole(page)
    account = page.xpath("//section[@id='tile-33UUU']//details//td/text()")
    assert account == ["34.65", "no", "–", "1.5, –"]
    first, second = page.xpath("//section[starts-with(@id, 'tile-')]")
    assert first.get("id") == "tile-33UUU"
    assert "2 MB" in first.text_content() and "1 min 15 s" in first.text_content()
    assert "B02 is broken" in second.text_content()


def test_texts_are_escaped_and_the_log_is_kept(record: dict[str, Any], tmp_path: Path) -> None:
    report = HtmlReport("S2A_X", Settings())
    report.handle(
        logging.makeLogRecord({"name": "sen2cor.x", "levelno": 20, "msg": "<script>1</script>"})
    )
    record["warnings"] = ["WARNING: <img src=http://x.invalid/>"]
    page = html.fromstring(report.render(record))
    assert_whole(page)
    assert "<script>1</script>" in page.xpath("string(//section[@id='log'])")
    assert "<img" in page.xpath("string(//section[@id='warnings'])")


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio."""
    luminances = []
    for colour in (first, second):
        channels = [value / 255 for value in parse_colour(colour)]
        light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminances.append(0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2])
    return (max(luminances) + 0.05) / (min(luminances) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(scheme: str) -> None:
    light, dark = STYLE.read_text().split("@media (prefers-color-scheme: dark)")
    text = light if scheme == "light" else dark
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", text))
    for page in ("page", "panel"):
        for ink in ("text", "muted", "accent"):
            assert contrast(colours[ink], colours[page]) >= 4.5, (ink, page)
    for kind in ("good", "bad", "warn"):
        assert contrast(colours[kind], colours[f"{kind}-panel"]) >= 4.5, kind
    assert contrast(colours["text"], colours["warn-panel"]) >= 4.5
    # swatches of any colour have this edge: WCAG 1.4.11, graphical objects
    for shape in ("edge", "bar"):
        assert contrast(colours[shape], colours["page"]) >= 3, shape
