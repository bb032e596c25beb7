"""Virtual rasters (VRT of GDAL): a small file that opens several images as bands of one raster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
        for number, description in enumerate(images, 1):
            raster.GetRasterBand(number).SetDescription(description)
        raster.FlushCache()
    except RuntimeError as error:
        path.unlink(missing_ok=True)
        raise unwritable(path, error) from error
