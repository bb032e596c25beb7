"""Elements that several Level-2A documents share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sen2cor.bands import BANDS
from sen2cor.product.level2a.content import Accuracy, Provenance, QualityPercentages, TileRetrieval
from sen2cor.product.level2a.xml_editing import add, arrange, find_text
from sen2cor.product.psd import Psd
from sen2cor.xml_document import Element

AOT_QUANTIFICATION = 1000.0
"""Digital numbers per aerosol optical thickness of 1."""

WATER_VAPOUR_QUANTIFICATION = 1000.0
"""Digital numbers per cm of water vapour."""

_MAPS = ("ESACCI_WaterBodies_Map", "ESACCI_LandCover_Map", "ESACCI_SnowCondition_Map_Dir")

JOINT_AUXILIARY = (
    "GIPP_List",
    "PRODUCTION_DEM_TYPE",
    "IERS_BULLETIN_FILENAME",
    "GRI_List",
    "ECMWF_DATA_REF",
    "LUT_List",
    "SNOW_CLIMATOLOGY_MAP",
    *_MAPS,
)
"""Order of Auxiliary_Data_Info in the product metadata from format 14.5 on."""

JOINT_DATASTRIP_AUXILIARY = (
    "IERS_Bulletin",
    "GIPP_List",
    "ECMWF_DATA_REF",
    "PRODUCTION_DEM_TYPE",
    "IERS_BULLETIN_FILENAME",
    "GRI_List",
    "LUT_List",
    "SNOW_CLIMATOLOGY_MAP",
    *_MAPS,
)
"""The same in the datastrip metadata."""


def add_quantification_values(parent: Element, psd: Psd, quantification: float) -> None:
    """Append quantification values of the images, and from format 15 on the BOA offsets.

    Parameters
    ----------
    parent : Element
        Contains the QUANTIFICATION_VALUE of Level-1C, which the caller removes.
    psd : Psd
    quantification : float
        Digital numbers per surface reflectance of 1.
    """
    prefix = psd.prefix
    if prefix:
        values = add(parent, "L1C_L2A_Quantification_Values_List")
        top = find_text(parent, "QUANTIFICATION_VALUE", f"{quantification:g}")
        add(values, "L1C_TOA_QUANTIFICATION_VALUE", top, unit="none")
    else:
        values = add(parent, "QUANTIFICATION_VALUES_LIST")
    add(values, f"{prefix}BOA_QUANTIFICATION_VALUE", f"{quantification:g}", unit="none")
    add(values, f"{prefix}AOT_QUANTIFICATION_VALUE", f"{AOT_QUANTIFICATION}", unit="none")
    add(values, f"{prefix}WVP_QUANTIFICATION_VALUE", f"{WATER_VAPOUR_QUANTIFICATION}", unit="cm")
    if psd.boa_offset:
        offsets = add(parent, "BOA_ADD_OFFSET_VALUES_LIST")
        for band in BANDS:
            add(offsets, "BOA_ADD_OFFSET", str(psd.boa_offset), band_id=str(band.index))


def add_joint_auxiliary(auxiliary: Element, provenance: Provenance, order: Sequence[str]) -> None:
    """Add the auxiliary data of Level-2A to those of Level-1C, from format 14.5 on."""
    if auxiliary.find("GIPP_List") is None:
        add(auxiliary, "GIPP_List")
    for old in auxiliary.findall("PRODUCTION_DEM_TYPE"):
        auxiliary.remove(old)
    add(auxiliary, "PRODUCTION_DEM_TYPE", provenance.dem_type)
    tables = add(auxiliary, "LUT_List")
    for table in provenance.look_up_tables or ("None",):
        add(tables, "LUT_FILENAME", table)
    add(auxiliary, "SNOW_CLIMATOLOGY_MAP", provenance.snow_climatology)
    for name in _MAPS:
        add(auxiliary, name, "None")
    arrange(auxiliary, order)


def write_ground_reference(auxiliary: Element, *, as_list: bool) -> None:
    """Write the ground reference images as GRI_List (format 14.5 on) or as one GRI_FILENAME."""
    names = [found.text or "" for found in auxiliary.iter("GRI_FILENAME")]
    for old in [*auxiliary.iterfind("GRI_FILENAME"), *auxiliary.iterfind("GRI_List")]:
        auxiliary.remove(old)
    if as_list:
        parent = add(auxiliary, "GRI_List")
        for name in names:
            if name:
                add(parent, "GRI_FILENAME", name)
    else:
        add(auxiliary, "GRI_FILENAME", names[0] if names else "NONE")


def add_image_content(
    parent: Element,
    psd: Psd,
    quality: QualityPercentages,
    accuracy: Accuracy,
    retrieval: TileRetrieval | None,
) -> None:
    """Append class percentages and accuracies, in the order of the schema.

    Parameters
    ----------
    parent : Element
        Image_Content_QI or L2A_Image_Content_QI.
    psd : Psd
    quality : QualityPercentages
    accuracy : Accuracy
    retrieval : TileRetrieval or None
        Written from format 15 on.
    """
    for code, (name, percentage) in enumerate(
        zip(psd.class_percentages, quality.percentages, strict=True)
    ):
        if code == len(psd.class_percentages) - 1 and psd.cloud_coverage:
            add(parent, "CLOUD_COVERAGE_PERCENTAGE", quality.cloud_coverage)
        add(parent, name, percentage)
    add(parent, psd.transfer_accuracy_element, accuracy.radiative_transfer)
    add(parent, "WATER_VAPOUR_RETRIEVAL_ACCURACY", accuracy.water_vapour)
    add(parent, "AOT_RETRIEVAL_ACCURACY", accuracy.aot)
    if retrieval is not None:
        for name, value in list_retrieval_elements(retrieval).items():
            if value is not None:
                add(parent, name, value)


def list_retrieval_elements(retrieval: TileRetrieval) -> Mapping[str, str | float | None]:
    """Return the elements of format 15 about the atmosphere of a tile."""
    return {
        "AOT_RETRIEVAL_METHOD": retrieval.aot_method,
        "GRANULE_MEAN_AOT": retrieval.mean_aot,
        "GRANULE_MEAN_WV": retrieval.mean_water_vapour,
        "OZONE_SOURCE": retrieval.ozone_source,
        "OZONE_VALUE": retrieval.ozone,
    }


def read_retrieval(document: Element) -> TileRetrieval:
    """Read what `add_image_content` wrote about the atmosphere of a tile."""

    def number(name: str) -> float | None:
        text = find_text(document, f".//{name}")
        return float(text) if text else None

    return TileRetrieval(
        mean_aot=number("GRANULE_MEAN_AOT"),
        mean_water_vapour=number("GRANULE_MEAN_WV"),
        aot_method=find_text(document, ".//AOT_RETRIEVAL_METHOD") or None,
        ozone=number("OZONE_VALUE"),
        ozone_source=find_text(document, ".//OZONE_SOURCE") or None,
    )
