"""Virtual rasters (VRT of GDAL): a small file that opens several images as bands of one raster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sen2cor.imagery.image_writer import unwritable


def write_virtual_raster(path: Path, images: Mapping[str, Path]) -> None:
    """Write a virtual raster of single-band images on the same grid.

    The images are found by paths relative to the file: it may be moved with them.

    Parameters
    ----------
    path : Path
        In a folder above the images. An existing file is replaced.
    images : mapping of str to Path
        Description of a band, and its image.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from osgeo import gdal

    gdal.UseExceptions()
    path.unlink(missing_ok=True)
    try:
        raster = gdal.BuildVRT(str(path), [str(image) for image in images.values()], separate=True)
        for number, (name, image) in enumerate(images.items(), 1):
            _copy_description(gdal.Open(str(image)), raster.GetRasterBand(number))
            raster.GetRasterBand(number).SetDescription(name)
        raster.FlushCache()
    except RuntimeError as error:
        path.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def _copy_description(image: Any, band: Any) -> None:
    """Copy what an image says of itself; flags of classes become names of categories."""
    source = image.GetRasterBand(1)
    items = source.GetMetadata()
    band.SetMetadata(items)
    if source.GetUnitType():
        band.SetUnitType(source.GetUnitType())
    if source.GetScale() is not None:
        band.SetScale(source.GetScale())
        band.SetOffset(source.GetOffset())
    if "flag_values" in items:
        band.SetColorTable(source.GetColorTable())
        band.SetCategoryNames([name.replace("_", " ") for name in items["flag_meanings"].split()])
