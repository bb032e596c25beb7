"""Optical properties of the aerosols, and their input files for 6SV.

The models are those of E. P. Shettle and R. W. Fenn (AFGL-TR-79-0214, 1979) and of D. R. Longtin
et al. (desert, AFGL-TR-88-0112, 1988) as LOWTRAN7 tabulates them: a boundary layer below the
tropospheric background. Their phase function is that of L. G. Henyey and J. L. Greenstein
(Astrophysical Journal 93 (1941) 70-83), since the tables contain only its asymmetry factor. The
other aerosols are mixtures of log-normal modes with the phase function of Mie theory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from sen2cor.errors import UsageError
from sen2cor.radiative_transfer import log_normal
from sen2cor.radiative_transfer.lowtran import desert, shettle_fenn
from sen2cor.radiative_transfer.sixs import WAVELENGTHS
from sen2cor.raster.array_types import Float64Array

_REFERENCE_WAVELENGTH = 0.55
_ANGLES = 83
_WIND_SPEED = 10.0  # m/s, what LOWTRAN7 takes where none is given


@dataclass(frozen=True)
class AerosolMixture:
    """An aerosol as a mixture of two of the tabulated models.

    Attributes
    ----------
    boundary_layer : str
        Model of the boundary layer: ``rural``, ``maritime``, ``urban`` or ``desert``.
    background_fraction : float
        Fraction of the tropospheric model in the optical thickness at 550 nm.
    humidity : float
        Relative humidity in percent, at which the models are taken; the desert one depends on
        the speed of the wind instead.
    """

    boundary_layer: str
    background_fraction: float
    humidity: float

    def __str__(self) -> str:
        source, condition = "Shettle and Fenn (1979)", ""
        if self.boundary_layer == "desert":
            source, condition = "Longtin et al. (1988)", f" at a wind of {_WIND_SPEED:g} m/s"
        return (
            f"{source} {self.boundary_layer}{condition} with {self.background_fraction:.0%} "
            f"tropospheric at 550 nm, relative humidity {self.humidity:g}%, Henyey-Greenstein "
            "phase function"
        )


MIXTURES = {
    "rural": AerosolMixture("rural", 0.05, 72.5),
    "maritime": AerosolMixture("maritime", 0.15, 50.0),
    "urban": AerosolMixture("urban", 0.05, 72.5),
    "desert": AerosolMixture("desert", 0.05, 72.5),
}
"""Aerosols of tabulated models by name.

