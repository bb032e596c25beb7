"""Elements of the configuration files of Sen2Cor that have no effect here, with the reasons.

Users' files may contain them: the schemas allow them with any content, the reader skips them, and
one note per file names those whose content is not the shipped one. The shipped files contain the
elements that those of Sen2Cor 2.3 have, since wrappers edit them in place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class UnusedElement:
    """One element, or one group with all that it contains.

    Attributes
    ----------
    name : str
        Name of the XML element.
    document, group : str
        The file (``L2A_GIPP``, ...) and the path of the group that contains the element.
    reason : str
        Why it has no effect.
    shipped : tuple of str
        Its lines in the shipped file; empty where only other versions of Sen2Cor have it.
    repeats : bool
        Whether it may appear more than once.
    """

    name: str
    document: str
    group: str
    reason: str
    shipped: tuple[str, ...] = ()
    repeats: bool = False

    def is_shipped(self, texts: set[str]) -> bool:
        """Return whether the texts inside an element are among those of the shipped one."""
        shipped = re.findall(">([^<>]+)<", "".join(self.shipped))
        return bool(self.shipped) and texts <= set(shipped)


def _simple(
    document: str, group: str, reason: str, **texts: str | None
) -> tuple[UnusedElement, ...]:
    """Elements with one text, or None where it is not shipped."""
    return tuple(
        UnusedElement(
            name, document, group, reason, () if text is None else (f"<{name}>{text}</{name}>",)
        )
        for name, text in texts.items()
    )


_DOCUMENT_SCHEMAS = {
    "UP_Scheme_1C": "S2_User_Product_Level-1C_Metadata",
    "UP_Scheme_2A": "S2_User_Product_Level-2A_Metadata",
    "Tile_Scheme_1C": "S2_PDI_Level-1C_Tile_Metadata",
    "Tile_Scheme_2A": "S2_PDI_Level-2A_Tile_Metadata",
    "DS_Scheme_1C": "S2_PDI_Level-1C_Datastrip_Metadata",
    "DS_Scheme_2A": "S2_PDI_Level-2A_Datastrip_Metadata",
}
"""Schemas of user product, tile and data strip metadata, of Level-1C and Level-2A."""


def _scheme_block(version: str) -> tuple[str, ...]:
    return (
        f'<PSD_Scheme PSD_Version="{version}" '
        f'PSD_Reference="S2-PDGS-TAS-DI-PSD-V{version}_Schema">',
        *(f"    <{name}>{text}</{name}>" for name, text in _DOCUMENT_SCHEMAS.items()),
        "</PSD_Scheme>",
    )


_FWHM = "0.0188 0.0644 0.0348 0.0288 0.0144 0.0148 0.0188 0.0144 0.0228 0.0192 0.0288 0.0884 0.1728"
_WAVELENGTHS = (
    "0.4423 0.4922 0.5603 0.6631 0.7040 0.7424 0.7817 0.8333 0.8658 0.9423 1.3737 1.6094 2.1939"
)
_C1 = ("0.001",) * 10 + ("0.0005", "0.0002", "0.00005")

_SENSOR = (
    "<Sensor>",
    "    <Resolution>",
    "        <Band_List>",
    *(f"            <fwhm>{text}</fwhm>" for text in _FWHM.split()),
    "        </Band_List>",
    "    </Resolution>",
    "    <Calibration>",
    "        <Band_List>",
    *(
        f'            <wavelength c0="0.0" c1="{c1}">{text}</wavelength>'
        for text, c1 in zip(_WAVELENGTHS.split(), _C1, strict=True)
    ),
    "        </Band_List>",
    "    </Calibration>",
    "</Sensor>",
)

_BY_FORMAT = "the schemas follow from the format of the product"
_NOT_IN_RULES = "the rules of the classification have no such threshold"

UNUSED_ELEMENTS = (
    *_simple(
        "L2A_GIPP",
        "Common_Section",
        "60 m is always made from the bands themselves",
        Downsample_20_to_60="FALSE",
    ),
    *_simple(
        "L2A_GIPP",
        "Common_Section",
        "the reader checks the configuration files itself",
        GIPP_Scheme="L2A_GIPP",
        SC_Scheme="L2A_CAL_SC_GIPP",
        AC_Scheme="L2A_CAL_AC_GIPP",
    ),
    UnusedElement(
        "PSD_Scheme",
        "L2A_GIPP",
        "Common_Section",
        _BY_FORMAT,
        (*_scheme_block("13.1"), *_scheme_block("14.2")),
        repeats=True,
    ),
    # 2.1 and 2.2 have these without a block around them
    *_simple("L2A_GIPP", "Common_Section", _BY_FORMAT, **dict.fromkeys(_DOCUMENT_SCHEMAS)),
    *_simple("L2A_GIPP", "Common_Section", "use --bbox or --aoi", Region_Of_Interest=None),
    *_simple(
        "L2A_GIPP",
        "Atmospheric_Correction/Calibration",
        "no database is written",
        Database_Compression_Level=None,
    ),
    *_simple(
        "L2A_CAL_SC_GIPP",
        "Scene_Classification/References",
        "the classification uses no such map",
        ESACCI_WaterBodies_Map=None,
        ESACCI_LandCover_Map=None,
        ESACCI_SnowCondition_Map_Dir=None,
    ),
    *_simple(
        "L2A_CAL_SC_GIPP",
        "Scene_Classification/Thresholds",
        _NOT_IN_RULES,
        T1_R_B8A_B03="1.5",
        T1_B12="0.25",
        T2_B12="0.12",
        T_SDW="0.75",
        RV_B2="6.96",
        RV_B3="5.26667",
        RV_B4="5.37708",
        RV_B8="7.52",
        RV_B11="5.45",
        RV_B12="2.55",
    ),
    UnusedElement(
        "Sensor",
        "L2A_CAL_AC_GIPP",
        "Atmospheric_Correction",
        "width (fwhm) and centre of the bands in um, and radiance L = c0 + c1 DN in "
        "mW cm-2 sr-1 um-1: the metadata of the product have the radiometry",
        _SENSOR,
    ),
)
