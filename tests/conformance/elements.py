"""Compare the metadata with those of other processors, element by element, with reasons.

``python -m tests.conformance.elements`` compares the Level-2A metadata made from real Level-1C
products with those of Sen2Cor 2.3.1 and 2.4.0 and of the ground segment. Only the form of texts is
compared, since the scenes differ: numbers, dates and tile names count as equal. It fails if a
difference has no reason.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from tests.conformance.written import source, write
from tests.conftest import reference_folder

MODELS = (
    ("Sen2Cor 2.3.1", "l2a_sen2cor_2.3.1/*.SAFE", "14 of early 2017"),
    ("Sen2Cor 2.4.0", "l2a_sen2cor_2.4.0", "14 of early 2017"),
    ("baseline 05.09", "psd15_baseline_05.09/*MSIL2A*.SAFE", "34UCF"),
    ("baseline 05.11", "l2a_baseline_05.11/*.SAFE", "34UCF"),
)
"""Processor, folder of its metadata, and the Level-1C product to process."""

DOCUMENTS = ("MTD_MSIL2A.xml", "**/MTD_TL.xml", "manifest.safe", "INSPIRE.xml")

_USED = "names the auxiliary data of the run; this run has no elevation model or snow map"
_IN_SCENE = "depends on the scene"
_OUR_MANIFEST = "identifiers are derived from the paths of the files"
_MAPS = "maps of land cover that this processor does not use"

REASONS = (
    # (place, reason); the first match counts
    (r".*/@schemaLocation", "points to the schema in rep_info; Sen2Cor to none or to its own"),
    (r".*(BARE_SOILS|LOW_PROBA_CLOUDS|NOT_VEGETATED|UNCLASSIFIED)_PERCENTAGE",
     "the schema of 14.2 requires the new names; 2.3.1 wrote those of 13.1, which is invalid"),
    (r".*RADIATIVE_TRANSFER_ACCURAC?Y", "as the schema of 14.2 spells it, like 2.4.0"),
    (r".*(DARK_FEATURES|CAST_SHADOW)_PERCENTAGE", "renamed in baseline 05.11"),
    (r".*/Spectral_Information_List", "removed from the sample"),
    (r"/Level-2A_User_Product/Auxiliary_Data_Info", "removed from the sample"),
    (r".*/(Tile_Angles|L1C_Pixel_Level_QI)", "removed from the sample"),
    (r".*/Tile_Angles/.*", "removed from the Level-1C sample"),
    (r".*/GIPP_FILENAME", "the copy in AUX_DATA is called GIP_TL as the metadata are MTD_TL"),
    (r".*(PRODUCTION_DEM_TYPE|LUT_FILENAME|LIBRADTRAN_LUTS|SNOW_CLIMATOLOGY.*)", _USED),
    (r".*/ESACCI_.*", _MAPS),
    (r".*/CLOUDY_PIXEL_OVER_LAND_PERCENTAGE", _MAPS),
    (r".*/L1C_Pixel_Level_QI/MASK_FILENAME", "points to the copies in this product"),
    (r".*/(CLOUD|SNOW_ICE)_CONFIDENCE_MASK", "names the finest image; Sen2Cor named no file"),
    (r".*/PRODUCT_DOI", "identifies the collection of the ground segment"),
    (r".*/(REFERENCE_BAND|GRI_FILENAME)", "absent in the older Level-1C metadata"),
    (r".*/(SENSING_ORBIT_DIRECTION|@groundTrackDirection)", _IN_SCENE),
    (r"/XFDU/informationPackageMap/.*", _OUR_MANIFEST),
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """An element or attribute that is missing, added or of another form."""

    kind: str
    place: str
    ours: str = ""
    theirs: str = ""

    @property
    def reason(self) -> str | None:
        """Reason of the difference; None if it is unknown."""
        return next((why for where, why in REASONS if re.fullmatch(where, self.place)), None)


def differences(ours: Any, theirs: Any) -> Iterator[Difference]:
    """Compare two documents; a missing branch is reported once, at its root.

    Parameters
    ----------
    ours, theirs : Element
        Roots.
    """
    mine, other = _places(ours), _places(theirs)
    for place in other:
        if place not in mine and _parent(place) in mine:
            yield Difference("missing", place, theirs=other[place][0])
    for place, texts in mine.items():
        if place not in other:
            if _parent(place) in other:
                yield Difference("added", place, ours=texts[0])
        elif not set(texts) & set(other[place]):
            yield Difference("different", place, texts[0], other[place][0])


def compare(reference_data: Path) -> Iterator[tuple[str, str, Difference]]:
    """Compare with all processors; yield processor, document and difference."""
    for model, pattern, name in MODELS:
        (folder,) = (reference_data / "metadata").glob(pattern)
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            root = write(source(reference_data, place, name), place / "out")
            for document in DOCUMENTS:
                theirs, ours = next(folder.glob(document), None), next(root.glob(document), None)
                if theirs is not None and ours is not None:
                    for found in differences(_root(ours), _root(theirs)):
                        yield model, theirs.name, found


def _root(path: Path) -> Any:
    return etree.parse(path, etree.XMLParser(huge_tree=True)).getroot()


def _places(root: Any) -> dict[str, list[str]]:
    """Return the forms of the texts of each path of names."""
    found: dict[str, list[str]] = {}

    def visit(element: Any, above: str) -> None:
        place = f"{above}/{etree.QName(element).localname}"
        found.setdefault(place, []).append(_form(element.text))
        for name, value in element.attrib.items():
            found.setdefault(f"{place}/@{etree.QName(name).localname}", []).append(_form(value))
        for child in element:
            if isinstance(child.tag, str):
                visit(child, place)

    visit(root, "")
    return found


def _parent(place: str) -> str:
    return place.rpartition("/")[0]


def _form(text: str | None) -> str:
    form = re.sub(r"S2[A-D]", "S2X", (text or "").strip())
    form = re.sub(r"\b[0-9A-Fa-f]{32,}\b", "9", form)
    form = re.sub(r"T\d\d[A-Z]{3}", "T99XXX", form)
    form = re.sub(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", "9", form)
    return re.sub(r"\b(9|NaN)( (9|NaN))+", "9", form)


def main() -> int:
    """Print the table."""
    unexplained = 0
    last = ""
    for model, document, found in compare(reference_folder()):
        title = f"{document} compared with {model}"
        if title != last:
            print(f"\n{title}")
            last = title
        reason = found.reason or "NO REASON"
        unexplained += found.reason is None
        print(f"  {found.kind:9}  {found.place}")
        if found.kind == "different":
            print(f"{'':13}{found.ours[:60]!r} | {found.theirs[:60]!r}")
        print(f"{'':13}{reason}")
    print(f"\ndifferences without a reason: {unexplained}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
