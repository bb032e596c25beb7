"""Empirical BRDF correction of slopes with low illumination.

Surfaces are not Lambertian: at large incidence angles the Lambertian terrain correction makes a
slope too bright. With beta the incidence angle, between the sun and the normal of the slope::

    rho' = rho G,   G = max((cos beta / cos beta_T)^e, g)   if beta > beta_T

(R. Richter, T. Kellenberger, H. Kaufmann, Remote Sensing 1 (2009) 184-196; R. Richter,
D. Schlaepfer, ATCOR-2/3 User Guide, DLR-IB 565-01). In cast shadow, ``cos beta`` is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.raster.array_types import BoolArray, Float32Array

RED_EDGE = 0.72
"""Wavelength in um that separates the two exponents of vegetation."""

MAX_SNOW_FRACTION = 0.5
"""Fraction of snow and ice in the scene above which there is no correction."""

_OTHERS = {1: 1.0, 2: 0.5}
_VEGETATION_VISIBLE = 0.75
_VEGETATION_INFRARED = {1: 1.0 / 3.0, 2: 1.0}


@dataclass(frozen=True)
class EmpiricalBrdf:
    """The correction of one band in one scene.

    Attributes
    ----------
    exponent, vegetation_exponent : float
        Of all other land covers, and of vegetation.
    threshold : float
        ``cos beta_T`` over the cosine of the solar zenith angle.
    lower_bound : float
        ``g``, the minimum factor.
    """

    exponent: float
    vegetation_exponent: float
    threshold: float
    lower_bound: float

    @property
    def needs_cover(self) -> bool:
        """Whether the factor differs between vegetation and other covers."""
        return self.exponent != self.vegetation_exponent

    def factor(
        self, illumination: Float32Array, vegetation: BoolArray | None = None
    ) -> Float32Array:
        """Compute the factor G of each pixel.

        Parameters
        ----------
        illumination : ndarray of float32
            Cosine of the incidence angle over that of the solar zenith angle, 0 in cast shadow.
        vegetation : ndarray of bool, same shape, optional
            Required if `needs_cover`.

        Returns
        -------
        ndarray of float32
            1 where ``beta <= beta_T``.

        Raises
        ------
        ValueError
            The cover is required but not given.
        """
        result = np.ones_like(illumination)
        low = illumination < np.float32(self.threshold)
        exponent: float | Float32Array = self.exponent
        if self.needs_cover:
            if vegetation is None:
                raise ValueError("the exponent depends on the land cover: pass vegetation")
            exponent = np.where(vegetation[low], self.vegetation_exponent, self.exponent)
            exponent = exponent.astype(np.float32)
        ratio = illumination[low] / np.float32(self.threshold)
        result[low] = np.maximum(ratio**exponent, np.float32(self.lower_bound))
        return result


def empirical_brdf(
    code: int, wavelength: float, solar_zenith: float, *, lower_bound: float, snow_fraction: float
) -> EmpiricalBrdf | None:
    """Select the correction of a band by the code of the configuration.

    ==== ============ ==================== ====================
    code other covers vegetation < 720 nm  vegetation > 720 nm
    ==== ============ ==================== ====================
    0    none         none                 none
    1    1            1                    1
    2    1/2          1/2                  1/2
    11   1            3/4                  1/3
    12   1            3/4                  1
    21   1/2          3/4                  1/3
    22   1/2          3/4                  1
    ==== ============ ==================== ====================

    Parameters
    ----------
    code : {0, 1, 2, 11, 12, 21, 22}
        BRDF_Correction.
    wavelength : float
        Of the band, in um.
    solar_zenith : float
        Mean of the tile, in degrees: one threshold for all pixels avoids edges.
    lower_bound : float
        BRDF_Lower_Bound.
    snow_fraction : float
        Snow and ice among the valid pixels of the scene, 0..1.

    Returns
    -------
    EmpiricalBrdf or None
        None if nothing is corrected.
    """
    if code == 0 or snow_fraction > MAX_SNOW_FRACTION:
        return None
    others, infrared = divmod(code, 10)
    if others == 0:
        exponent = vegetation = _OTHERS[code]
    else:
        exponent = _OTHERS[others]
        vegetation = (
            _VEGETATION_VISIBLE if wavelength < RED_EDGE else _VEGETATION_INFRARED[infrared]
        )
    threshold = np.cos(np.radians(threshold_angle(solar_zenith))) / np.cos(np.radians(solar_zenith))
    return EmpiricalBrdf(exponent, vegetation, float(threshold), lower_bound)


def threshold_angle(solar_zenith: float) -> float:
    """Incidence angle ``beta_T`` in degrees above which slopes are corrected, at most 90."""
    if solar_zenith < 45.0:
        margin = 20.0
    elif solar_zenith <= 55.0:
        margin = 15.0
    else:
        margin = 10.0
    return min(solar_zenith + margin, 90.0)
