"""Display images: true colour images and the preview of a tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.transform import resize

from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.grids import Grid

PREVIEW_SIZE = 343
"""Rows and columns of the preview image (Products Specification Document)."""

MAX_DISPLAYED_REFLECTANCE = 0.25
"""Reflectance displayed as 255."""


def scale_to_byte(reflectance: Float32Array, no_data: BoolArray) -> UInt8Array:
    """Scale reflectance to 1..255; 0 is no data.

    Parameters
    ----------
    reflectance : ndarray of float32, any shape
    no_data : ndarray of bool, same shape

    Returns
    -------
    ndarray of uint8, same shape
    """
    scaled = reflectance * np.float32(254.0 / MAX_DISPLAYED_REFLECTANCE)
    scaled += np.float32(1.5)
    byte = np.clip(scaled, 1.0, 255.0).astype(np.uint8)
    byte[no_data] = 0
    return byte


def true_colour(red_green_blue: Sequence[Float32Array], no_data: BoolArray) -> UInt8Array:
    """Stack three reflectances to a true colour image.

    Parameters
    ----------
    red_green_blue : three ndarrays of float32, shape (rows, cols)
    no_data : ndarray of bool, shape (rows, cols)

    Returns
    -------
    ndarray of uint8, shape (rows, cols, 3)
    """
    return np.stack([scale_to_byte(band, no_data) for band in red_green_blue], axis=-1)


def preview_grid(grid: Grid) -> Grid:
    """Grid of the preview: 343 x 343 pixels, of 320 m for a whole tile."""
    extent = max(grid.rows, grid.cols) * grid.pixel_size
    size = 320.0 if extent == 109800.0 else extent / PREVIEW_SIZE
    return Grid(grid.epsg, grid.ulx, grid.uly, size, PREVIEW_SIZE, PREVIEW_SIZE)


def make_preview(image: UInt8Array) -> UInt8Array:
    """Resample a true colour image to the size of the preview.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, cols, 3)
        0 is no data.

    Returns
    -------
    ndarray of uint8, shape (343, 343, 3)
    """
    shape = (PREVIEW_SIZE, PREVIEW_SIZE)
    valid = resize((image[..., 0] != 0).astype(np.float32), shape, order=0)
    smaller = resize(image, (*shape, 3), order=1, preserve_range=True, anti_aliasing=True)
    result: UInt8Array = np.clip(np.rint(smaller), 1, 255).astype(np.uint8)
    result[valid < 0.5] = 0
    return result
