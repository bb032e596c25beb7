"""Fit the AOT of each visibility to the direct transmittances of Sen2Cor 2.2.1.

``python -m tests.validation.visibility_fit`` prints the tables of
`sen2cor.radiative_transfer.visibility`: at each node the AOT for which the vertical direct
transmittances of the tables of this project are closest to those of Sen2Cor (least squares of the
logarithms in B01 .. B8A, all atmospheres of a season), and the difference to the packaged tables.
The gas absorption of a file is determined from the file itself (`atm_reference.original`).
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sen2cor.atmosphere.look_up_tables.atm_files import BANDS, ELEVATION, VISIBILITY
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table

from .atm_reference import Array, AtmFile, original

ROOT = Path(__file__).resolve().parents[2]
FITTED = BANDS["20_60"][: BANDS["20_60"].index("B8A") + 1]
MOST_WATER = 3.0
"""In cm; files of larger columns contain another aerosol."""

AOT550 = np.arange(0.0, 1.6, 0.01)
REFINED = 100


def own_thickness(table: SixSLookUpTable) -> Array:
    """Optical thickness in the 6S tables, shape (bands, elevations, AOT550)."""
    transmittance = [
        table.scattering(
            band,
            aot550=AOT550,
            elevation=ELEVATION[:, np.newaxis],
            solar_zenith=0.0,
            view_zenith=0.0,
            relative_azimuth=0.0,
        ).transmittance_up_direct
        for band in FITTED
    ]
    return -np.log(np.array(transmittance, np.float64))


def fitted_aot550(files: Sequence[AtmFile], table: SixSLookUpTable) -> Array:
    """Fit the AOT of the nodes, shape (visibilities, elevations), to the mean of the files."""
    theirs = np.mean(
        [
            [-np.log(original(band, file, table).direct[..., 0]) for band in FITTED]
            for file in files
        ],
        0,
    )
    fine = np.linspace(AOT550[0], AOT550[-1], REFINED * (AOT550.size - 1) + 1)
    own = own_thickness(table)
    result = np.empty((VISIBILITY.size, ELEVATION.size))
    for elevation in range(ELEVATION.size):
        curves = np.array([np.interp(fine, AOT550, band[elevation]) for band in own])
        for visibility in range(VISIBILITY.size):
            away = curves - theirs[:, elevation, visibility, np.newaxis]
            result[visibility, elevation] = fine[(away**2).sum(0).argmin()]
    return result


def main() -> None:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    options = parser.parse_args()
    groups: defaultdict[tuple[str, str], list[AtmFile]] = defaultdict(list)
    for path in sorted(options.data.glob("esa_lut/S2A/20_60/*.atm")):
        file = AtmFile.of_path(path)
        if file.water_vapour < MOST_WATER:
            groups[file.aerosol, file.season].append(file)
    if not groups:
        parser.exit(1, f"no esa_lut/S2A/20_60/*.atm in {options.data}\n")
    for key, files in groups.items():
        table = load_table("S2A", *key)
        fitted = fitted_aot550(files, table)
        shipped = table.aot_from_visibility(VISIBILITY[:, np.newaxis], ELEVATION)
        print(
            f"{', '.join(key).lower()} ({len(files)} atmospheres): AOT550 by visibility (rows, km)"
        )
        print(
            f"and elevation; shipped table minus fit: largest {np.abs(shipped - fitted).max():.4f}"
        )
        print(" " * 6 + "".join(f"{each:8.1f}" for each in ELEVATION))
        for visibility, row in zip(VISIBILITY, fitted, strict=True):
            print(f"{visibility:6.0f}" + "".join(f"{value:8.4f}" for value in row))
        print()


if __name__ == "__main__":
    main()
