"""Retrieved aerosol against the truth of scenes below the atmosphere of Sen2Cor's look-up tables.

``python -m tests.validation.aerosol`` retrieves aerosol and water vapour of some 250 scenes and
prints the errors of the mean aerosol optical thickness (AOT) by kind of scene, visibility and
sun, and the errors of surface reflectance, for each method of retrieval. The required accuracy is
0.03 + 0.1 AOT with dark vegetation, 0.04 + 0.15 AOT without; that of surface reflectance is
0.05 rho + 0.005.

Surfaces are mosaics of measured spectra (`tests.validation.surface_mosaics`): official pixels of
two sites, and the odd-numbered columns of the spectral library. These spectra judge; the prior of a
retrieval may use the even-numbered columns only. The reflectance at the top of the atmosphere comes
from the ``.atm`` files of Sen2Cor (libRadtran) by a forward model of its own
(`tests.validation.atm_forward_model`), not from the tables with which the processor retrieves. The
masks of land and water are true ones; the instrument has noise, and with ``--calibration`` an
independent error of each band.

The retrieval does not know the water vapour. It runs with the parameters that the processor ships,
which include the aerosol type (``--aerosol``).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval, FirstGuess
from sen2cor.atmosphere.aerosol_and_water_vapour import retrieve_aerosol_and_water_vapour
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.inversion import flat_terrain_inversion
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.parameters import PathRadianceParameters
from sen2cor.atmosphere.standard_atmospheres import AEROSOLS
from sen2cor.settings import Settings
from tests.validation.aerosol_report import BANDS, REFLECTANCE_LIMIT, Result, draw, print_tables
from tests.validation.aerosol_scenes import KINDS, SIZE, State, TrueScene, build_scene, design
from tests.validation.surface_mosaics import Pools

ROOT = Path(__file__).resolve().parents[2]

SEASON = "SUMMER"
"""Of all files that the scenes use."""

SHIPPED_AEROSOL = Settings().look_up_tables.aerosol_type

METHODS: Mapping[str, Mapping[str, Any]] = {
    "oe": {"method": "OE"},
    "ddv": {"method": "DDV", "path_radiance": PathRadianceParameters(rescale=True)},
}
"""Methods of retrieval: items of `AerosolParameters`."""


@cache
def load_candidates(kind: str, aerosol: str, data: Path) -> tuple[LookUpTable, ...]:
    """Load the candidate tables of a retrieval.

    Parameters
    ----------
    kind : {"6s", "atm"}
    aerosol : str
        ``RURAL``, ``MARITIME``, or ``AUTO`` for both.
    data : Path
        Folder of the reference data.
    """
    aerosols = AEROSOLS if aerosol == "AUTO" else (aerosol,)
    if kind == "atm":
        folder = data / "esa_lut" / "S2A"
        return tuple(load_atm_files(folder, "S2A", each, SEASON) for each in aerosols)
    return tuple(load_table("S2A", each, SEASON) for each in aerosols)


def retrieve(
    true: TrueScene, tables: Sequence[LookUpTable], method: str
) -> tuple[AtmosphereState, AerosolRetrieval]:
    """Retrieve the atmosphere with the parameters that the processor ships."""
    settings = Settings()
    correction, flags = settings.correction, settings.flags
    parameters = correction.aerosol_parameters(variable=bool(flags.vis_update_mode))
    return retrieve_aerosol_and_water_vapour(
        true.scene,
        tables,
        FirstGuess(
            settings.calibration.visibility,
            water_vapour=correction.water_vapour_start[SEASON],
            season=SEASON,
        ),
        aerosol=replace(parameters, **METHODS[method]),
        water_vapour=correction.water_vapour_parameters(
            retrieve=True,
            over_water=flags.wv_watermask,
            smoothing=settings.calibration.smooth_wv_map,
        ),
    )


def judge(true: TrueScene, tables: Sequence[LookUpTable], method: str) -> Result:
    """Retrieve a scene, and compare it with its truth."""
    start = time.monotonic()
    state, retrieval = retrieve(true, tables, method)
    seconds = time.monotonic() - start
    sigma = getattr(retrieval, "sigma", None)
    within, bias = {}, {}
    for band in BANDS:
        toa = true.scene.toa(band)
        terms = band_terms(retrieval.table, band, true.scene.geometry, state)
        inversion = flat_terrain_inversion(toa, terms, true.scene.ground, true.scene.adjacency)
        reflectance = true.mosaic.reflectance[band]
        error = inversion(toa) - reflectance
        constant, proportional = REFLECTANCE_LIMIT
        accurate = np.abs(error) <= constant + proportional * reflectance
        within[band] = 100.0 * float(accurate.mean())
        bias[band] = float(error.mean(dtype=np.float64))
    return Result(
        state=true.state,
        method=method,
        vegetated=true.state.vegetated,
        truth=true.state.aot550,
        found=float(state.aot550.mean(dtype=np.float64)),
        spread=float(state.aot550.std(dtype=np.float64)),
        sigma=None if sigma is None else float(np.mean(sigma)),
        source=retrieval.source,
        water_vapour=(true.water_vapour, float(state.water_vapour.mean(dtype=np.float64))),
        within=within,
        bias=bias,
        seconds=seconds,
    )


@dataclass(frozen=True)
class Task:
    """What is done with each scene; picklable.

    Attributes
    ----------
    data : Path
        Folder of the reference data.
    seed : int
    methods : tuple of str
    tables : {"6s", "atm"}
        Tables of the retrieval.
    aerosol : str
        Of the retrieval, as in `load_candidates`.
    physical : bool
        Whether the approximations of the files are undone (`tests.validation.aerosol_scenes`).
    calibration : float
        Relative standard deviation of the calibration errors of the bands.
    size : int
        Rows and columns of a scene.
    """

    data: Path
    seed: int
    methods: tuple[str, ...] = tuple(METHODS)
    tables: str = "6s"
    aerosol: str = SHIPPED_AEROSOL
    physical: bool = False
    calibration: float = 0.0
    size: int = SIZE

    def run(self, state: State) -> list[Result]:
        """Build a scene and judge all methods."""
        logging.disable(logging.WARNING)
        true = build_scene(
            state,
            _pools(self.data),
            self.data,
            self.seed,
            physical=self.physical,
            calibration=self.calibration,
            size=self.size,
        )
        tables = load_candidates(self.tables, self.aerosol, self.data)
        return [judge(true, tables, method) for method in self.methods]


@cache
def _pools(data: Path) -> Pools:
    return Pools.load(data)


def run_all(task: Task, states: Sequence[State], processes: int) -> list[Result]:
    """Judge all methods in all scenes."""
    if processes < 2:
        return [result for state in states for result in task.run(state)]
    with ProcessPoolExecutor(processes) as pool:
        return [result for group in pool.map(task.run, states, chunksize=4) for result in group]


def _parser() -> argparse.ArgumentParser:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--tables", choices=("6s", "atm"), default="6s", help="of the retrieval")
    parser.add_argument(
        "--aerosol",
        choices=(*AEROSOLS, "AUTO"),
        default=SHIPPED_AEROSOL,
        help="of the retrieval; AUTO: the one that fits the scene",
    )
    parser.add_argument(
        "--physical",
        action="store_true",
        help="undo two approximations of the .atm files: no polarisation, gases apart by way",
    )
    parser.add_argument(
        "--calibration", type=float, default=0.0, help="relative error of each band (1 sigma)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of states, surfaces and noise")
    parser.add_argument("--every", type=int, default=1, help="only every n-th scene")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, help="only these kinds of scenes")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the results of all scenes")
    parser.add_argument("--pictures", type=Path, help="folder for the scatter plot")
    return parser


def main() -> None:
    options = _parser().parse_args()
    if not (options.data / "esa_lut" / "S2A").is_dir():
        raise SystemExit(f"no reference data in {options.data}: set SEN2COR_TEST_DATA or --data")
    states = list(design(options.seed))[:: options.every]
    states = [state for state in states if not options.kinds or state.kind in options.kinds]
    methods = tuple(options.methods)
    task = Task(
        options.data,
        options.seed,
        methods,
        tables=options.tables,
        aerosol=options.aerosol,
        physical=options.physical,
        calibration=options.calibration,
    )
    results = run_all(task, states, options.processes)
    print(
        f"{len(states)} scenes, seed {options.seed}, retrieved with {options.tables} tables, "
        f"aerosol {options.aerosol}"
    )
    if options.physical:
        print("molecules with polarisation, gases over both ways")
    if options.calibration:
        print(f"calibration errors of {100.0 * options.calibration:.1f} %")
    print_tables(results, methods)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
    if options.pictures:
        print(f"\npicture: {draw(results, methods, options.pictures)}")


if __name__ == "__main__":
    main()
