"""The look-up tables of a run, as selected by the settings.

``AUTO`` selects several candidates. They are loaded once for a product, and each tile tries them on
its dark vegetation (`sen2cor.atmosphere.aerosol.model_selection`). Tiles without dark vegetation
use the first candidate.
"""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

from sen2cor.atmosphere.look_up_tables.atm_files import holds_atm_files
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.standard_atmospheres import AEROSOLS, SEASONS
from sen2cor.errors import AuxiliaryDataError
from sen2cor.paths import expand_path
from sen2cor.product.level1c.reader import Level1CProduct
from sen2cor.settings import Settings
from sen2cor.settings.l2a_cal_ac_gipp import CorrectionSettings

logger = logging.getLogger(__name__)


def load_tables(level1c: Level1CProduct, settings: Settings) -> tuple[LookUpTable, ...]:
    """Load the tables that the settings select.

    Parameters
    ----------
    level1c : Level1CProduct
    settings : Settings

    Returns
    -------
    tuple of LookUpTable
        Candidates, at least one; tiles without reference pixels use the first.

    Raises
    ------
    AuxiliaryDataError
        A table is missing or broken; the message names it.
    """
    chosen = settings.look_up_tables
    aerosol = chosen.aerosol_model or chosen.aerosol_type
    aerosols = AEROSOLS if aerosol == "AUTO" else (aerosol,)
    seasons = SEASONS if chosen.mid_latitude == "AUTO" else (chosen.mid_latitude,)
    pairs = tuple(itertools.product(aerosols, seasons))
    folder = find_sen2cor_tables(settings)
    if folder is None:
        return tuple(load_table(level1c.spacecraft, *pair) for pair in pairs)
    if chosen.aerosol_model is not None:
        raise AuxiliaryDataError(
            f"Aerosol_Model of L2A_GIPP: no aerosol {aerosol} in the tables of {folder}; "
            "set it to AUTO, or restore the default of Lib_Dir in L2A_CAL_AC_GIPP"
        )
    ozone = chosen.ozone_content or _mean_ozone(level1c)
    return tuple(load_atm_files(folder, level1c.spacecraft, *pair, ozone=ozone) for pair in pairs)


def find_sen2cor_tables(settings: Settings) -> Path | None:
    """Find the folder of Sen2Cor tables that ``Lib_Dir`` names; None for the tables of the package.

    Raises
    ------
    AuxiliaryDataError
        ``Lib_Dir`` differs from the default and contains no tables.
    """
    given = settings.correction.lib_dir
    default = given == CorrectionSettings().lib_dir
    if default and settings.home is None:
        return None
    folder = (settings.home or Path()) / expand_path(given)
    if holds_atm_files(folder):
        return folder
    if default:
        return None
    raise AuxiliaryDataError(
        f"Lib_Dir of L2A_CAL_AC_GIPP: no .atm tables in {folder}; set it to the folder that "
        "contains 10 and 20_60, or S2A, or restore its default"
    )


def _mean_ozone(level1c: Level1CProduct) -> float | None:
    """Mean ozone column over the tiles of a product in Dobson units, None if unknown."""
    columns = [weather.ozone for tile in level1c.tiles if (weather := tile.read_ecmwf())]
    if not columns:
        logger.warning(
            "No ozone column in the ECMWF auxiliary data; using the default of the season."
        )
        return None
    return sum(columns) / len(columns)
