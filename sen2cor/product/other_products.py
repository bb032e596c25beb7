"""Identification of products other than Sentinel-2 Level-1C, for messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LEVEL1C = "give the Level-1C product of the same acquisition"
_SENTINEL2 = "only Sentinel-2 Level-1C products can be processed"

_BY_NAME = (
    (r"SENTINEL2[A-C]_\d{8}-\d{6}-\d{3}_L[123]\w_.*", "a product of Theia / MAJA", _LEVEL1C),
    (r"SENTINEL2X_.*_L3A_.*", "a synthesis of Theia (Level-3A)", _LEVEL1C),
    (r"S2[A-Z]_OPER_SSC_.*", "a product of MAJA", _LEVEL1C),
    (r"L[COTEM]0[1-9]_.*|L[CTEM]\d{14}\w.*", "a Landsat product", _SENTINEL2),
    (r"HLS\.[LS]30\..*", "a product of Harmonized Landsat and Sentinel-2", _LEVEL1C),
    (r"S1[A-D]_.*", "a Sentinel-1 product", _SENTINEL2),
    (r"S3[A-D]_.*|.*\.SEN3", "a Sentinel-3 product", _SENTINEL2),
    (r"S5P_.*", "a Sentinel-5P product", _SENTINEL2),
    (r".*\.zarr", "a product in Zarr format", "give the product in SAFE format"),
)
_BY_FILE = (
    (r".*_MTD_ALL\.xml", "a product of Theia / MAJA", _LEVEL1C),
    (r".*_MTL\.(txt|xml|json)", "a Landsat product", _SENTINEL2),
    (r"xfdumanifest\.xml", "a Sentinel-3 product", _SENTINEL2),
    (r"\.zattrs|\.zgroup|\.zmetadata|zarr\.json", "a product in Zarr format",
     "give the product in SAFE format"),
    (r"tileInfo\.json", "a tile in the layout of the AWS archive",
     "give the product in SAFE format"),
)  # fmt: skip
_LEVEL_BY_FILE = re.compile(r"(?:MTD_MSI|.*_MTD_(?:SAF)?)L(0|1A|1B|2A|2F|2H|3A)(?:_.*)?\.xml")
_LEVEL_BY_NAME = re.compile(r".*S2[A-Z]_(?:\w{4}_(?:PRD_)?)?MSI_?L(0|1A|1B|2A|2F|2H|3A)_.*")


def describe_other_product(name: str, files: Iterable[str]) -> str | None:
    """Describe a folder that is not a Level-1C product, with advice; None if unknown.

    Parameters
    ----------
    name : str
        Name of the folder, used only if the files do not identify it.
    files : iterable of str
        Names of the files in it.
    """
    files = list(files)
    level = next((found[1] for file in files if (found := _LEVEL_BY_FILE.fullmatch(file))), None)
    if level is not None:
        return _describe_level(level)
    for expression, what, advice in _BY_FILE:
        if any(re.fullmatch(expression, file) for file in files):
            return f"{what}: {advice}"
    for expression, what, advice in _BY_NAME:
        if re.fullmatch(expression, name):
            return f"{what}: {advice}"
    by_name = _LEVEL_BY_NAME.fullmatch(name)
    return None if by_name is None else _describe_level(by_name[1])


def _describe_level(level: str) -> str:
    if level == "2A":
        return "a Level-2A product: give its Level-1C product"
    return f"a Level-{level} product: {_LEVEL1C}"
