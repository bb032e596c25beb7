"""Separate effects of the aerosol phase function and of its absorption.

``python -m tests.validation.lut_aerosol`` runs 6SV for the two-mode rural aerosol of Mie theory,
then with the Henyey-Greenstein phase function of the same asymmetry, and with twice the absorption
at the same extinction. It prints the change of the path reflectance, and the error of surface
reflectance (0.05 and 0.3) if the signal of the changed aerosol is inverted with the first one.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from sen2cor.radiative_transfer import log_normal, sixs
from sen2cor.radiative_transfer.aerosol import aerosol_optics, mie_file

AOT = 0.326
"""At sea level for a visibility of 23 km."""

WAVELENGTHS = {"B02": 0.492, "B04": 0.665, "B8A": 0.865}
SOLAR_ZENITHS = (0.0, 30.0, 50.0, 60.0)
REFLECTANCES = (0.05, 0.3)


def variants() -> dict[str, str]:
    """Files of optical properties: Mie, and Henyey-Greenstein without and with more absorption."""
    optics = aerosol_optics("rural_mie")
    absorbing = replace(optics, albedo=1.0 - 2.0 * (1.0 - optics.albedo))
    return {
        "Mie": log_normal.properties("rural_mie"),
        "phase function": mie_file(optics),
        "absorption": mie_file(absorbing),
    }


def toa(scattering: sixs.Scattering, reflectance: float) -> float:
    """Reflectance at the top of the atmosphere, without gas."""
    ground = reflectance / (1.0 - scattering.spherical_albedo * reflectance)
    both = scattering.transmittance_down * scattering.transmittance_up
    return scattering.path_reflectance + both * ground


def surface(scattering: sixs.Scattering, signal: float) -> float:
    """Surface reflectance that gives the signal."""
    both = scattering.transmittance_down * scattering.transmittance_up
    x = (signal - scattering.path_reflectance) / both
    return x / (1.0 + scattering.spherical_albedo * x)


def main() -> None:
    print(f"AOT {AOT}, sea level, nadir; each row changes one thing against the row's reference")
    print("changed         against          band  sza   path    error at 0.05  at 0.3")
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, text in variants().items():
            files[name] = Path(folder) / f"{name.split()[0].lower()}.mie"
            files[name].write_text(text)
        for changed, against in (("phase function", "Mie"), ("absorption", "phase function")):
            for band, wavelength in WAVELENGTHS.items():
                for zenith in SOLAR_ZENITHS:
                    state = sixs.State(wavelength, AOT, 0.0, zenith, 0.0, 0.0)
                    new, old = (sixs.run(state, files[name]) for name in (changed, against))
                    path = new.path_reflectance / old.path_reflectance - 1.0
                    errors = [surface(old, toa(new, rho)) - rho for rho in REFLECTANCES]
                    label = "Mie" if against == "Mie" else "H-G"
                    print(
                        f"{changed:15s} {label:16s} {band}  {zenith:3.0f}  {path:+7.2%}"
                        f"   {errors[0]:+.4f}        {errors[1]:+.4f}"
                    )


if __name__ == "__main__":
    main()
