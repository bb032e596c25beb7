"""Cloud shadow by contrast: darker than the ground around that the sun lights.

A shadow keeps the diffuse light, about a third of the light in the near infrared (more below haze)
and somewhat less at 1.6 um, whatever the ground is. So a pixel that has lost much of what the lit
ground around it reflects in both is a shadow if a cloud stands where it could cast it; water has
lost nearly all at 1.6 um, or in both. The light of the sky falls steeply with the wavelength, so
what rises from the near infrared to 2.2 um is burnt ground in the sun. The ground around is
described on a coarse grid of sampled pixels.

Source: Zhu and Woodcock 2012, Remote Sensing of Environment 118, 83-94, for the two bands and the
darkening against the surroundings; there by a flood-fill of the whole image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.classification.arrays import Reflectance
from sen2cor.classification.neighbourhood import majority
from sen2cor.classification.scene_class import SceneClass
from sen2cor.classification.thresholds import ClassificationConstants
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.resampling import bilinear, masked_mean, positions

BANDS = ("B8A", "B11")
_NO_LIT_GROUND = (
    SceneClass.NO_DATA,
    SceneClass.WATER,
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)
_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class GroundSample:
    """Every n-th pixel of an image, filled by blocks of rows.

    Attributes
    ----------
    step : int
    reflectance : mapping of band name to ndarray of float32, shape (rows / step, cols / step)
        Of `BANDS`.
    ground : ndarray of bool, of that shape
        Whether the pixel is ground: neither cloud nor water nor without data, nor so dark and
        falling to the short-wave infrared that it may be water or shadow.
    """

    step: int
    reflectance: dict[str, Float32Array]
    ground: BoolArray

    @classmethod
    def empty(cls, shape: tuple[int, ...], step: int) -> GroundSample:
        """Make the sample of an image of that shape."""
        coarse = tuple(-(-size // step) for size in shape)
        return cls(
            step, {band: np.zeros(coarse, np.float32) for band in BANDS}, np.zeros(coarse, np.bool_)
        )

    def fill(self, first: int, reflectance: Reflectance, classes: UInt8Array) -> None:
        """Take the samples of a block of rows that begins at row ``first``."""
        start = -first % self.step
        rows = slice((first + start) // self.step, -(-(first + len(classes)) // self.step))
        picked = slice(start, None, self.step), slice(None, None, self.step)
        sample = {band: reflectance[band][picked] for band in BANDS}
        dark = classes[picked] == SceneClass.DARK_FEATURES
        ground = ~np.isin(classes[picked], _NO_LIT_GROUND)
        ground &= ~(dark & (sample["B11"] < sample["B8A"]))
        self.ground[rows] = ground
        for band, image in sample.items():
            np.copyto(self.reflectance[band][rows], image, where=ground)

    def lit(self, window: float, constants: ClassificationConstants) -> SunlitReference:
        """Mean reflectance of the lit ground around.

        Pixels much darker than the mean of all ground are left out of it.

        Parameters
        ----------
        window : float
            Side of the window of the mean, pixels of the image.
        constants : ClassificationConstants

        Returns
        -------
        SunlitReference
        """
        size = max(1, round(window / self.step))
        infrared = self.reflectance["B8A"]
        mean = _mean(infrared, self.ground, size)
        lit = self.ground & (infrared > np.float32(constants.lit_ground_min) * mean)
        return SunlitReference(
            self.step, {band: _mean(image, lit, size) for band, image in self.reflectance.items()}
        )


@dataclass(frozen=True)
class SunlitReference:
    """Mean reflectance of the lit ground around every n-th pixel of an image.

    Attributes
    ----------
    step : int
    reflectance : mapping of band name to ndarray of float32, shape (rows / step, cols / step)
        Of `BANDS`.
    """

    step: int
    reflectance: dict[str, Float32Array]

    def around(self, rows: slice, cols: int) -> tuple[Float32Array, Float32Array]:
        """Interpolate both bands to a block of rows of the image."""
        row_at = positions(rows.stop - rows.start, self.step, rows.start)
        col_at = positions(cols, self.step)
        infrared, swir = (bilinear(self.reflectance[band], row_at, col_at) for band in BANDS)
        return infrared, swir


def shadow_by_contrast_of(
    reflectance: Reflectance,
    no_data: BoolArray,
    lit: SunlitReference,
    rows: slice,
    constants: ClassificationConstants,
) -> BoolArray:
    """Pixels that have lost most of the light of the ground around them.

    Parameters
    ----------
    reflectance : mapping
        B03, B8A, B11, B12.
    no_data : ndarray of bool, shape (rows, cols)
    lit : SunlitReference
    rows : slice
        Rows of the image that ``reflectance`` holds.
    constants : ClassificationConstants

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Smoothed by the median of 3 by 3 pixels; water, darker still, and burnt ground are left out.
    """
    infrared, swir = (reflectance[band] for band in BANDS)
    lit_infrared, lit_swir = lit.around(rows, infrared.shape[1])
    dark = infrared < np.float32(constants.shadow_b8a_share) * lit_infrared
    dark &= swir < np.float32(constants.shadow_b11_share) * lit_swir
    # What is left of one band over what is left of the other, without divisions.
    least = np.float32(constants.shadow_b11_to_b8a_min) * infrared * lit_swir
    dark &= swir * lit_infrared > least
    black = infrared < np.float32(constants.shadow_b8a_least_share) * lit_infrared
    black &= infrared < reflectance["B03"]
    dark &= ~(black | no_data)
    dark &= reflectance["B12"] < infrared
    return majority(dark)


def _mean(image: Float32Array, mask: BoolArray, window: int) -> Float32Array:
    """Mean over a mask in a window; over all of the mask where the window holds too little."""
    everywhere = float(image[mask].mean()) if mask.any() else 0.0
    return masked_mean(image, mask, window, min_fraction=_LEAST_SHARE, fallback=everywhere)
