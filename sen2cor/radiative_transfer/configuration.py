"""Axes of the look-up tables, full or coarse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from sen2cor.radiative_transfer.sixs import State

VIEW_ZENITH = 12.0
"""Zenith of the slanted view in degrees; the widest of the instrument is about 11."""

VIEW_AZIMUTHS = (0.0, 90.0, 180.0)
"""Relative azimuths of the slanted view in degrees: three give a Fourier series of order two."""


def nadir_state(wavelength: float, elevation: float, aot550: float, solar_zenith: float) -> State:
    """State to run for a nadir view: sun and sensor are exchanged.

    By reciprocity both reflectances are equal. With the sun overhead nothing depends on azimuth,
    which makes 6SV twenty times as fast.
    """
    return State(wavelength, aot550, elevation, 0.0, solar_zenith, 0.0)


def slanted_state(
    wavelength: float, elevation: float, aot550: float, solar_zenith: float, azimuth: float
) -> State:
    """State to run for a slanted view; with the sun overhead there is no azimuth."""
    azimuth = azimuth if solar_zenith > 0 else 0.0
    return State(wavelength, aot550, elevation, solar_zenith, VIEW_ZENITH, azimuth)


@dataclass(frozen=True)
class ScatteringAxes:
    """Nodes of scattering runs.

    Attributes
    ----------
    wavelength : tuple of float
        Micrometres; those at which 6SV solves the transfer, between which it interpolates.
    elevation : tuple of float
        Kilometres; above 5 km 6SV fails for some states of little air and much aerosol.
    aot550 : tuple of float
        The first is 0.
    solar_zenith : tuple of float
        Degrees.
    """

    wavelength: tuple[float, ...]
    elevation: tuple[float, ...]
    aot550: tuple[float, ...]
    solar_zenith: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Numbers of nodes."""
        return (
            len(self.wavelength),
            len(self.elevation),
            len(self.aot550),
            len(self.solar_zenith),
        )

    def nodes(self) -> Iterator[tuple[float, float, float, float]]:
        """Wavelength, elevation, AOT550 and solar zenith of all nodes, the last fastest."""
        return product(self.wavelength, self.elevation, self.aot550, self.solar_zenith)


@dataclass(frozen=True)
class GasAxes:
    """Nodes of the gas transmittances.

    Attributes
    ----------
    elevation : tuple of float
        Kilometres.
    water : tuple of float
        Slant column of the two-way path in cm.
    ozone : tuple of float
        Slant column of the two-way path in Dobson units.
    air_mass : tuple of float
        Of the two-way path, 2 for a nadir view of an overhead sun.
    """

    elevation: tuple[float, ...]
    water: tuple[float, ...]
    ozone: tuple[float, ...]
    air_mass: tuple[float, ...]


@dataclass(frozen=True)
class Configuration:
    """Axes of a table.

    Attributes
    ----------
    name : str
    nadir : ScatteringAxes
        Axes of the scattering functions for a nadir view.
    slanted : ScatteringAxes
        Axes of the contribution of a slanted view to the path reflectance, which is small and
        smooth but slow to compute.
    gas : GasAxes
    """

    name: str
    nadir: ScatteringAxes
    slanted: ScatteringAxes
    gas: GasAxes

    def states(self) -> list[State]:
        """All runs, each once."""
        states = [
            nadir_state(*node) for axes in (self.nadir, self.slanted) for node in axes.nodes()
        ]
        states += [
            slanted_state(*node, azimuth)
            for node in self.slanted.nodes()
            for azimuth in VIEW_AZIMUTHS
        ]
        return list(dict.fromkeys(states))


_WAVELENGTHS: tuple[float, ...] = (0.412, 0.443, 0.470, 0.488, 0.515, 0.550, 0.590, 0.633)
_WAVELENGTHS += (0.670, 0.694, 0.760, 0.860, 1.240, 1.536, 1.650, 1.950, 2.250)
_FEW_WAVELENGTHS = (0.412, 0.488, 0.550, 0.694, 0.860, 1.240, 1.650, 2.250)
_COARSE_WAVELENGTHS: tuple[float, ...] = (0.412, 0.443, 0.488, 0.550, 0.670, 0.694, 0.760, 0.860)
_COARSE_WAVELENGTHS += (1.240, 1.650, 2.250)

_SLANTED = ScatteringAxes(
    wavelength=_FEW_WAVELENGTHS,
    elevation=(0.0, 4.0),
    aot550=(0.0, 0.2, 0.7, 2.0),
    solar_zenith=(0.0, 30.0, 50.0, 65.0, 75.0, 84.0),
)

_GAS = GasAxes(
    elevation=(0.0, 1.0, 2.0, 3.0, 4.5, 6.0),
    water=tuple(50.0 * (step / 30.0) ** 2 for step in range(31)),
    ozone=(0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1500.0, 2000.0, 3000.0, 4500.0),
    air_mass=(0.0, 1.0, 1.5, 2.0, 2.25, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 13.0),
)

_COARSE = Configuration(
    name="coarse",
    nadir=ScatteringAxes(
        wavelength=_COARSE_WAVELENGTHS,
        elevation=(0.0, 1.5, 4.0),
        aot550=(0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.2, 2.0),
        solar_zenith=(0.0, 20.0, 35.0, 50.0, 60.0, 68.0, 74.0, 80.0, 84.0),
    ),
    slanted=ScatteringAxes(
        wavelength=(0.412, 0.550, 0.860, 2.250),
        elevation=(0.0, 4.0),
        aot550=(0.0, 0.7, 2.0),
        solar_zenith=(0.0, 30.0, 50.0, 65.0, 75.0, 84.0),
    ),
    gas=_GAS,
)

_FULL = Configuration(
    name="full",
    nadir=ScatteringAxes(
        wavelength=_WAVELENGTHS,
        elevation=(0.0, 1.0, 2.5, 4.0, 5.0),
        aot550=(0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.35, 2.0),
        solar_zenith=(0.0, 12.0, 24.0, 36.0, 46.0, 54.0, 61.0, 67.0, 72.0, 76.0, 80.0, 84.0),
    ),
    slanted=_SLANTED,
    gas=_GAS,
)

CONFIGURATIONS = {configuration.name: configuration for configuration in (_COARSE, _FULL)}
"""Axes by name."""
