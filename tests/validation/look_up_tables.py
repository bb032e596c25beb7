"""Compare the look-up tables with those of Sen2Cor 2.2.1 (libRadtran).

``python -m tests.validation.look_up_tables`` prints, for each band, by how much the own tables
differ, and the error of surface reflectance when the reference's top-of-atmosphere signal is
inverted with them.
"""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sen2cor.atmosphere.lut import LookUpTable, load_table

ROOT = Path(__file__).resolve().parents[2]
BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B10", "B11", "B12")
VISIBILITIES = (5, 7, 10, 15, 23, 40, 80, 120)
SOLAR_ZENITHS = tuple(range(0, 80, 10))
ELEVATIONS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
WATER_BY_ELEVATION = (2.0, 1.53, 1.12, 0.83, 0.60, 0.42)
# fmt: off
IRRADIANCE = dict(zip(BANDS, (
    1912.67, 1941.67, 1822.14, 1512.65, 1423.62, 1287.42,
    1163.02, 955.14, 842.0, 367.15, 245.60, 85.25,
), strict=True))
# fmt: on
INVERTED = ("B01", "B02", "B03", "B04", "B07", "B8A")


@dataclass(frozen=True)
class Functions:
    """Path reflectance, product of the transmittances, spherical albedo; all with gas."""

    path: float
    transmittance: float
    albedo: float

    def toa(self, reflectance: float) -> float:
        return self.path + self.transmittance * reflectance / (1.0 - self.albedo * reflectance)

    def surface(self, toa: float) -> float:
        ground = (toa - self.path) / self.transmittance
        return ground / (1.0 + self.albedo * ground)


class Reference:
    """One file of the reference, at sea level columns of 2.0 cm and 331 DU."""

    def __init__(self, folder: Path, name: str) -> None:
        values = np.fromfile(folder / "esa_lut" / "S2A" / "20_60" / name, ">f4")
        self._cells = values.reshape(len(BANDS), len(VISIBILITIES), len(SOLAR_ZENITHS), 104)

    def at(
        self, band: str, visibility: int, solar_zenith: int, elevation: float, view: str = "nadir"
    ) -> Functions:
        """Functions of a node; view ``nadir``, or the relative azimuth of a view of 10 degrees."""
        cell = self._cells[
            BANDS.index(band), VISIBILITIES.index(visibility), SOLAR_ZENITHS.index(solar_zenith)
        ]
        start = 2 + 17 * ELEVATIONS.index(elevation)
        values = cell[start : start + 17].astype(float)
        cosine = math.cos(math.radians(solar_zenith))
        radiance = values[0] if view == "nadir" else values[10 + int(view) // 30]
        scale = 10.0 / (IRRADIANCE[band] * cosine)
        return Functions(
            math.pi * radiance * scale, (values[2] * cosine + values[1]) * scale, values[5]
        )


def own(
    table: LookUpTable,
    band: str,
    visibility: int,
    solar_zenith: int,
    elevation: float,
    view: str = "nadir",
) -> Functions:
    """The same functions from the own table, with the same columns of gas."""
    view_zenith, azimuth = (0.0, 0.0) if view == "nadir" else (10.0, float(view))
    scattering = table.scattering(
        band,
        aot550=table.aot_from_visibility(visibility, elevation),
        elevation=elevation,
        solar_zenith=solar_zenith,
        view_zenith=view_zenith,
        relative_azimuth=azimuth,
    )
    air_mass = sum(1.0 / math.cos(math.radians(angle)) for angle in (solar_zenith, view_zenith))
    gas = table.gas(
        band,
        water_vapour=WATER_BY_ELEVATION[ELEVATIONS.index(elevation)],
        ozone=331.0,
        elevation=elevation,
        air_mass=air_mass,
    )
    aerosol = scattering.path_reflectance - scattering.rayleigh_reflectance
    down = scattering.transmittance_down_direct + scattering.transmittance_down_diffuse
    up = scattering.transmittance_up_direct + scattering.transmittance_up_diffuse
    constant = gas.ozone * gas.other
    return Functions(
        float(constant * (scattering.rayleigh_reflectance + aerosol * gas.water_half)),
        float(constant * gas.water * down * up),
        float(scattering.spherical_albedo),
    )


def compare(folder: Path, table: LookUpTable, name: str) -> str:
    """Text of the comparison."""
    reference = Reference(folder, name)
    lines = ["", f"{table.name} against {name}: own / reference - 1 in %, sea level, nadir"]
    lines.append("visibility 10, 23, 80 km; solar zenith 0, 30, 60")
    lines.append(f"{'':4s}{'path reflectance':>30s}{'transmittance':>30s}{'albedo':>24s}")
    for band in BANDS:
        row = f"{band:4s}"
        for quantity in ("path", "transmittance", "albedo"):
            for visibility in (10, 23, 80):
                for sun in (0, 30, 60) if quantity == "path" else (30,):
                    ours = getattr(own(table, band, visibility, sun, 0.0), quantity)
                    theirs = getattr(reference.at(band, visibility, sun, 0.0), quantity)
                    row += f"{100 * (ours / theirs - 1):+7.1f}" if theirs > 0 else f"{'':7s}"
            row += "  |"
        lines.append(row)
    lines.append(
        f"error of surface reflectance over {', '.join(INVERTED)}, solar zenith 0, 30, 50, 60 "
        "(bias, rms, largest)"
    )
    for elevation in (0.0, 1.5):
        for visibility in (10, 23, 80):
            row = f"{elevation:3.1f} km, visibility {visibility:3d} km: "
            for reflectance in (0.02, 0.05, 0.3):
                errors = np.array(
                    [
                        own(table, band, visibility, sun, elevation).surface(
                            reference.at(band, visibility, sun, elevation).toa(reflectance)
                        )
                        - reflectance
                        for band in INVERTED
                        for sun in (0, 30, 50, 60)
                    ]
                )
                rms = math.sqrt(np.mean(errors**2))
                row += f" rho {reflectance:4.2f}: {errors.mean():+.4f} {rms:.4f}"
                row += f" {np.abs(errors).max():.4f} |"
            lines.append(row)
    lines.append("view of 10 degrees minus nadir, path reflectance x 1000 at 23 km, zenith 50")
    for band in ("B01", "B04", "B8A"):
        row = f"{band}:"
        for azimuth in ("0", "30", "60", "90", "120", "150", "180"):
            ours = own(table, band, 23, 50, 0.0, azimuth).path - own(table, band, 23, 50, 0.0).path
            theirs = reference.at(band, 23, 50, 0.0, azimuth).path
            theirs -= reference.at(band, 23, 50, 0.0).path
            row += f"  {1e3 * ours:+.2f} ({1e3 * theirs:+.2f})"
        lines.append(row)
    return "\n".join(lines)


def main() -> None:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    folder = parser.parse_args().data
    for aerosol, name in (("RURAL", "h99000_wv20_rura.atm"), ("MARITIME", "h99000_wv20_mari.atm")):
        print(compare(folder, load_table("S2A", aerosol, "SUMMER"), name))


if __name__ == "__main__":
    main()
