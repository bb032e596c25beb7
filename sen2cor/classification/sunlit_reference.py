"""Cloud shadow by contrast: pixels much darker than the sunlit ground around them.

A shadow keeps only the diffuse irradiance: about a third of the total in the near infrared (more
under haze) and somewhat less at 1.6 um, whatever the ground is. So a pixel that has lost much of
the reflectance of the sunlit ground around it in both bands is a shadow, if there is a cloud in the
direction of the sun. Water has lost nearly everything at 1.6 um, or in both bands. Skylight
decreases steeply with wavelength, so a pixel that rises from the near infrared to 2.2 um is burnt
ground in the sun. The ground around is averaged over a coarse sample of pixels.

Source: Zhu and Woodcock 2012, Remote Sensing of Environment 118, 83-94, for the two bands and the
darkening relative to the surroundings, which they find by a flood-fill of the whole image; Wiscombe
and Warren 1980, Journal of the Atmospheric Sciences 37, 2712-2733, for the spectrum of snow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.classification.morphology import majority
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.scene import SunGeometry
from sen2cor.classification.scene_class import SceneClass, has_class
from sen2cor.classification.spectral_indices import Reflectance
from sen2cor.classification.sunlit_water import is_water_like
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.resampling import masked_mean, repeat_rows

BANDS = ("B02", "B8A", "B11")

SAMPLE_SPACING = 120.0
"""Metres: distance of the sampled pixels."""
REFERENCE_WINDOW = 3000.0
"""Metres: window over which sunlit ground is averaged."""

_NOT_GROUND = (
    SceneClass.NO_DATA,
    SceneClass.WATER,
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)

_CLOUDS = (
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)

_MAX_SKYLIT_SNOW = 0.8
"""Near infrared of snow relative to green; in the sun it is 0.85 to 1 (Wiscombe and Warren)."""

_MIN_MASK_FRACTION = 0.01
"""A window with a smaller fraction of sunlit ground takes the mean of the whole image."""


@dataclass(frozen=True)
class GroundSample:
    """Every n-th pixel of an image, filled by blocks of rows.

    Attributes
    ----------
    step : int
        Image pixels from sample to sample.
    reflectance : mapping of band name to ndarray of float32, shape (rows / step, cols / step)
        Of `BANDS`.
    ground : ndarray of bool, same shape
        Whether the pixel is ground: neither cloud, water nor no data, and not a dark feature that
        decreases to 1.6 um, which may be water or shadow.
    """

    step: int
    reflectance: dict[str, Float32Array]
    ground: BoolArray

    @classmethod
    def empty(cls, shape: tuple[int, ...], step: int) -> GroundSample:
        """Create the empty sample of an image of ``shape`` pixels."""
        coarse = tuple(-(-size // step) for size in shape)
        return cls(
            step, {band: np.zeros(coarse, np.float32) for band in BANDS}, np.zeros(coarse, np.bool_)
        )

    def fill(self, first: int, reflectance: Reflectance, classes: UInt8Array) -> None:
        """Store the samples of a block of rows that begins at row ``first``."""
        rows, sampled = sample_positions(first, len(classes), self.step)
        sample = {band: reflectance[band][sampled] for band in BANDS}
        dark = classes[sampled] == SceneClass.DARK_FEATURES
        ground = ~has_class(classes[sampled], _NOT_GROUND)
        ground &= ~(dark & (sample["B11"] < sample["B8A"]))
        self.ground[rows] = ground
        for band, image in sample.items():
            np.copyto(self.reflectance[band][rows], image, where=ground)

    def compute_sunlit_reference(
        self, sun: SunGeometry, parameters: ClassificationParameters
    ) -> SunlitReference:
        """Average the sunlit ground around each sample.

        Ground much darker than the mean of all ground is not sunlit.

        Parameters
        ----------
        sun : SunGeometry
            With the pixel size of the image.
        parameters : ClassificationParameters

        Returns
        -------
        SunlitReference
        """
        size = max(1, round(REFERENCE_WINDOW / sun.pixel_size / self.step))
        nir = self.reflectance["B8A"]
        mean = _local_mean(nir, self.ground, size)
        fraction = np.float32(parameters.constants.sunlit_b8a_fraction_min)
        sunlit = self.ground & (nir > fraction * mean)
        return SunlitReference(
            self.step,
            {band: _local_mean(image, sunlit, size) for band, image in self.reflectance.items()},
        )


@dataclass(frozen=True)
class InfraredSample:
    """Every n-th pixel of an image in `BANDS`, filled by blocks of rows.

    Attributes
    ----------
    step : int
        Image pixels from sample to sample.
    reflectance : mapping of band name to ndarray of float32, shape (rows / step, cols / step)
        Of `BANDS`.
    visible, cloud : ndarray of bool, same shape
        Whether the pixel is ground that would show a shadow: neither cloud, water nor no data; and
        whether it is cloud by its spectrum.
    water : ndarray of bool, same shape
        Whether it has the spectrum of water.
    green : ndarray of float32, same shape
        Reflectance in B03.
    """

    step: int
    reflectance: dict[str, Float32Array]
    visible: BoolArray
    cloud: BoolArray
    water: BoolArray
    green: Float32Array

    @classmethod
    def empty(cls, shape: tuple[int, ...], step: int) -> InfraredSample:
        """Create the empty sample of an image of ``shape`` pixels."""
        coarse = tuple(-(-size // step) for size in shape)
        images = {band: np.zeros(coarse, np.float32) for band in BANDS}
        visible, cloud, water = (np.zeros(coarse, np.bool_) for _ in range(3))
        return cls(step, images, visible, cloud, water, np.zeros(coarse, np.float32))

    def fill(
        self,
        first: int,
        reflectance: Reflectance,
        classes: UInt8Array,
        parameters: ClassificationParameters,
    ) -> None:
        """Store the samples of a block of rows that begins at row ``first``."""
        rows, sampled = sample_positions(first, len(classes), self.step)
        self.visible[rows] = ~has_class(classes[sampled], _NOT_GROUND)
        self.cloud[rows] = has_class(classes[sampled], _CLOUDS)
        sample = {band: reflectance[band][sampled] for band in (*BANDS, "B03")}
        self.water[rows] = is_water_like(sample, parameters)
        self.water[rows] &= self.visible[rows] | (classes[sampled] == SceneClass.WATER)
        self.green[rows] = sample["B03"]
        for band, image in self.reflectance.items():
            image[rows] = sample[band]

    def find_dark_ground(
        self, sunlit: SunlitReference, parameters: ClassificationParameters
    ) -> tuple[BoolArray, BoolArray]:
        """Samples that have lost most of the reflectance of the sunlit ground around them.

        Parameters
        ----------
        sunlit : SunlitReference
        parameters : ClassificationParameters

        Returns
        -------
        (ndarray of bool, ndarray of bool), shape (rows / step, cols / step)
            Dark ground, and that part of it which has the spectrum of a cloud: bright ground in
            shadow, bluish by skylight. A cloud is brighter than sunlit ground at least in blue.
        """
        constants = parameters.constants
        shape, factor = self.visible.shape, max(1, sunlit.step // self.step)
        expected = {
            band: repeat_rows(image, factor, slice(0, shape[0]), shape[1])
            for band, image in sunlit.reflectance.items()
        }
        maximum = constants.shadow_b8a_fraction_max, constants.shadow_b11_fraction_max
        dark = self.visible | self.cloud
        for band, fraction in zip(("B8A", "B11"), maximum, strict=True):
            dark &= self.reflectance[band] < np.float32(fraction) * expected[band]
        shaded = dark & self.cloud
        shaded &= self.reflectance["B02"] < expected["B02"]
        dark &= self.visible | shaded
        return dark, shaded


@dataclass(frozen=True)
class SunlitReference:
    """Mean reflectance of the sunlit ground around every n-th pixel of an image.

    Attributes
    ----------
    step : int
        Image pixels from sample to sample.
    reflectance : mapping of band name to ndarray of float32, shape (rows / step, cols / step)
        Of `BANDS`.
    """

    step: int
    reflectance: dict[str, Float32Array]

    def around(self, band: str, rows: slice, cols: int) -> Float32Array:
        """Reflectance in a band for each pixel of a block of rows; float32, (rows, cols)."""
        return repeat_rows(self.reflectance[band], self.step, rows, cols)


def detect_shadow_by_contrast(
    reflectance: Reflectance,
    no_data: BoolArray,
    sunlit: SunlitReference,
    rows: slice,
    parameters: ClassificationParameters,
    likely: BoolArray | None = None,
) -> BoolArray:
    """Pixels that have lost most of the reflectance of the sunlit ground around them.

    Parameters
    ----------
    reflectance : mapping
        B02, B03, B8A, B11, B12.
    no_data : ndarray of bool, shape (rows, cols)
    sunlit : SunlitReference
    rows : slice
        Rows of the image that ``reflectance`` holds.
    parameters : ClassificationParameters
    likely : ndarray of bool, shape (rows, cols), optional
        Pixels where a cloud very likely casts its shadow. There the product of the fractions left
        in the two bands decides, since haze brightens a shadow in the near infrared, but hardly at
        1.6 um, and snow below skylight is found.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        Smoothed by the median of 3 by 3 pixels; without water, which is darker still, and without
        burnt ground.
    """
    constants = parameters.constants
    nir, swir = reflectance["B8A"], reflectance["B11"]
    cols = nir.shape[1]
    sunlit_nir, sunlit_swir = (sunlit.around(band, rows, cols) for band in ("B8A", "B11"))
    max_nir = np.float32(constants.shadow_b8a_fraction_max) * sunlit_nir
    max_swir = np.float32(constants.shadow_b11_fraction_max) * sunlit_swir
    dark = (nir < max_nir) & (swir < max_swir)
    if likely is not None and likely.any():
        dark |= likely & (nir * swir < max_nir * max_swir)
    # Ratio of the fractions left in the two bands, without divisions.
    minimum = np.float32(constants.shadow_b11_to_b8a_min) * nir * sunlit_swir
    dark &= swir * sunlit_nir > minimum
    water = nir < np.float32(constants.shadow_b8a_fraction_min) * sunlit_nir
    water &= nir < reflectance["B03"]
    dark &= ~water
    if likely is not None:
        dark |= likely & _is_skylit_snow(reflectance, parameters)
    dark &= ~no_data
    dark &= reflectance["B12"] < nir
    return majority(dark)


def _is_skylit_snow(reflectance: Reflectance, parameters: ClassificationParameters) -> BoolArray:
    """Snow that falls from green to the near infrared as skylight does; too bright for water.

    Snow and forest have no common reference, so that the contrast fails where they mix.
    """
    blue, green = reflectance["B02"], reflectance["B03"]
    found: BoolArray = reflectance["B8A"] < np.float32(_MAX_SKYLIT_SNOW) * green
    found &= blue >= np.float32(parameters.constants.water_b02_max)
    ndsi = np.float32(parameters.thresholds.t1_ndsi_snw)
    swir = reflectance["B11"]
    found &= green - swir > ndsi * (green + swir)
    return found


def find_bright_shadow(
    classes: UInt8Array,
    reflectance: Reflectance,
    cloud_shadow: BoolArray,
    sunlit: SunlitReference,
    rows: slice,
    parameters: ClassificationParameters,
) -> BoolArray:
    """Bright ground in shadow that has the spectrum of a cloud.

    Skylight is blue, so bright sand in shadow is as grey as a cloud. A cloud is brighter than the
    sunlit ground around it at least in blue, and not much darker in the infrared.

    Parameters
    ----------
    classes : ndarray of uint8, shape (rows, cols)
    reflectance : mapping
        B02, B8A, B11.
    cloud_shadow : ndarray of bool, shape (rows, cols)
        Pixels that are dark enough for a cloud shadow and lie where clouds may cast it.
    sunlit : SunlitReference
    rows : slice
        Rows of the image that the block holds.
    parameters : ClassificationParameters

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    found: BoolArray = cloud_shadow & (
        (classes == SceneClass.MEDIUM_PROBA_CLOUDS) | (classes == SceneClass.HIGH_PROBA_CLOUDS)
    )
    if not found.any():
        return found
    constants = parameters.constants
    for band, fraction in (
        ("B02", 1.0),
        ("B8A", constants.shadow_b8a_fraction_max),
        ("B11", constants.shadow_b11_fraction_max),
    ):
        expected = sunlit.around(band, rows, classes.shape[1])
        found &= reflectance[band] < np.float32(fraction) * expected
    return found


def sample_positions(first: int, rows: int, step: int) -> tuple[slice, tuple[slice, slice]]:
    """Rows of a sample that a block of an image fills, and the sampled pixels of the block."""
    start = -first % step
    filled = slice((first + start) // step, -(-(first + rows) // step))
    return filled, (slice(start, None, step), slice(None, None, step))


def _local_mean(image: Float32Array, mask: BoolArray, window: int) -> Float32Array:
    """Mean over a mask in a window; over the whole mask where the window has too little of it."""
    everywhere = float(image[mask].mean()) if mask.any() else 0.0
    return masked_mean(image, mask, window, min_fraction=_MIN_MASK_FRACTION, fallback=everywhere)
