"""Average of monochromatic scattering functions over the bands.

Between the wavelengths of the runs, the contribution of the molecules is interpolated after
division by their optical thickness, the contribution of the aerosol after division by its
extinction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, make_interp_spline

from sen2cor.bands import BAND_NAMES
from sen2cor.radiative_transfer import lowtran
from sen2cor.radiative_transfer.aerosol import aerosol_optics
from sen2cor.radiative_transfer.configuration import (
    VIEW_AZIMUTHS,
    VIEW_ZENITH,
    Configuration,
    ScatteringAxes,
    nadir_state,
    slanted_state,
)
from sen2cor.radiative_transfer.sixs import Scattering, State
from sen2cor.raster.array_types import Float64Array
from sen2cor.spectral_responses import spectral_response

ELEVATION_SCALE = 8.0
"""Height in km over which the pressure falls to 1/e; functions are about linear in pressure."""

LOWEST_ELEVATION = -0.5
"""In km; 6SV knows no ground below sea level, the functions there are extrapolated in pressure."""

VIEW_TERMS = ("nadir", "constant", "cos", "cos2")
"""Path reflectance at nadir, and its Fourier coefficients in azimuth at the slanted view."""

_SOLAR_ZENITH_STEP = 2.0
_MIN_THICKNESS = 0.004


@dataclass(frozen=True)
class BandScattering:
    """Scattering functions of the bands; arrays of float64.

    Attributes
    ----------
    elevation, solar_zenith : ndarray
        The axes, wider and denser than those of the runs.
    path_reflectance : ndarray, shape (bands, elevations, AOT550, solar zeniths, 4)
        By `VIEW_TERMS`.
    direct_down, total_down : ndarray, shape (bands, elevations, AOT550, solar zeniths)
        Transmittances from the sun to the surface.
    direct_up, total_up : ndarray, shape (bands, elevations, AOT550, 2)
        Transmittances from the surface to the sensor, at nadir and at the slanted view.
    spherical_albedo : ndarray, shape (bands, elevations, AOT550)
    extinction : ndarray, shape (bands,)
        Of the aerosol, relative to 550 nm.
    """

    elevation: Float64Array
    solar_zenith: Float64Array
    path_reflectance: Float64Array
    direct_down: Float64Array
    total_down: Float64Array
    direct_up: Float64Array
    total_up: Float64Array
    spherical_albedo: Float64Array
    extinction: Float64Array


def band_weights(spacecraft: str, band: str) -> tuple[Float64Array, Float64Array]:
    """Wavelengths in nm and weights (response times solar irradiance) of a band."""
    wavelength, response = spectral_response(spacecraft, band)
    sun = np.interp(wavelength, lowtran.wavelengths()[::-1], lowtran.solar_spectrum()[::-1])
    return wavelength, response * sun


def rayleigh_thickness(wavelength: Float64Array) -> Float64Array:
    """Optical thickness of the molecules at standard pressure; wavelength in micrometres.

    J. E. Hansen and L. D. Travis, Space Science Reviews 16 (1974) 527-610, equation 2.30.
    """
    return np.asarray(
        0.008569 * wavelength**-4 * (1.0 + 0.0113 * wavelength**-2 + 0.00013 * wavelength**-4)
    )


@dataclass(frozen=True)
class _Nadir:
    """Results for a view from the nadir, on (wavelength, elevation, AOT550, solar zenith)."""

    path: Float64Array
    transmittance: Float64Array
    albedo: Float64Array  # without solar zenith
    molecules: Float64Array  # optical thickness, (wavelength, elevation)


def _nadir(results: Mapping[State, Scattering], axes: ScatteringAxes) -> _Nadir:
    table = np.array([results[nadir_state(*node)] for node in axes.nodes()], np.float64)
    columns = np.moveaxis(table.reshape(*axes.shape, -1), -1, 0)
    fields = dict(zip(Scattering._fields, columns, strict=True))
    return _Nadir(
        path=fields["path_reflectance"],
        # sun and sensor are exchanged in these runs
        transmittance=fields["transmittance_up"],
        albedo=fields["spherical_albedo"][..., 0],
        molecules=fields["rayleigh_thickness"][..., 0, 0],
    )


def _slant_terms(results: Mapping[State, Scattering], axes: ScatteringAxes) -> Float64Array:
    """Fourier coefficients of what a slanted view adds, the last axis: constant, cos, cos2."""
    reflectance = [
        [results[slanted_state(*node, azimuth)].path_reflectance for azimuth in VIEW_AZIMUTHS]
        for node in axes.nodes()
    ]
    behind, aside, ahead = np.moveaxis(np.reshape(reflectance, (*axes.shape, -1)), -1, 0)
    even = 0.5 * (behind + ahead)
    constant = 0.5 * (even + aside) - _nadir(results, axes).path
    return np.stack([constant, 0.5 * (behind - ahead), 0.5 * (even - aside)], -1)


class _Spectrum:
    """Interpolates scattering functions from the wavelengths of the runs to others."""

    def __init__(self, axes: ScatteringAxes, aerosol: str, wavelength: Float64Array) -> None:
        nodes = np.array(axes.wavelength)
        self._wavelength = wavelength
        self._position = np.interp(np.log(wavelength), np.log(nodes), np.arange(nodes.size))
        self._node_extinction = aerosol_optics(aerosol, nodes).extinction
        self.extinction = aerosol_optics(aerosol, wavelength).extinction
        self._node_molecules = rayleigh_thickness(nodes)
        self._molecules = rayleigh_thickness(wavelength)

    def thickness(self, molecules: Float64Array, axes: ScatteringAxes) -> Float64Array:
        """Optical thickness on (wavelength, elevation, AOT550), from that of the molecules.

        6SV prints five decimals; where the thickness is small, the shape of the spectrum is used.
        """
        nodes = np.array(axes.wavelength)
        exact = molecules[:, 0] > _MIN_THICKNESS
        ratio = molecules[exact] / self._node_molecules[exact, np.newaxis]
        thinning = (ratio / ratio[:, :1]).mean(0)
        scale = np.interp(self._wavelength, nodes[exact], ratio[:, 0])
        of_molecules = (self._molecules * scale)[:, np.newaxis] * thinning
        of_aerosol = self.extinction[:, np.newaxis] * np.array(axes.aot550)
        return np.asarray(of_molecules[:, :, np.newaxis] + of_aerosol[:, np.newaxis, :])

    def _linear(self, values: Float64Array) -> Float64Array:
        lower = np.minimum(self._position.astype(int), len(values) - 2)
        fraction = _column(self._position - lower, values.ndim)
        result: Float64Array = values[lower] * (1.0 - fraction) + values[lower + 1] * fraction
        return result

    def resample(self, values: Float64Array) -> Float64Array:
        """Resample values of shape (wavelengths, elevations, AOT550, ...), AOT 0 first."""
        dimensions = values.ndim
        clear = values[:, :, :1]
        molecules = _column(self._node_molecules, dimensions)
        added = (values - clear) / _column(self._node_extinction, dimensions)
        return self._linear(clear / molecules) * _column(
            self._molecules, dimensions
        ) + self._linear(added) * _column(self.extinction, dimensions)


def _column(values: Float64Array, dimensions: int) -> Float64Array:
    return values.reshape(-1, *(1,) * (dimensions - 1))


def average(
    results: Mapping[State, Scattering],
    configuration: Configuration,
    aerosol: str,
    spacecraft: str,
) -> BandScattering:
    """Average the runs over the bands of a spacecraft and refine the axes.

    Splines refine the solar zenith angle, since the interpolation at run time is linear.
    """
    axes, slanted_axes = configuration.nadir, configuration.slanted
    nadir, slant_terms = _nadir(results, axes), _slant_terms(results, slanted_axes)
    zenith = _fine_zenith(axes)
    cosine = np.cos(np.radians(zenith))
    view_cosine = np.cos(np.radians([0.0, VIEW_ZENITH]))
    bands: defaultdict[str, list[Float64Array]] = defaultdict(list)
    for band in BAND_NAMES:
        wavelength, weights = band_weights(spacecraft, band)
        weights = weights / weights.sum()
        spectrum = _Spectrum(axes, aerosol, wavelength * 1e-3)
        thickness = spectrum.thickness(nadir.molecules, axes)[..., np.newaxis]
        total = np.exp(-spectrum.resample(-np.log(nadir.transmittance)))
        slanted = _Spectrum(slanted_axes, aerosol, wavelength * 1e-3).resample(slant_terms)
        for name, values in (
            ("path", spectrum.resample(nadir.path)),
            ("slant", slanted),
            ("direct_down", np.exp(-thickness / cosine)),
            ("direct_up", np.exp(-thickness / view_cosine)),
            ("total", total),
            ("albedo", spectrum.resample(nadir.albedo)),
            ("extinction", spectrum.extinction),
        ):
            bands[name].append(np.tensordot(weights, values, 1))
    averaged = {name: np.stack(values) for name, values in bands.items()}
    path = _path_terms(averaged["path"], averaged["slant"], configuration)
    return BandScattering(
        elevation=np.array([LOWEST_ELEVATION, *axes.elevation]),
        solar_zenith=zenith,
        path_reflectance=_downwards(path, axes),
        direct_down=np.exp(_downwards(np.log(averaged["direct_down"]), axes)),
        total_down=np.exp(_downwards(_log_transmittance(averaged["total"], axes, zenith), axes)),
        direct_up=np.exp(_downwards(np.log(averaged["direct_up"]), axes)),
        total_up=np.exp(
            _downwards(_log_transmittance(averaged["total"], axes, [0.0, VIEW_ZENITH]), axes)
        ),
        spherical_albedo=_downwards(averaged["albedo"], axes),
        extinction=averaged["extinction"],
    )


def _fine_zenith(axes: ScatteringAxes) -> Float64Array:
    last = axes.solar_zenith[-1]
    return np.append(np.arange(0.0, last, _SOLAR_ZENITH_STEP), last)


def _log_transmittance(
    transmittance: Float64Array, axes: ScatteringAxes, zenith: npt.ArrayLike
) -> Float64Array:
    """Logarithms at other zeniths: times the cosine they are almost constant, and so splined."""
    node_cosine, cosine = (np.cos(np.radians(angle)) for angle in (axes.solar_zenith, zenith))
    spline = CubicSpline(axes.solar_zenith, np.log(transmittance) * node_cosine, axis=3)
    return np.asarray(spline(zenith) / cosine)


def _path_terms(
    nadir: Float64Array, slant: Float64Array, configuration: Configuration
) -> Float64Array:
    """Path reflectance by `VIEW_TERMS`, with the zenith of the sun refined.

    Times (1 + mu), as in the single-scattering solution, reflectances are smooth in the zenith.
    """
    axes, slanted_axes = configuration.nadir, configuration.slanted
    zenith = _fine_zenith(axes)

    def refine(values: Float64Array, nodes: tuple[float, ...]) -> Float64Array:
        factor = 1.0 + np.cos(np.radians(nodes))[:, np.newaxis]
        fine = CubicSpline(nodes, values * factor, axis=3)(zenith)
        return np.asarray(fine / (1.0 + np.cos(np.radians(zenith))[:, np.newaxis]))

    base = refine(nadir[..., np.newaxis], axes.solar_zenith)
    added = refine(slant, slanted_axes.solar_zenith)
    order = min(3, len(slanted_axes.aot550) - 1)
    added = make_interp_spline(slanted_axes.aot550, added, order, axis=2)(axes.aot550)
    pressure, node_pressure = (
        np.exp(-np.array(each.elevation) / ELEVATION_SCALE) for each in (axes, slanted_axes)
    )
    added = make_interp_spline(node_pressure[::-1], added[:, ::-1], 1, axis=1)(pressure)
    added[..., :1] += base
    return np.concatenate([base, added], -1)


def _downwards(values: Float64Array, axes: ScatteringAxes) -> Float64Array:
    """Extrapolate in pressure below sea level, along the second axis."""
    pressure = np.exp(-np.array([LOWEST_ELEVATION, *axes.elevation[:2]]) / ELEVATION_SCALE)
    beyond = (pressure[0] - pressure[1]) / (pressure[1] - pressure[2])
    below = values[:, :1] + beyond * (values[:, :1] - values[:, 1:2])
    return np.concatenate([below, values], 1)
