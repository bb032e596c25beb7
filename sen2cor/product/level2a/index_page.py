"""The page ``HTML/UserProduct_index.html`` of a Level-2A product, in place of that of Level-1C."""

from __future__ import annotations

from html import escape
from pathlib import Path

from sen2cor.xml_document import Element, parse_xml

INDEX_PAGE = "UserProduct_index.html"

_STYLE = (
    "body{font-family:sans-serif;margin:2em;color:#222}table{border-collapse:collapse}"
    "td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left;font-weight:normal}"
    "th{background:#eef}"
)


def write_index_page(path: Path, name: str, metadata: Path) -> None:
    """Write the page: name, product information and quality, as the metadata state them.

    Parameters
    ----------
    path : Path
        File to write; an existing one is replaced.
    name : str
        Name of the product.
    metadata : Path
        Product metadata.
    """
    root = parse_xml(metadata)
    sections = [
        _build_table(title, element)
        for element in root.iter()
        if isinstance(element.tag, str)
        for title in [_TITLES.get(element.tag.rpartition("}")[2].removeprefix("L2A_"))]
        if title is not None
    ]
    title = escape(name.removesuffix(".SAFE"))
    path.unlink(missing_ok=True)
    path.write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{''.join(sections)}"
        "</body>\n</html>\n",
        encoding="utf-8",
    )


_TITLES = {"Product_Info": "Product", "Image_Content_QI": "Quality"}

_LEFT_OUT = ("GENERATION_TIME",)
"""The page of the same product is always the same; the metadata have the time."""


def _build_table(title: str, element: Element) -> str:
    entries = [
        (leaf.tag.rpartition("}")[2], leaf.text.strip())
        for leaf in element.iter()
        if isinstance(leaf.tag, str) and not len(leaf) and leaf.text and leaf.text.strip()
    ]
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>\n"
        for name, text in entries
        if name not in _LEFT_OUT
    )
    return f"<h2>{title}</h2>\n<table>\n{rows}</table>\n"
