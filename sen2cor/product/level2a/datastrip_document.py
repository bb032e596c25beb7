"""Level-2A datastrip metadata, built from those of Level-1C."""

from __future__ import annotations

from collections.abc import Iterable

from sen2cor.product.level2a.content import Provenance
from sen2cor.product.level2a.shared_elements import (
    JOINT_DATASTRIP_AUXILIARY,
    add_joint_auxiliary,
    add_quantification_values,
    write_ground_reference,
)
from sen2cor.product.level2a.xml_editing import (
    add,
    arrange,
    namespace,
    rebuild,
    section,
)
from sen2cor.product.name_templates import TILE_ID
from sen2cor.product.psd import Psd
from sen2cor.xml_document import Element

_DOCUMENT = "S2_PDI_Level-2A_Datastrip_Metadata.xsd"
_SECTIONS = (
    "General_Info",
    "Image_Data_Info",
    "Satellite_Ancillary_Data_Info",
    "Quality_Indicators_Info",
    "Auxiliary_Data_Info",
)

_SEPARATE_AUXILIARY = (
    "IERS_Bulletin",
    "GIPP_List",
    "ECMWF_DATA_REF",
    "PRODUCTION_DEM_TYPE",
    "IERS_BULLETIN_FILENAME",
    "GRI_FILENAME",
)


def build_datastrip_metadata(
    level1c: Element,
    psd: Psd,
    *,
    tile_ids: Iterable[str],
    quantification: float,
    provenance: Provenance,
) -> Element:
    """Build the Level-2A datastrip metadata.

    Parameters
    ----------
    level1c : Element
        Root of the Level-1C datastrip metadata; it is modified.
    psd : Psd
        Format to write.
    tile_ids : iterable of str
        Level-2A identifiers of the product's tiles in this datastrip; each is listed once,
        consolidated tiles are left out.
    quantification : float
        Digital numbers per reflectance of 1.
    provenance : Provenance
    """
    root = rebuild(
        level1c,
        "Level-2A_DataStrip_ID",
        namespace(psd.datastrip_namespace, _DOCUMENT),
        _SECTIONS,
        depth=2,
    )
    image = section(root, "Image_Data_Info")
    tiles = next(iter(image.iter("Tile_List")), None)
    if tiles is None:
        information = add(image, "Tiles_Information", metadataLevel="Standard")
        tiles = add(information, "Tile_List")
        image.insert(0, information)
    tiles[:] = []
    for tile_id in dict.fromkeys(tile_ids):
        parsed = TILE_ID.match(tile_id)
        if parsed is None or parsed["unit"] != "CO":
            add(tiles, "Tile", tileId=tile_id)
    auxiliary = section(root, "Auxiliary_Data_Info")
    write_ground_reference(auxiliary, as_list=not psd.prefix)
    if psd.prefix:
        arrange(auxiliary, _SEPARATE_AUXILIARY)
    else:
        add_joint_auxiliary(auxiliary, provenance, JOINT_DATASTRIP_AUXILIARY)
        _replace_quantification(image, psd, quantification)
    return root


def _replace_quantification(image: Element, psd: Psd, quantification: float) -> None:
    """Replace the quantification of Level-1C by those of Level-2A, from format 14.5 on."""
    for radiometry in image.iterfind("Radiometric_Info"):
        add_quantification_values(radiometry, psd, quantification)
        for old in (
            *radiometry.findall("QUANTIFICATION_VALUE"),
            *radiometry.findall("Radiometric_Offset_List"),
        ):
            radiometry.remove(old)
        for conversion in radiometry.findall("Reflectance_Conversion"):
            radiometry.append(conversion)
