"""Files of a Level-2A product: those that exist, found by the names of its formats; copied ones."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from sen2cor.errors import InputError
from sen2cor.product.name_templates import NameTemplate
from sen2cor.product.psd import PSD, Psd
from sen2cor.product.side_files import OUTDATED_BY_IMAGE, is_copy, is_side_file
from sen2cor.xml_document import Element, parse_xml

logger = logging.getLogger(__name__)

_MAX_NAMED = 5
"""Files that a message names."""


def find_product_metadata(root: Path) -> list[Path]:
    """Return the product metadata of a Level-2A product, in any format; mostly one file or none."""
    return _find(root, {psd.level2a.product_metadata for psd in PSD.values()})


def find_tile_metadata(folder: Path) -> list[Path]:
    """Return the metadata of a Level-2A tile, in any format; mostly one file or none."""
    return _find(folder, {psd.level2a.tile_metadata for psd in PSD.values()})


def list_tile_folders(root: Path, psd: Psd) -> list[Path]:
    """Return the folders of tiles, sorted, those with the names of the format first.

    Folders of other programs and the copies of file managers are left out.
    """
    granules = root / "GRANULE"
    folders = [
        folder
        for folder in (sorted(granules.iterdir()) if granules.is_dir() else ())
        if folder.is_dir() and not is_side_file(Path(folder.name)) and not is_copy(folder.name)
    ]
    named = psd.level2a.tile_folder
    return sorted(folders, key=lambda folder: named.match(folder.name) is None)


def find_image_of_other_ending(folder: Path, psd: Psd, ending: str) -> Path | None:
    """Return an image of a tile that exists only with another ending, None if there is none.

    Parameters
    ----------
    folder : Path
        Of the tile.
    psd : Psd
    ending : {"jp2", "tif"}
    """
    for path in sorted(folder.rglob("*.*")):
        relative = path.relative_to(folder).as_posix()
        for template in psd.level2a.images.values():
            fields = template.match(relative)
            if fields is not None and fields.get("ending", ending) != ending:
                if not path.with_suffix(f".{ending}").is_file():
                    return path
                break
    return None


def read_earlier_metadata(path: Path) -> Element | None:
    """Read the metadata of an earlier run; None if they are missing or broken."""
    if not path.is_file():
        return None
    try:
        return parse_xml(path, editable=True)
    except InputError as error:
        logger.warning("metadata of an earlier run ignored: %s", error)
        return None


def copy_folder(source: Path, target: Path, without: tuple[str, ...] = ()) -> None:
    """Copy files of a folder that do not exist in the target; the copies are writable.

    Side files of other programs are not copied.

    Parameters
    ----------
    source, target : Path
        A source that does not exist is skipped.
    without : tuple of str
        Files whose name contains one of these texts are skipped.
    """
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        copy = target / relative
        if is_side_file(relative):
            continue
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        elif any(text in path.name for text in without) or copy.exists():
            continue
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def copy_masks(source: Path, target: Path, ending: str) -> None:
    """Copy the masks of a Level-1C tile that do not exist in the target, without the preview.

    In a product of GeoTIFF raster masks get the ending of `rename_mask`.

    Parameters
    ----------
    source, target : Path
        Folders ``QI_DATA``.
    ending : {"jp2", "tif"}
        Of the images of the product.
    """
    is_renamed = ending != "jp2"
    copy_folder(source, target, without=("PVI", *((".jp2",) if is_renamed else ())))
    for path in sorted(source.glob("*.jp2")) if is_renamed else ():
        copy = target / rename_mask(path.name, ending)
        if "PVI" not in path.name and not is_side_file(Path(path.name)) and not copy.exists():
            shutil.copyfile(path, copy)


def rename_mask(name: str, ending: str) -> str:
    """Return the name of a raster mask in a product whose images have an ending.

    Beside GeoTIFF a mask of JPEG 2000 ends in ``.jpx``: a reader that looks for ``*B04*.jp2`` would
    take ``MSK_DETFOO_B04.jp2`` for band 4. GDAL opens it all the same. As GeoTIFF the eight layers
    of each band at 10 m would take longer than all the rest of the product.
    """
    if ending == "jp2" or not name.endswith(".jp2"):
        return name
    return f"{name.removesuffix('.jp2')}.jpx"


def warn_of_outdated_side_files(root: Path) -> None:
    """Warn of overviews, statistics and masks that are older than the image beside them."""
    outdated = [path for path in sorted(root.rglob("*")) if _is_outdated(path)]
    if outdated:
        names = [path.name for path in outdated]
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        logger.warning(
            "side files of other programs belong to earlier images; remove them, or pictures may "
            "show the earlier pixels: %s%s",
            ", ".join(names[:_MAX_NAMED]),
            more,
        )


def _is_outdated(path: Path) -> bool:
    for ending in OUTDATED_BY_IMAGE:
        if path.name.lower().endswith(ending) and path.is_file():
            stem = path.name[: -len(ending)]
            for image in _find_images(path.with_name(stem)):
                return image.stat().st_mtime_ns > path.stat().st_mtime_ns
    return False


def _find_images(path: Path) -> Iterator[Path]:
    """Yield the image that a side file belongs to: ``X.jp2`` of ``X.jp2.ovr`` or of ``X.ovr``."""
    for candidate in (path, *(path.with_name(f"{path.name}.{ending}") for ending in _IMAGES)):
        if candidate.suffix.lower().lstrip(".") in _IMAGES and candidate.is_file():
            yield candidate


_IMAGES = ("jp2", "tif")


def _find(folder: Path, templates: set[NameTemplate]) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and any(template.match(path.name) is not None for template in templates)
    ]
