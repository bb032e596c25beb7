"""Transmittance of the gases in the bands, over the whole path from the sun to the sensor.

The transmittance of the two-way path is averaged over the band, since in bands of strong absorption
the average of a product differs from the product of averages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sen2cor.bands import BAND_NAMES
from sen2cor.radiative_transfer import lowtran
from sen2cor.radiative_transfer.band_average import ELEVATION_SCALE, LOWEST_ELEVATION
from sen2cor.radiative_transfer.configuration import GasAxes
from sen2cor.raster.array_types import Float64Array
from sen2cor.spectral_responses import spectral_response

_TYPICAL_AIR_MASS = 2.5
"""Of the path for which the amount of water vapour is varied.

It matters to the self-broadened continuum alone, which depends on column and path apart.
"""


@dataclass(frozen=True)
class BandGases:
    """Two-way transmittances of the bands; arrays of float64.

    Attributes
    ----------
    elevation : ndarray
        Kilometres.
    water : ndarray, shape (bands, elevations, slant columns of water)
    ozone : ndarray, shape (bands, slant columns of ozone)
    other : ndarray, shape (bands, elevations, air masses)
        O2, CO2, CH4, N2O, CO.
    """

    elevation: Float64Array
    water: Float64Array
    ozone: Float64Array
    other: Float64Array


def spectral_weights(spacecraft: str) -> Float64Array:
    """Weights of the wavenumbers of LOWTRAN7 in each band, shape (bands, n), with a sum of 1."""
    wavelength = lowtran.wavelengths()
    # equal steps of wavenumber are unequal ones of wavelength
    sun = lowtran.solar_spectrum() * wavelength**2
    rows = []
    for band in BAND_NAMES:
        at, response = spectral_response(spacecraft, band)
        row = np.interp(wavelength, at, response, left=0.0, right=0.0) * sun
        rows.append(row / row.sum())
    return np.stack(rows)


def gas_tables(spacecraft: str, season: str, axes: GasAxes) -> BandGases:
    """Compute the transmittances of a spacecraft's bands in the atmosphere of a season."""
    weights = spectral_weights(spacecraft)
    water = np.empty((len(BAND_NAMES), len(axes.elevation), len(axes.water)))
    other = np.empty((len(BAND_NAMES), len(axes.elevation), len(axes.air_mass)))
    for row, elevation in enumerate(axes.elevation):
        model_slant = _TYPICAL_AIR_MASS * lowtran.water_column(season, elevation)
        for column, slant in enumerate(axes.water):
            amounts = {"water": slant / model_slant}
            water[:, row, column] = weights @ lowtran.gas_transmittance(
                season, amounts, elevation=elevation, air_mass=_TYPICAL_AIR_MASS
            )
        for column, air_mass in enumerate(axes.air_mass):
            amounts = dict.fromkeys(lowtran.CONSTANT_GASES, air_mass)
            other[:, row, column] = weights @ lowtran.gas_transmittance(
                season, amounts, elevation=elevation
            )
    ozone_column = lowtran.ozone_column(season, 0.0)
    ozone = [
        weights @ lowtran.gas_transmittance(season, {"ozone": slant / ozone_column}, elevation=0.0)
        for slant in axes.ozone
    ]
    # below sea level the same water stands under a little more pressure, and there is more air
    more_air = np.exp(-LOWEST_ELEVATION / ELEVATION_SCALE)
    return BandGases(
        elevation=np.array([LOWEST_ELEVATION, *axes.elevation]),
        water=_falling(np.concatenate([water[:, :1], water], 1)),
        ozone=_falling(np.stack(ozone, 1)),
        other=_falling(np.concatenate([other[:, :1] ** more_air, other], 1)),
    )


def _falling(transmittance: Float64Array) -> Float64Array:
    """Remove increases of up to 2e-5 that single precision causes in falling transmittances."""
    return np.minimum.accumulate(np.minimum(transmittance, 1.0), -1)
