"""Two folders of products, compared: images bit by bit, documents element by element.

Images and arrays are equal if their decoded pixels are, bit by bit, and what GDAL tells of the
file: type, georeference, tables, metadata. Files of other bytes with the same content are named,
but are no difference. Documents in XML are equal if tags, attributes, text and order of the
elements are; comments do not count. Documents in JSON are equal if keys and values are; the order
of keys does not count. All other files are compared byte by byte.

What is excluded stands below, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lxml import etree
from osgeo import gdal

gdal.UseExceptions()


@dataclass(frozen=True)
class Exclusion:
    """What may differ.

    Attributes
    ----------
    document : str
        Regular expression of the file name.
    place : str
        Regular expression of the path of an element (``a/b``), attribute (``a/b@c``) or key
        (``a/b``). That it is there is compared, not its value.
    reason : str
    """

    document: str
    place: str
    reason: str


EXCLUSIONS = (
    Exclusion(r"MTD_MSIL2A\.xml|.*_MTD_SAFL2A_.*\.xml", r".*/GENERATION_TIME", "time of the run"),
    Exclusion(r"manifest\.safe", r".*/processing@start", "time of the run"),
    Exclusion(r"manifest\.safe", r".*/checksum", "follows from files that hold times"),
    Exclusion(r"manifest\.safe", r".*/byteStream@size", "follows from files that hold times"),
    Exclusion(r".*GIP_.*\.xml", r".*/DEM_Directory", "path of the machine"),
    Exclusion(r".*MSIL2A.*\.json", r"properties/(created|updated)", "time of the run"),
    Exclusion(r".*_run\.json", r"(.*/)?(seconds|started|ended)", "times of the run"),
    Exclusion(r".*_run\.json", r"(.*/)?peak_memory_bytes.*", "memory of the run"),
    Exclusion(r".*_run\.json", r"(.*/)?process", "number of a process"),
    Exclusion(
        r".*_run\.json", r"(allotment|resource_plan)/.*", "cores and memory by plan and machine"
    ),
)

ONLY_EXISTENCE = {
    r".*_report\.xml": "the log: prose with times",
    r".*_report\.html": "prose with times and pictures of numbers that are compared elsewhere",
}
"""Documents that only must be there, by file name, with the reason."""

ONLY_NUMBERS = {
    r".*_run\.json": "holds prose; keys may come and go",
}
"""JSON documents of which numbers are compared whose keys are in both, numbers in text included."""

ANY_ORDER = {
    r".*GIP_.*\.xml": "the copy of the configuration: its elements may be put in another order",
}
"""XML documents in which the order of elements does not count."""

RENAMED = {
    r"_\d{8}T\d{6}(?=_(report|run)(\.|_Data))": "time of the run in the names of its records",
}
"""Parts of names and values that are left out before these are compared, with the reason."""

IMAGES = {".jp2", ".tif", ".tiff", ".png", ".npy"}
XML = {".xml", ".xsd", ".gml", ".safe"}

_MISSING = "missing"

Place = tuple[str, str, str]
"""Path of an element or key, and its value in both documents."""


@dataclass
class Result:
    """What the comparison of two folders found.

    Attributes
    ----------
    images, documents : int
        Compared files.
    differences : list of str
        File, and what differs in it.
    other_bytes : list of str
        Images of the same content whose files differ.
    """

    images: int = 0
    documents: int = 0
    differences: list[str] = field(default_factory=list)
    other_bytes: list[str] = field(default_factory=list)


def compare(old: Path, new: Path) -> Result:
    """Compare all files below two folders."""
    files = _files(old), _files(new)
    result = Result()
    for name in sorted({*files[0], *files[1]}):
        if name not in files[1]:
            result.differences.append(f"{name}: missing")
        elif name not in files[0]:
            result.differences.append(f"{name}: not made before")
        else:
            _compare_file(name, files[0][name], files[1][name], result)
    return result


def _files(folder: Path) -> dict[str, Path]:
    return {
        _renamed(path.relative_to(folder).as_posix()): path
        for path in folder.rglob("*")
        if path.is_file()
    }


def _renamed(text: str) -> str:
    for pattern in RENAMED:
        text = re.sub(pattern, "", text)
    return text


def _compare_file(name: str, old: Path, new: Path, result: Result) -> None:
    is_image = new.suffix in IMAGES
    result.images += is_image
    result.documents += not is_image
    if any(re.fullmatch(pattern, new.name) for pattern in ONLY_EXISTENCE):
        return
    if old.read_bytes() == new.read_bytes():
        return
    found = image_difference(old, new) if is_image else document_difference(old, new)
    if found:
        result.differences.append(f"{name}: {found}")
    elif is_image:
        result.other_bytes.append(name)


def image_difference(old: Path, new: Path) -> str | None:
    """Say what differs in two images or arrays, None if nothing does."""
    pixels = _pixels(old), _pixels(new)
    for what in ("dtype", "shape"):
        values = [getattr(array, what) for array in pixels]
        if values[0] != values[1]:
            return f"{what} was {values[0]}, is {values[1]}"
    different = _bits(pixels[0]) != _bits(pixels[1])
    if different.any():
        step = np.abs(pixels[1].astype(float) - pixels[0].astype(float)).max()
        return f"{different.sum()} of {different.size} values differ, by at most {step:g}"
    if new.suffix == ".npy":
        return None
    return _first(_json_places(_description(old), _description(new), ""))


def _pixels(path: Path) -> npt.NDArray[Any]:
    if path.suffix == ".npy":
        return np.asarray(np.load(path))
    return np.asarray(gdal.Open(str(path)).ReadAsArray())


def _bits(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind != "f":
        return array
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def _description(path: Path) -> Any:
    """Return what GDAL tells of an image, but for what holds its name."""
    told = gdal.Info(str(path), format="json", extraMDDomains=["all"])
    told["metadata"].pop("DERIVED_SUBDATASETS", None)
    return {key: value for key, value in told.items() if key not in ("description", "files")}


def document_difference(old: Path, new: Path) -> str | None:
    """Say what differs in two documents, None if nothing does that counts."""
    if new.suffix == ".json":
        texts = json.loads(old.read_text()), json.loads(new.read_text())
        numbers = _matches(ONLY_NUMBERS, new)
        places = _number_places(*texts) if numbers else _json_places(*texts, "")
    elif new.suffix in XML:
        roots = etree.parse(str(old)).getroot(), etree.parse(str(new)).getroot()
        places = _xml_places(*roots, etree.QName(roots[1]).localname, _matches(ANY_ORDER, new))
    else:
        return "bytes differ"
    excluded = [one.place for one in EXCLUSIONS if re.fullmatch(one.document, new.name)]
    return _first(
        (place, before, after)
        for place, before, after in places
        if _renamed(before) != _renamed(after)
        and (
            _MISSING in (before, after)
            or not any(re.fullmatch(pattern, place) for pattern in excluded)
        )
    )


def _matches(patterns: dict[str, str], path: Path) -> bool:
    return any(re.fullmatch(pattern, path.name) for pattern in patterns)


def _first(places: Iterator[Place]) -> str | None:
    """Tell the first difference and how many more there are."""
    differences = list(places)
    if not differences:
        return None
    place, before, after = differences[0]
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    return f"{place} was {_short(before)}, is {_short(after)}{more}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _xml_places(old: Any, new: Any, path: str, any_order: bool) -> Iterator[Place]:
    """Yield what differs in two elements and in those below."""
    if old.tag != new.tag:
        yield path, old.tag, new.tag
        return
    for name in sorted({*old.attrib, *new.attrib}):
        values = old.get(name), new.get(name)
        if values[0] != values[1]:
            yield f"{path}@{etree.QName(name).localname}", *map(_text, values)
    for before, after in ((old.text, new.text), (old.tail, new.tail)):
        if (before or "").strip() != (after or "").strip():
            yield path, _text(before), _text(after)
    children = [_children(element, any_order) for element in (old, new)]
    tags = [[child.tag for child in row] for row in children]
    if tags[0] != tags[1]:
        place = next(
            (at for at, (a, b) in enumerate(zip(*tags, strict=False)) if a != b),
            min(map(len, tags)),
        )
        yield (f"{path}/*[{place + 1}]", *(_tag(row, place) for row in tags))
        return
    for before, after in zip(*children, strict=True):
        below = f"{path}/{etree.QName(after).localname}"
        yield from _xml_places(before, after, below, any_order)


def _children(element: Any, any_order: bool) -> list[Any]:
    children = list(element.iterchildren(tag=etree.Element))
    if any_order:
        children.sort(key=lambda child: (child.tag, sorted(child.attrib.items())))
    return children


def _tag(tags: list[str], place: int) -> str:
    return etree.QName(tags[place]).localname if place < len(tags) else _MISSING


def _text(value: str | None) -> str:
    return _MISSING if value is None else " ".join(value.split())


def _json_places(old: Any, new: Any, path: str) -> Iterator[Place]:
    """Yield what differs in two values and in those below."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            below = f"{path}/{key}" if path else key
            if key in old and key in new:
                yield from _json_places(old[key], new[key], below)
            else:
                yield (
                    below,
                    *(
                        _text(json.dumps(one[key])) if key in one else _MISSING
                        for one in (old, new)
                    ),
                )
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _json_places(before, after, f"{path}/{number}")
    else:
        texts = json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True)
        if texts[0] != texts[1]:
            yield path, *texts


def _number_places(old: Any, new: Any) -> Iterator[Place]:
    """Yield the numbers that differ among those whose keys are in both."""
    numbers = dict(_numbers(old, "")), dict(_numbers(new, ""))
    for path in sorted({*numbers[0]} & {*numbers[1]}):
        if numbers[0][path] != numbers[1][path]:
            yield path, numbers[0][path], numbers[1][path]


def _numbers(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in items:
            yield from _numbers(below, f"{path}/{key}" if path else str(key))
    elif isinstance(value, int | float | str):
        try:
            yield path, repr(float(value))
        except ValueError:
            return
