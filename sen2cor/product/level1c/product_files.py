"""Files of a Level-1C product: folder, official name, images of the bands."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sen2cor.bands import BAND_NAMES, BANDS, RESOLUTIONS
from sen2cor.errors import InputError
from sen2cor.imagery import jpeg2000
from sen2cor.imagery.jpeg2000 import ImageInfo
from sen2cor.product.name_templates import NameTemplate
from sen2cor.product.psd import PSD
from sen2cor.product.side_files import is_unfinished_download
from sen2cor.raster.grids import Grid

logger = logging.getLogger(__name__)

_IMAGES = (".jp2", ".tif", ".tiff", ".png", ".jpg", ".img")
_BIT_DEPTHS = range(9, 17)
"""Of the images of bands; pixels of 8 bits are pictures."""

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
        raise InputError(f"{path}: no such file or folder; {_EXPECTED}")
    if not path.is_dir():
        raise InputError(f"{path}: is {_describe_file(path)}; {_EXPECTED}")
    metadata = _find_product_metadata(path)
    if metadata is not None:
        return path, metadata, None
    product = path.parent.parent
    if path.parent.name == "GRANULE":
        metadata = _find_product_metadata(product)
        if metadata is not None:
            return product, metadata, path
    raise InputError(f"{path}: {_describe_folder(path)}; {_EXPECTED}")


def find_product_name(root: Path, metadata_path: Path, uri: str) -> str:
    """Return the name of a product, with ``.SAFE``.

    The name of the folder or, if the user renamed it, the name in the metadata.

    Parameters
    ----------
    root, metadata_path : Path
    uri : str
        PRODUCT_URI of the metadata.
    """
    # PRODUCT_URI of long names comes from an archive: derive the name from that of the file
    by_file = metadata_path.stem.replace("_MTD_SAFL1C_", "_PRD_MSIL1C_")
    templates = {psd.level1c.product for psd in PSD.values()}
    for name in (root.name, uri, by_file):
        with_ending = name if name.endswith(".SAFE") else f"{name}.SAFE"
        if any(template.match(with_ending) is not None for template in templates):
            if with_ending != root.name:
                logger.warning("%s: renamed folder of the product %s", root, with_ending)
            return with_ending
    logger.warning("%s: neither folder nor metadata have the name of a product", root)
    return root.name if root.name.endswith(".SAFE") else f"{root.name}.SAFE"


def _find_product_metadata(folder: Path) -> Path | None:
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


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error


def _describe_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _IMAGES:
        return "an image"
    if suffix == ".xml":
        return "a metadata file"
    if zipfile.is_zipfile(path):
        return "a zip archive (unpack it first)"
    return "a file"


def _describe_folder(path: Path) -> str:
    for folder, what in ((path, "a"), (path.parent.parent, "part of a")):
        names = [file.name for file in list_files(folder)] if os.access(folder, os.R_OK) else []
        for level in ("2A", "1B", "1A"):
            if any(f"MTD_MSIL{level}" in name or f"_MTD_SAFL{level}_" in name for name in names):
                return f"is {what} Level-{level} product"
    nested = [child.name for child in list_folders(path) if child.suffix == ".SAFE"]
    if nested:
        return f"is a folder around the product {nested[0]}"
    return "is a folder without the metadata of a product (MTD_MSIL1C.xml or *_MTD_SAFL1C_*.xml)"


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
        official = [path for path in ending if template.match(f"{folder.name}/{path.name}")]
        found = [path for path in ending if path in official or not _is_copy_of(path, official)]
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


def _is_copy_of(path: Path, originals: Sequence[Path]) -> bool:
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
