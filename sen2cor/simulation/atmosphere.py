"""The forward atmosphere: results of radiative-transfer codes at the states of one scene.

The codes ran at the scene's own elevations, profile, sun, views, aerosol, its loads and water
columns (`states`); between these few neighbouring states lie polynomials. Nothing of the
processor's own look-up tables and interpolation is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from sen2cor.bands import BAND
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array, Float64Array
from sen2cor.spectral_responses import spectral_response

DATA = Path(__file__).with_name("data")

SPACECRAFT = ("S2A", "S2B", "S2C")


_SCALE_HEIGHT = 8.0


@dataclass(frozen=True)
class Air:
    """What the air does to one band, pixel for pixel; scattering free of gas.

    Attributes
    ----------
    path, rayleigh : ndarray of float32
        Path reflectance, and that of the molecules alone.
    down_direct, down_diffuse, up_direct, up_diffuse : ndarray of float32
        Transmittances.
    spherical_albedo : ndarray of float32
    dry, water, water_half, water_above : ndarray of float32
        Two-way transmittances: all gases but water; water; half of the water column; the water
        above the clouds.
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


def lagrange(nodes: Float64Array, at: npt.ArrayLike) -> Float32Array:
    """Weights of the polynomial through some nodes.

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
    """Scattering of one scene in one band.

    Parameters
    ----------
    states : mapping of str to ndarray
        As `states.scattering_states` gives them.
    spacecraft, band : str
    """

    def __init__(self, states: dict[str, Float64Array], spacecraft: str, band: str) -> None:
        self._states = states
        wavelengths, response = spectral_response(spacecraft, band)
        self._average = _spectral_weights(states["wavelength"], wavelengths, response)

    def _band(self, name: str) -> Float64Array:
        """Average over the band: powers of the wavelength between those of the states."""
        logarithm = np.log(np.maximum(self._states[name], 1e-12))
        weights, between = self._average
        fine = np.exp(np.tensordot(between, logarithm, axes=(1, 0)))
        return np.tensordot(weights, fine, axes=(0, 0))

    def aerosol_weights(self, aot550: Float32Array) -> Float32Array:
        """Weights of the aerosol loads of the states."""
        return lagrange(self._states["aot550"], aot550)

    def evaluate(
        self,
        aot550: Float32Array,
        solar_zenith: Float32Array,
        view_zenith: Float32Array,
        relative_azimuth: Float32Array,
        elevation: Float32Array,
    ) -> dict[str, Float32Array]:
        """Scattering functions at given states.

        Parameters
        ----------
        aot550, solar_zenith, view_zenith, relative_azimuth, elevation : ndarray of float32
            Of one shape; degrees, km; relative azimuth 0 is backscatter. The states of one
            elevation serve all.

        Returns
        -------
        dict of names of `Air` to ndarray of float32
        """
        height = lagrange(pressure(self._states["elevation"]), pressure(elevation))
        load = self.aerosol_weights(aot550)
        sun = lagrange(self._states["solar_zenith"], solar_zenith)
        farthest = self._states["view_zenith"][-1]
        slant = np.asarray(view_zenith / farthest, np.float32)
        view = np.stack([1.0 - slant**2, slant**2])
        directions = _direction_weights(slant, relative_azimuth)

        def unfolded(name: str) -> Float64Array:
            """Views and azimuths of the path on one axis: nadir, then those of the slanted view."""
            table = self._band(name)
            return np.concatenate([table[..., :1, 0], table[..., 1, :]], axis=-1)

        found = {
            "path": _sum(unfolded("path"), height, load, sun, directions),
            "rayleigh": _sum(unfolded("rayleigh"), height, sun, directions),
            "spherical_albedo": _sum(self._band("spherical_albedo"), height, load),
        }
        for name in ("down_direct", "down_diffuse"):
            found[name] = _sum(self._band(name), height, load, sun)
        for name in ("up_direct", "up_diffuse"):
            found[name] = _sum(self._band(name), height, load, view)
        return found


def pressure(elevation: npt.ArrayLike) -> Float64Array:
    """Pressure relative to that at sea level by elevation in km, to which scattering is linear."""
    return np.asarray(np.exp(-np.asarray(elevation, np.float64) / _SCALE_HEIGHT))


def _direction_weights(slant: Float32Array, relative_azimuth: Float32Array) -> Float32Array:
    """Weights of nadir and of three azimuths at the slanted view.

    Radiance is a smooth function of direction. So its cosine term grows with the zenith of the
    view, and the mean over azimuth and the term of the doubled azimuth with the square.
    """
    azimuths = np.cos(np.radians([0.0, 90.0, 180.0]))
    cosine = np.cos(np.radians(relative_azimuth))
    here, opposite = lagrange(azimuths, cosine), lagrange(azimuths, -cosine)
    slanted = slant**2 * (here + opposite) / 2 + slant * (here - opposite) / 2
    weights = np.concatenate([(1.0 - slant**2)[None], slanted])
    return np.asarray(weights, np.float32)


def _sum(table: Float64Array, *weights: Float32Array) -> Float32Array:
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
        between[row, four] = lagrange(np.log(nodes[four]), np.log(at[row]))
    return weight, between


class GasTable:
    """Two-way gas transmittance of one scene in one band.

    Parameters
    ----------
    states : mapping of str to ndarray
        As `states.gas_states` gives them.
    spacecraft, band : str
    """

    def __init__(self, states: dict[str, Float64Array], spacecraft: str, band: str) -> None:
        place = SPACECRAFT.index(spacecraft), BAND[band].index
        self._root = np.sqrt(states["water_vapour"])
        self._air_mass = states["air_mass"]
        self._all = states["gas_all"][place]
        self._dry = self._all[0]

    def dry(self, air_mass: Float32Array) -> Float32Array:
        """Transmittance of all gases but water."""
        return _sum(self._dry, lagrange(self._air_mass, air_mass))

    def water(self, water_vapour: Float32Array, air_mass: Float32Array) -> Float32Array:
        """Transmittance of the water, so that its product with `dry` is that of all gases.

        Parameters
        ----------
        water_vapour : ndarray of float32
            Column in cm.
        air_mass : ndarray of float32
            1/cos of the sun's zenith plus that of the view.
        """
        root = np.sqrt(np.asarray(water_vapour, np.float64))
        # LOWTRAN7 computes in single precision: more water must never let more light through
        share = np.minimum.accumulate(self._all / self._dry, axis=0)
        between = PchipInterpolator(self._root, share, axis=0)(root)
        weights = lagrange(self._air_mass, air_mass)
        return np.asarray(
            sum(between[..., i] * weights[i] for i in range(len(weights))), np.float32
        )


@lru_cache(maxsize=4)
def load_states(name: str) -> dict[str, Float64Array]:
    """Read the states that are kept under the name of a scene.

    Raises
    ------
    AuxiliaryDataError
        There is no table for the scene.
    """
    path = DATA / f"states_{name}.npz"
    if not path.is_file():
        raise AuxiliaryDataError(
            f"{path}: no radiative-transfer states of the scene {name}; "
            "make them with python -m sen2cor.simulation.states"
        )
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return {name: values.astype(np.float64) for name, values in arrays.items() if values.ndim}


def atmosphere(
    states_name: str,
    spacecraft: str,
    band: str,
    *,
    aot550: Float32Array,
    water_vapour: Float32Array,
    water_share_above: float,
    solar_zenith: Float32Array,
    view_zenith: Float32Array,
    relative_azimuth: Float32Array,
    elevation: Float32Array,
) -> Air:
    """Evaluate the states of a scene for one band.

    Parameters
    ----------
    states_name, spacecraft, band : str
    aot550, water_vapour : ndarray of float32, one shape
        Water in cm above the ground.
    water_share_above : float
        Share of the water above the clouds.
    solar_zenith, view_zenith, relative_azimuth, elevation : ndarray of float32, the same shape
        Degrees, km; relative azimuth 0 is backscatter. Gases other than water are those above
        the elevation of the scene.
    """
    states = load_states(states_name)
    scattering = ScatteringTable(states, spacecraft, band)
    gas = GasTable(states, spacecraft, band)
    air_mass = 1.0 / np.cos(np.radians(solar_zenith)) + 1.0 / np.cos(np.radians(view_zenith))
    return Air(
        **scattering.evaluate(aot550, solar_zenith, view_zenith, relative_azimuth, elevation),
        dry=gas.dry(air_mass),
        water=gas.water(water_vapour, air_mass),
        water_half=gas.water(water_vapour / 2, air_mass),
        water_above=gas.water(water_vapour * np.float32(water_share_above), air_mass),
    )


def top_of_atmosphere(
    air: Air,
    reflectance: Float32Array,
    surroundings: Float32Array,
    sunlight: Float32Array | float = 1.0,
    skylight: Float32Array | float = 1.0,
) -> Float32Array:
    """Reflectance at the top of the atmosphere above a clear pixel.

    Parameters
    ----------
    air : Air
    reflectance : ndarray of float32
        Of the surface.
    surroundings : ndarray of float32
        What the neighbourhood reflects, weighted with the reach of scattered light; shadows
        count as darker ground.
    sunlight, skylight : ndarray of float32
        Direct and diffuse light that the pixel receives, relative to level ground in the open.

    Notes
    -----
    ``rho = Tg [rho_R + (rho_path - rho_R) Tw(u/2) + Tw(u) T_down
    (t_direct rho + t_diffuse rho_env) / (1 - S rho_env)]``; Vermote et al. (1997), IEEE TGRS 35,
    675, equations 3, 10 and 13, with direct and diffuse light apart.
    """
    reflected = (
        (air.down_direct * sunlight + air.down_diffuse * skylight) * reflectance * air.up_direct
    )
    reflected += (air.down_direct + air.down_diffuse) * surroundings * air.up_diffuse
    reflected /= 1.0 - air.spherical_albedo * surroundings
    reflected *= air.water
    reflected += air.rayleigh + (air.path - air.rayleigh) * air.water_half
    reflected *= air.dry
    return np.asarray(reflected, np.float32)
