"""An atmosphere in closed form, with the interface of the look-up tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from sen2cor.atmosphere.look_up_tables.look_up_table import Gas, Scattering

_WAVELENGTH = {"B02": 0.49, "B04": 0.665, "B8A": 0.865, "B09": 0.945, "B12": 2.19}
_WATER = {"B02": 0.0, "B04": 0.005, "B8A": 0.002, "B09": 0.45, "B12": 0.04}


class AnalyticTable:
    """Single scattering and square-root absorption: smooth, monotonic, exact everywhere."""

    season = "SUMMER"
    max_slant_water = 45.0
    max_solar_zenith = 84.0
    max_view_zenith = 12.0

    def scattering(
        self,
        band: str,
        *,
        aot550: Any,
        elevation: Any,
        solar_zenith: Any,
        view_zenith: Any,
        relative_azimuth: Any,
        water_vapour: Any = None,
    ) -> Scattering:
        wavelength = _WAVELENGTH[band]
        rayleigh = 0.0088 * wavelength**-4.1 * np.exp(-np.asarray(elevation) / 8.0)
        aerosol = np.asarray(aot550) * (wavelength / 0.55) ** -1.3
        mu_s, mu_v = (np.cos(np.radians(angle)) for angle in (solar_zenith, view_zenith))
        phase = 1.0 + 0.1 * np.cos(np.radians(relative_azimuth))
        molecules = 0.18 * rayleigh * phase / (mu_s * mu_v)
        both = rayleigh + aerosol
        return Scattering(
            rayleigh_reflectance=np.float32(molecules) + 0 * both,
            path_reflectance=np.float32(molecules + 0.05 * aerosol * phase / (mu_s * mu_v)),
            transmittance_down_direct=np.exp(-both / mu_s),
            transmittance_down_diffuse=0.8 * (1.0 - np.exp(-both / mu_s)),
            transmittance_up_direct=np.exp(-both / mu_v),
            transmittance_up_diffuse=0.8 * (1.0 - np.exp(-both / mu_v)),
            spherical_albedo=0.7 * (1.0 - np.exp(-both)),
        )

    def gas(
        self, band: str, *, water_vapour: Any, ozone: Any, elevation: Any, air_mass: Any
    ) -> Gas:
        slant = np.asarray(water_vapour, np.float64) * np.asarray(air_mass)
        one = np.ones(np.broadcast_shapes(slant.shape, np.shape(ozone)))
        return Gas(
            ozone=np.exp(-1e-4 * np.asarray(ozone) * np.asarray(air_mass) * 0.05) * one,
            other=0.995 * one,
            water=np.exp(-_WATER[band] * np.sqrt(slant)),
            water_half=np.exp(-_WATER[band] * np.sqrt(0.5 * slant)),
        )
