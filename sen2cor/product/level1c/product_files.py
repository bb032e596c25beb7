"""Files of a Level-1C product: folder, official name, images of the bands."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sen2cor.bands import BAND_NAMES, BANDS, RESOLUTIONS
from sen2cor.errors import InputError
from sen2cor.imagery import jpeg2000
from sen2cor.imagery.jpeg2000 import ImageInfo
from sen2cor.product.name_templates import NameTemplate, split_product_name
from sen2cor.product.other_products import describe_other_product
from sen2cor.product.psd import PSD
from sen2cor.product.side_files import is_side_file, is_unfinished_download
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)

_IMAGES = (".jp2", ".tif", ".tiff", ".png", ".jpg", ".img")
_BIT_DEPTHS = range(9, 17)
"""Of the images of bands; pixels of 8 bits are pictures."""

_OTHER_ARCHIVES = (".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".z", ".lz4")
_NESTING = 2
"""Levels below a folder where a product is looked for."""

_DEPTH = 4
"""Levels of a product above an image of a tile."""

_WITHOUT = "without the metadata of a product (MTD_MSIL1C.xml or *_MTD_SAFL1C_*.xml)"
_EXPECTED = "expected the folder (.SAFE) of a Level-1C product, or a tile folder in its GRANULE"


def locate_product(path: Path) -> tuple[Path, Path, Path | None]:
    """Find the product that a path belongs to.

    Parameters
    ----------
    path : Path
        Absolute or relative.

    Returns
    -------
    root, metadata : Path
        Folder of the product and its metadata file.
    tile : Path or None
        The folder of the tile, if the path is one.

    Raises
    ------
    InputError
        The path is something else; the message says what.
    """
    # unlike Path.resolve this keeps symbolic links: the user chose their names and folders
    path = Path(os.path.abspath(path))  # noqa: PTH100
    if not path.exists():
        link = f"link to {path.readlink()}, which does not exist" if path.is_symlink() else ""
        raise InputError(f"{path}: {link or 'no such file or folder'}; {_EXPECTED}")
    if not path.is_dir():
        raise InputError(f"{path}: is {_describe_file(path)}; {_EXPECTED}")
    metadata = find_level1c_metadata(path)
    if metadata is not None:
        return path, metadata, None
    for tile in (path, path.resolve()):
        product = tile.parent.parent
        if tile.parent.name == "GRANULE":
            metadata = find_level1c_metadata(product)
            if metadata is not None:
                return product, metadata, tile
    raise InputError(f"{path}: {_describe_folder(path)}; {_EXPECTED}")


def find_product_name(root: Path, metadata_path: Path, uri: str) -> str:
    """Return the name of a product, with ``.SAFE``.

    The name of the folder or, if the user renamed it, the name in the metadata. What the user
    added to the name of a folder is kept, so that two products never share one.

    Parameters
    ----------
    root, metadata_path : Path
    uri : str
        PRODUCT_URI of the metadata.
    """
    # PRODUCT_URI of long names comes from an archive: derive the name from that of the file
    by_file = metadata_path.stem.replace("_MTD_SAFL1C_", "_PRD_MSIL1C_")
    templates = {psd.level1c.product for psd in PSD.values()}
    parts = split_product_name(root.name, "1C")
    if parts is not None:
        return f"{''.join(parts)}.SAFE"
    for name in (uri, by_file):
        with_ending = name if name.endswith(".SAFE") else f"{name}.SAFE"
        if any(template.match(with_ending) is not None for template in templates):
            logger.warning("%s: renamed folder of the product %s", root, with_ending)
            return with_ending
    logger.warning("%s: neither folder nor metadata have the name of a product", root)
    return root.name if root.name.endswith(".SAFE") else f"{root.name}.SAFE"


def find_nested_products(
    folder: Path, find_metadata: Callable[[Path], object | None]
) -> list[Path]:
    """Return the products in a folder around them, one or two levels below, as in an archive.

    Parameters
    ----------
    folder : Path
    find_metadata : callable
        Returns what tells that a folder is a product, or None or an empty list.
    """
    level = [folder]
    for _ in range(_NESTING):
        level = [
            child
            for parent in level
            for child in list_folders(parent)
            if not is_side_file(Path(child.name))
        ]
        found = [child for child in level if find_metadata(child)]
        if found:
            return found
    return []


def find_level1c_metadata(folder: Path) -> Path | None:
    """Return the product metadata of a Level-1C product; None if the folder has none.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    templates = {psd.level1c.product_metadata for psd in PSD.values()}
    for path in list_files(folder):
        if any(template.match(path.name) is not None for template in templates):
            return path
    return None


