"""What a product is: level, format, content, completeness; from its metadata and file names."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sen2cor.inspection.screen import Screen
from sen2cor.pipeline.run.input_path import enter_folder
from sen2cor.pipeline.run.product_verification import ProductFiles, find_incomplete, find_metadata
from sen2cor.pipeline.run.product_verification import open_files as open_product_files
from sen2cor.product.archive import is_archive
from sen2cor.product.level1c.product_files import locate_product
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.origin import is_foreign
from sen2cor.xml_document import XmlDocument

_IMAGE = re.compile(
    r"GRANULE/([^/]+)/IMG_DATA/(?:.*/)?[^/]*_([A-Z0-9]{3,}?)(?:_(\d\d)m)?\.(jp2|tif)"
)
_TILE = re.compile(r"_T(\d{2}[A-Z]{3})(?=_|$)")
_NAMESPACE = re.compile(r"psd-(\d+)")
_FORMATS = {"jp2": "JPEG 2000", "tif": "GeoTIFF"}
_NATIVE = {"B02": 10, "B03": 10, "B04": 10, "B08": 10, "B01": 60, "B09": 60, "B10": 60}
_SHOWN = 5
"""Missing files that are named."""


@dataclass(frozen=True)
class ProductInfo:
    """What a product is.

    Attributes
    ----------
    path : Path
    name, level : str
        Name of folder or archive; ``1C`` or ``2A``.
    psd, baseline, spacecraft, orbit : str
        Of the metadata; empty where they are missing. Number of the format as in its namespace.
    sensing_time : str
        Start of the product, UTC.
    origin : str
        Of a Level-2A product in a folder: the processor; empty for others.
    cloud_cover : float or None
        Percent, as the metadata say.
    images : mapping of resolution in metres to mapping of tile to tuple of str
        Kinds of the images, such as ``B02``.
    image_format : str
    files, size : int
        Files, and their bytes.
    incomplete : tuple of str or None
        Files that are missing or of another size than the manifest says; None without manifest.
    """

    path: Path
    name: str
    level: str
    psd: str
    baseline: str
    spacecraft: str
    orbit: str
    sensing_time: str
    origin: str
    cloud_cover: float | None
    images: Mapping[int, Mapping[str, tuple[str, ...]]]
    image_format: str
    files: int
    size: int
    incomplete: tuple[str, ...] | None

    @property
    def tiles(self) -> tuple[str, ...]:
        """MGRS tiles."""
        return tuple(sorted({tile for tiles in self.images.values() for tile in tiles}))


def read_product_info(path: Path) -> ProductInfo:
    """Read what a product is. Only metadata are opened; an archive is not unpacked.

    Parameters
    ----------
    path : Path
        Folder of a Level-1C or Level-2A product, a folder around it or a tile inside it, or the
        archive of a Level-1C product.

    Raises
    ------
    InputError
        It is no such product; the message says what it is.
    """
    path = enter_folder(path)
    if path.is_dir() and path.parent.name == "GRANULE":
        path = path.parent.parent
    if not (is_archive(path) or find_product_metadata(path)):
        locate_product(path)  # says what it is, if it is no product
    with open_product_files(path) as files:
        name, level = find_metadata(path, files)
        with files.open(name) as stream:
            document = XmlDocument(path / name, stream.read())
        images, ending = _list_images(files)
        problems = find_incomplete(path, files, level)
        own = level == "2A" and path.is_dir()
        return ProductInfo(
            path=path,
            name=path.name,
            level=level,
            psd=_find_format(document),
            baseline=_text(document, "PROCESSING_BASELINE"),
            spacecraft=_text(document, "SPACECRAFT_NAME"),
            orbit=" ".join(
                filter(None, (_text(document, f"SENSING_ORBIT_{one}")
                              for one in ("NUMBER", "DIRECTION")))
            ),
            sensing_time=_text(document, "PRODUCT_START_TIME"),
            origin=_find_origin(path, files) if own else "",
            cloud_cover=_cloud_cover(document),
            images=images,
            image_format=_FORMATS.get(ending, ""),
            files=len(files.sizes),
            size=sum(files.sizes.values()),
            incomplete=None if problems is None else tuple(problems),
        )  # fmt: skip


def show_product_info(info: ProductInfo, screen: Screen) -> None:
    """Print what a product is.

    Parameters
    ----------
    info : ProductInfo
    screen : Screen
    """
    screen.title(info.name)
    rows = [row for row in _describe(info) if row[1]]
    warn = info.incomplete is None or len(info.incomplete) > 0
    styles = [("yellow",) if label == "Complete" and warn else () for label, _ in rows]
    screen.rows(rows, styles)


def _describe(info: ProductInfo) -> Iterator[tuple[str, str]]:
    kind = " archive" if is_archive(info.path) else ""
    yield "Level", f"{info.level}, PSD {info.psd}, baseline {info.baseline}{kind}"
    yield "Made by", info.origin
    orbit = f", relative orbit {info.orbit.lower()}" if info.orbit else ""
    yield (
        "Sensed",
        f"{info.sensing_time.replace('T', ' ').rstrip('Z')} UTC, {info.spacecraft}{orbit}",
    )
    yield "Tiles", ", ".join(info.tiles) or "none"
    for resolution in sorted(info.images):
        by_tile = info.images[resolution]
        kinds = sorted({kind for kinds in by_tile.values() for kind in kinds})
        partial = [tile for tile in info.tiles if by_tile.get(tile, ()) != tuple(kinds)]
        note = f" (not all in {', '.join(partial)})" if partial else ""
        yield f"{resolution} m", f"{', '.join(kinds)}{note}"
    clouds = "" if info.cloud_cover is None else f"{info.cloud_cover:.1f} %"
    yield "Cloud cover", clouds
    yield "Size", f"{format_size(info.size)} in {info.files} files, images {info.image_format}"
    yield "Complete", _describe_completeness(info)


def _describe_completeness(info: ProductInfo) -> str:
    if info.incomplete is None:
        return "unknown: there is no manifest.safe"
    if not info.incomplete:
        return "yes, by names and sizes; --check compares the checksums"
    more = len(info.incomplete) - _SHOWN
    tail = f"; and {more} more" if more > 0 else ""
    shown = [problem.rpartition("/")[2] for problem in info.incomplete[:_SHOWN]]
    return f"no: {'; '.join(shown)}{tail}"


def format_size(size: float) -> str:
    """Return bytes in a unit for people: kB, MB, GB (powers of ten)."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"


