"""Level-2A tile metadata, built from those of Level-1C."""

from __future__ import annotations

from sen2cor.product.level2a.content import Accuracy, TileContent
from sen2cor.product.level2a.files import rename_mask
from sen2cor.product.level2a.shared_elements import add_image_content
from sen2cor.product.level2a.xml_editing import add, arrange, namespace, rebuild, section
from sen2cor.product.name_templates import to_level2a
from sen2cor.product.psd import Psd
from sen2cor.xml_document import Element

_DOCUMENT = "S2_PDI_Level-2A_Tile_Metadata.xsd"


def build_tile_metadata(
    level1c: Element,
    psd: Psd,
    *,
    content: TileContent,
    accuracy: Accuracy,
) -> Element:
    """Build the Level-2A tile metadata.

    Parameters
    ----------
    level1c : Element
        Root of the Level-1C tile metadata; it is modified.
    psd : Psd
        Format to write.
    content : TileContent
    accuracy : Accuracy
    """
    root = rebuild(
        level1c,
        "Level-2A_Tile_ID",
        namespace(psd.tile_namespace, _DOCUMENT),
        ("General_Info", "Geometric_Info", "Quality_Indicators_Info"),
        depth=2,
    )
    _write_general_info(section(root, "General_Info"), psd)
    indicators = section(root, "Quality_Indicators_Info")
    indicators.set("metadataLevel", "Standard")
    if psd.prefix:
        _write_separate_indicators(indicators, psd, content, accuracy)
    else:
        _write_joint_indicators(indicators, psd, content, accuracy)
    return root


def _write_general_info(general: Element, psd: Psd) -> None:
    for name in ("TILE_ID", "DATASTRIP_ID"):
        for identifier in general.findall(name):
            if name == "TILE_ID" and not psd.prefix:
                add(general, "L1C_TILE_ID", identifier.text, metadataLevel="Brief")
            identifier.text = to_level2a(identifier.text or "", psd.file_class)
            identifier.tag = name + psd.id_suffix
    arrange(
        general,
        (
            "L1C_TILE_ID",
            f"TILE_ID{psd.id_suffix}",
            f"DATASTRIP_ID{psd.id_suffix}",
            "DOWNLINK_PRIORITY",
            "SENSING_TIME",
            "Archiving_Info",
        ),
    )


def _write_separate_indicators(
    indicators: Element,
    psd: Psd,
    tile: TileContent,
    accuracy: Accuracy,
) -> None:
    """Write the indicators of both levels side by side, up to format 14.2."""
    content = _inherit_element(indicators, "Image_Content_QI", "L1C_Image_Content_QI")
    arrange(content, ("CLOUDY_PIXEL_PERCENTAGE", "DEGRADED_MSI_DATA_PERCENTAGE"))
    masks = _inherit_element(indicators, "Pixel_Level_QI", "L1C_Pixel_Level_QI")
    _inherit_masks(masks, psd, tile)
    add_image_content(add(indicators, "L2A_Image_Content_QI"), psd, tile.quality, accuracy, None)
    own = add(indicators, "L2A_Pixel_Level_QI")
    add(own, "CLOUD_CONFIDENCE_MASK", _strip_ending(tile.find_finest("CLD")))
    add(own, "SNOW_ICE_CONFIDENCE_MASK", _strip_ending(tile.find_finest("SNW")))
    _write_preview(indicators, _strip_ending(tile.find_finest("PVI")))
    arrange(
        indicators,
        (
            "L1C_Image_Content_QI",
            "L2A_Image_Content_QI",
            "L1C_Pixel_Level_QI",
            "L2A_Pixel_Level_QI",
            "PVI_FILENAME",
        ),
    )


def _write_joint_indicators(
    indicators: Element,
    psd: Psd,
    tile: TileContent,
    accuracy: Accuracy,
) -> None:
    """Write the indicators of Level-2A alone, from format 14.5 on."""
    content = _inherit_element(indicators, "Image_Content_QI", "Image_Content_QI")
    arrange(content, ("CLOUDY_PIXEL_PERCENTAGE", "DEGRADED_MSI_DATA_PERCENTAGE"))
    for cloudy in content.iterfind("CLOUDY_PIXEL_PERCENTAGE"):
        cloudy.text = f"{tile.quality.cloud_coverage:.6f}"
    retrieval = tile.retrieval if psd.boa_offset else None
    add_image_content(content, psd, tile.quality, accuracy, retrieval)
    masks = _inherit_element(indicators, "Pixel_Level_QI", "Pixel_Level_QI")
    _inherit_masks(masks, psd, tile)
    for resolution in (20, 60):
        for kind, name in (("CLD", "MSK_CLDPRB"), ("SNW", "MSK_SNWPRB"), ("DDV", "MSK_DDVPXL")):
            path = tile.images.get((kind, resolution))
            if path is not None:
                add(masks, "MASK_FILENAME", f"{tile.folder}/{path}", type=name)
    preview = tile.find_finest("PVI")
    if preview is not None and preview.endswith(".jp2"):
        _write_preview(indicators, f"{tile.folder}/{preview}")
    else:
        _write_preview(indicators, _strip_ending(preview))  # schemas know paths of JPEG 2000 only
    arrange(indicators, ("Image_Content_QI", "Pixel_Level_QI", "PVI_FILENAME"))


def _inherit_element(indicators: Element, old: str, new: str) -> Element:
    found = indicators.find(old)
    if found is None:
        found = add(indicators, new)
    found.tag = new
    return found


def _inherit_masks(masks: Element, psd: Psd, tile: TileContent) -> None:
    """Point the masks of Level-1C to their copies."""
    if masks.get("geometry") is None:
        masks.set("geometry", "FULL_RESOLUTION")
    for mask in masks.findall("MASK_FILENAME"):
        if mask.get("type") not in psd.mask_types:
            masks.remove(mask)
        elif "/" in (mask.text or ""):
            name = rename_mask(mask.text.rsplit("/", 1)[1], tile.ending)
            mask.text = f"{tile.folder}/QI_DATA/{name}"


def _write_preview(indicators: Element, name: str) -> None:
    for old in indicators.findall("PVI_FILENAME"):
        indicators.remove(old)
    add(indicators, "PVI_FILENAME", name)


def _strip_ending(path: str | None) -> str:
    """Return a file name without its ending; empty for an image that does not exist."""
    return path.rsplit("/", 1)[-1].rpartition(".")[0] if path else ""
