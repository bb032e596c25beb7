"""Aerosol optical thickness at 550 nm by visibility and elevation.

Fitted to the direct transmittances of the tables of Sen2Cor 2.2.1 (libRadtran's rural aerosol of
E. P. Shettle, 1989) in B01 .. B8A, without molecules and gas, with the extinction of the rural
aerosol of this package; ``python -m tests.validation.visibility_fit`` repeats the fit. A fit to the
maritime tables differs by up to 0.006.
"""

from __future__ import annotations

import numpy as np

from sen2cor.raster.array_types import Float64Array

VISIBILITY = np.array([5.0, 7.0, 10.0, 15.0, 23.0, 40.0, 80.0, 120.0])
"""Kilometres."""

ELEVATION = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
"""Kilometres."""

# fmt: off
_AOT550 = {
    "summer": np.array([
        [1.3005, 1.1846, 1.1224, 0.8962, 0.8724, 0.8552],
        [0.9661, 0.8806, 0.8325, 0.6733, 0.6494, 0.6323],
        [0.7153, 0.6526, 0.6152, 0.5061, 0.4822, 0.4651],
        [0.4855, 0.4485, 0.4184, 0.3587, 0.3349, 0.3128],
        [0.3257, 0.3065, 0.2815, 0.2562, 0.2323, 0.2068],
        [0.1940, 0.1832, 0.1689, 0.1545, 0.1406, 0.1262],
        [0.1050, 0.0998, 0.0928, 0.0857, 0.0785, 0.0717],
        [0.0753, 0.0720, 0.0674, 0.0628, 0.0578, 0.0536],
    ]),
    "winter": np.array([
        [1.2729, 1.1585, 1.0982, 0.8743, 0.8496, 0.8350],
        [0.9384, 0.8544, 0.8083, 0.6512, 0.6266, 0.6120],
        [0.6875, 0.6263, 0.5909, 0.4840, 0.4594, 0.4448],
        [0.4577, 0.4221, 0.3940, 0.3366, 0.3120, 0.2925],
        [0.2978, 0.2801, 0.2571, 0.2340, 0.2094, 0.1865],
        [0.1715, 0.1617, 0.1488, 0.1359, 0.1220, 0.1093],
        [0.0861, 0.0816, 0.0755, 0.0695, 0.0629, 0.0571],
        [0.0576, 0.0549, 0.0511, 0.0474, 0.0432, 0.0397],
    ]),
}
# fmt: on


def aot550(season: str) -> Float64Array:
    """Table of shape (visibilities, elevations) of a season, ``summer`` or ``winter``."""
    return _AOT550[season]
