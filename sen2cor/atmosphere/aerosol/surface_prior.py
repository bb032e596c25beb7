"""Prior distribution of the surface reflectance, for the aerosol retrieval.

The prior is a mixture of normal distributions of the logarithm of reflectance plus a small
constant, in eight bands: ratios of bands vary less than brightness, reflectance is positive, and
near zero the scale becomes linear. The mixture describes spectra of vegetation, dry vegetation,
soils, urban surfaces, water, and mixtures of these; `sen2cor.simulation.surface_prior`
makes the spectra and fits the mixture. A wide distribution with a small weight stands for surfaces
that are none of these.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array, Float64Array

BANDS = ("B01", "B02", "B03", "B04", "B05", "B8A", "B11", "B12")

OFFSET = np.float32(0.005)
"""Constant that is added to the reflectance: the scale is linear below, logarithmic above."""

_MIN_SHIFTED = np.float32(0.2) * OFFSET
"""Reflectance plus offset below which the scale is continued linearly."""

LAND, WATER, WIDE = "land", "water", "wide"
"""Kinds of components."""

PATH = Path(__file__).parent / "data" / "surface_prior.json"


@dataclass(frozen=True)
class SurfacePrior:
    """A mixture of normal distributions.

    Attributes
    ----------
    log_weights : ndarray of float32, shape (components,)
        Logarithms of the weights and of the normalisation of each component.
    means : ndarray of float32, shape (components, bands)
        On the scale of `to_scale`.
    whitening : ndarray of float32, shape (components, bands, bands)
        Multiplied by it, deviations from the mean have unit covariance.
    """

    log_weights: Float32Array
    means: Float32Array
    whitening: Float32Array

    @classmethod
    def from_mixture(
        cls, weights: Float64Array, means: Float64Array, covariances: Float64Array
    ) -> SurfacePrior:
        """Prepare a mixture given by weights, means and covariances of its components."""
        whitening = np.linalg.cholesky(np.linalg.inv(covariances))
        normalisation = np.log(np.diagonal(whitening, axis1=1, axis2=2)).sum(axis=1)
        normalisation -= 0.5 * means.shape[1] * np.log(2.0 * np.pi)
        return cls(
            (np.log(weights) + normalisation).astype(np.float32),
            means.astype(np.float32),
            whitening.astype(np.float32),
        )

    def log_density(self, scaled: Float32Array) -> Float32Array:
        """Logarithm of the probability density.

        Parameters
        ----------
        scaled : ndarray of float32, shape (..., bands)
            Reflectance of `BANDS` on the scale of `to_scale`.

        Returns
        -------
        ndarray of float32, shape (...)
        """
        flat = scaled.reshape(-1, scaled.shape[-1])
        total = np.full(len(flat), -np.inf, np.float32)
        for log_weight, mean, whitening in zip(
            self.log_weights, self.means, self.whitening, strict=True
        ):
            deviation = flat @ whitening
            deviation -= mean @ whitening
            np.square(deviation, out=deviation)
            np.logaddexp(total, log_weight - np.float32(0.5) * deviation.sum(axis=1), out=total)
        return total.reshape(scaled.shape[:-1])


def to_scale(reflectance: Float32Array) -> Float32Array:
    """Logarithm of reflectance plus `OFFSET`, continued linearly below a fifth of it."""
    shifted = reflectance + OFFSET
    linear = shifted / _MIN_SHIFTED - np.float32(1.0) + np.log(_MIN_SHIFTED)
    scaled: Float32Array = np.where(
        shifted > _MIN_SHIFTED, np.log(np.maximum(shifted, _MIN_SHIFTED)), linear
    )
    return scaled


def log_slope(reflectance: Float32Array) -> Float32Array:
    """Logarithm of the derivative of `to_scale`."""
    slope: Float32Array = -np.log(np.maximum(reflectance + OFFSET, _MIN_SHIFTED))
    return slope


@lru_cache(maxsize=2)
def load_surface_prior(*, water: bool) -> SurfacePrior:
    """Load the mixture of water, or that of land, from the package.

    Raises
    ------
    AuxiliaryDataError
        The file is missing or broken.
    """
    try:
        content = json.loads(PATH.read_text())
        if content["bands"] != list(BANDS) or content["offset"] != float(f"{OFFSET:.6g}"):
            raise ValueError("other bands or another scale")
        parts = [np.array(content[name]) for name in ("weights", "means", "covariances")]
        chosen = [kind in (WIDE, WATER if water else LAND) for kind in content["kinds"]]
    except (OSError, ValueError, KeyError) as error:
        raise AuxiliaryDataError(
            f"prior of the surface {PATH} cannot be read ({error}): install the package again"
        ) from error
    weights, means, covariances = (values[chosen] for values in parts)
    return SurfacePrior.from_mixture(weights / weights.sum(), means, covariances)
