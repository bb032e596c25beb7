"""Forward model of the atmosphere: from surface to top-of-atmosphere reflectance.

Radiative-transfer codes ran at the scene's own elevations, profiles, sun and view angles, aerosol
and its optical thicknesses, and water columns (`atmospheric_states`); polynomials interpolate
between these few neighbouring states. The processor's look-up tables are not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.signal import fftconvolve

from sen2cor.bands import BAND
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.spectral_responses import spectral_response

DATA = Path(__file__).with_name("data")

SPACECRAFT = ("S2A", "S2B", "S2C")


ADJACENCY_RANGE = 800.0
"""Distance in metres at which the weight of the neighbours falls to 1/e."""

KERNEL_RADIUS = 6.0
"""Radius of the kernel in ranges."""

_SCALE_HEIGHT = 8.0
"""Of pressure, km."""


@dataclass(frozen=True)
class PixelStates:
    """State of the atmosphere and geometry, pixel by pixel.

    Attributes
    ----------
    aot550, water_vapour : ndarray of float32, one shape
        Water vapour in cm above the surface.
    solar_zenith, view_zenith, relative_azimuth : ndarray of float32, same shape
        Degrees; relative azimuth 0 is backscatter.
    elevation : ndarray of float32, same shape
        km.
    """

    aot550: Float32Array
    water_vapour: Float32Array
    solar_zenith: Float32Array
    view_zenith: Float32Array
    relative_azimuth: Float32Array
    elevation: Float32Array


@dataclass(frozen=True)
class BandAtmosphere:
    """Scattering and gas absorption in one band, pixel by pixel; scattering without gases.

    Attributes
    ----------
    path, rayleigh : ndarray of float32
        Path reflectance, and its Rayleigh part.
    down_direct, down_diffuse, up_direct, up_diffuse : ndarray of float32
        Direct and diffuse transmittances, downward and upward.
    spherical_albedo : ndarray of float32
    dry, water, water_half, water_above : ndarray of float32
        Two-way gas transmittances: all gases but water vapour; water vapour; half of the water
        vapour column; the water vapour above the clouds.
    """

    path: Float32Array
    rayleigh: Float32Array
    down_direct: Float32Array
    down_diffuse: Float32Array
    up_direct: Float32Array
    up_diffuse: Float32Array
    spherical_albedo: Float32Array
    dry: Float32Array
    water: Float32Array
    water_half: Float32Array
    water_above: Float32Array


def lagrange_weights(nodes: Float64Array, at: npt.ArrayLike) -> Float32Array:
    """Weights of the Lagrange polynomial through some nodes.

    Parameters
    ----------
    nodes : ndarray, shape (n,)
    at : array of any shape

    Returns
    -------
    ndarray of float32, shape (n, *shape of at)
    """
    values = np.asarray(at, np.float64)
    weights = np.ones((len(nodes), *values.shape))
    for i, node in enumerate(nodes):
        for j, other in enumerate(nodes):
            if i != j:
                weights[i] *= (values - other) / (node - other)
    return weights.astype(np.float32)


class ScatteringTable:
    """Scattering terms of one scene in one band.

    Parameters
    ----------
    states : mapping of str to ndarray
        As `atmospheric_states.scattering_states` gives them.
    spacecraft, band : str
    """

    def __init__(self, states: dict[str, Float64Array], spacecraft: str, band: str) -> None:
        self._states = states
        wavelengths, response = spectral_response(spacecraft, band)
        self._average = _spectral_weights(states["wavelength"], wavelengths, response)

    def _band(self, name: str) -> Float64Array:
        """Average over the band, with power laws between the wavelengths of the states."""
        logarithm = np.log(np.maximum(self._states[name], 1e-12))
        weights, between = self._average
        fine = np.exp(np.tensordot(between, logarithm, axes=(1, 0)))
        return np.tensordot(weights, fine, axes=(0, 0))

    def aerosol_weights(self, aot550: Float32Array) -> Float32Array:
        """Weights of the aerosol optical thicknesses of the states."""
        return lagrange_weights(self._states["aot550"], aot550)

    def evaluate(self, pixels: PixelStates) -> dict[str, Float32Array]:
        """Interpolate the scattering terms; the states of a single elevation serve all elevations.

        Parameters
        ----------
        pixels : PixelStates

        Returns
        -------
        dict of names of `BandAtmosphere` to ndarray of float32
        """
        level = lagrange_weights(
            relative_pressure(self._states["elevation"]), relative_pressure(pixels.elevation)
        )
        load = self.aerosol_weights(pixels.aot550)
        sun = lagrange_weights(self._states["solar_zenith"], pixels.solar_zenith)
        farthest = self._states["view_zenith"][-1]
        slant = np.asarray(pixels.view_zenith / farthest, np.float32)
        view = np.stack([1.0 - slant**2, slant**2])
        directions = _direction_weights(slant, pixels.relative_azimuth)

        def unfolded(name: str) -> Float64Array:
            """Views and azimuths of the path on one axis: nadir, then those of the slanted view."""
            table = self._band(name)
            return np.concatenate([table[..., :1, 0], table[..., 1, :]], axis=-1)

        found = {
            "path": _weighted_sum(unfolded("path"), level, load, sun, directions),
            "rayleigh": _weighted_sum(unfolded("rayleigh"), level, sun, directions),
            "spherical_albedo": _weighted_sum(self._band("spherical_albedo"), level, load),
        }
        for name in ("down_direct", "down_diffuse"):
            found[name] = _weighted_sum(self._band(name), level, load, sun)
        for name in ("up_direct", "up_diffuse"):
            found[name] = _weighted_sum(self._band(name), level, load, view)
        return found


def relative_pressure(elevation: npt.ArrayLike) -> Float64Array:
    """Pressure over that at sea level, by elevation in km; scattering is linear in it."""
    return np.asarray(np.exp(-np.asarray(elevation, np.float64) / _SCALE_HEIGHT))


def _direction_weights(slant: Float32Array, relative_azimuth: Float32Array) -> Float32Array:
    """Weights of nadir and of three azimuths at the slanted view.

    Radiance is a smooth function of direction. So its cosine term grows with the zenith of the
    view, and the mean over azimuth and the term of the doubled azimuth with the square.
    """
    azimuths = np.cos(np.radians([0.0, 90.0, 180.0]))
    cosine = np.cos(np.radians(relative_azimuth))
    here, opposite = lagrange_weights(azimuths, cosine), lagrange_weights(azimuths, -cosine)
    slanted = slant**2 * (here + opposite) / 2 + slant * (here - opposite) / 2
    weights = np.concatenate([(1.0 - slant**2)[None], slanted])
    return np.asarray(weights, np.float32)


def _weighted_sum(table: Float64Array, *weights: Float32Array) -> Float32Array:
    total = np.zeros(weights[0].shape[1:], np.float32)
    for index in np.ndindex(table.shape):
        term = np.float32(table[index]) * weights[0][index[0]]
        for axis in range(1, len(weights)):
            term *= weights[axis][index[axis]]
        total += term
    return total


def _spectral_weights(
    nodes: Float64Array, wavelengths: npt.ArrayLike, response: npt.ArrayLike
) -> tuple[Float64Array, Float64Array]:
    """Weights of the response, and cubic interpolation in log wavelength."""
    at = np.asarray(wavelengths, np.float64) / 1000.0
    weight = np.asarray(response, np.float64)
    keep = weight > 1e-3 * weight.max()
    at, weight = at[keep], weight[keep] / weight[keep].sum()
    between = np.zeros((at.size, nodes.size))
    first = np.clip(np.searchsorted(nodes, at) - 2, 0, nodes.size - 4)
    for row, start in enumerate(first):
        four = slice(start, start + 4)
        between[row, four] = lagrange_weights(np.log(nodes[four]), np.log(at[row]))
    return weight, between


class GasTable:
    """Two-way gas transmittance of one scene in one band.

    Parameters
    ----------
    states : mapping of str to ndarray
        As `atmospheric_states.gas_states` gives them.
    spacecraft, band : str
    """

    def __init__(self, states: dict[str, Float64Array], spacecraft: str, band: str) -> None:
        index = SPACECRAFT.index(spacecraft), BAND[band].index
        self._root = np.sqrt(states["water_vapour"])
        self._air_mass = states["air_mass"]
        self._all = states["gas_all"][index]
        self._dry = self._all[0]

    def dry(self, air_mass: Float32Array) -> Float32Array:
        """Transmittance of all gases but water vapour."""
        return _weighted_sum(self._dry, lagrange_weights(self._air_mass, air_mass))

    def water(self, water_vapour: Float32Array, air_mass: Float32Array) -> Float32Array:
        """Transmittance of water vapour; times that of `dry`, it is that of all gases.

        Parameters
        ----------
        water_vapour : ndarray of float32
            Column in cm.
        air_mass : ndarray of float32
            1/cos of the sun's zenith plus that of the view.
        """
        root = np.sqrt(np.asarray(water_vapour, np.float64))
        # LOWTRAN7 has single precision: transmittance must never rise with the water vapour
        fraction = np.minimum.accumulate(self._all / self._dry, axis=0)
        between = PchipInterpolator(self._root, fraction, axis=0)(root)
        weights = lagrange_weights(self._air_mass, air_mass)
        return np.asarray(
            sum(between[..., i] * weights[i] for i in range(len(weights))), np.float32
        )


@lru_cache(maxsize=4)
def load_states(name: str) -> dict[str, Float64Array]:
    """Read the states stored under the name of a scene.

    Raises
    ------
    AuxiliaryDataError
        There is no table for the scene.
    """
    path = DATA / f"states_{name}.npz"
    if not path.is_file():
        raise AuxiliaryDataError(
            f"{path}: no atmospheric states of the scene {name}; "
            "make them with python -m sen2cor.simulation.atmospheric_states"
        )
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return {name: values.astype(np.float64) for name, values in arrays.items() if values.ndim}


def band_atmosphere(
    states_name: str, spacecraft: str, band: str, pixels: PixelStates, water_fraction_above: float
) -> BandAtmosphere:
    """Interpolate the atmospheric states of a scene in one band.

    Parameters
    ----------
    states_name, spacecraft, band : str
    pixels : PixelStates
        Gases other than water vapour are those above the mean elevation of the scene.
    water_fraction_above : float
        Fraction of the water vapour above the clouds.
    """
    states = load_states(states_name)
    scattering = ScatteringTable(states, spacecraft, band)
    gas = GasTable(states, spacecraft, band)
    zeniths = pixels.solar_zenith, pixels.view_zenith
    air_mass = 1.0 / np.cos(np.radians(zeniths[0])) + 1.0 / np.cos(np.radians(zeniths[1]))
    return BandAtmosphere(
        **scattering.evaluate(pixels),
        dry=gas.dry(air_mass),
        water=gas.water(pixels.water_vapour, air_mass),
        water_half=gas.water(pixels.water_vapour / 2, air_mass),
        water_above=gas.water(pixels.water_vapour * np.float32(water_fraction_above), air_mass),
    )


def toa_reflectance(
    atmosphere: BandAtmosphere,
    reflectance: Float32Array,
    environment: Float32Array,
    direct_illumination: Float32Array | float = 1.0,
    diffuse_illumination: Float32Array | float = 1.0,
) -> Float32Array:
    """Reflectance at the top of the atmosphere above a clear pixel.

    Parameters
    ----------
    atmosphere : BandAtmosphere
    reflectance : ndarray of float32
        Of the surface.
    environment : ndarray of float32
        Environment reflectance, see `environment_reflectance`; shadows are darker ground.
    direct_illumination, diffuse_illumination : ndarray of float32
        Direct and diffuse irradiance of the pixel relative to flat, unobstructed ground.

    Notes
    -----
    ``rho = Tg [rho_R + (rho_path - rho_R) Tw(u/2) + Tw(u) T_down
    (t_direct rho + t_diffuse rho_env) / (1 - S rho_env)]``; Vermote et al. (1997), IEEE TGRS 35,
    675, equations 3, 10 and 13, with separate direct and diffuse irradiance.
    """
    reflected = (
        (
            atmosphere.down_direct * direct_illumination
            + atmosphere.down_diffuse * diffuse_illumination
        )
        * reflectance
        * atmosphere.up_direct
    )
    reflected += (
        (atmosphere.down_direct + atmosphere.down_diffuse) * environment * atmosphere.up_diffuse
    )
    reflected /= 1.0 - atmosphere.spherical_albedo * environment
    reflected *= atmosphere.water
    reflected += (
        atmosphere.rayleigh + (atmosphere.path - atmosphere.rayleigh) * atmosphere.water_half
    )
    reflected *= atmosphere.dry
    return np.asarray(reflected, np.float32)


def adjacency_kernel(pixel_size: float, adjacency_range: float = ADJACENCY_RANGE) -> Float32Array:
    """Weights of the neighbours: an exponential of the distance.

    Returns
    -------
    ndarray of float32, shape (2 n + 1, 2 n + 1)
        Sum 1.
    """
    number = int(np.ceil(KERNEL_RADIUS * adjacency_range / pixel_size))
    offsets = pixel_size * np.arange(-number, number + 1)
    distance = np.hypot(offsets[:, None], offsets[None, :])
    weights = np.exp(-distance / adjacency_range)
    weights[distance > KERNEL_RADIUS * adjacency_range] = 0.0
    return np.asarray(weights / weights.sum(), np.float32)


def environment_reflectance(
    reflectance: Float32Array, pixel_size: float, adjacency_range: float = ADJACENCY_RANGE
) -> Float32Array:
    """Weighted mean of the neighbourhood; beyond the scene the ground is mirrored.

    Parameters
    ----------
    reflectance : ndarray of float32, shape (rows, cols)
    pixel_size, adjacency_range : float
        Metres; the range as in `adjacency_kernel`.

    Returns
    -------
    ndarray of float32, same shape
    """
    weights = adjacency_kernel(pixel_size, adjacency_range)
    margin = weights.shape[0] // 2
    padded = np.pad(reflectance, margin, mode="symmetric")
    return np.asarray(fftconvolve(padded, weights, mode="valid"), np.float32)
