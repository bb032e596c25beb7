"""Irradiance of slopes: direct from the sun, diffuse from the visible sky, reflected by terrain.

The sky is not that of a correction method (isotropic, or isotropic with a circumsolar part): its
radiance is summed over directions, each of which is visible or hidden. Single scattering follows
the phase functions of molecules and aerosol, multiple scattering is isotropic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.simulation.forward_model import environment_reflectance
from sen2cor.simulation.synthetic_terrain import AZIMUTHS, RESOLUTION, SceneTerrain

_RINGS = np.radians(np.arange(5.0, 90.0, 10.0))
"""Zenith angles of the directions, radians."""

_ASYMMETRY = 0.65
"""Asymmetry parameter of the aerosol's Henyey-Greenstein phase function."""

_TERRAIN_RANGE = 250.0
"""Distance in metres at which the weight of the surrounding terrain falls to 1/e."""


@dataclass(frozen=True)
class SlopeIrradiance:
    """Irradiance of slopes relative to that of flat ground under the same sky.

    Attributes
    ----------
    direct, diffuse : ndarray of float32, shape (rows, cols)
        Direct irradiance, relative to that of flat ground; diffuse irradiance and that from the
        surrounding terrain, relative to the diffuse irradiance of flat ground.
    """

    direct: Float32Array
    diffuse: Float32Array


def sky_irradiance(
    terrain: SceneTerrain,
    solar_zenith: float,
    solar_azimuth: float,
    molecules: float,
    aerosol: float,
) -> tuple[Float32Array, Float32Array]:
    """Diffuse irradiance of slopes, and their terrain view factor.

    Parameters
    ----------
    terrain : SceneTerrain
    solar_zenith, solar_azimuth : float
        Degrees; azimuth from the grid's north.
    molecules, aerosol : float
        Optical thickness.

    Returns
    -------
    diffuse : ndarray of float32, shape (rows, cols)
        Irradiance from the sky relative to that of flat ground with a free horizon.
    terrain_view : ndarray of float32, shape (rows, cols)
        Fraction of the cosine-weighted hemisphere that is not sky.
    """
    diffuse = np.zeros(terrain.elevation.shape, np.float32)
    sky_view = np.zeros_like(diffuse)
    flat_irradiance, flat_view = 0.0, 0.0
    radiance = _radiance(solar_zenith, solar_azimuth, molecules, aerosol)
    for (ring, number), strength in np.ndenumerate(radiance):
        zenith, azimuth = _RINGS[ring], np.radians(AZIMUTHS[number])
        towards = np.array([np.sin(azimuth), np.cos(azimuth), 1.0 / np.tan(zenith)])
        cosine = np.einsum("i,ijk->jk", np.float32(np.sin(zenith) * towards), terrain.normal)
        np.maximum(cosine, 0.0, out=cosine)
        cosine *= terrain.horizons[number] < 1.0 / np.tan(zenith)
        solid_angle = np.sin(zenith)
        diffuse += np.float32(strength * solid_angle) * cosine
        sky_view += np.float32(solid_angle) * cosine
        flat_irradiance += strength * solid_angle * np.cos(zenith)
        flat_view += solid_angle * np.cos(zenith)
    diffuse /= np.float32(flat_irradiance)
    sky_view /= np.float32(flat_view)
    return diffuse, np.clip(1.0 - sky_view, 0.0, 1.0)


def _radiance(
    solar_zenith: float, solar_azimuth: float, molecules: float, aerosol: float
) -> Float64Array:
    """Relative radiance of the sky, shape (rings, azimuths)."""
    sun, turn = np.radians(solar_zenith), np.radians(AZIMUTHS - solar_azimuth)
    cosine = np.cos(_RINGS)[:, None] * np.cos(sun)
    cosine = cosine + np.sin(_RINGS)[:, None] * np.sin(sun) * np.cos(turn)
    rayleigh = 0.75 * (1.0 + cosine**2)
    henyey_greenstein = (1.0 - _ASYMMETRY**2) / (
        1.0 + _ASYMMETRY**2 - 2.0 * _ASYMMETRY * cosine
    ) ** 1.5
    depth = molecules + aerosol
    single = (molecules * rayleigh + aerosol * henyey_greenstein) / depth
    single *= -np.expm1(-depth / np.cos(_RINGS))[:, None]
    weight = (np.sin(_RINGS) * np.cos(_RINGS))[:, None]
    single /= (single * weight).sum() / (weight.sum() * turn.size)
    multiple = -np.expm1(-depth)
    return np.asarray((1.0 - multiple) * single + multiple)


def irradiance_on_slopes(
    terrain: SceneTerrain,
    solar_zenith: float,
    sky: tuple[Float32Array, Float32Array],
    reflectance: Float32Array,
    direct_fraction: Float32Array,
) -> SlopeIrradiance:
    """Irradiance of slopes in one band.

    Parameters
    ----------
    terrain : SceneTerrain
    solar_zenith : float
        Degrees.
    sky : (ndarray of float32, ndarray of float32)
        As `sky_irradiance` gives them for the band.
    reflectance : ndarray of float32, shape (rows, cols)
        Of the ground at the resolution of the terrain.
    direct_fraction : ndarray of float32, same shape
        Direct fraction of the irradiance of flat ground.

    Notes
    -----
    Two reflections: the surrounding terrain is illuminated by sun and sky, then also by terrain.
    """
    diffuse, terrain_view = sky
    direct = terrain.incidence * terrain.sunlit / np.float32(np.cos(np.radians(solar_zenith)))
    first = direct_fraction * direct + (1.0 - direct_fraction) * diffuse
    from_terrain = np.zeros_like(first)
    for _ in range(2):
        reflected = reflectance * (first + from_terrain)
        from_terrain = terrain_view * environment_reflectance(reflected, RESOLUTION, _TERRAIN_RANGE)
    return SlopeIrradiance(direct, diffuse + from_terrain / (1.0 - direct_fraction))
