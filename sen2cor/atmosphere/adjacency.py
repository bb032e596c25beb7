"""The mean signal of a pixel's neighbourhood, for the adjacency correction.

A square window stands for the horizontal range of the effect (R. Richter, Applied Optics 37
(1998) 4004-4015). Clouds, cloud shadows and gaps take no part in the mean.
"""

from __future__ import annotations

import numpy as np

from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import masked_mean


def neighbourhood_mean(signal: Float32Array, usable: BoolArray, half_width: int) -> Float32Array:
    """Normalised mean over the usable pixels of a square window.

    Parameters
    ----------
    signal : ndarray of float32, shape (rows, cols)
    usable : ndarray of bool, same shape
        Pixels that take part.
    half_width : int
        Half width of the window in pixels; the window has ``2 * half_width + 1``.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Where a window holds no usable pixel: the mean of all usable ones, or the signal itself
        where there is none at all.
    """
    if not usable.any():
        return signal
    width = 2 * half_width + 1
    everywhere = float(signal[usable].mean(dtype=np.float64))
    half_pixel = 0.5 / width**2
    return masked_mean(signal, usable, width, min_fraction=half_pixel, fallback=everywhere)
