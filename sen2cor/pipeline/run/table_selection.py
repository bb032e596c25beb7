"""The look-up tables of a run: those that the settings name are loaded.

``AUTO`` names several: they are loaded once for a product, and each tile tries them on its dark
vegetation (`sen2cor.atmosphere.aerosol.model_selection`). The first of them stands for a tile
without any.
"""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import holds_atm_files, load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.errors import AuxiliaryDataError
from sen2cor.product.level1c.reader import Level1CProduct
from sen2cor.settings import Settings
from sen2cor.settings.cal_ac_gipp import CorrectionSettings

AEROSOLS = ("RURAL", "MARITIME")
SEASONS = ("SUMMER", "WINTER")
"""What AUTO stands for, in the order of preference."""

logger = logging.getLogger(__name__)


def load_tables(level1c: Level1CProduct, settings: Settings) -> tuple[LookUpTable, ...]:
    """Load the tables that the settings name.

    Parameters
    ----------
    level1c : Level1CProduct
    settings : Settings

    Returns
    -------
    tuple of LookUpTable
        Candidates, at least one; the first for tiles without reference pixels.

    Raises
    ------
    AuxiliaryDataError
        A table is absent or broken; the message names it.
    """
    chosen = settings.look_up_tables
    aerosol = chosen.aerosol_model or chosen.aerosol_type
    aerosols = AEROSOLS if aerosol == "AUTO" else (aerosol,)
    seasons = SEASONS if chosen.mid_latitude == "AUTO" else (chosen.mid_latitude,)
    pairs = tuple(itertools.product(aerosols, seasons))
    folder = original_tables(settings)
    if folder is None:
        return tuple(load_table(level1c.spacecraft, *pair) for pair in pairs)
    if chosen.aerosol_model is not None:
        raise AuxiliaryDataError(
            f"Aerosol_Model of L2A_GIPP: the tables in {folder} have no aerosol {aerosol}; "
            "set it to AUTO, or leave Lib_Dir of L2A_CAL_AC_GIPP as it ships"
        )
    ozone = chosen.ozone_content or _ozone_of(level1c)
    return tuple(load_atm_files(folder, level1c.spacecraft, *pair, ozone=ozone) for pair in pairs)


def original_tables(settings: Settings) -> Path | None:
    """Folder of the original's tables where ``Lib_Dir`` names one, None for our own.

    Raises
    ------
    AuxiliaryDataError
        ``Lib_Dir`` is not the shipped one, and there are no tables in it.
    """
    given = settings.correction.lib_dir
    default = given == CorrectionSettings().lib_dir
    if default and settings.home is None:
        return None
    folder = (settings.home or Path()) / Path(given).expanduser()
    if holds_atm_files(folder):
        return folder
    if default:
        return None
    raise AuxiliaryDataError(
        f"Lib_Dir of L2A_CAL_AC_GIPP: there are no .atm tables in {folder}; name the folder that "
        "has 10 and 20_60, or S2A, in it, or leave Lib_Dir as it ships"
    )


def _ozone_of(level1c: Level1CProduct) -> float | None:
    """Mean ozone column over the tiles of a product in Dobson units, None if it is not known."""
    found = [weather.ozone for tile in level1c.tiles if (weather := tile.read_ecmwf())]
    if not found:
        logger.warning("no ozone column in the Level-1C auxiliary data: that of the season is used")
        return None
    return sum(found) / len(found)
