"""Level-2A product metadata, built from those of Level-1C."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from sen2cor.bands import BANDS, RESOLUTIONS
from sen2cor.product.level2a.content import Provenance, QualityPercentages, TileContent
from sen2cor.product.level2a.origin import GIPP_TYPES
from sen2cor.product.level2a.shared_elements import (
    JOINT_AUXILIARY,
    add_image_content,
    add_joint_auxiliary,
    add_quantification_values,
    write_ground_reference,
)
from sen2cor.product.level2a.xml_editing import (
    add,
    arrange,
    find_text,
    namespace,
    rebuild,
    section,
)
from sen2cor.product.psd import Psd
from sen2cor.xml_document import Element

_DOCUMENT = "User_Product_Level-2A.xsd"
_QUALITY_CHECKS = (
    "SENSOR_QUALITY",
    "GEOMETRIC_QUALITY",
    "GENERAL_QUALITY",
    "FORMAT_CORRECTNESS",
    "RADIOMETRIC_QUALITY",
)


_PREFIX_UNKNOWN_TO_GDAL = "s2"
"""Prefix of the namespace in products without JPEG 2000.

The SENTINEL2 driver of GDAL knows the metadata by the prefix ``n1``. It would add ``.jp2`` to the
names of the images, not find them, and show zeros; with another prefix it refuses the metadata.
"""


def build_product_metadata(
    level1c: Element,
    psd: Psd,
    *,
    level1c_name: str,
    name: str,
    quantification: float,
    tiles: Sequence[TileContent],
    provenance: Provenance,
) -> Element:
    """Build the product metadata.

    Parameters
    ----------
    level1c : Element
        Root of the Level-1C product metadata; it is modified.
    psd : Psd
        Format to write.
    level1c_name, name : str
        Names of the products.
    quantification : float
        Digital numbers per reflectance of 1, the same as in Level-1C.
    tiles : sequence of TileContent
    provenance : Provenance
    """
    names = ["General_Info", "Geometric_Info", "Auxiliary_Data_Info", "Quality_Indicators_Info"]
    if psd.prefix:
        names.insert(3, "L2A_Auxiliary_Data_Info")
        names.append("L2A_Quality_Indicators_Info")
    root = rebuild(
        level1c,
        "Level-2A_User_Product",
        namespace(psd.namespace, _DOCUMENT),
        names,
        depth=0,
        prefix="n1" if all(map(_is_jpeg2000, tiles)) else _PREFIX_UNKNOWN_TO_GDAL,
    )
    general = section(root, "General_Info")
    _write_product_info(general, psd, level1c_name, name, tiles)
    _write_image_characteristics(general, psd, quantification)
    arrange(general, (f"{psd.prefix}Product_Info", f"{psd.prefix}Product_Image_Characteristics"))
    quality = QualityPercentages.combine(tile.quality for tile in tiles)
    auxiliary = section(root, "Auxiliary_Data_Info")
    indicators = section(root, "Quality_Indicators_Info")
    write_ground_reference(auxiliary, as_list=not psd.prefix)
    _write_quality_checks(indicators, as_list=not psd.prefix)
    _arrange_assessment(indicators)
    if psd.prefix:
        _write_separate_auxiliary(
            auxiliary, section(root, "L2A_Auxiliary_Data_Info"), tiles, provenance
        )
        parent = section(root, "L2A_Quality_Indicators_Info")
        add_image_content(add(parent, "Image_Content_QI"), psd, quality, provenance.accuracy, None)
    else:
        add_joint_auxiliary(auxiliary, provenance, JOINT_AUXILIARY)
        _list_gipp(auxiliary.find("GIPP_List"), GIPP_TYPES[1], tiles, provenance)
        for coverage in indicators.iterfind("Cloud_Coverage_Assessment"):
            coverage.text = f"{quality.cloud_coverage:.6f}"
        add_image_content(
            add(indicators, "Image_Content_QI"),
            psd,
            quality,
            provenance.accuracy,
            tiles[0].retrieval if psd.boa_offset and len(tiles) == 1 else None,
        )
    return root


def _write_product_info(
    general: Element, psd: Psd, level1c_name: str, name: str, tiles: Sequence[TileContent]
) -> None:
    info = _rename_element(general, "Product_Info", f"{psd.prefix}Product_Info")
    original = find_text(info, "PRODUCT_URI")
    for old in (*info.findall("PRODUCT_URI"), *info.findall("Product_Organisation")):
        info.remove(old)
    if psd.cloud_coverage:
        add(info, "PRODUCT_URI_1C", original or level1c_name)
        add(info, "PRODUCT_URI_2A", name)
    else:
        add(info, "PRODUCT_URI", name)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for tag, text in (
        ("PROCESSING_LEVEL", psd.processing_level),
        ("PRODUCT_TYPE", psd.product_type),
        ("GENERATION_TIME", now),
    ):
        for old in info.findall(tag):
            info.remove(old)
        add(info, tag, text)
    for tag in ("PREVIEW_IMAGE_URL", "PREVIEW_GEO_INFO"):
        if info.find(tag) is None:
            add(info, tag, "Not applicable")
    organisation = add(info, f"{psd.prefix}Product_Organisation")
    for tile in tiles:
        _add_granule_lists(organisation, psd, tile)
    arrange(
        info,
        (
            "PRODUCT_START_TIME",
            "PRODUCT_STOP_TIME",
            "PRODUCT_URI",
            "PRODUCT_URI_1C",
            "PRODUCT_URI_2A",
            "PROCESSING_LEVEL",
            "PRODUCT_TYPE",
            "PROCESSING_BASELINE",
            "GENERATION_TIME",
            "PREVIEW_IMAGE_URL",
            "PREVIEW_GEO_INFO",
            "Datatake",
            "Query_Options",
            f"{psd.prefix}Product_Organisation",
        ),
    )


def _add_granule_lists(organisation: Element, psd: Psd, tile: TileContent) -> None:
    """List images: up to format 14.2 a list per resolution, later one of the IMG_DATA folder."""
    bands = tuple(band.name for band in BANDS)
    identifiers = {
        "datastripIdentifier": tile.datastrip_id,
        "granuleIdentifier": tile.tile_id,
        # the schemas allow only one other format
        "imageFormat": "JPEG2000" if _is_jpeg2000(tile) else "BINARY",
    }
    granule: Element = None
    for resolution in RESOLUTIONS if psd.prefix else sorted(RESOLUTIONS):
        paths = [
            f"{tile.folder}/{tile.images[kind, resolution]}"
            for kind in (*bands, *psd.listed_kinds)
            if (kind, resolution) in tile.images
        ]
        if not paths:
            continue
        if granule is None or psd.prefix:
            parent = add(organisation, "Granule_List")
            granule = add(parent, psd.granule_element, **identifiers)
        for path in paths:
            shown = path if psd.compact else path.rsplit("/", 1)[1]
            add(granule, psd.image_element, shown.rpartition(".")[0])
    if granule is None:
        add(add(organisation, "Granule_List"), psd.granule_element, **identifiers)


def _is_jpeg2000(tile: TileContent) -> bool:
    return all(path.endswith(".jp2") for path in tile.images.values())


def _write_image_characteristics(general: Element, psd: Psd, quantification: float) -> None:
    prefix = psd.prefix
    images = _rename_element(
        general, "Product_Image_Characteristics", f"{prefix}Product_Image_Characteristics"
    )
    add_quantification_values(images, psd, quantification)
    classes = add(images, f"{prefix}Scene_Classification_List")
    upper = prefix.upper()
    for code, text in enumerate(psd.class_texts):
        entry = add(classes, f"{prefix}Scene_Classification_ID")
        add(entry, f"{upper}SCENE_CLASSIFICATION_TEXT", f"SC_{text}")
        add(entry, f"{upper}SCENE_CLASSIFICATION_INDEX", str(code))
    arrange(
        images,
        (
            "Special_Values",
            "Image_Display_Order",
            "L1C_L2A_Quantification_Values_List",
            "QUANTIFICATION_VALUES_LIST",
            "BOA_ADD_OFFSET_VALUES_LIST",
            "Reflectance_Conversion",
            "Spectral_Information_List",
            "PHYSICAL_GAINS",
            "REFERENCE_BAND",
            classes.tag,
        ),
    )


def _write_separate_auxiliary(
    inherited: Element, own: Element, tiles: Sequence[TileContent], provenance: Provenance
) -> None:
    arrange(
        inherited,
        (
            "GIPP_List",
            "PRODUCTION_DEM_TYPE",
            "IERS_BULLETIN_FILENAME",
            "GRI_FILENAME",
            "ECMWF_DATA_REF",
        ),
    )
    data = add(own, "Aux_Data")
    _list_gipp(add(data, "L2A_GIPP_List"), GIPP_TYPES[0], tiles, provenance)
    add(data, "L2A_PRODUCTION_DEM_TYPE", provenance.dem_type)
    add(data, "L2A_LIBRADTRAN_LUTS", " ".join(provenance.look_up_tables))
    add(data, "L2A_SNOW_CLIMATOLOGY", provenance.snow_climatology)


def _list_gipp(
    parent: Element, gipp_type: str, tiles: Sequence[TileContent], provenance: Provenance
) -> None:
    for tile in tiles:
        if tile.gipp is not None:
            name = tile.gipp.rsplit("/", 1)[1].removesuffix(".xml")
            add(parent, "GIPP_FILENAME", name, type=gipp_type, version=provenance.version)


def _write_quality_checks(indicators: Element, *, as_list: bool) -> None:
    """Write the quality checks as quality_check (14.5 on) or as one element each."""
    for inspections in indicators.iter("Quality_Inspections"):
        results = {
            check.get("checkType"): check.text for check in inspections.iterfind("quality_check")
        }
        for name in _QUALITY_CHECKS:
            for flag in inspections.iterfind(f"{name}_FLAG"):
                results[name] = flag.text
        inspections[:] = []
        if as_list:
            for name in sorted(results):
                add(inspections, "quality_check", results[name], checkType=name)
        else:
            for name in _QUALITY_CHECKS:
                if name in results:
                    add(inspections, f"{name}_FLAG", results[name])


def _arrange_assessment(indicators: Element) -> None:
    arrange(
        indicators,
        ("Cloud_Coverage_Assessment", "Technical_Quality_Assessment", "Quality_Control_Checks"),
    )


def _rename_element(parent: Element, old: str, new: str) -> Element:
    found = parent.find(old)
    if found is None:
        found = add(parent, new)
    found.tag = new
    return found
