"""Aerosols of log-normal modes, whose optical properties 6SV computes by Mie theory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from sen2cor.radiative_transfer import sixs
from sen2cor.raster.array_types import Float64Array

_RADII = (0.005, 20.0)


@dataclass(frozen=True)
class Substance:
    """Refractive index over wavelength.

    Attributes
    ----------
    wavelength : tuple of float
        Micrometres, rising.
    real, imaginary : tuple of float
    """

    wavelength: tuple[float, ...]
    real: tuple[float, ...]
    imaginary: tuple[float, ...]

    def at(self, wavelength: Float64Array) -> npt.NDArray[np.complex128]:
        """Index at wavelengths; the imaginary part is interpolated in its logarithm."""
        real = np.interp(wavelength, self.wavelength, self.real)
        imaginary = np.exp(np.interp(wavelength, self.wavelength, np.log(self.imaginary)))
        return np.asarray(real + 1j * imaginary)


# fmt: off
_WATER_SOLUBLE = Substance(
    (0.3, 0.3371, 0.5145, 0.55, 0.6328, 0.6943, 0.86, 1.06, 1.3, 1.536, 1.8, 2.0, 2.25, 2.5, 2.7,
     3.0, 3.2, 3.392, 3.5, 3.75),
    (1.53, 1.53, 1.53, 1.53, 1.53, 1.53, 1.52, 1.52, 1.51, 1.51, 1.46, 1.42, 1.42, 1.42, 1.40,
     1.42, 1.43, 1.43, 1.45, 1.452),
    (0.008, 0.005, 0.005, 0.006, 0.006, 0.007, 0.012, 0.017, 0.020, 0.023, 0.017, 0.008, 0.010,
     0.012, 0.055, 0.022, 0.008, 0.007, 0.005, 0.004),
)
_DUST_LIKE = Substance(
    (0.3, 0.6943, 0.86, 1.06, 1.3, 1.536, 1.8, 2.0, 2.25, 2.5, 2.7, 3.0, 3.2, 3.392, 3.5, 3.75),
    (1.53, 1.53, 1.52, 1.52, 1.46, 1.40, 1.33, 1.26, 1.22, 1.18, 1.18, 1.16, 1.22, 1.26, 1.28,
     1.27),
    (0.008, 0.008, 0.008, 0.008, 0.008, 0.008, 0.008, 0.008, 0.009, 0.009, 0.013, 0.012, 0.010,
     0.013, 0.011, 0.011),
)
_WATER = Substance(
    (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8,
     2.0, 2.2, 2.4, 2.6, 3.0, 3.4, 3.6, 3.8),
    (1.343, 1.339, 1.337, 1.335, 1.333, 1.332, 1.331, 1.331, 1.330, 1.329, 1.329, 1.328, 1.327,
     1.324, 1.321, 1.317, 1.312, 1.306, 1.296, 1.279, 1.242, 1.371, 1.420, 1.385, 1.364),
    (6.5e-9, 1.86e-9, 1.02e-9, 1.0e-9, 1.96e-9, 1.09e-8, 1.64e-8, 3.35e-8, 1.56e-7, 1.25e-7,
     2.93e-7, 4.86e-7, 2.89e-6, 9.89e-6, 1.38e-4, 8.55e-5, 1.15e-4, 1.1e-3, 2.89e-4, 9.56e-4,
     3.17e-3, 0.272, 0.0195, 5.15e-3, 3.4e-3),
)
# fmt: on


@dataclass(frozen=True)
class Mode:
    """A log-normal distribution of the number of particles over their radius.

    Attributes
    ----------
    radius : float
        Mode radius of the dry particles in micrometres.
    log_deviation : float
        Standard deviation of the decimal logarithm of the radius.
    fraction : float
        Fraction of the number of particles.
    """

    radius: float
    log_deviation: float
    fraction: float


@dataclass(frozen=True)
class LogNormalMixture:
    """An aerosol of modes of one dry substance, grown by water.

    Attributes
    ----------
    modes : tuple of Mode
    growth : float
        Radius relative to that of the dry particles.
    soluble_fraction : float
        Fraction of the water-soluble substance in the dry volume; the rest is dust-like.
    """

    modes: tuple[Mode, ...]
    growth: float
    soluble_fraction: float

    def __str__(self) -> str:
        modes = ", ".join(
            f"{mode.radius:g} um (log10 deviation {mode.log_deviation:g}, share {mode.fraction:g})"
            for mode in self.modes
        )
        return (
            f"log-normal modes {modes}, radii grown {self.growth:g} times by water, dry substance "
            f"{self.soluble_fraction:.0%} water-soluble, the rest dust-like; phase function of "
            "Mie's theory"
        )

    def refractive_index(self) -> npt.NDArray[np.complex128]:
        """Index at the wavelengths of 6SV, mixed by volume."""
        soluble, dust, water = (
            substance.at(sixs.WAVELENGTHS) for substance in (_WATER_SOLUBLE, _DUST_LIKE, _WATER)
        )
        dry = self.soluble_fraction * soluble + (1.0 - self.soluble_fraction) * dust
        return np.asarray(water + (dry - water) / self.growth**3)


LOG_NORMAL_MIXTURES = {
    "rural_mie": LogNormalMixture(
        (Mode(0.027, 0.35, 0.999875), Mode(0.43, 0.40, 0.000125)), 1.2126, 0.7
    )
}
"""The aerosols by name.

The rural one is that of E. P. Shettle and R. W. Fenn (AFGL-TR-79-0214, 1979) at a relative humidity
of 80 percent, with its substances; the index of water is that of G. M. Hale and M. R. Querry
(Applied Optics 12 (1973) 555-563).
"""


@cache
def properties(name: str) -> str:
    """Text of the file of optical properties that 6SV saves for one of the mixtures.

    Raises
    ------
    AuxiliaryDataError
        If 6SV cannot be run.
    """
    mixture = LOG_NORMAL_MIXTURES[name]
    index = mixture.refractive_index()
    lines = [f"{_RADII[0]} {_RADII[1]} {len(mixture.modes)}"]
    for mode in mixture.modes:
        radius, deviation = mode.radius * mixture.growth, 10.0**mode.log_deviation
        lines.append(f"{radius:.6g} {deviation:.6g} {mode.fraction:.6g}")
        lines += [" ".join(f"{value:.6g}" for value in part) for part in (index.real, index.imag)]
    return sixs.mie_properties(lines)
