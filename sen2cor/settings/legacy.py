"""Elements of other versions that have the meaning of an element here, and their translation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sen2cor.atmosphere.standard_atmospheres import OZONE_COLUMNS
from sen2cor.settings.elements import Parameter
from sen2cor.settings.value_types import Boolean, Kind, Text

_DOCUMENT = "L2A_GIPP"
_TABLE_NAME = re.compile(
    r"(?:.*[\\/])?([fghijktuvwxy])[0-9]+_\w*(rura|mari)\w*\.atm", re.IGNORECASE
)


@dataclass(frozen=True)
class LookUpTableName(Kind):
    """File name of a look-up table of Sen2Cor: the settings of ``Look_Up_Tables`` by element."""

    def _range(self) -> str:
        letters = "".join(letter for columns in OZONE_COLUMNS.values() for letter in columns)
        return f"a name such as h99000_wv20_rura.atm: ozone letter of {letters}, rura or mari"

    def _value(self, text: str) -> Mapping[str, Any]:
        match = _TABLE_NAME.fullmatch(text)
        if not match:
            raise ValueError
        letter, aerosol = match[1].lower(), match[2].lower()
        return {
            "Aerosol_Type": {"rura": "RURAL", "mari": "MARITIME"}[aerosol],
            "Mid_Latitude": "SUMMER" if letter in OZONE_COLUMNS["SUMMER"] else "WINTER",
            "Ozone_Content": {**OZONE_COLUMNS["SUMMER"], **OZONE_COLUMNS["WINTER"]}[letter],
        }

    def _type(self) -> str:
        return Text().simple_type()


FORCE_EXIT = Parameter(
    "Force_Exit_On_DEM_Error",
    Boolean(),
    "TRUE",
    "2.9: TRUE is DEM_Missing ERROR, FALSE is FLAT",
    _DOCUMENT,
    "Common_Section",
)

LOOK_UP_TABLE_FILE = Parameter(
    "Atm_Data_Filename",
    LookUpTableName(),
    "h99000_wv20_rura.atm",
    "2.1: the name gives aerosol, season and ozone",
    _DOCUMENT,
    "Atmospheric_Correction/References",
)


def translate(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Replace the elements of other versions by their equivalents here.

    Parameters
    ----------
    values : mapping
        Values of L2A_GIPP by element.

    Returns
    -------
    dict, list of str
        The values; where both elements are present, that of this version is used. Warnings where
        they contradict each other.
    """
    result = dict(values)
    meant: dict[str, tuple[str, Any]] = {}
    if FORCE_EXIT.name in result:
        policy = "ERROR" if result.pop(FORCE_EXIT.name) else "FLAT"
        meant["DEM_Missing"] = (FORCE_EXIT.name, policy)
    for element, value in result.pop(LOOK_UP_TABLE_FILE.name, {}).items():
        meant[element] = (LOOK_UP_TABLE_FILE.name, value)
    warnings = []
    for element, (origin, value) in meant.items():
        if result.setdefault(element, value) != value:
            warnings.append(f"{origin} contradicts {element}: {element} is used")
    return result, warnings
