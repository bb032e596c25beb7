"""The gradient of an elevation model."""

from __future__ import annotations

import numpy as np

from sen2cor.raster.array_types import Float32Array


def gradient(elevation: Float32Array, pixel_size: float) -> tuple[Float32Array, Float32Array]:
    """Slope of the surface to the east and to the north.

    Source: B. K. P. Horn, Proceedings of the IEEE 69 (1981) 14-47: differences over a window of
    3 x 3 pixels.

    Parameters
    ----------
    elevation : ndarray of float32, shape (rows + 2, cols + 2)
        Metres; row 0 is the northernmost.
    pixel_size : float
        Metres.

    Returns
    -------
    (ndarray of float32, ndarray of float32)
        Metres per metre, shape (rows, cols): towards east and towards north.
    """
    scale = np.float32(1.0 / (8.0 * pixel_size))
    down = elevation[:-2] + elevation[2:]
    down += np.float32(2.0) * elevation[1:-1]
    east = down[:, 2:] - down[:, :-2]
    east *= scale
    across = elevation[:-2] - elevation[2:]
    north = across[:, :-2] + across[:, 2:]
    north += np.float32(2.0) * across[:, 1:-1]
    north *= scale
    return east, north
