"""The small files of a product that people and catalogues look at: page and schema."""

from __future__ import annotations

from html import escape
from pathlib import Path

from sen2cor.simulation.description import ProductDescription

_SCHEMA = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Names the document only; the whole schema is part of the Products Specification Document. -->
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
  <xs:element name="Level-1C_User_Product" type="xs:anyType"/>
</xs:schema>
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{name}</title></head>
<body>
<h1>{name}</h1>
<p>{title}</p>
<p>{spacecraft}, {time}, tiles {tiles}</p>
</body>
</html>
"""


def write_optional_outputs(root: Path, product: ProductDescription) -> None:
    """Write HTML/UserProduct_index.html and the schema of rep_info below the product's root."""
    (root / "HTML").mkdir(exist_ok=True)
    (root / "HTML" / "UserProduct_index.html").write_text(
        _PAGE.format(
            name=escape(product.name()),
            title=escape(product.title),
            spacecraft=product.spacecraft,
            time=f"{product.sensing_time:%Y-%m-%d %H:%M:%S} UTC",
            tiles=", ".join(tile.mgrs for tile in product.tiles),
        ),
        encoding="utf-8",
    )
    (root / "rep_info").mkdir(exist_ok=True)
    namespace = product.psd.namespace.replace("psd-15", "psd-14")
    (root / "rep_info" / "S2_User_Product_Level-1C_Metadata.xsd").write_text(
        _SCHEMA.format(
            namespace=f"https://{namespace}.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd"
        ),
        encoding="utf-8",
    )
