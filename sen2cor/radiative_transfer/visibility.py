"""Aerosol optical thickness at 550 nm by visibility and elevation.

Measured on the tables of Sen2Cor 2.2.1 (libRadtran's rural aerosol of E. P. Shettle, 1989; the
maritime one differs by less than 0.004): the extinction in B2 and B3 without molecules and gas,
taken to 550 nm by a power law. Uncertain by about 0.005.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

VISIBILITY = np.array([5.0, 7.0, 10.0, 15.0, 23.0, 40.0, 80.0, 120.0])
"""Kilometres."""

ELEVATION = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
"""Kilometres."""

_SUMMER = np.array(
    [
        [1.319, 1.202, 1.139, 0.910, 0.886, 0.868],
        [0.982, 0.895, 0.847, 0.686, 0.661, 0.644],
        [0.729, 0.666, 0.628, 0.517, 0.493, 0.475],
        [0.498, 0.460, 0.429, 0.369, 0.344, 0.322],
        [0.337, 0.317, 0.291, 0.265, 0.241, 0.215],
        [0.204, 0.192, 0.178, 0.163, 0.148, 0.133],
        [0.114, 0.108, 0.101, 0.093, 0.086, 0.079],
        [0.084, 0.080, 0.075, 0.070, 0.065, 0.060],
    ]
)
_WINTER_SEA_LEVEL = np.array([1.293, 0.956, 0.703, 0.472, 0.311, 0.183, 0.097, 0.068])


def aot550(season: str) -> Float64Array:
    """Table of shape (visibilities, elevations); winter falls with elevation as summer does."""
    if season == "summer":
        return _SUMMER
    winter: Float64Array = _SUMMER * (_WINTER_SEA_LEVEL / _SUMMER[:, 0])[:, np.newaxis]
    return winter
