"""Tile metadata of Level-2A from those of Level-1C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sen2cor.product.level2a.content import Accuracy, QualityPercentages, TileRetrieval
from sen2cor.product.level2a.document_editing import add, arrange, namespace, rebuild, section
from sen2cor.product.level2a.shared_elements import add_image_content
from sen2cor.product.naming import to_level2a
from sen2cor.product.psd import Psd
from sen2cor.xml_document import Element

_DOCUMENT = "S2_PDI_Level-2A_Tile_Metadata.xsd"


@dataclass(frozen=True)
class TileState:
    """What there is of a tile on disk.

    Attributes
    ----------
    folder : str
        Path of the tile folder inside the product.
    images : mapping of (kind, resolution) to str
        Paths of images inside the tile folder; resolution in metres, None for the preview.
    """

    folder: str
    images: Mapping[tuple[str, int | None], str]

    def finest(self, kind: str) -> str | None:
        """Return the path of the finest image of a kind."""
        found = sorted(
            (resolution or 0, path)
            for (name, resolution), path in self.images.items()
            if name == kind
        )
        return found[0][1] if found else None


def build_tile_metadata(
    level1c: Element,
    psd: Psd,
    *,
    state: TileState,
    quality: QualityPercentages,
    accuracy: Accuracy,
    retrieval: TileRetrieval,
) -> Element:
    """Make the tile metadata of Level-2A.

    Parameters
    ----------
    level1c : Element
        Root of the Level-1C tile metadata; it is used up.
    psd : Psd
        Format to write.
    state : TileState
    quality : QualityPercentages
    accuracy : Accuracy
    retrieval : TileRetrieval
    """
    root = rebuild(
        level1c,
        "Level-2A_Tile_ID",
        namespace(psd.tile_namespace, _DOCUMENT),
        ("General_Info", "Geometric_Info", "Quality_Indicators_Info"),
        depth=2,
    )
    _general_info(section(root, "General_Info"), psd)
    indicators = section(root, "Quality_Indicators_Info")
    indicators.set("metadataLevel", "Standard")
    if psd.prefix:
        _separate_indicators(indicators, psd, state, quality, accuracy)
    else:
        _joint_indicators(indicators, psd, state, quality, accuracy, retrieval)
    return root


def _general_info(general: Element, psd: Psd) -> None:
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


def _separate_indicators(
    indicators: Element,
    psd: Psd,
    state: TileState,
    quality: QualityPercentages,
    accuracy: Accuracy,
) -> None:
    """Indicators of both levels side by side, up to format 14.2."""
    content = _inherited(indicators, "Image_Content_QI", "L1C_Image_Content_QI")
    arrange(content, ("CLOUDY_PIXEL_PERCENTAGE", "DEGRADED_MSI_DATA_PERCENTAGE"))
    masks = _inherited(indicators, "Pixel_Level_QI", "L1C_Pixel_Level_QI")
    _inherit_masks(masks, psd, state)
    add_image_content(add(indicators, "L2A_Image_Content_QI"), psd, quality, accuracy, None)
    own = add(indicators, "L2A_Pixel_Level_QI")
    add(own, "CLOUD_CONFIDENCE_MASK", _stem(state.finest("CLD")))
    add(own, "SNOW_ICE_CONFIDENCE_MASK", _stem(state.finest("SNW")))
    _preview(indicators, _stem(state.finest("PVI")))
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


def _joint_indicators(
    indicators: Element,
    psd: Psd,
    state: TileState,
    quality: QualityPercentages,
    accuracy: Accuracy,
    retrieval: TileRetrieval,
) -> None:
    """Indicators of Level-2A alone, from format 14.5 on."""
    content = _inherited(indicators, "Image_Content_QI", "Image_Content_QI")
    arrange(content, ("CLOUDY_PIXEL_PERCENTAGE", "DEGRADED_MSI_DATA_PERCENTAGE"))
    for cloudy in content.iterfind("CLOUDY_PIXEL_PERCENTAGE"):
        cloudy.text = f"{quality.cloud_coverage:.6f}"
    add_image_content(content, psd, quality, accuracy, retrieval if psd.boa_offset else None)
    masks = _inherited(indicators, "Pixel_Level_QI", "Pixel_Level_QI")
    _inherit_masks(masks, psd, state)
    for resolution in (20, 60):
        for kind, name in (("CLD", "MSK_CLDPRB"), ("SNW", "MSK_SNWPRB"), ("DDV", "MSK_DDVPXL")):
            path = state.images.get((kind, resolution))
            if path is not None:
                add(masks, "MASK_FILENAME", f"{state.folder}/{path}", type=name)
    preview = state.finest("PVI")
    _preview(indicators, f"{state.folder}/{preview}" if preview else "")
    arrange(indicators, ("Image_Content_QI", "Pixel_Level_QI", "PVI_FILENAME"))


def _inherited(indicators: Element, old: str, new: str) -> Element:
    found = indicators.find(old)
    if found is None:
        found = add(indicators, new)
    found.tag = new
    return found


def _inherit_masks(masks: Element, psd: Psd, state: TileState) -> None:
    """Let the masks of Level-1C point to their copies, which keep their names."""
    if masks.get("geometry") is None:
        masks.set("geometry", "FULL_RESOLUTION")
    for mask in masks.findall("MASK_FILENAME"):
        if mask.get("type") not in psd.mask_types:
            masks.remove(mask)
        elif "/" in (mask.text or ""):
            mask.text = f"{state.folder}/QI_DATA/{mask.text.rsplit('/', 1)[1]}"


def _preview(indicators: Element, name: str) -> None:
    for old in indicators.findall("PVI_FILENAME"):
        indicators.remove(old)
    add(indicators, "PVI_FILENAME", name)


def _stem(path: str | None) -> str:
    """File name without ending, empty for an image that does not exist."""
    return path.rsplit("/", 1)[-1].rpartition(".")[0] if path else ""
