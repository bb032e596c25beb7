"""Compare the uncertainty of the top-of-atmosphere reflectance with a port of ESA's tool.

``python -m tests.validation.toa_uncertainty`` runs ``s2_rut_python``, a port of the radiometric
uncertainty tool (``make validate-toa-uncertainty`` installs it separately), for uniform
reflectances. It prints each contribution beside that of this project, and the total: here the sum
in quadrature, there with the uniform stray light added linearly. The noise model and gains of this
project are passed to the port as metadata. Left out of the port's sums are the contributions that
the analysis of the tool finds negligible, and those that the noise model contains: cross-talk,
ageing of the diffuser, conversion to digital numbers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from sen2cor.atmosphere import toa_uncertainty
from sen2cor.atmosphere.toa_uncertainty import Radiometry
from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.simulation.sensor import SOLAR_IRRADIANCE

ROOT = Path(__file__).resolve().parents[2]
REFLECTANCES = (0.03, 0.15, 0.4)
SOLAR_ZENITH = 40.0
PLATFORM = {"S2A": "Sentinel-2A", "S2B": "Sentinel-2B", "S2C": "Sentinel-2C"}
CONTRIBUTIONS = {
    "u_noise": "noise",
    "u_stray_xtalk": "stray_rand",
    "u_ds": "ds",
    "u_gamma": "gamma",
    "u_diff": "diff_abs diff_cos diff_sl",
    "u_sys": "stray_sys",
}
"""Outputs of the port, and the contributions that are chosen."""

COLUMNS = ("noise", "stray", "dark", "linear", "diffuser", "mean stray", "total")


def own(spacecraft: str, band: str, reflectance: float) -> list[float]:
    """Contributions of this project in the order of the columns, in reflectance."""
    irradiance = dict(zip(BAND_NAMES, SOLAR_IRRADIANCE[spacecraft], strict=True))
    radiometry = Radiometry(spacecraft, irradiance, 1.0, 10000.0)
    cosine = np.cos(np.radians(SOLAR_ZENITH))
    resolution, index = BAND[band].resolution, BAND[band].index
    model = radiometry.uncertainty(band, resolution, cosine=cosine, mean_reflectance=reflectance)
    without = radiometry.uncertainty(band, resolution, cosine=cosine, mean_reflectance=0.0)
    level = np.float32(reflectance)
    return [
        float(np.sqrt(model.noise_constant + model.noise_linear * level)),
        0.01 * toa_uncertainty._STRAY_LIGHT[index] * reflectance,
        float(without.offset),
        0.01 * toa_uncertainty._NON_LINEARITY[index] * reflectance,
        model.gain * reflectance,
        float(np.sqrt(np.square(model.offset) - np.square(without.offset))),
        float(np.hypot(model.common(level), model.independent(level))),
    ]


def port(spacecraft: str, band: str, reflectance: float) -> list[float]:
    """The same of the port."""
    import xarray as xr  # type: ignore[import-not-found]
    from s2_rut_python.interface import S2RUTTool  # type: ignore[import-not-found]

    index = BAND[band].index
    alpha, beta = toa_uncertainty._NOISE[spacecraft][index]
    shared = {
        "platform": PLATFORM[spacecraft],
        "quantification_level": {"reflectance": 10000},
        "reflectance_conversion_u": 1.0,
    }
    metadata = {
        "solar_irradiance": SOLAR_IRRADIANCE[spacecraft][index],
        "noise_model_alpha": alpha,
        "noise_model_beta": beta,
        "physical_gains": toa_uncertainty._GAIN[spacecraft][index],
        "radiometric_offset": 0.0,
    }
    dims, shape = ["y", "x"], (4, 4)
    attributes = {"units": "1", "long_name": band, "product_metadata": metadata}
    scene = xr.Dataset(
        {
            band: (dims, np.full(shape, reflectance), attributes),
            "solar_zenith_angle": (dims, np.full(shape, SOLAR_ZENITH)),
        },
        attrs=shared | {"product_metadata": shared},
    )
    chosen = " ".join(CONTRIBUTIONS.values()).split()
    found = S2RUTTool().run(scene, data_vars=[band], group_unc=False, subset_unc=chosen)
    values = [float(found[f"{name}_{band}"].values.mean()) for name in CONTRIBUTIONS]
    return [*values, values[-1] + float(np.linalg.norm(values[:-1]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=Path, default=ROOT / ".venv" / "rut", help="its folder")
    sys.path.append(str(parser.parse_args().port))
    worst = np.zeros(len(COLUMNS))
    print(f"Standard uncertainty in % of the reflectance, sun at {SOLAR_ZENITH:.0f} degrees")
    print(f"{'':22s}" + "".join(f"{name:>12s}" for name in COLUMNS))
    for spacecraft in PLATFORM:
        for band in BAND_NAMES:
            for reflectance in REFLECTANCES:
                ours, theirs = (
                    np.array(each(spacecraft, band, reflectance)) / reflectance
                    for each in (own, port)
                )
                worst = np.maximum(worst, np.abs(ours - theirs))
                for name, values in (("", ours), ("port", theirs)):
                    label = f"{spacecraft} {band} {reflectance:5.2f} {name}"
                    print(f"{label:22s}" + "".join(f"{100.0 * each:12.3f}" for each in values))
    print(f"{'largest difference':22s}" + "".join(f"{100.0 * each:12.3f}" for each in worst))


if __name__ == "__main__":
    main()