def list_files(folder: Path) -> list[Path]:
    """Return the visible files of a folder, sorted; none if there is no such folder.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    return [path for path in _entries(folder) if path.is_file()]


def list_folders(folder: Path) -> list[Path]:
    """Return the visible folders in a folder, sorted; none if there is no such folder.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    return [path for path in _entries(folder) if path.is_dir()]


def find_file(folder: Path, template: NameTemplate) -> Path | None:
    """Return the first visible file whose name fits a template; None if there is none.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    return next(
        (path for path in list_files(folder) if template.match(path.name) is not None), None
    )


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error


def _describe_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if is_unfinished_download(path.name):
        return (
            "an incomplete file that is still being fetched, or was not to its end: fetch it again"
        )
    other = describe_other_product(path.name, [path.name] if suffix != ".xml" else [])
    if other is not None:
        return other
    if suffix in _OTHER_ARCHIVES:
        return f"an archive ({suffix}); of archives zip and tar are read: unpack it first"
    if suffix in _IMAGES:
        return "an image"
    if suffix == ".xml":
        return "a metadata file"
    if zipfile.is_zipfile(path):
        return "a zip archive (unpack it first)"
    return "a file"


def _describe_folder(path: Path) -> str:
    for folder in (path, *(path.parents[:_DEPTH] if "GRANULE" in path.parts else ())):
        names = [file.name for file in folder.iterdir()] if os.access(folder, os.R_OK) else []
        what = describe_other_product(folder.name if folder == path else "", names)
        if what is not None:
            return f"is {what}" if folder == path else f"is part of {what}"
    if not any(path.iterdir()):
        return f"is an empty folder, {_WITHOUT}"
    nested = find_nested_products(path, find_level1c_metadata)
    if len(nested) > 1:
        names = [child.name for child in nested]
        return f"is a folder around {len(nested)} products ({', '.join(names[:3])} ...): give one"
    if nested:
        return f"is a folder around the product {nested[0].name}"
    for folder in path.parents[:_DEPTH]:
        if os.access(folder, os.R_OK) and find_level1c_metadata(folder) is not None:
            return f"is a folder of the product {folder}, {_WITHOUT}"
    archives = [file.name for file in list_files(path) if file.suffix.lower() in (".zip", ".tar")]
    if archives:
        return f"is a folder with the archive {archives[0]}, {_WITHOUT}; give the archive"
    return f"is a folder {_WITHOUT}"


def find_band_images(tile_folder: Path, template: NameTemplate) -> dict[str, Path]:
    """Find the images of all bands in ``IMG_DATA``.

    An image is a file that ends in ``_Bnn.jp2``. Copies of an image with the name of the format,
    whose names contain that name, are ignored.

    Parameters
    ----------
    tile_folder : Path
    template : NameTemplate
        Of the path of an image in the folder of its tile.

    Raises
    ------
    InputError
        A band is missing, or has several images.
    """
    folder = tile_folder / "IMG_DATA"
    images = list_files(folder)
    bands = {}
    for name in BAND_NAMES:
        ending = [path for path in images if path.name.endswith(f"_{name}.jp2")]
        official = [
            path for path in ending if template.match(f"{folder.name}/{path.name}") is not None
        ]
        found = [path for path in ending if path in official or not _is_copy(path, official)]
        if len(found) > 1:
            both = " and ".join(path.name for path in found[:2])
            raise InputError(f"{folder}: several images of band {name}: {both}; keep one of them")
        if found:
            bands[name] = found[0]
    missing = [name for name in BAND_NAMES if name not in bands]
    if missing:
        word = "bands" if len(missing) > 1 else "band"
        partial = [path.name for path in images if is_unfinished_download(path.name)]
        note = f"; {partial[0]} is an unfinished download" if partial else ""
        raise InputError(
            f"{folder}: no image of {word} {', '.join(missing)} (files ending in _Bnn.jp2){note}; "
            "fetch the product again"
        )
    return bands


def _is_copy(path: Path, originals: Sequence[Path]) -> bool:
    return any(original.stem in path.stem for original in originals)


def read_image_grids(bands: Mapping[str, Path], nominal: Mapping[int, Grid]) -> dict[int, Grid]:
    """Return the grids of the images by resolution.

    Number and size of the pixels are those of the images, with a WARNING where the metadata differ;
    corner and projection are those of the metadata.

    Parameters
    ----------
    bands : mapping of band name to Path
        All 13 bands.
    nominal : mapping of resolution to Grid
        As the tile metadata give them.

    Raises
    ------
    InputError
        An image cannot be read or cannot hold digital numbers, images of one resolution have
        different sizes, or the sizes do not fit the resolutions.
    """
    grids: dict[int, Grid] = {}
    disagreeing = []
    for resolution in RESOLUTIONS:
        names = [band.name for band in BANDS if band.resolution == resolution]
        found = {name: _read_info(name, bands[name]) for name in names}
        grid = nominal[resolution]
        sizes = {name: (image.rows, image.cols) for name, image in found.items()}
        # the reference is an image with the size of the metadata, or the first image
        reference = next((name for name in names if sizes[name] == grid.shape), names[0])
        for name in names:
            if sizes[name] != sizes[reference]:
                raise InputError(
                    f"{bands[name]}: has {sizes[name][0]} x {sizes[name][1]} pixels, {reference} "
                    f"of the same resolution {sizes[reference][0]} x {sizes[reference][1]}; "
                    "fetch the product again"
                )
        first = found[reference]
        if (first.rows, first.cols) != grid.shape:
            extent = grid.rows * grid.pixel_size
            pixel_size = first.grid.pixel_size if first.grid else extent / first.rows
            disagreeing.append(
                f"{first.rows} x {first.cols} instead of {grid.rows} x {grid.cols} "
                f"at {resolution} m"
            )
            grid = Grid(grid.epsg, grid.ulx, grid.uly, pixel_size, first.rows, first.cols)
        grids[resolution] = grid
    _check_sizes(bands, grids, nominal)
    if disagreeing:
        logger.warning(
            "%s: size of the images differs from the tile metadata (%s); "
            "using the size of the images",
            bands[BAND_NAMES[0]].parent,
            ", ".join(disagreeing),
        )
    return grids


def _read_info(name: str, path: Path) -> ImageInfo:
    """Read the header of the image of a band.

    Raises
    ------
    InputError
        The file is no image, or none of digital numbers.
    """
    info = jpeg2000.read_info(path)
    problem = None
    if info.paletted:
        problem = "is a paletted image"
    elif info.components != 1:
        problem = f"has {info.components} components"
    elif info.bit_depth not in _BIT_DEPTHS:
        problem = f"has {info.bit_depth} bits per pixel"
    if problem is not None:
        raise InputError(
            f"{path}: the image of band {name} {problem}; digital numbers have one component of "
            f"{_BIT_DEPTHS[0]} to {_BIT_DEPTHS[-1]} bits; fetch the product again"
        )
    return info


def _check_sizes(
    bands: Mapping[str, Path], grids: Mapping[int, Grid], nominal: Mapping[int, Grid]
) -> None:
    """Check that the images of all resolutions cover the same ground, within a pixel.

    Raises
    ------
    InputError
        They do not.
    """
    # the size of the metadata is right; if no image has it, compare with the finest
    right = next((size for size in grids if grids[size].shape == nominal[size].shape), 10)
    for resolution, grid in grids.items():
        expected = tuple(size * right / resolution for size in grids[right].shape)
        tolerance = max(1.0, right / resolution)
        if any(
            abs(have - want) >= tolerance for have, want in zip(grid.shape, expected, strict=True)
        ):
            name, other = (
                next(band.name for band in BANDS if band.resolution == size)
                for size in (resolution, right)
            )
            raise InputError(
                f"{bands[name]}: band {name} of {resolution} m has {grid.rows} x {grid.cols} "
                f"pixels; about {expected[0]:.0f} x {expected[1]:.0f} cover the area of {other} "
                f"({grids[right].rows} x {grids[right].cols} of {right} m); fetch the product again"
            )
