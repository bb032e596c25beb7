"""Low veils of haze and thin cloud over land, by the excess of blue over red.

Over clear land, blue rises with red along a line: plants and most soils reflect about half as much
in blue as in red. A veil adds nearly the same to both bands and so lifts a pixel above that line.
The line is that of the image: its slope is fitted to the lower quartile of blue at each level of
red, and what is clear is told by the lower quartile of all pixels and the spread below it. Bright
sand, concrete and roofs lie above the line too; veils are wider, so the excess must fill most of a
window. Snow and water lie above it as well; they are darker at 1.6 um than in green.

A veil through which ground is visible gets low cloud probability (class 7), whatever the class of
the ground.

Source: Zhang, Guindon and Cihlar 2002, Remote Sensing of Environment 82, 173-187 (haze optimized
transformation); Kaufman et al. 1997, Journal of Geophysical Research 102, 17051-17067 (surface
reflectance in blue relative to red).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.spectral_indices import Reflectance
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array

_SLOPE_RANGE = (0.3, 0.6)
"""Slope of the line of clear land: about 0.5 at the surface, times the transmittance of the air
down and up in blue relative to red, 0.75 to 0.9."""
_MIN_RED_RANGE = 0.01
"""Reflectance; ground that varies less takes the middle of that range."""
_LEVELS = 10
"""Levels of red, with the same number of samples each."""

_WINDOW = 500.0
"""Metres: beaches, villages and most quarries are narrower."""
_MIN_WINDOW = 5
"""Samples: narrowest window, in coarse images."""
_MIN_FILLED = 0.7
"""Fraction of the window that must lie above the limit."""
_MIN_SAMPLES = 1000
"""Samples of land; fewer define no clear line."""
_SPREADS = 3.0
"""Limit above the median of clear land, in standard deviations."""
_QUARTILE_TO_MEDIAN = 0.674
"""Distance of the quartile of a normal distribution, in standard deviations; that of its lowest
twentieth is 1.645, so both are 0.97 apart."""
_MIN_SPREAD = 0.002
"""Reflectance; standard deviation of clear land at least."""

_OVER = (SceneClass.VEGETATION, SceneClass.BARE_SOILS)
_LAND = (
    *_OVER,
    NOT_CLASSIFIED,
    SceneClass.LOW_PROBA_CLOUDS,
)
"""Sampled classes; the line of thicker clouds is steeper."""


@dataclass(frozen=True)
class BlueRedSample:
    """Blue and red of land at every n-th pixel of an image, filled by blocks of rows.

    Attributes
    ----------
    step : int
        Image pixels from sample to sample.
    blue, red : ndarray of float32, shape (rows / step, cols / step)
        Reflectance; NaN where there is no land.
    """

    step: int
    blue: Float32Array
    red: Float32Array

    @classmethod
    def empty(cls, shape: tuple[int, ...], step: int) -> BlueRedSample:
        """Create the empty sample of an image of ``shape`` pixels."""
        coarse = tuple(-(-size // step) for size in shape)
        return cls(step, *(np.full(coarse, np.nan, np.float32) for _ in range(2)))

    def fill(self, first: int, reflectance: Reflectance, classes: UInt8Array) -> None:
        """Store the samples of a block of rows that begins at row ``first``."""
        start = -first % self.step
        rows = slice((first + start) // self.step, -(-(first + len(classes)) // self.step))
        sampled = slice(start, None, self.step), slice(None, None, self.step)
        sample = {band: reflectance[band][sampled] for band in ("B02", "B03", "B04", "B11")}
        land = np.isin(classes[sampled], _LAND) & (sample["B11"] > sample["B03"])
        np.copyto(self.blue[rows], sample["B02"], where=land)
        np.copyto(self.red[rows], sample["B04"], where=land)

    def find_veils(self, pixel_size: float) -> Veils | None:
        """Find the wide parts of the image in which blue is too high for clear land.

        Parameters
        ----------
        pixel_size : float
            Metres, of the image.

        Returns
        -------
        Veils or None
            None with too little land.
        """
        land = np.isfinite(self.blue)
        if np.count_nonzero(land) < _MIN_SAMPLES:
            return None
        slope = _fit_slope(self.red[land], self.blue[land])
        excess = self.blue - slope * self.red
        lowest, quartile = (float(value) for value in np.percentile(excess[land], (5, 25)))
        spread = max(quartile - lowest, _MIN_SPREAD)
        limit = quartile + (_QUARTILE_TO_MEDIAN + _SPREADS) * spread
        window = max(_MIN_WINDOW, round(_WINDOW / (self.step * pixel_size)))
        above = (excess > np.float32(limit)).astype(np.float32)
        filled = ndimage.uniform_filter(above, window, mode="nearest") > _MIN_FILLED
        wide = ndimage.maximum_filter(filled.view(np.uint8), window, mode="constant") > 0
        return Veils(self.step, slope, np.float32(limit), wide)


@dataclass(frozen=True)
class Veils:
    """Veils of an image.

    Attributes
    ----------
    step : int
        Image pixels along one side of a pixel of ``wide``.
    slope : float32
        Of the line of clear land.
    limit : float32
        Excess of blue over red; higher under a veil.
    wide : ndarray of bool, shape (ceil(rows / step), ceil(cols / step))
        Pixels within windows that veils fill.
    """

    step: int
    slope: np.float32
    limit: np.float32
    wide: BoolArray

    def detect(self, classes: UInt8Array, reflectance: Reflectance, rows: slice) -> BoolArray:
        """Detect ground below veils in a block of rows.

        Parameters
        ----------
        classes : ndarray of uint8, shape (rows, cols)
        reflectance : mapping
            B02, B03, B04, B11.
        rows : slice
            Rows of the image that the block holds.

        Returns
        -------
        ndarray of bool, shape (rows, cols)
            Vegetation and soil that become low probability clouds.
        """
        cols = np.arange(classes.shape[1]) // self.step
        found: BoolArray = self.wide[np.ix_(np.arange(rows.start, rows.stop) // self.step, cols)]
        if not found.any():
            return found
        found &= np.isin(classes, _OVER)
        found &= reflectance["B02"] - self.slope * reflectance["B04"] > self.limit
        found &= reflectance["B11"] > reflectance["B03"]
        return found


def _fit_slope(red: Float32Array, blue: Float32Array) -> np.float32:
    """Slope of the lower quartile of blue over levels of red."""
    parts = np.array_split(np.argsort(red), _LEVELS)
    mean_red = np.array([red[part].mean() for part in parts])
    low_blue = np.array([np.percentile(blue[part], 25) for part in parts])
    if np.ptp(mean_red) < _MIN_RED_RANGE:
        return np.float32(np.mean(_SLOPE_RANGE))
    slope = float(np.polyfit(mean_red, low_blue, 1)[0])
    return np.float32(np.clip(slope, *_SLOPE_RANGE))
