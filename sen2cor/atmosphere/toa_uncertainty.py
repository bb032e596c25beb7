"""Standard uncertainty of the top-of-atmosphere reflectance of Level-1C products.

The contributions, their models and values are those of ESA's radiometric uncertainty tool:
J. Gorrono et al., Remote Sens. 9 (2017) 178, and European Journal of Remote Sensing 51 (2018)
650-666; its algorithm document (OMPC.ACR.MEM.052, issue 1.0, 2025) and its analysis of the error
sources (OMPC.ACR.MEM.41, issue 1.0, 2025). Signals are counts of the instrument, ``Z = rho A E U
cos(solar zenith) / pi``, with the gain A, the solar irradiance E and the correction U of the
distance to the sun.

Errors that all pixels of a tile share (calibration, dark signal, stray light) are separate from
those of a single pixel (noise, non-linearity, local stray light, position): the adjacency effect
and averages over pixels treat them differently. The tool adds the uniform stray light from outside
the field of view linearly, since it is a bias of unknown size; here all contributions add in
quadrature. Left out, because the analysis finds them negligible: electronic cross-talk, ageing of
the diffuser, quantization on board beyond the noise model. The tool does not model stray light from
inside the field, polarization, non-uniform spectral response, the interpolation of the resampling
and compression; this module does not either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND
from sen2cor.raster.array_types import Float32Array

_DIFFUSER = {
    "S2A": (1.09, 1.08, 0.84, 0.73, 0.68, 0.97, 0.83, 0.81, 0.88, 0.97, 1.39, 1.39, 1.58),
    "S2B": (1.16, 1.00, 0.79, 0.70, 0.85, 0.77, 0.80, 0.80, 0.85, 0.66, 1.70, 1.46, 2.13),
    "S2C": (0.86, 0.79, 0.79, 0.63, 0.74, 0.73, 0.69, 0.59, 0.66, 0.61, 1.59, 1.44, 1.89),
}
"""Reflectance of the diffuser, % by bandId (MEM.41, table 9)."""

_DIFFUSER_COSINE, _DIFFUSER_STRAY_LIGHT = 0.4, 0.3
"""Angle of the diffuser, and stray light during calibration, % (MEM.41, section 9)."""

_NON_LINEARITY = (0.4,) * 9 + (0.6,) * 4
"""Residual of the correction, % by bandId (MEM.41, section 3)."""

_STRAY_LIGHT = (0.1, 0.1, 0.08, 0.12, 0.44, 0.16, 0.2, 0.2, 0.04, 0.8, 0.0, 0.0, 0.0)
"""Stray light from outside the field, part of each pixel, % by bandId (MEM.41, section 4.2)."""

_MEAN_STRAY_LIGHT = 0.3
"""The uniform part, % of the mean of the scene (MEM.41, section 4.2)."""

_DARK_SIGNAL = (0.1,) * 10 + (0.24, 0.12, 0.16)
"""Stability of the dark signal, counts by bandId (default values of the tool)."""

_NOISE = {
    "S2A": (
        (0.241, 1.64e-4), (0.529, 1.04e-2), (0.435, 9.06e-3), (0.437, 9.51e-3), (0.551, 5.60e-3),
        (0.549, 6.23e-3), (0.538, 5.15e-3), (0.534, 1.31e-2), (0.537, 9.79e-3), (0.243, 8.29e-4),
        (0.498, 1.44e-3), (0.668, 2.43e-3), (0.729, 2.37e-3),
    ),
    "S2B": (
        (0.240, 1.62e-4), (0.521, 1.04e-2), (0.428, 9.04e-3), (0.445, 9.46e-3), (0.541, 5.62e-3),
        (0.535, 6.24e-3), (0.531, 5.12e-3), (0.531, 1.31e-2), (0.531, 9.76e-3), (0.242, 8.20e-4),
        (0.489, 1.40e-3), (0.656, 2.40e-3), (0.710, 2.40e-3),
    ),
    "S2C": (
        (0.235, 1.99e-4), (0.500, 1.29e-2), (0.364, 1.12e-2), (0.370, 1.17e-2), (0.548, 6.83e-3),
        (0.532, 7.55e-3), (0.536, 6.18e-3), (0.506, 1.62e-2), (0.526, 1.18e-2), (0.230, 9.93e-4),
        (0.483, 1.39e-3), (0.616, 2.39e-3), (0.670, 2.38e-3),
    ),
}  # fmt: skip
"""Alpha and beta of the variance ``alpha**2 + beta Z`` in counts, by bandId (default values of the
tool, measured in flight; products before 2025 have an older model in their metadata)."""

_GAIN = {
    "S2A": (4.10, 3.76, 4.19, 4.52, 5.21, 4.87, 4.54, 6.16, 5.14, 8.53, 55.37, 35.38, 106.46),
    "S2B": (4.02, 3.86, 4.28, 4.82, 5.23, 5.13, 4.81, 6.89, 5.81, 9.46, 56.30, 37.10, 108.56),
    "S2C": (4.65, 5.09, 4.99, 6.43, 7.02, 7.77, 7.04, 8.96, 7.72, 12.29, 69.34, 40.04, 112.49),
}
"""Counts per W m-2 sr-1 um-1 by bandId (default values of the tool). Those of a product differ by
some %, which changes the noise by half as much."""

_RESAMPLING = 0.65
"""Factor of the noise by the resampling to the Level-1C grid (MEM.41, section 10)."""

_GEOLOCATION_ERROR, _REFINED_GEOLOCATION_ERROR = 3.0, 1.5
"""Error of the position in metres, without and with geometric refinement (MEM.41, section 12)."""


@dataclass(frozen=True)
class ToaUncertainty:
    """Standard uncertainty of the top-of-atmosphere reflectance of a band.

    Attributes
    ----------
    gain : float
        Relative, common to all pixels of a tile.
    offset : ndarray of float32, shape (rows, cols), or float
        In reflectance, common to all pixels.
    pixel_gain : float
        Relative, independent from pixel to pixel.
    noise_constant, noise_linear : ndarray of float32, shape (rows, cols), or float
        Variance of the noise: ``noise_constant + noise_linear * reflectance``.
    geolocation : float
        Error of the position in metres.
    """

    gain: float = 0.0
    offset: Float32Array | float = 0.0
    pixel_gain: float = 0.0
    noise_constant: Float32Array | float = 0.0
    noise_linear: Float32Array | float = 0.0
    geolocation: float = 0.0

    def common(self, reflectance: Float32Array) -> Float32Array:
        """Part that all pixels share, in reflectance."""
        return np.asarray(np.hypot(self.gain * reflectance, self.offset), np.float32)

    def independent(self, reflectance: Float32Array) -> Float32Array:
        """Part of a single pixel, in reflectance, without that of its position."""
        noise = self.noise_constant + self.noise_linear * np.maximum(reflectance, 0.0)
        return np.asarray(np.sqrt((self.pixel_gain * reflectance) ** 2 + noise), np.float32)


@dataclass(frozen=True)
class Radiometry:
    """Radiometry of a Level-1C product.

    Attributes
    ----------
    spacecraft : str
        ``S2A``, ``S2B``, ``S2C``.
    solar_irradiance : mapping of band to float
        W m-2 um-1 at one astronomical unit.
    reflectance_conversion : float
        U, the correction of the distance to the sun.
    quantification_value : float
        Digital numbers per unit of reflectance.
    refined : bool
        Whether the geometry is refined with reference images.
    """

    spacecraft: str
    solar_irradiance: Mapping[str, float]
    reflectance_conversion: float
    quantification_value: float
    refined: bool = False

    def counts(self, band: str, cosine: npt.ArrayLike) -> Float32Array:
        """Counts of the instrument for a reflectance of 1.

        Parameters
        ----------
        band : str
        cosine : array_like
            Of the solar zenith angle.

        Returns
        -------
        ndarray of float32
        """
        irradiance = self.solar_irradiance[band] * self.reflectance_conversion / np.pi
        gain = _GAIN[self.spacecraft][BAND[band].index]
        return np.asarray(gain * irradiance * np.asarray(cosine, np.float32), np.float32)

    def uncertainty(
        self, band: str, resolution: int, *, cosine: npt.ArrayLike, mean_reflectance: float
    ) -> ToaUncertainty:
        """Uncertainty of a band.

        Parameters
        ----------
        band : str
        resolution : int
            Of the image in metres: the noise decreases if pixels are averaged.
        cosine : array_like, shape (rows, cols) or ()
            Of the solar zenith angle.
        mean_reflectance : float
            Of the scene in this band, for the stray light.

        Returns
        -------
        ToaUncertainty
            Fields of the shape of `cosine`.
        """
        index = BAND[band].index
        counts = self.counts(band, cosine)
        averaged = max(resolution / BAND[band].resolution, 1.0) ** 2
        alpha, beta = _NOISE[self.spacecraft][index]
        quantization = 1.0 / (self.quantification_value * np.sqrt(12.0))
        reduction = _RESAMPLING**2 / averaged
        stray = 0.01 * _MEAN_STRAY_LIGHT * max(mean_reflectance, 0.0)
        diffuser = (_DIFFUSER[self.spacecraft][index], _DIFFUSER_COSINE, _DIFFUSER_STRAY_LIGHT)
        return ToaUncertainty(
            gain=0.01 * float(np.linalg.norm(diffuser)),
            offset=np.hypot(_DARK_SIGNAL[index] / counts, np.float32(stray)),
            pixel_gain=0.01 * float(np.hypot(_NON_LINEARITY[index], _STRAY_LIGHT[index])),
            noise_constant=np.float32(reduction * alpha**2) / counts**2
            + np.float32(quantization**2 / averaged),
            noise_linear=np.float32(reduction * beta) / counts,
            geolocation=_REFINED_GEOLOCATION_ERROR if self.refined else _GEOLOCATION_ERROR,
        )
