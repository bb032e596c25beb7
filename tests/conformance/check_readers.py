"""Open products with other readers, each in its own environment, and print a table.

``python -m tests.conformance.check_readers`` makes Level-2A products of the simulated summer scene
and of the real pixels of Berlin, opens them with each reader, and compares what it finds with what
was written. It fails if a reader that supports a layout finds something else, or if a reader of
JPEG 2000 opens a product of GeoTIFF instead of refusing it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sen2cor.cli import main as process
from sen2cor.imagery import images
from sen2cor.product.level2a.xml_editing import find_text
from sen2cor.product.psd import PSD
from sen2cor.simulation.cli import main as simulate
from sen2cor.xml_document import parse_xml
from tests.conftest import reference_folder

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).parent / "readers"
LAYOUTS = ("13.1", "14.2", "14.5", "15")
GEOTIFF_LAYOUTS = ("14.5", "15")

REFLECTANCE_TOLERANCE = 0.001
ANGLE_TOLERANCE = 1.0
"""Degrees; satpy stretches the angle grid of a whole tile over the small images."""

_ALL_BANDS = {"B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12"}


@dataclass(frozen=True)
class Reader:
    """A reader, the packages of its environment, and the layouts that it does not support.

    Attributes
    ----------
    name : str
        Of the script ``<name>_reader.py`` and of the environment.
    packages : tuple of str
        If empty, the Python of the distribution is used, which has GDAL.
    unknown : mapping of str to str
        Reason why the reader does not support a layout.
    geotiff : bool
        Whether the reader opens products of GeoTIFF; if not, it must refuse them.
    """

    name: str
    packages: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    geotiff: bool = False

    def python(self) -> Path:
        """Return the Python of the reader; create its environment if it is missing."""
        if not self.packages:
            return Path("/usr/bin/python3")
        folder = ROOT / ".venv" / f"readers-{self.name}"
        python = folder / "bin" / "python"
        if not (folder / "complete").is_file():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, *self.packages], check=True)
            (folder / "complete").touch()
        return python

    def look(self, product: Path) -> dict[str, Any]:
        """Open a product with the reader."""
        done = subprocess.run(
            [self.python(), SCRIPTS / f"{self.name}_reader.py", product],
            capture_output=True,
            text=True,
        )
        lines = done.stdout.splitlines()
        if done.returncode or not lines:
            return {"error": f"ended with {done.returncode}: {done.stderr.strip()[-200:]}"}
        return dict(json.loads(lines[-1]))


_PLAIN_NAMES = "requires image names without the prefix L2A_ (PSD 14.5 or later)"
_COMPACT = "supports compact names only (PSD 14 or later)"

READERS = (
    Reader("gdal"),
    Reader("rasterio", ("rasterio", "numpy"), geotiff=True),
    Reader("rioxarray", ("rioxarray",), geotiff=True),
    Reader(
        "satpy",
        ("satpy", "rioxarray", "defusedxml", "bottleneck", "python-geotiepoints"),
        {"13.1": _COMPACT, "14.2": _PLAIN_NAMES},
    ),
    Reader("eoreader", ("eoreader",), {"13.1": _COMPACT}),
    Reader(
        "stactools",
        ("stactools-sentinel2", "pystac[validation]"),
        {
            "13.1": "requires Product_Info (PSD 14.5 or later), not L2A_Product_Info",
            "14.2": "requires Product_Info (PSD 14.5 or later), not L2A_Product_Info",
        },
    ),
    Reader("odc_stac", ("odc-stac", "pystac"), geotiff=True),
    Reader("stackstac", ("stackstac", "pystac"), geotiff=True),
)


@dataclass(frozen=True)
class Written:
    """A product and the values that a reader must find in it."""

    title: str
    layout: str
    path: Path
    image_format: str = "jp2"

    def problems(self, found: Mapping[str, Any]) -> Iterator[str]:
        """Compare with the values that a reader found; missing values are not compared."""
        bands = {f"B{name[1:]:0>2}" for name in found["bands"]}
        if bands != _ALL_BANDS:
            yield f"bands {sorted(bands ^ _ALL_BANDS)}"
        red = (self._image("B04").mean(dtype=float) + PSD[self.layout].boa_offset) / 10000
        if "red" in found and abs(found["red"] - red) > REFLECTANCE_TOLERANCE:
            yield f"red reflectance {found['red']:.4f}, not {red:.4f}"
        zenith = float(find_text(self._tile(), ".//Mean_Sun_Angle/ZENITH_ANGLE"))
        if "sun_zenith" in found and abs(found["sun_zenith"] - zenith) > ANGLE_TOLERANCE:
            yield f"sun zenith {found['sun_zenith']:.2f}, not {zenith:.2f}"
        codes = sorted({int(code) for code in self._image("SCL").ravel()})
        classes = found.get("classes")
        if classes is None or (isinstance(classes, list) and classes != codes):
            yield f"classes {classes}, not {codes}"

    def _image(self, kind: str) -> Any:
        paths = self.path.glob("GRANULE/*/IMG_DATA/**/*_20m.*")
        return images.read(next(path for path in paths if f"_{kind}_" in path.name))

    def _tile(self) -> Any:
        return parse_xml(next(self.path.glob("GRANULE/*/*MTD*.xml")))


def products(folder: Path) -> Iterator[Written]:
    """Make the products."""
    berlin = reference_folder() / "pixels" / "berlin_2017_l1c"
    sources = [("simulated", layout, ["--size", "6"]) for layout in LAYOUTS]
    if berlin.is_dir():
        sources += [("Berlin", layout, ["--wrap", str(berlin)]) for layout in ("14.2", "15")]
    for title, layout, options in sources:
        place = folder / f"{title}-{layout}"
        is_both = title == "simulated" and layout in GEOTIFF_LAYOUTS
        with redirect_stdout(sys.stderr):
            assert simulate(["--psd", layout, "--output", str(place), *options]) == 0
            (level1c,) = place.glob("*MSIL1C*.SAFE")
            for image_format in ("jp2", "cog") if is_both else ("jp2",):
                output = place / image_format
                arguments = ["--stac", "--format", image_format, "--output_dir", str(output)]
                assert process([*arguments, str(level1c)]) == 0
                (path,) = output.glob("*MSIL2A*.SAFE")
                yield Written(title, layout, path, image_format)


def row(reader: Reader, product: Written) -> tuple[list[str], bool]:
    """Return a line of the table, and whether the reader passes."""
    start = [reader.name, product.title, f"{product.layout} {product.image_format}"]
    found = reader.look(product.path)
    if product.image_format == "cog" and not reader.geotiff:
        refused = "error" in found
        shown = f"refuses it: {found['error']}" if refused else f"WRONG: opens it: {found}"
        return [*start, "-", "-", "-", shown], refused
    if "error" in found:
        reason = reader.unknown.get(product.layout)
        shown = f"does not open it: {reason}" if reason else f"FAILED: {found['error']}"
        return [*start, "-", "-", "-", shown], reason is not None
    wrong = list(product.problems(found))
    classes = found.get("classes")
    zenith = found.get("sun_zenith")
    return [
        *start,
        f"{len(found['bands'])}",
        "-" if zenith is None else f"sun {zenith:.1f}",
        f"{len(classes)} codes" if isinstance(classes, list) else str(classes or "-"),
        f"WRONG: {'; '.join(wrong)}" if wrong else found.get("remark", ""),
    ], not wrong


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder for the products (default: temporary)")
    keep = parser.parse_args().keep
    rows = [["reader", "product", "layout", "bands", "angles", "classes", "remark"]]
    well = True
    with tempfile.TemporaryDirectory() as temporary:
        for product in list(products(keep or Path(temporary))):
            for reader in READERS:
                line, good = row(reader, product)
                rows.append(line)
                well &= good
    widths = [max(len(line[column]) for line in rows) for column in range(6)]
    for line in (rows[0], *sorted(rows[1:], key=lambda cells: cells[:3])):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        print(*cells, line[6], sep="  ")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