Humidity and background fraction of the rural and maritime aerosols are fitted to the direct
transmittances of Sen2Cor 2.2.1 at all visibilities and, as far as these allow, to its path
reflectances. They are averages: in the tables of Sen2Cor, humidity decreases with elevation and the
fraction decreases with haze. The other aerosols use the values of the rural aerosol.
"""

AEROSOLS = (*MIXTURES, *log_normal.LOG_NORMAL_MIXTURES)
"""Names of all aerosols of which tables can be made."""


@dataclass(frozen=True)
class AerosolOptics:
    """Optical properties over wavelength.

    Attributes
    ----------
    wavelength : ndarray of float64, shape (n,)
        Micrometres, rising.
    extinction : ndarray of float64, shape (n,)
        Relative to 550 nm.
    albedo : ndarray of float64, shape (n,)
        Single-scattering albedo.
    asymmetry : ndarray of float64, shape (n,)
        Mean cosine of the scattering angle.
    """

    wavelength: Float64Array
    extinction: Float64Array
    albedo: Float64Array
    asymmetry: Float64Array


def aerosol_optics(name: str, wavelength: Float64Array = WAVELENGTHS) -> AerosolOptics:
    """Optical properties of one of the aerosols at wavelengths in micrometres.

    Raises
    ------
    UsageError
        If there is no such aerosol.
    """
    if name not in AEROSOLS:
        raise UsageError(f"no aerosol {name!r}, only {', '.join(AEROSOLS)}")
    if name not in MIXTURES:
        return _resampled(_saved_optics(log_normal.properties(name)), wavelength)
    mixture = MIXTURES[name]
    fractions = {mixture.boundary_layer: 1.0 - mixture.background_fraction}
    fractions["tropospheric"] = mixture.background_fraction
    extinction = np.zeros_like(wavelength)
    scattering = np.zeros_like(wavelength)
    forward = np.zeros_like(wavelength)
    for model, fraction in fractions.items():
        part = _interpolated(model, mixture.humidity, wavelength)
        extinction += fraction * part.extinction
        scattering += fraction * part.extinction * part.albedo
        forward += fraction * part.extinction * part.albedo * part.asymmetry
    return AerosolOptics(wavelength, extinction, scattering / extinction, forward / scattering)


def aerosol_description(name: str) -> str:
    """Describe an aerosol in words."""
    return str(MIXTURES[name] if name in MIXTURES else log_normal.LOG_NORMAL_MIXTURES[name])


def _interpolated(model: str, humidity: float, wavelength: Float64Array) -> AerosolOptics:
    """Interpolate a tabulated model linearly in wavelength, as Sen2Cor 2.2.1 does."""
    table = desert(_WIND_SPEED) if model == "desert" else shettle_fenn(model, humidity)
    albedo = 1.0 - table.absorption / table.extinction
    extinction, albedo, asymmetry = (
        np.interp(wavelength, table.wavelength, values)
        for values in (table.extinction, albedo, table.asymmetry)
    )
    return AerosolOptics(wavelength, extinction, albedo, asymmetry)


def _resampled(optics: AerosolOptics, wavelength: Float64Array) -> AerosolOptics:
    """Interpolate properties to other wavelengths: extinction by a spline in logarithms."""
    log_wavelength = np.log(wavelength)
    log_table = np.log(optics.wavelength)
    extinction = CubicSpline(log_table, np.log(optics.extinction))
    return AerosolOptics(
        wavelength,
        np.exp(extinction(log_wavelength) - extinction(np.log(_REFERENCE_WAVELENGTH))),
        np.interp(log_wavelength, log_table, optics.albedo),
        np.interp(log_wavelength, log_table, optics.asymmetry),
    )


def _saved_optics(properties: str) -> AerosolOptics:
    """Read properties from the text of a file that 6SV saved."""
    heading = 2
    lines = properties.splitlines()[heading : heading + WAVELENGTHS.size]
    columns = np.array([line.split()[:5] for line in lines], np.float64).T
    wavelength, extinction, _, albedo, asymmetry = columns
    return AerosolOptics(wavelength, extinction, albedo, asymmetry)


def scattering_angles() -> Float64Array:
    """Angles in degrees, from 180 to 0, at which 6SV expects the phase function.

    They are the Gaussian quadrature angles, with 0, 90 and 180 degrees.
    """
    cosines = np.polynomial.legendre.leggauss(_ANGLES - 3)[0]
    rising = np.sort(np.concatenate([cosines, [-1.0, 0.0, 1.0]]))
    angles: Float64Array = np.degrees(np.arccos(rising))
    return angles


def henyey_greenstein(angle: Float64Array, asymmetry: Float64Array) -> Float64Array:
    """Phase function with a mean of 1 over the sphere; angle in degrees."""
    cosine = np.cos(np.radians(angle))
    return np.asarray((1.0 - asymmetry**2) / (1.0 + asymmetry**2 - 2.0 * asymmetry * cosine) ** 1.5)


def properties_file(name: str) -> str:
    """Text of the aerosol input file of 6SV."""
    if name in log_normal.LOG_NORMAL_MIXTURES:
        return log_normal.properties(name)
    return mie_file(aerosol_optics(name))


def mie_file(optics: AerosolOptics) -> str:
    """Text of the input file of aerosol type 12 of 6SV, for properties at its wavelengths.

    Scattering by the aerosol is assumed to be unpolarised.
    """
    angles = scattering_angles()
    phase = henyey_greenstein(angles[:, np.newaxis], optics.asymmetry)
    lines = [f"{_ANGLES:12d}", "   Wlgth  Nor_Ext_Co  Nor_Sca_Co  Sg_Sca_Alb  Asymm_Para"]
    lines[1] += "  Extinct_Co  Scatter_Co"
    for wavelength, extinction, albedo, asymmetry in zip(
        optics.wavelength, optics.extinction, optics.albedo, optics.asymmetry, strict=True
    ):
        scattering = extinction * albedo
        lines.append(
            f"{wavelength:10.4f}{extinction:11.4f}{scattering:14.4f}{albedo:14.4f}"
            f"{asymmetry:14.4f}{extinction:15.3E}{scattering:12.3E}"
        )
    lines += ["", "", f"{'':20s}Phase Function"]
    lines.append("   TETA" + "".join(f"{wavelength:11.4f}" for wavelength in optics.wavelength))
    unpolarised = np.zeros_like(phase)
    for block in (phase, unpolarised, unpolarised):
        for angle, row in zip(angles, block, strict=True):
            lines.append(f"{angle:8.2f}" + "".join(f" {value:10.4E}" for value in row))
    return "\n".join(lines) + "\n"
