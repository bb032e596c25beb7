"""Light on slopes: the sun, the sky between the horizons, the ground opposite.

The sky is no model of a correction method (isotropic, or isotropic around a bright sun): its
radiance is summed over directions, each of which is free or hidden. Single scattering gives the
sky the phase functions of molecules and aerosol, multiple scattering an even share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.simulation.adjacency import surroundings
from sen2cor.simulation.relief import AZIMUTHS, RESOLUTION, Terrain

_RINGS = np.radians(np.arange(5.0, 90.0, 10.0))
"""Zenith angles of the directions, radians."""

_ASYMMETRY = 0.65
_OPPOSITE_REACH = 250.0
"""Distance in metres within which the weight of the opposite ground falls to 1/e."""


@dataclass(frozen=True)
class Light:
    """Irradiance of slopes relative to that of level ground under the same sky.

    Attributes
    ----------
    direct, diffuse : ndarray of float32, shape (rows, cols)
        Of the sun, relative to the sun's on level ground; of the sky and the opposite ground,
        relative to the sky's on level ground.
    """

    direct: Float32Array
    diffuse: Float32Array


def sky_factors(
    terrain: Terrain, solar_zenith: float, solar_azimuth: float, molecules: float, aerosol: float
) -> tuple[Float32Array, Float32Array]:
    """Light of the sky on slopes, and how much of their view is ground.

    Parameters
    ----------
    terrain : Terrain
    solar_zenith, solar_azimuth : float
        Degrees; azimuth from the grid's north.
    molecules, aerosol : float
        Optical thickness.

    Returns
    -------
    skylight : ndarray of float32, shape (rows, cols)
        Irradiance by the sky relative to that of level ground with a free horizon.
    ground_view : ndarray of float32, shape (rows, cols)
        Share of the cosine-weighted view that is not sky.
    """
    skylight = np.zeros(terrain.elevation.shape, np.float32)
    sky_view = np.zeros_like(skylight)
    level, even = 0.0, 0.0
    radiance = _radiance(solar_zenith, solar_azimuth, molecules, aerosol)
    for (ring, number), strength in np.ndenumerate(radiance):
        zenith, azimuth = _RINGS[ring], np.radians(AZIMUTHS[number])
        towards = np.array([np.sin(azimuth), np.cos(azimuth), 1.0 / np.tan(zenith)])
        cosine = np.einsum("i,ijk->jk", np.float32(np.sin(zenith) * towards), terrain.normal)
        np.maximum(cosine, 0.0, out=cosine)
        cosine *= terrain.horizons[number] < 1.0 / np.tan(zenith)
        solid_angle = np.sin(zenith)
        skylight += np.float32(strength * solid_angle) * cosine
        sky_view += np.float32(solid_angle) * cosine
        level += strength * solid_angle * np.cos(zenith)
        even += solid_angle * np.cos(zenith)
    skylight /= np.float32(level)
    sky_view /= np.float32(even)
    return skylight, np.clip(1.0 - sky_view, 0.0, 1.0)


def _radiance(
    solar_zenith: float, solar_azimuth: float, molecules: float, aerosol: float
) -> Float64Array:
    """Relative radiance of the sky, shape (rings, azimuths)."""
    sun, turn = np.radians(solar_zenith), np.radians(AZIMUTHS - solar_azimuth)
    cosine = np.cos(_RINGS)[:, None] * np.cos(sun)
    cosine = cosine + np.sin(_RINGS)[:, None] * np.sin(sun) * np.cos(turn)
    rayleigh = 0.75 * (1.0 + cosine**2)
    haze = (1.0 - _ASYMMETRY**2) / (1.0 + _ASYMMETRY**2 - 2.0 * _ASYMMETRY * cosine) ** 1.5
    depth = molecules + aerosol
    single = (molecules * rayleigh + aerosol * haze) / depth
    single *= -np.expm1(-depth / np.cos(_RINGS))[:, None]
    weight = (np.sin(_RINGS) * np.cos(_RINGS))[:, None]
    single /= (single * weight).sum() / (weight.sum() * turn.size)
    multiple = -np.expm1(-depth)
    return np.asarray((1.0 - multiple) * single + multiple)


def light_on_slopes(
    terrain: Terrain,
    solar_zenith: float,
    sky: tuple[Float32Array, Float32Array],
    reflectance: Float32Array,
    direct_fraction: Float32Array,
) -> Light:
    """Irradiance of slopes in one band.

    Parameters
    ----------
    terrain : Terrain
    solar_zenith : float
        Degrees.
    sky : (ndarray of float32, ndarray of float32)
        As `sky_factors` gives them for the band.
    reflectance : ndarray of float32, shape (rows, cols)
        Of the ground at the resolution of the relief.
    direct_fraction : ndarray of float32, same shape
        Share of the sun in the irradiance of level ground.

    Notes
    -----
    The ground opposite shines twice: it is lit by sun and sky, then also by its own opposite.
    """
    skylight, ground_view = sky
    direct = terrain.incidence * terrain.sunny / np.float32(np.cos(np.radians(solar_zenith)))
    first = direct_fraction * direct + (1.0 - direct_fraction) * skylight
    opposite = np.zeros_like(first)
    for _ in range(2):
        shining = reflectance * (first + opposite)
        opposite = ground_view * surroundings(shining, RESOLUTION, _OPPOSITE_REACH)
    return Light(direct, skylight + opposite / (1.0 - direct_fraction))
