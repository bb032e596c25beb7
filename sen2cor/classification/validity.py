"""Valid pixels: where there are no data, and where a pixel is lost, saturated or defective.

Outside the swath all bands of a Level-1C image are 0. Lossy compression leaves small numbers there
in some bands. Inside the swath a band is 0 where its packets were lost during the downlink.
A measured reflectance can only become 0 in bands with hardly any path reflectance, over water or in
shadow: scattering by molecules alone gives the blue band more than 0.02 at any place on Earth, the
red band more than 0.005.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import NO_DATA, SATURATED
from sen2cor.raster.array_types import BoolArray, UInt16Array

_MIN_ZERO_BANDS = 2
_CIRRUS_BAND = "B10"
"""Often 0 where there are data."""

_VISIBLE = ("B01", "B02", "B03", "B04")
"""Never 0 by measurement."""

_NEARLY_BLACK = ("B09", "B11", "B12")
"""May be 0 over water and in shadow; the bands between may be so after lossy compression."""

_DARK_NUMBER = 300
"""Digital number in the near infrared (for those bands: or in B05) up to which they may be 0."""

MAX_REMNANT = 40
"""Largest digital number that lossy compression leaves outside the swath."""


def find_no_data(
    numbers: Mapping[str, npt.NDArray[Any]], mask: BoolArray | None = None
) -> BoolArray:
    """Step 0: pixels in the no-data mask, or 0 in half of the bands or more, and at least in two.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers of at least two bands besides B10, which does not count. Not reflectance:
        its offset shifts the 0.
    mask : ndarray of bool, shape (rows, cols), optional
        A mask of pixels without data in any band.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    bands = [band for name, band in numbers.items() if name != _CIRRUS_BAND]
    zeros = np.zeros(bands[0].shape, np.uint8)
    for band in bands:
        zeros += band == NO_DATA
    found = zeros >= max(_MIN_ZERO_BANDS, (len(bands) + 1) // 2)
    if mask is not None:
        found |= mask
    return found


def find_lost(numbers: Mapping[str, npt.NDArray[Any]], *, offset: bool) -> BoolArray:
    """Pixels without data in at least one band: 0 where no measurement gives 0.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers, with B05 and B8A.
    offset : bool
        Whether the digital numbers have a radiometric offset: then no measurement gives 0 at all.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Includes pixels without data in all bands.
    """
    near_infrared = numbers["B8A"]
    brighter = np.maximum(near_infrared, numbers["B05"])
    found = np.zeros(brighter.shape, np.bool_)
    for name, band in numbers.items():
        zero = band == NO_DATA
        if not zero.any() or (name == _CIRRUS_BAND and not offset):
            continue
        if name not in _VISIBLE and not offset:
            zero &= (near_infrared if name in _NEARLY_BLACK else brighter) > _DARK_NUMBER
        found |= zero
    return found


def find_outside_swath(fine: Sequence[UInt16Array], coarse: Sequence[UInt16Array]) -> BoolArray:
    """Pixels that are 0 in at least two bands and hold at most remnants of compression in all.

    Water and shadow are brighter in the visible bands, see the module.

    Parameters
    ----------
    fine : sequence of ndarray of uint16, shape (2 rows, 2 cols)
        Digital numbers of bands at twice the resolution.
    coarse : sequence of ndarray of uint16, shape (rows, cols)
        Digital numbers of the other bands.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    rows, cols = coarse[0].shape
    zeros = np.zeros((rows, cols), np.uint8)
    found = np.ones((rows, cols), np.bool_)
    for band in fine:
        highest = band[: 2 * rows, : 2 * cols].reshape(rows, 2, cols, 2).max(axis=(1, 3))
        found &= highest <= MAX_REMNANT
        zeros += highest == NO_DATA
    for band in coarse:
        found &= band <= MAX_REMNANT
        zeros += band == NO_DATA
    found &= zeros >= _MIN_ZERO_BANDS
    return found


def find_defective(
    numbers: Mapping[str, npt.NDArray[Any]], masks: Iterable[BoolArray] = ()
) -> BoolArray:
    """Pixels that are saturated in any band, or in any mask of saturated or defective pixels.

    Sen2Cor 2.3 defines class 1 for them but never assigns it.

    Parameters
    ----------
    numbers : mapping of band name to ndarray of uint16, shape (rows, cols)
        Digital numbers of the bands in use; at least one.
    masks : iterable of ndarray of bool, shape (rows, cols)
        Masks of lost, degraded, saturated and defective pixels of all bands.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    bands = list(numbers.values())
    found = np.zeros(bands[0].shape, np.bool_)
    for band in bands:
        found |= band == SATURATED
    for mask in masks:
        found |= mask
    return found
