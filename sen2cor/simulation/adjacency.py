"""What the neighbourhood of a pixel sends into its line of sight."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from sen2cor.raster.array_types import Float32Array

REACH = 800.0
"""Distance in metres within which the weight of the neighbours falls to 1/e."""

FARTHEST = 6.0
"""Where the kernel ends, in reaches."""


def kernel(pixel_size: float, reach: float = REACH) -> Float32Array:
    """Weights of the neighbours: an exponential of the distance, ending far beyond 1 km.

    Returns
    -------
    ndarray of float32, shape (2 n + 1, 2 n + 1)
        Sum 1.
    """
    number = int(np.ceil(FARTHEST * reach / pixel_size))
    offsets = pixel_size * np.arange(-number, number + 1)
    distance = np.hypot(offsets[:, None], offsets[None, :])
    weights = np.exp(-distance / reach)
    weights[distance > FARTHEST * reach] = 0.0
    return np.asarray(weights / weights.sum(), np.float32)


def surroundings(
    reflectance: Float32Array, pixel_size: float, reach: float = REACH
) -> Float32Array:
    """Weighted mean of the neighbourhood; beyond the scene the ground is its mirror image.

    Parameters
    ----------
    reflectance : ndarray of float32, shape (rows, cols)
    pixel_size, reach : float
        Metres; reach as of `kernel`.

    Returns
    -------
    ndarray of float32, same shape
    """
    weights = kernel(pixel_size, reach)
    margin = weights.shape[0] // 2
    padded = np.pad(reflectance, margin, mode="symmetric")
    return np.asarray(fftconvolve(padded, weights, mode="valid"), np.float32)
