"""Classification of an image in two passes over blocks of rows that fit into the cache.

The spectral pass classifies every pixel by its spectrum. Then all clouds are known, and their
shadow is projected onto the ground. The finishing pass detects cloud shadow and reclassifies. Most
tests use single pixels; blocks overlap by the few rows that the others need, so that they leave no
seam.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from sen2cor.classification.cloud_shadow_geometry import SHADOW_GRID, CloudShadowMap
from sen2cor.classification.cloud_shadow_radiometry import spectral_shadow_match
from sen2cor.classification.clouds import (
    filter_cloud_patches,
    find_high_clouds,
    lower_unconfirmed_clouds,
)
from sen2cor.classification.decision_tree import classify_spectra, reclassify
from sen2cor.classification.parameters import ClassificationParameters
from sen2cor.classification.reclassification import (
    detect_unclassified_ground,
    detect_unclassified_vegetation,
)
from sen2cor.classification.scene import ClassificationScene, SunGeometry, TerrainIllumination
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.spectral_indices import Reflectance, ReflectanceReader
from sen2cor.classification.sunlit_reference import (
    SAMPLE_SPACING,
    GroundSample,
    InfraredSample,
    SunlitReference,
    detect_shadow_by_contrast,
    find_bright_shadow,
)
from sen2cor.classification.toa_adjustment import adjust_reader
from sen2cor.classification.veils import Veils, VeilSample
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.grids import BLOCK_ROWS, AngleGrid, Run, row_blocks

CLASSIFICATION_BANDS = ("B02", "B03", "B04", "B05", "B8A", "B10", "B11", "B12")
"""Bands that the classification uses; B10 is optional."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Classification:
    """A finished classification.

    Attributes
    ----------
    scene_class : ndarray of uint8, shape (rows, cols)
        Codes of `SceneClass`, 0..11.
    cloud_probability, snow_probability : ndarray of uint8, shape (rows, cols)
        Percent; 0 where there are no data.
    """

    scene_class: UInt8Array
    cloud_probability: UInt8Array
    snow_probability: UInt8Array


def classify(
    reflectance: Reflectance,
    no_data: BoolArray,
    *,
    parameters: ClassificationParameters | None = None,
    sun: SunGeometry | None = None,
    view: AngleGrid | None = None,
    convergence: float = 0.0,
    elevation: Float32Array | None = None,
    terrain: TerrainIllumination | None = None,
    defective: BoolArray | None = None,
    snow_possible: bool = True,
    cloud_probability: UInt8Array | None = None,
) -> Classification:
    """Classify an image that is held in memory.

    Parameters
    ----------
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
        Top-of-atmosphere reflectance of `CLASSIFICATION_BANDS`, on one grid.
    no_data : ndarray of bool, shape (rows, cols)
        Pixels that get class 0.
    parameters : ClassificationParameters, optional
        By default those of this processor.
    sun, view, convergence, elevation, terrain, defective, snow_possible, cloud_probability
        As of `sen2cor.classification.ClassificationScene`.

    Returns
    -------
    Classification

    Raises
    ------
    ValueError
        A band other than B10 is missing.
    """
    scene = ClassificationScene(
        no_data=no_data,
        sun=sun,
        view=view,
        convergence=convergence,
        elevation=elevation,
        terrain=terrain,
        defective=defective,
        snow_possible=snow_possible,
        cloud_probability=cloud_probability,
    )
    return classify_rows(
        lambda rows: {name: band[rows] for name, band in reflectance.items()}, scene, parameters
    )


def classify_rows(
    read_reflectance: ReflectanceReader,
    scene: ClassificationScene,
    parameters: ClassificationParameters | None = None,
    *,
    block_rows: int = BLOCK_ROWS,
    run: Run = map,
) -> Classification:
    """Classify an image by blocks of rows; the result does not depend on their size.

    Parameters
    ----------
    read_reflectance : callable
        Returns the top-of-atmosphere reflectance (by band name, float32) of a slice of rows, for
        `CLASSIFICATION_BANDS`. Every row is read at least twice. Without B10 no cirrus is
        detected.
    scene : ClassificationScene
        No data, sun, terrain and snow climatology of the whole image.
    parameters : ClassificationParameters, optional
        By default those of this processor.
    block_rows : int
        Rows of a block; affects speed and memory only.
    run : callable
        Calls a function for all blocks, in any order or in parallel; `map` does so one by one.

    Returns
    -------
    Classification

    Raises
    ------
    ValueError
        A band other than B10 is missing.
    """
    parameters = parameters or ClassificationParameters()
    rows = scene.no_data.shape[0]
    has_cirrus_band = rows > 0 and _check_bands(read_reflectance(slice(0, 1)))
    image = _Image(
        adjust_reader(read_reflectance, scene.no_data, parameters.rules),
        scene,
        parameters,
        row_blocks(rows, block_rows),
        run,
        has_cirrus_band,
    )
    spectral = _run_spectral_pass(image)
    shadow = _project_shadow(image, spectral)
    scene_class = _run_finishing_pass(image, spectral, shadow)
    return Classification(scene_class, spectral.cloud_probability, spectral.snow_probability)


