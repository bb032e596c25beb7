"""Reflectance at the top of the atmosphere from the cells of a Sen2Cor look-up table file.

This forward model shares no code with the correction of the processor: it interpolates the raw
cells of one ``.atm`` file and adds surface and surroundings. With the columns of the file (see
`sen2cor.atmosphere.look_up_tables.atm_files`) and the solar irradiance ``E0`` that it implies::

    rho_toa = pi L / (E0 cos) + F [d rho + (1 - d) rho_mean] / (1 - S rho_mean)
    F = (E_dir cos + E_dif) / (E0 cos),   d = tau_dir / (tau_dir + tau_dif)

Both fluxes of the file contain the upward transmittance. The light that the atmosphere scatters
into the view comes from the surroundings, whose mean reflectance is ``rho_mean`` (R. Richter,
Applied Optics 37 (1998) 4004-4015).

Interpolation:

- In the solar zenith angle, cubic splines of radiance, spherical albedo and the logarithms of the
  global flux, the direct and the total upward transmittance.
- In the view, a cosine series in azimuth through the seven azimuths at 10 degrees. Its term of
  order k is proportional to the k-th power of the sine of the view zenith (the constant term to the
  square, starting from the nadir), because the radiance is smooth at the nadir.
- In the aerosol, cubic splines of the same quantities over the optical thickness of the
  visibilities. Clearer than 120 km, the straight line through 80 and 120 km: aerosol of small
  optical thickness acts linearly.
- In water vapour, ozone and elevation there is no interpolation: a state lies on the nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from sen2cor.atmosphere.look_up_tables.atm_files import (
    AZIMUTH,
    ELEVATION,
    SOLAR_ZENITH,
    VIEW_ZENITH,
    VISIBILITY,
    derive_irradiance,
)
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from tests.validation.atm_reference import Array, AtmFile

_SI = 10.0
"""From mW cm-2 um-1 to W m-2 um-1."""

_MIN_TRANSMITTANCE = 1e-30
_ORDERS = np.arange(AZIMUTH.size)
_TO_SERIES = np.linalg.inv(np.cos(np.outer(np.radians(AZIMUTH.astype(float)), _ORDERS)))
"""From the radiances at the azimuths of a file to the coefficients of their cosine series."""

_RADIANCE, _RING, _ALBEDO = 0, slice(10, 17), 5
_NADIR, _SLANTED = (1, 2, 3, 4), (6, 7, 8, 9)
"""Positions among the 17 values: diffuse and direct flux, direct and diffuse upward transmittance,
for the two view zeniths."""


@dataclass(frozen=True)
class Air:
    """State of the atmosphere and geometry of a scene.

    Attributes
    ----------
    aot550 : float
        At the elevation of the surface.
    elevation : float
        Km; a node of the files.
    solar_zenith, view_zenith, relative_azimuth : float
        Degrees; a relative azimuth of 0 is backscatter.
    """

    aot550: float
    elevation: float
    solar_zenith: float
    view_zenith: float
    relative_azimuth: float


@dataclass(frozen=True)
class Terms:
    """Terms of the equation above in one band.

    Attributes
    ----------
    path : float
        Path reflectance.
    two_way : float
        Transmittance ``F`` from the sun to the surface and to the sensor.
    direct_fraction : float
        Direct fraction ``d`` of the upward transmittance.
    albedo : float
        Spherical albedo.
    """

    path: float
    two_way: float
    direct_fraction: float
    albedo: float

    def toa(
        self, surface: npt.NDArray[np.floating], mean: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.floating]:
        """Reflectance at the top of the atmosphere.

        Parameters
        ----------
        surface, mean : ndarray
            Surface reflectance of the pixels, and the mean of their surroundings.
        """
        seen = self.direct_fraction * surface + (1.0 - self.direct_fraction) * mean
        return self.path + self.two_way * seen / (1.0 - self.albedo * mean)


@dataclass(frozen=True)
class ForwardModel:
    """Forward model of one file.

    Attributes
    ----------
    file : AtmFile
        Of the folder ``20_60``.
    """

    file: AtmFile

    @cached_property
    def irradiance(self) -> dict[str, float]:
        """Solar irradiance by band, W m-2 um-1."""
        return {
            band: derive_irradiance(band, cells.astype(np.float32))
            for band, cells in self.file.bands.items()
        }

    def terms(self, band: str, air: Air) -> Terms:
        """Interpolate the terms of a band.

        Raises
        ------
        ValueError
            The elevation is not a node, or an angle lies outside the range of the file.
        """
        _check(air)
        level = int(np.flatnonzero(air.elevation == ELEVATION)[0])
        nodes = _Nodes.of(self.file.bands[band][level])
        at_sun = nodes.over_solar_zenith(air.solar_zenith)
        found = at_sun.over_optical_thickness(
            optical_thickness(self.file.aerosol, air.elevation), air.aot550
        )
        flux, direct_up, total_up = np.exp(_in_slant(found.logarithms, air.view_zenith))
        cosine = np.cos(np.radians(air.solar_zenith))
        to_reflectance = _SI / (self.irradiance[band] * cosine)
        radiance = _in_view(found.radiance, air.view_zenith, air.relative_azimuth)
        return Terms(
            path=np.pi * radiance * to_reflectance,
            two_way=float(flux * to_reflectance),
            direct_fraction=float(direct_up / total_up),
            albedo=float(found.albedo),
        )


@cache
def own_table(aerosol: str) -> SixSLookUpTable:
    """6S table of the processor, for an aerosol in summer."""
    return load_table("S2A", aerosol, "SUMMER")


def optical_thickness(aerosol: str, elevation: float) -> Array:
    """Aerosol optical thickness at 550 nm of the visibilities of the files.

    The relation is that of the processor, which is fitted to the direct transmittances of the files
    (``make fit-visibility``).
    """
    return own_table(aerosol).aot_from_visibility(VISIBILITY, elevation).astype(float)


def _check(air: Air) -> None:
    inside = (
        air.elevation in ELEVATION
        and 0.0 <= air.solar_zenith <= SOLAR_ZENITH[-1]
        and 0.0 <= air.view_zenith <= VIEW_ZENITH
    )
    if not inside:
        raise ValueError(f"{air} is not covered by the .atm files")


@dataclass(frozen=True)
class _Nodes:
    """Quantities that are interpolated; first axes (visibility, solar zenith), as far as left.

    Attributes
    ----------
    radiance : ndarray, shape (..., 8)
        At the nadir, and at all azimuths of the slanted view.
    albedo : ndarray, shape (...)
    logarithms : ndarray, shape (..., 2, 3)
        Of global flux, direct and total upward transmittance, for the nadir and the slanted view.
    """

    radiance: Array
    albedo: Array
    logarithms: Array

    @classmethod
    def of(cls, cells: Array) -> _Nodes:
        """Take the quantities from cells of shape (visibility, solar zenith, 17)."""
        cosine = np.cos(np.radians(SOLAR_ZENITH.astype(float)))
        by_view = []
        for places in (_NADIR, _SLANTED):
            diffuse, direct, direct_up, diffuse_up = (cells[..., place] for place in places)
            by_view.append([direct * cosine + diffuse, direct_up, direct_up + diffuse_up])
        radiance = np.concatenate([cells[..., _RADIANCE, np.newaxis], cells[..., _RING]], -1)
        logarithms = np.log(np.maximum(by_view, _MIN_TRANSMITTANCE))
        return cls(radiance, cells[..., _ALBEDO], np.moveaxis(logarithms, (0, 1), (-2, -1)))

    def over_solar_zenith(self, solar_zenith: float) -> _Nodes:
        """Interpolate the second axis."""
        return self._each(lambda values: CubicSpline(SOLAR_ZENITH, values, axis=1)(solar_zenith))

    def over_optical_thickness(self, thickness: Array, aot550: float) -> _Nodes:
        """Interpolate the first axis, whose nodes have decreasing optical thicknesses."""
        nodes = thickness[::-1]

        def interpolate(values: Array) -> Array:
            rising = values[::-1]
            if aot550 >= nodes[0]:
                return np.asarray(CubicSpline(nodes, rising, axis=0)(aot550))
            slope = (rising[1] - rising[0]) / (nodes[1] - nodes[0])
            return np.asarray(rising[0] + (aot550 - nodes[0]) * slope)

        return self._each(interpolate)

    def _each(self, function: Callable[[Array], Array]) -> _Nodes:
        return _Nodes(function(self.radiance), function(self.albedo), function(self.logarithms))


def _in_slant(by_view: Array, view_zenith: float) -> Array:
    """Interpolate logarithms of shape (2, ...) over the slant of the view."""
    excess = [1.0 / np.cos(np.radians(angle)) - 1.0 for angle in (view_zenith, VIEW_ZENITH)]
    return np.asarray(by_view[0] + excess[0] / excess[1] * (by_view[1] - by_view[0]))


def _in_view(radiance: Array, view_zenith: float, azimuth: float) -> float:
    """Path radiance in a view, from that at the nadir and those at all azimuths, shape (8,)."""
    nadir = radiance[0]
    series = _TO_SERIES @ radiance[1:]
    series[0] -= nadir
    power = np.where(_ORDERS == 0, 2, _ORDERS)
    sine = np.sin(np.radians(view_zenith)) / np.sin(np.radians(VIEW_ZENITH))
    return float(nadir + np.sum(series * sine**power * np.cos(_ORDERS * np.radians(azimuth))))
