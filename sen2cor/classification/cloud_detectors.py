"""Cloud detectors in place of the rules: a function from reflectance to cloud probability.

`detect_by_s2cloudless` applies the gradient-boosted trees of s2cloudless (S. Skakun et al., Remote
Sensing of Environment 274 (2022) 112990) to single pixels, and averages their probability over a
disk of 240 m, as that package does for its masks at 60 m. The package and its model have their own
licence, CC BY-SA 4.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve
from skimage.morphology import disk

from sen2cor.classification.parameters import RULES, S2CLOUDLESS
from sen2cor.errors import ConfigurationError
from sen2cor.optional_packages import require
from sen2cor.raster.array_types import Float32Array, UInt8Array
from sen2cor.raster.grids import row_blocks

CloudDetector = Callable[[Mapping[str, Float32Array]], npt.ArrayLike]
"""From top-of-atmosphere reflectance by band name, `DETECTOR_BANDS`, each of shape (rows, cols) on
the 60 m grid, to the probability of cloud, 0..1, of the same shape. Pixels without data have the
reflectance of the digital number 0."""

DETECTOR_BANDS = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")

_BLOCK_ROWS = 128
_AVERAGE_RADIUS = 4
"""Pixels of 60 m."""


def detect_by_s2cloudless(reflectance: Mapping[str, Float32Array]) -> Float32Array:
    """Compute the probability of cloud by s2cloudless; a `CloudDetector`."""
    from s2cloudless import S2PixelCloudDetector

    detector = S2PixelCloudDetector(all_bands=False)
    rows, cols = reflectance[DETECTOR_BANDS[0]].shape
    probability = np.empty((rows, cols), np.float32)
    for block in row_blocks(rows, _BLOCK_ROWS):
        bands = np.stack([reflectance[band][block] for band in DETECTOR_BANDS], axis=-1)
        probability[block] = detector.get_cloud_probability_maps(bands[np.newaxis])[0]
    weights = disk(_AVERAGE_RADIUS).astype(np.float32)
    return np.asarray(convolve(probability, weights / weights.sum(), mode="nearest"), np.float32)


def find_cloud_detector(name: str) -> CloudDetector | None:
    """Find a cloud detector.

    Parameters
    ----------
    name : str
        `RULES`: None. `S2CLOUDLESS`, or ``module:function`` of a `CloudDetector`.

    Raises
    ------
    AuxiliaryDataError
        The extra ``cloudmask`` is not installed.
    ConfigurationError
        There is no such function.
    """
    if name == RULES:
        return None
    if name == S2CLOUDLESS:
        require("cloudmask", f"SC_Cloud_Detector {S2CLOUDLESS}")
        return detect_by_s2cloudless
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except Exception as error:  # what the module raises is its own affair
        raise ConfigurationError(
            f"SC_Cloud_Detector {name}: {type(error).__name__}: {error}; "
            f"name {RULES}, {S2CLOUDLESS} or a function as module:function"
        ) from error
    if not callable(found):
        raise ConfigurationError(f"SC_Cloud_Detector {name}: is no function")
    detector: CloudDetector = found
    return detector


def detect_clouds(detector: CloudDetector, reflectance: Mapping[str, Float32Array]) -> UInt8Array:
    """Apply a detector and check its result.

    Returns
    -------
    ndarray of uint8, shape (rows, cols)
        Percent.

    Raises
    ------
    ConfigurationError
        The result has another shape, or values outside 0..1.
    """
    probability = np.asarray(detector(reflectance))
    shape = reflectance[DETECTOR_BANDS[0]].shape
    name = getattr(detector, "__qualname__", repr(detector))
    if probability.shape != shape:
        raise ConfigurationError(
            f"the cloud detector {name} returned shape {probability.shape}, expected {shape}"
        )
    if not ((probability >= 0.0) & (probability <= 1.0)).all():
        raise ConfigurationError(f"the cloud detector {name} returned values outside 0 to 1")
    return np.asarray(np.rint(probability * 100.0), np.uint8)