@dataclass(frozen=True)
class _Image:
    """What both passes read, and how they run."""

    read: ReflectanceReader
    scene: ClassificationScene
    parameters: ClassificationParameters
    blocks: list[slice]
    run: Run
    has_cirrus_band: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.scene.no_data.shape

    def overlap(self, block: slice, rows: int) -> tuple[slice, slice]:
        """Extend a block by rows within the image; the block within the extended one."""
        extended = slice(max(block.start - rows, 0), min(block.stop + rows, self.shape[0]))
        return extended, slice(block.start - extended.start, block.stop - extended.start)


@dataclass(frozen=True)
class _SpectralPass:
    """Results of the spectral pass, whole images of shape (rows, cols).

    Attributes
    ----------
    scene_class, cloud_probability, snow_probability : ndarray of uint8
        Classes by spectrum; percent.
    clouds, high_clouds : ndarray of bool
        Clouds that cast a shadow, and those of them that show in B10.
    ground : GroundSample or None
        None where shadow is not detected by contrast.
    infrared : InfraredSample or None
        None where shadow is not matched with clouds.
    veils : VeilSample or None
        None where veils are not detected.
    """

    scene_class: UInt8Array
    cloud_probability: UInt8Array
    snow_probability: UInt8Array
    clouds: BoolArray
    high_clouds: BoolArray
    ground: GroundSample | None
    infrared: InfraredSample | None
    veils: VeilSample | None

    @classmethod
    def empty(cls, image: _Image) -> _SpectralPass:
        shape, sun = image.shape, image.scene.sun
        rules, ground, infrared = image.parameters.rules, None, None
        if sun is not None and rules.detect_shadow_by_contrast:
            fine = sun.coarsening_factor(SHADOW_GRID)
            coarse = fine * replace(sun, pixel_size=fine * sun.pixel_size).coarsening_factor(
                SAMPLE_SPACING
            )
            ground = GroundSample.empty(shape, coarse)
            if rules.match_cloud_shadow:
                infrared = InfraredSample.empty(shape, fine)
        veils = None
        by_rules = image.scene.cloud_probability is None
        if sun is not None and rules.detect_veils and by_rules:
            veils = VeilSample.empty(shape, sun.coarsening_factor(SAMPLE_SPACING))
        scene_class, cloud, snow = (np.zeros(shape, np.uint8) for _ in range(3))
        clouds, high_clouds = (np.zeros(shape, np.bool_) for _ in range(2))
        return cls(scene_class, cloud, snow, clouds, high_clouds, ground, infrared, veils)


@dataclass(frozen=True)
class _Shadow:
    """What the finishing pass knows of shadows and veils; None where they are not detected."""

    cloud_shadow: CloudShadowMap | None = None
    sunlit: SunlitReference | None = None
    veils: Veils | None = None


def _run_spectral_pass(image: _Image) -> _SpectralPass:
    parameters = image.parameters
    min_shadow_casting = np.float32(parameters.constants.shadow_cloud_probability_min)
    if parameters.rules.match_cloud_shadow:
        min_shadow_casting = np.float32(parameters.thresholds.t_cloud_mp)
    found = _SpectralPass.empty(image)

    def classify_block(block: slice) -> None:
        extended, inner = image.overlap(block, parameters.constants.snow_ring_width)
        reflectance = image.read(extended)
        spectral = classify_spectra(reflectance, image.scene.rows(extended), parameters)
        found.scene_class[block] = spectral.scene_class[inner]
        found.cloud_probability[block] = to_percent(spectral.cloud[inner])
        found.snow_probability[block] = to_percent(spectral.snow[inner])
        found.clouds[block] = spectral.cloud[inner] > min_shadow_casting
        inner_reflectance = {band: values[inner] for band, values in reflectance.items()}
        if parameters.rules.cast_shadow_of_high_clouds and "B10" in reflectance:
            high = find_high_clouds(inner_reflectance, parameters)
            np.logical_and(found.clouds[block], high, out=found.high_clouds[block])
        if found.ground is not None:
            found.ground.fill(block.start, inner_reflectance, found.scene_class[block])
        if found.infrared is not None:
            found.infrared.fill(
                block.start, inner_reflectance, found.scene_class[block], parameters
            )
        if found.veils is not None:
            found.veils.fill(block.start, inner_reflectance, found.scene_class[block])

    list(image.run(classify_block, image.blocks))
    return found


