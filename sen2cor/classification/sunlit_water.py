"""Water beside clouds and below their shadow, by contrast with the sunlit water nearby.

Water is dark in the infrared with and without sun, so that the contrast with sunlit land tells
nothing there. Its green falls in shadow as far as the water, not the air above it, reflects. So a
pixel with the spectrum of water is cloud shadow only if it is clearly darker than the water nearby
outside the shadows. Where there is no water nearby, it is dark ground: skylight on dark soil or
conifers falls from green to the infrared as water does.

Source: Level-2A ATBD (S2-PDGS-MPC-ATBD-L2A), "Scene Classification", for the spectrum of water; Zhu
and Woodcock 2012, Remote Sensing of Environment 118, 83-94, who decide water before shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.spectral_indices import Reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import masked_mean, repeat_rows

_WINDOW = 3000.0
"""Metres: window over which sunlit water is averaged."""
_MIN_FRACTION = 0.01
"""A window with a smaller fraction of sunlit water has none nearby."""
_MAX_FRACTION_LEFT = 0.85
"""Green relative to the sunlit water nearby: water in shadow is darker."""


def is_water_like(reflectance: Reflectance, parameters: ClassificationParameters) -> BoolArray:
    """Pixels with the spectrum of water; some of them are dark ground below skylight.

    Parameters
    ----------
    reflectance : mapping
        B02, B03, B8A, B11.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    blue = reflectance["B02"]
    found: BoolArray = reflectance["B8A"] < reflectance["B03"]
    found &= blue > np.float32(parameters.thresholds.t22_r_b02_b11) * reflectance["B11"]
    found &= blue < np.float32(parameters.constants.water_b02_max)
    return found


@dataclass(frozen=True)
class SunlitWater:
    """Green of the sunlit water around every n-th pixel of an image.

    Attributes
    ----------
    green : ndarray of float32, shape (rows / step, cols / step)
        Reflectance in B03; infinite where there is no water nearby.
    step : int
        Image pixels from sample to sample.
    """

    green: Float32Array
    step: int

    @classmethod
    def average(
        cls, green: Float32Array, sunlit_water: BoolArray, step: int, pixel_size: float
    ) -> SunlitWater:
        """Average the sunlit water around each sample.

        Parameters
        ----------
        green : ndarray of float32, shape (rows / step, cols / step)
            Reflectance in B03.
        sunlit_water : ndarray of bool, same shape
            Water outside of shadows.
        step : int
            Image pixels from sample to sample.
        pixel_size : float
            Metres, of the image.
        """
        window = max(3, round(_WINDOW / (step * pixel_size)))
        mean = masked_mean(green, sunlit_water, window, min_fraction=_MIN_FRACTION, fallback=np.inf)
        return cls(mean, step)

    def find_water(
        self, reflectance: Reflectance, rows: slice, parameters: ClassificationParameters
    ) -> tuple[BoolArray, BoolArray]:
        """Find water as bright as the sunlit water nearby, and darker water.

        Parameters
        ----------
        reflectance : mapping
            B02, B03, B8A, B11 of a block of rows.
        rows : slice
            Rows of the image that the block holds.
        parameters : ClassificationParameters

        Returns
        -------
        (ndarray of bool, ndarray of bool), shape (rows, cols)
            Neither where there is no sunlit water nearby.
        """
        water = is_water_like(reflectance, parameters)
        if not water.any():
            return water, water
        expected = repeat_rows(self.green, self.step, rows, water.shape[1])
        water &= np.isfinite(expected)
        dark = water & (reflectance["B03"] < np.float32(_MAX_FRACTION_LEFT) * expected)
        return water & ~dark, dark
