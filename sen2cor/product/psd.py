"""Differences between the product formats (PSD versions) that are read and written, as data.

Source: Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD, issues 13.1, 14.2, 14.5
and 15, and products of the ground segment and of the first Sen2Cor versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sen2cor.bands import REFLECTANCE_BANDS
from sen2cor.errors import ConfigurationError, InputError
from sen2cor.product.file_names import (
    LEVEL1C_COMPACT,
    LEVEL1C_LONG,
    LEVEL2A_14_2,
    LEVEL2A_14_5,
    LEVEL2A_LONG,
    Layout,
)

__all__ = ["LEVEL1C_MASKS", "PSD", "SCENE_CLASSES", "Layout", "Psd", "output_psd"]

SCENE_CLASSES = (
    "NODATA",
    "SATURATED_DEFECTIVE",
    "DARK_FEATURE_SHADOW",
    "CLOUD_SHADOW",
    "VEGETATION",
    "NOT_VEGETATED",
    "WATER",
    "UNCLASSIFIED",
    "CLOUD_MEDIUM_PROBA",
    "CLOUD_HIGH_PROBA",
    "THIN_CIRRUS",
    "SNOW_ICE",
)
"""Texts of the classes 0..11 since format 14.2, without the prefix ``SC_``."""

LEVEL1C_MASKS = (
    "MSK_TECQUA",
    "MSK_DEFECT",
    "MSK_SATURA",
    "MSK_NODATA",
    "MSK_DETFOO",
    "MSK_CLOLOW",
    "MSK_CLOUDS",
    "MSK_LANWAT",
)
"""Types of masks up to format 14."""


@dataclass(frozen=True)
class Psd:
    """One product format.

    Attributes
    ----------
    version : str
        ``"13.1"``, ``"14.2"``, ``"14.5"`` or ``"15"``.
    compact : bool
        One tile per product and short names.
    file_class : str
        Of the identifiers of Level-2A: USER or OPER.
    namespace : str
        Of the user product metadata, as in ``https://<namespace>.sentinel2.eo.esa.int``.
    datastrip_namespace, tile_namespace : str
        The same of the datastrip and tile metadata.
    prefix : str
        Of the Level-2A elements: ``"L2A_"`` or nothing.
    processing_level, product_type : str
        Texts of these elements of Level-2A.
    class_texts : tuple of str
        The 12 texts of the scene classes.
    class_percentages : tuple of str
        Elements of the percentages of the classes 0..11, in this order.
    id_suffix : str
        Of TILE_ID and DATASTRIP_ID in the tile metadata: ``"_2A"`` or nothing.
    granule_element, image_element : str
        Elements of the list of images in the product metadata.
    listed_kinds : tuple of str
        Kinds that are listed there after the bands, in this order.
    transfer_accuracy_element : str
        Name of RADIATIVE_TRANSFER_ACCURACY, which some schemas misspell.
    mask_types : tuple of str
        Types of masks that the tile metadata may list.
    cloud_coverage : bool
        Whether CLOUD_COVERAGE_PERCENTAGE is written.
    boa_offset : int
        BOA_ADD_OFFSET: reflectance = (DN + offset) / quantification; 0 where none is written.
    checksum : str
        Name of the manifest's checksum.
    level1c, level2a : Layout
    reflectance_bands : mapping of resolution to band names
        Bands whose surface reflectance is written.
    true_colour : bool
        Whether a TCI is written at each resolution.
    """

    version: str
    compact: bool
    file_class: str
    namespace: str
    datastrip_namespace: str
    tile_namespace: str
    prefix: str
    processing_level: str
    product_type: str
    level1c: Layout
    level2a: Layout
    class_texts: tuple[str, ...] = SCENE_CLASSES
    class_percentages: tuple[str, ...] = ()
    id_suffix: str = ""
    granule_element: str = "Granule"
    image_element: str = "IMAGE_FILE"
    listed_kinds: tuple[str, ...] = ("TCI", "AOT", "WVP", "SCL")
    transfer_accuracy_element: str = "RADIATIVE_TRANSFER_ACCURACY"
    mask_types: tuple[str, ...] = (*LEVEL1C_MASKS, "MSK_CLDPRB", "MSK_SNWPRB", "MSK_DDVPXL")
    cloud_coverage: bool = False
    boa_offset: int = 0
    checksum: str = "MD5"
    reflectance_bands: Mapping[int, tuple[str, ...]] = field(
        default_factory=lambda: REFLECTANCE_BANDS
    )
    true_colour: bool = True

    def images(self, resolution: int, *, classification_only: bool = False) -> tuple[str, ...]:
        """Return the kinds of images that a complete resolution of a tile holds.

        Parameters
        ----------
        resolution : {60, 20, 10}
            Metres.
        classification_only : bool
            Whether the run produced only the scene classification.
        """
        classification = ("SCL", "CLD", "SNW") if resolution > 10 else ()
        if classification_only:
            return classification
        kinds = (*self.reflectance_bands[resolution], "AOT", "WVP", *classification)
        return (*kinds, "TCI") if self.true_colour else kinds


_PERCENTAGES_13 = (
    "NODATA_PIXEL_PERCENTAGE",
    "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE",
    "DARK_FEATURES_PERCENTAGE",
    "CLOUD_SHADOW_PERCENTAGE",
    "VEGETATION_PERCENTAGE",
    "BARE_SOILS_PERCENTAGE",
    "WATER_PERCENTAGE",
    "LOW_PROBA_CLOUDS_PERCENTAGE",
    "MEDIUM_PROBA_CLOUDS_PERCENTAGE",
    "HIGH_PROBA_CLOUDS_PERCENTAGE",
    "THIN_CIRRUS_PERCENTAGE",
    "SNOW_ICE_PERCENTAGE",
)
_PERCENTAGES_14 = (
    *_PERCENTAGES_13[:5],
    "NOT_VEGETATED_PERCENTAGE",
    "WATER_PERCENTAGE",
    "UNCLASSIFIED_PERCENTAGE",
    *_PERCENTAGES_13[8:],
)

_LISTED_UP_TO_14_2 = ("DEM", "SCL", "SNW", "CLD", "AOT", "WVP", "TCI")

PSD_13_1 = Psd(
    version="13.1",
    compact=False,
    file_class="USER",
    namespace="psd-13",
    datastrip_namespace="psd-12",
    tile_namespace="psd-12",
    prefix="L2A_",
    id_suffix="_2A",
    granule_element="Granules",
    image_element="IMAGE_ID_2A",
    listed_kinds=_LISTED_UP_TO_14_2,
    transfer_accuracy_element="RADIATIVE_TRANSFER_ACCURAY",
    mask_types=LEVEL1C_MASKS,
    processing_level="Level-2Ap",
    product_type="S2MSI2Ap",
    level1c=LEVEL1C_LONG,
    level2a=LEVEL2A_LONG,
    class_texts=(
        *SCENE_CLASSES[:5],
        "BARE_SOIL_DESERT",
        "WATER",
        "CLOUD_LOW_PROBA",
        *SCENE_CLASSES[8:],
    ),
    class_percentages=_PERCENTAGES_13,
    true_colour=False,
)

PSD_14_2 = Psd(
    version="14.2",
    compact=True,
    file_class="USER",
    namespace="psd-14",
    datastrip_namespace="psd-12",
    tile_namespace="psd-12",
    prefix="L2A_",
    id_suffix="_2A",
    granule_element="Granule",
    image_element="IMAGE_FILE_2A",
    listed_kinds=_LISTED_UP_TO_14_2,
    transfer_accuracy_element="RADIATIVE_TRANSFER_ACCURAY",
    mask_types=LEVEL1C_MASKS,
    processing_level="Level-2Ap",
    product_type="S2MSI2Ap",
    level1c=LEVEL1C_COMPACT,
    level2a=LEVEL2A_14_2,
    class_percentages=_PERCENTAGES_14,
    cloud_coverage=True,
)

PSD_14_5 = Psd(
    version="14.5",
    compact=True,
    file_class="OPER",
    namespace="psd-14",
    datastrip_namespace="psd-14",
    tile_namespace="psd-14",
    prefix="",
    processing_level="Level-2A",
    product_type="S2MSI2A",
    level1c=LEVEL1C_COMPACT,
    level2a=LEVEL2A_14_5,
    class_percentages=_PERCENTAGES_14,
)

PSD_15 = Psd(
    version="15",
    compact=True,
    file_class="OPER",
    namespace="psd-15",
    datastrip_namespace="psd-15",
    tile_namespace="psd-15",
    prefix="",
    processing_level="Level-2A",
    product_type="S2MSI2A",
    level1c=LEVEL1C_COMPACT,
    level2a=LEVEL2A_14_5,
    class_texts=(*SCENE_CLASSES[:2], "CAST_SHADOW", *SCENE_CLASSES[3:]),
    class_percentages=(*_PERCENTAGES_14[:2], "CAST_SHADOW_PERCENTAGE", *_PERCENTAGES_14[3:]),
    mask_types=(
        *LEVEL1C_MASKS,
        "MSK_QUALIT",
        "MSK_CLASSI",
        "MSK_CLDPRB",
        "MSK_SNWPRB",
        "MSK_DDVPXL",
    ),
    boa_offset=-1000,
    checksum="SHA3-256",
    reflectance_bands={**REFLECTANCE_BANDS, 20: ("B01", *REFLECTANCE_BANDS[20])},
)

PSD: Mapping[str, Psd] = {psd.version: psd for psd in (PSD_13_1, PSD_14_2, PSD_14_5, PSD_15)}
"""The formats by version."""


def output_psd(level1c_psd: str, forced: str | None = None) -> Psd:
    """Return the format in which the Level-2A product of a Level-1C product is written.

    ========  =======  =============
    Level-1C  default  can be forced
    ========  =======  =============
    13.1      13.1     13.1
    14.2      14.2     14.5, 15
    14.5      14.5     14.2, 15
    15        15       14.2, 14.5
    ========  =======  =============

    Raises
    ------
    ConfigurationError
        If the forced format is unknown, or one of the formats has long names and the other has
        compact names.
    InputError
        If the format of the input is unknown.
    """
    if level1c_psd not in PSD:
        raise InputError(f"product format {level1c_psd} is not known; known are {', '.join(PSD)}")
    inherited = PSD[level1c_psd]
    if forced is None:
        return inherited
    if forced not in PSD:
        raise ConfigurationError(
            f"product format {forced!r} is not known; choose one of {', '.join(PSD)}"
        )
    if PSD[forced].compact != inherited.compact:
        raise ConfigurationError(
            f"a product of format {level1c_psd} cannot be written in format {forced}: "
            "13.1 has several tiles and long names, the later formats one tile and compact names"
        )
    return PSD[forced]
