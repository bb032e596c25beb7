"""Style of QGIS for images of the scene classes: names and colours.

``python -m sen2cor.reporting.qgis_style FILE.qml`` writes it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES


def build_style(palette: str = "standard") -> str:
    """Build a style document (QML) of a paletted raster; no data is transparent.

    Parameters
    ----------
    palette : str
        One of `sen2cor.reporting.palette.PALETTES`.
    """
    entries = "\n".join(
        f'        <paletteEntry value="{code}" color="{colour}" label={quoteattr(name)} '
        f'alpha="{255 if code else 0}"/>'
        for code, (name, colour) in enumerate(
            zip(SCENE_CLASS_NAMES, PALETTES[palette], strict=True)
        )
    )
    return f"""<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <pipe>
    <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">
      <rasterTransparency/>
      <colorPalette>
{entries}
      </colorPalette>
    </rasterrenderer>
    <rasterresampler maxOversampling="2"/>
  </pipe>
  <blendMode>0</blendMode>
</qgis>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the style; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.reporting.qgis_style", description=__doc__
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--palette", choices=tuple(PALETTES), default="standard")
    values = parser.parse_args(arguments)
    values.file.write_text(build_style(values.palette), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