def _text(document: XmlDocument, name: str) -> str:
    found = document.find(f".//{name}")
    return "" if found is None else (found.text or "").strip()


def _find_format(document: XmlDocument) -> str:
    found = _NAMESPACE.search(document.namespace)
    return found[1] if found else "unknown"


def _cloud_cover(document: XmlDocument) -> float | None:
    try:
        return float(_text(document, "Cloud_Coverage_Assessment"))
    except ValueError:
        return None


def _list_images(files: ProductFiles) -> tuple[dict[int, dict[str, tuple[str, ...]]], str]:
    """Return kinds of images by resolution and tile, and the ending of the images."""
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    ending = ""
    for name in files.sizes:
        image = _IMAGE.fullmatch(name)
        if image is None:
            continue
        folder, kind, metres, ending = image.groups()
        match = _TILE.search(folder)
        tile = match[1] if match else folder
        resolution = int(metres) if metres else _NATIVE.get(kind, 20 if kind[0] == "B" else 10)
        found[resolution][tile].add(kind)
    return {
        resolution: {tile: tuple(sorted(kinds)) for tile, kinds in tiles.items()}
        for resolution, tiles in found.items()
    }, ending


def _find_origin(root: Path, files: ProductFiles) -> str:
    if is_foreign(root):
        return "another processor"
    records = sorted(
        name for name in files.sizes
        if name.endswith("run.json") and len(PurePosixPath(name).parts) == 1
    )  # fmt: skip
    for name in reversed(records):
        try:
            with files.open(name) as stream:
                return f"sen2cor {json.load(stream)['versions']['sen2cor']} (this processor)"
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return "this processor"
