"""Command that generates the look-up tables: ``python -m sen2cor.radiative_transfer``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from sen2cor.errors import Sen2CorError
from sen2cor.radiative_transfer.aerosol import AEROSOLS
from sen2cor.radiative_transfer.configuration import CONFIGURATIONS
from sen2cor.radiative_transfer.lowtran import MODELS
from sen2cor.radiative_transfer.scattering_runs import run_all
from sen2cor.radiative_transfer.tables import write_gases, write_scattering
from sen2cor.spectral_responses import SPACECRAFT

LOGGER = logging.getLogger(__name__)

_DEFAULT_AEROSOLS = ("rural", "maritime")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.radiative_transfer",
        description="Make look-up tables with 6SV (scattering) and LOWTRAN7 (gases). One table of "
        "scattering is made for each sensor and aerosol, one of gases for each sensor and season. "
        "Interrupted, it goes on where it stood.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for option, choices, default, what in (
        ("--sensor", SPACECRAFT, SPACECRAFT, "spacecraft"),
        ("--aerosol", AEROSOLS, _DEFAULT_AEROSOLS, "aerosols"),
        ("--season", tuple(MODELS), tuple(MODELS), "atmospheres"),
    ):
        parser.add_argument(option, nargs="*", choices=choices, default=default, help=what)
    parser.add_argument(
        "--configuration", choices=tuple(CONFIGURATIONS), default="full", help="density of axes"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of finished runs, to resume from"
    )
    parser.add_argument("--processes", type=int, default=2, help="runs at the same time")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the tables that the arguments ask for; the exit code tells the kind of failure."""
    chosen = _arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    configuration = CONFIGURATIONS[chosen.configuration]
    try:
        chosen.output.mkdir(parents=True, exist_ok=True)
        for spacecraft in chosen.sensor:
            for season in chosen.season:
                write_gases(chosen.output, configuration, spacecraft, season)
        for aerosol in chosen.aerosol:
            results = run_all(configuration.states(), aerosol, chosen.work, chosen.processes)
            for spacecraft in chosen.sensor:
                write_scattering(chosen.output, configuration, results, spacecraft, aerosol)
    except Sen2CorError as error:
        LOGGER.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
