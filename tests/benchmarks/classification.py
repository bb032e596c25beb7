"""CPU seconds and memory of the scene classification of a full tile at 20 m, on one thread.

The image is synthetic: patches of fields, soil, water, snow, low and high clouds, with noise. Its
pixels are 16-bit numbers, as in a run; their memory is not counted. Each set of rules runs in a
separate process, so that peaks of memory do not mix.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    ClassificationParameters,
    ClassificationScene,
    SunGeometry,
    classify_rows,
)
from tests.classification.spectra import SEN2COR_2_3, SPECTRA

PARAMETERS = {"improved": ClassificationParameters(), "compatible": SEN2COR_2_3}
_NAMES = ("vegetation", "soil", "sand", "water", "dark", "snow", "cloud", "haze", "high cloud")
_FRACTIONS = (0.4, 0.2, 0.05, 0.08, 0.05, 0.05, 0.08, 0.05, 0.04)
_HIGH_CLOUD = (0.50, 0.48, 0.48, 0.50, 0.55, 0.22, 0.32, 0.23)
_PATCH = 45
"""Pixels."""


def make_image(size: int, seed: int = 1) -> dict[str, npt.NDArray[np.uint16]]:
    """Make the digital numbers of an image of noisy patches.

    Parameters
    ----------
    size : int
        Rows and columns.
    seed : int

    Returns
    -------
    mapping of band name to ndarray of uint16, shape (size, size)
    """
    random = np.random.default_rng(seed)
    spectra = np.array([*SPECTRA.values(), _HIGH_CLOUD], np.float32)
    patches = -(-size // _PATCH)
    kinds = random.choice(len(_NAMES), (patches, patches), p=_FRACTIONS).astype(np.uint8)
    kinds = np.repeat(kinds, _PATCH, axis=1)[:, :size]
    image = {band: np.empty((size, size), np.uint16) for band in CLASSIFICATION_BANDS}
    for row in range(size):
        level = random.normal(1.0, 0.06, size).astype(np.float32)
        for index, numbers in enumerate(image.values()):
            numbers[row] = 1e4 * level * spectra[kinds[row // _PATCH], index]
    return image


def measure(name: str, size: int, zenith: float) -> tuple[float, float]:
    """Measure the classification with a set of rules.

    Parameters
    ----------
    name : str
        Key of `PARAMETERS`.
    size : int
        Rows and columns.
    zenith : float
        Solar zenith angle in degrees.

    Returns
    -------
    (float, float)
        CPU seconds, and memory beyond the input in GB.
    """
    image = make_image(size)
    scene = ClassificationScene(
        np.zeros((size, size), np.bool_), sun=SunGeometry(zenith, 150.0, 20.0)
    )

    def reflectance(rows: slice) -> dict[str, npt.NDArray[np.float32]]:
        return {band: numbers[rows] * np.float32(1e-4) for band, numbers in image.items()}

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    classify_rows(reflectance, scene, PARAMETERS[name])
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, (peak - before) / 1024**2


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each set of rules and each solar zenith angle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=5490, help="rows and columns (5490)")
    parser.add_argument(
        "--zenith",
        type=float,
        nargs="+",
        default=[35.0, 75.0],
        help="solar zenith, degrees (35 75)",
    )
    options = parser.parse_args(arguments)
    spawn = multiprocessing.get_context("spawn")
    print(f"{options.size} by {options.size} pixels, one thread")
    print(f"{'rules':<12}{'sun zenith':>12}{'CPU s':>8}{'GB added':>12}")
    for zenith in options.zenith:
        for name in PARAMETERS:
            with spawn.Pool(1) as pool:
                seconds, memory = pool.apply(measure, (name, options.size, zenith))
            print(f"{name:<12}{zenith:>12.0f}{seconds:>8.1f}{memory:>12.2f}", flush=True)


if __name__ == "__main__":
    main()