def _project_shadow(image: _Image, spectral: _SpectralPass) -> _Shadow:
    sun, parameters = image.scene.sun, image.parameters
    if sun is None:
        return _Shadow()
    sunlit, veils = None, None
    if spectral.ground is not None:
        sunlit = spectral.ground.compute_sunlit_reference(sun, parameters)
    if spectral.veils is not None:
        veils = spectral.veils.find_veils(sun.pixel_size, parameters)
    clouds, high, infrared = spectral.clouds, spectral.high_clouds, spectral.infrared
    if sunlit is not None and infrared is not None:
        known = image.has_cirrus_band and parameters.rules.cast_shadow_of_high_clouds
        high_or_none = high if known else None
        cloud_shadow = CloudShadowMap.match(
            clouds, high_or_none, infrared, sunlit, veils, image.scene, parameters
        )
    else:
        cloud_shadow = CloudShadowMap.project(clouds, high, sun, parameters)
    return _Shadow(cloud_shadow, sunlit, veils)


def _run_finishing_pass(image: _Image, spectral: _SpectralPass, shadow: _Shadow) -> UInt8Array:
    parameters, cols = image.parameters, image.shape[1]
    scene_class = np.zeros(image.shape, np.uint8)

    def finish_block(block: slice) -> None:
        # one row more than the snow ring: the 3 x 3 windows at its edge
        extended, inner = image.overlap(block, parameters.constants.snow_ring_width + 1)
        reflectance, scene = image.read(extended), image.scene.rows(extended)
        classes = spectral.scene_class[extended]
        by_rules = scene.cloud_probability is None
        if parameters.rules.filter_cloud_patches and by_rules:
            classes = filter_cloud_patches(
                classes, spectral.cloud_probability[extended], parameters
            )
        matched = parameters.rules.match_cloud_shadow and by_rules
        if matched and shadow.cloud_shadow is not None:
            unconfirmed = shadow.cloud_shadow.find_unconfirmed(extended, cols)
            classes = lower_unconfirmed_clouds(classes, unconfirmed, reflectance, parameters)
        cloud_shadow = _detect_cloud_shadow(
            reflectance, scene.no_data, shadow, extended, parameters
        )
        if matched and shadow.sunlit is not None:
            bright = find_bright_shadow(
                classes, reflectance, cloud_shadow, shadow.sunlit, extended, parameters
            )
            np.putmask(classes, bright, NOT_CLASSIFIED)
        classes = reclassify(classes, reflectance, cloud_shadow, scene, parameters)
        if parameters.rules.detect_ground_by_swir and shadow.cloud_shadow is not None:
            near_clouds = shadow.cloud_shadow.find_near_clouds(extended, cols)
            ground = detect_unclassified_ground(classes, reflectance, near_clouds, parameters)
            np.putmask(classes, ground, SceneClass.BARE_SOILS)
            vegetation = detect_unclassified_vegetation(classes, reflectance, parameters)
            np.putmask(classes, vegetation, SceneClass.VEGETATION)
        if shadow.veils is not None:
            veiled = shadow.veils.detect(classes, reflectance, extended)
            np.putmask(classes, veiled, SceneClass.LOW_PROBA_CLOUDS)
        if scene.defective is not None:
            defective = scene.defective & ~scene.no_data
            np.putmask(classes, defective, SceneClass.SATURATED_DEFECTIVE)
        scene_class[block] = classes[inner]

    list(image.run(finish_block, image.blocks))
    return scene_class


def _detect_cloud_shadow(
    reflectance: Reflectance,
    no_data: BoolArray,
    shadow: _Shadow,
    rows: slice,
    parameters: ClassificationParameters,
) -> BoolArray:
    """Pixels that are dark enough for a cloud shadow and lie where clouds may cast it."""
    if shadow.cloud_shadow is None:
        return np.zeros(no_data.shape, np.bool_)
    possible = shadow.cloud_shadow.find_possible_shadow(rows, no_data.shape[1])
    if not possible.any():
        return possible
    dark = spectral_shadow_match(reflectance, no_data, parameters)
    if shadow.sunlit is None:
        return possible & dark
    likely = shadow.cloud_shadow.find_likely_shadow(rows, no_data.shape[1])
    dark |= detect_shadow_by_contrast(reflectance, no_data, shadow.sunlit, rows, parameters, likely)
    dark &= possible
    if shadow.cloud_shadow.water is not None:
        sunlit, shaded = shadow.cloud_shadow.water.find_water(reflectance, rows, parameters)
        dark &= ~sunlit
        dark |= shaded & likely
    return dark


def to_percent(probability: Float32Array) -> UInt8Array:
    """Probability 0..1 as whole percent, halves rounded up; uint8."""
    return (probability * np.float32(100) + np.float32(0.5)).astype(np.uint8)


def _check_bands(reflectance: Reflectance) -> bool:
    """Whether there is B10; the other bands must exist."""
    missing = [name for name in CLASSIFICATION_BANDS if name not in reflectance]
    if missing == ["B10"]:
        logger.warning("B10 is missing: cirrus is not detected")
    elif missing:
        raise ValueError(f"missing bands for the classification: {', '.join(missing)}")
    return not missing
