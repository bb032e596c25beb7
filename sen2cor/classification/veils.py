"""Low veils of haze and thin cloud over land, by the excess of blue over red.

Over clear land, blue rises with red along a line: plants and most soils reflect about half as much
in blue as in red. A veil adds nearly the same to both bands and so lifts a pixel above that line.
The line is that of the image: its slope is fitted to the lower quartile of blue at each level of
red, and what is clear is told by the median of all pixels and the spread below it. A veil is told
from bright ground, which lies above the line too, by three further tests:

- Width: beaches, villages and quarries are narrower, so the excess must fill most of a window.
- Near infrared and 1.6 um: droplets scatter both alike and absorb a little at 1.6 um, so that
  a veil is no brighter there than in the near infrared, while sand, dry clay and dry soil are. The
  means of the excessive pixels of the window count, as single dry fields show through a veil.
- Brightness: an excess that a change of the aerosol within the image may cause is haze, not a veil,
  and a veil that is brighter than soil hides the ground and is found as a cloud.

Snow and water lie above the line, but are darker at 1.6 um than in green. A veil through which
ground is visible gets low cloud probability (class 7), whatever the class of the ground.

Source: Zhang, Guindon and Cihlar 2002, Remote Sensing of Environment 82, 173-187 (haze optimized
transformation, its clear line); Kaufman et al. 1997, Journal of Geophysical Research 102,
17051-17067 (surface reflectance in blue relative to red); Irish 2000, Proceedings of SPIE 4049,
348-355 (near infrared relative to 1.6 um of deserts and clouds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass, has_class
from sen2cor.classification.spectral_indices import Reflectance
from sen2cor.classification.sunlit_reference import sample_positions
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.resampling import repeat_rows

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
"""Samples: narrowest window."""
_MIN_FILLED = 0.7
"""Fraction of the window that must lie above the limit."""
_MIN_SAMPLES = 1000
"""Samples of land; fewer define no clear line."""
_MAX_SAMPLES = 100_000
"""Samples of land that the line is fitted to."""
_SPREADS = 3.0
"""Limit above the median of clear land, in standard deviations."""
_QUARTILE_TO_MEDIAN = 0.674
"""Distance of the quartile of a normal distribution, in standard deviations; that of its lowest
twentieth is 1.645, so both are 0.97 apart."""
_MIN_VEIL = 0.02
"""Reflectance that a veil adds at least. A rise of the aerosol optical thickness by 0.2 adds as
much to blue."""

BANDS = ("B02", "B04", "B8A", "B11")

_OVER = (SceneClass.VEGETATION, SceneClass.BARE_SOILS)
_LAND = (
    *_OVER,
    NOT_CLASSIFIED,
    SceneClass.LOW_PROBA_CLOUDS,
)
"""Sampled classes; the line of thicker clouds is steeper."""


@dataclass(frozen=True)
class VeilSample:
    """Land at every n-th pixel of an image, filled by blocks of rows.

    Attributes
    ----------
    step : int
        Image pixels from sample to sample.
    reflectance : mapping of band name to ndarray of float32, shape (rows / step, cols / step)
        Of `BANDS`; 0 where there is no land.
    land : ndarray of bool, same shape
    """

    step: int
    reflectance: dict[str, Float32Array]
    land: BoolArray

    @classmethod
    def empty(cls, shape: tuple[int, ...], step: int) -> VeilSample:
        """Create the empty sample of an image of ``shape`` pixels."""
        coarse = tuple(-(-size // step) for size in shape)
        images = {band: np.zeros(coarse, np.float32) for band in BANDS}
        return cls(step, images, np.zeros(coarse, np.bool_))

    def fill(self, first: int, reflectance: Reflectance, classes: UInt8Array) -> None:
        """Store the samples of a block of rows that begins at row ``first``."""
        rows, sampled = sample_positions(first, len(classes), self.step)
        sample = {band: reflectance[band][sampled] for band in (*BANDS, "B03")}
        land = has_class(classes[sampled], _LAND) & (sample["B11"] > sample["B03"])
        self.land[rows] = land
        for band, image in self.reflectance.items():
            np.copyto(image[rows], sample[band], where=land)

    def find_veils(self, pixel_size: float, parameters: ClassificationParameters) -> Veils | None:
        """Find the wide parts of the image in which blue is too high for clear land.

        Parameters
        ----------
        pixel_size : float
            Metres, of the image.
        parameters : ClassificationParameters

        Returns
        -------
        Veils or None
            None with too little land, and without any veil.
        """
        land = np.flatnonzero(self.land)
        if len(land) < _MIN_SAMPLES:
            return None
        land = land[:: -(-len(land) // _MAX_SAMPLES)]
        blue, red = self.reflectance["B02"], self.reflectance["B04"]
        slope = _fit_slope(red.ravel()[land], blue.ravel()[land])
        excess = blue - slope * red
        limit = _find_limit(excess.ravel()[land], float(slope))
        above = self.land & (excess > np.float32(limit))
        above &= blue < np.float32(parameters.constants.soil_b02_limit_max)
        if not above.any():
            return None
        window = max(_MIN_WINDOW, round(_WINDOW / (self.step * pixel_size)))
        filled = _mean(above.astype(np.float32), window) > _MIN_FILLED
        ratio = np.float32(parameters.thresholds.t1_r_b8a_b11)
        grey = self.reflectance["B8A"] - ratio * self.reflectance["B11"]
        filled &= _mean(np.where(above, grey, np.float32(0.0)), window) > 0
        if not filled.any():
            return None
        wide = ndimage.maximum_filter(filled.view(np.uint8), window, mode="constant") > 0
        return Veils(self.step, slope, np.float32(limit), wide, wide & above)


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
    thick : ndarray of bool, same shape
        Pixels of veils.
    """

    step: int
    slope: np.float32
    limit: np.float32
    wide: BoolArray
    thick: BoolArray

    def sample_thick(self, step: int, shape: tuple[int, ...]) -> BoolArray:
        """Pixels of veils on a grid of another step, of a shape; bool."""
        row_at, col_at = (np.arange(size) * step // self.step for size in shape)
        sampled: BoolArray = self.thick.take(row_at, axis=0).take(col_at, axis=1)
        return sampled

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
        found: BoolArray = repeat_rows(self.wide, self.step, rows, classes.shape[1])
        if not found.any():
            return found
        found &= has_class(classes, _OVER)
        found &= reflectance["B02"] - self.slope * reflectance["B04"] > self.limit
        found &= reflectance["B11"] > reflectance["B03"]
        return found


def _find_limit(excess: Float32Array, slope: float) -> float:
    """Highest excess of blue over red of clear land."""
    lowest, quartile = (float(value) for value in np.percentile(excess, (5, 25)))
    spread = max(quartile - lowest, 0.0)
    median = quartile + _QUARTILE_TO_MEDIAN * spread
    return median + max(_SPREADS * spread, _MIN_VEIL * (1.0 - slope))


def _mean(image: Float32Array, window: int) -> Float32Array:
    mean: Float32Array = ndimage.uniform_filter(image, window, mode="nearest")
    return mean


def _fit_slope(red: Float32Array, blue: Float32Array) -> np.float32:
    """Slope of the lower quartile of blue over levels of red."""
    parts = np.array_split(np.argsort(red), _LEVELS)
    mean_red = np.array([red[part].mean() for part in parts])
    low_blue = np.array([np.percentile(blue[part], 25) for part in parts])
    if np.ptp(mean_red) < _MIN_RED_RANGE:
        return np.float32(np.mean(_SLOPE_RANGE))
    slope = float(np.polyfit(mean_red, low_blue, 1)[0])
    return np.float32(np.clip(slope, *_SLOPE_RANGE))
