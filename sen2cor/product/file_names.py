"""Paths and names of the files of a product, for both levels.

Source: Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD, issues 13.1 to 15.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sen2cor.bands import BAND_NAMES
from sen2cor.product.name_templates import NameTemplate, compact_product, long_product
from sen2cor.raster.pixel_angles import ANGLE_KINDS


@dataclass(frozen=True)
class Layout:
    """Paths and names of the files of a product of one level.

    Attributes
    ----------
    product, product_metadata : NameTemplate
    datastrip_folder, datastrip_metadata : NameTemplate
        Below DATASTRIP, and the file inside that folder.
    tile_folder, tile_metadata : NameTemplate
        Below GRANULE, and the file inside that folder.
    images : mapping of image kind to NameTemplate
        Paths inside the tile folder; ``""`` stands for the kinds not listed, the bands; ``QUA`` is
        the quality mask, ``UNC_B02`` and ``UNC_AOT`` uncertainties, ``SZA`` to ``VAA_B12``
        angles: beyond the specification.
        The preview is JPEG 2000 in every product, as the schemas want it.
    gipp : NameTemplate or None
        Path of the copy of the processing parameters inside the tile folder (Level-2A).
    """

    product: NameTemplate
    product_metadata: NameTemplate
    datastrip_folder: NameTemplate
    datastrip_metadata: NameTemplate
    tile_folder: NameTemplate
    tile_metadata: NameTemplate
    images: Mapping[str, NameTemplate]
    gipp: NameTemplate | None = None

    def image(self, kind: str, fields: Mapping[str, str]) -> str:
        """Return the path of an image inside its tile folder.

        Raises
        ------
        ValueError
            If a field is missing.
        """
        template = self.images.get(kind, self.images[""])
        return template.build({**fields, "kind": kind, "band": kind})


_OWNER = {"1C": "{spacecraft}_OPER", "2A": "{spacecraft}_USER"}
_LONG_TILE = "{unit}_{centre}_{created}_A{absolute_orbit}_T{mgrs}"
_LONG_DATASTRIP = "DS_{datastrip_centre}_{datastrip_created}_S{datastrip_start}"


def _long_image(level: str, folder: str, content: str, ending: str) -> NameTemplate:
    return NameTemplate(f"{folder}/{_OWNER[level]}_{content}_L{level}_{_LONG_TILE}{ending}")


def _long_layout(
    level: str, images: Mapping[str, NameTemplate], gipp: NameTemplate | None = None
) -> Layout:
    owner = _OWNER[level]
    return Layout(
        product=long_product(level),
        product_metadata=NameTemplate(
            f"{owner}_MTD_SAFL{level}_{{centre}}_{{created}}_R{{relative_orbit}}"
            "_V{start}_{stop}.xml"
        ),
        datastrip_folder=NameTemplate(f"{owner}_MSI_L{level}_{_LONG_DATASTRIP}_N{{baseline}}"),
        datastrip_metadata=NameTemplate(f"{owner}_MTD_L{level}_{_LONG_DATASTRIP}.xml"),
        tile_folder=NameTemplate(f"{owner}_MSI_L{level}_{_LONG_TILE}_N{{baseline}}"),
        tile_metadata=NameTemplate(f"{owner}_MTD_L{level}_{_LONG_TILE}.xml"),
        images=images,
        gipp=gipp,
    )


def _compact_layout(
    level: str, images: Mapping[str, NameTemplate], gipp: NameTemplate | None = None
) -> Layout:
    return Layout(
        product=compact_product(level),
        product_metadata=NameTemplate(f"MTD_MSIL{level}.xml"),
        datastrip_folder=NameTemplate(
            "DS_{datastrip_centre}_{datastrip_created}_S{datastrip_start}"
        ),
        datastrip_metadata=NameTemplate("MTD_DS.xml"),
        tile_folder=NameTemplate(f"L{level}_T{{mgrs}}_A{{absolute_orbit}}_{{datastrip_start}}"),
        tile_metadata=NameTemplate("MTD_TL.xml"),
        images=images,
        gipp=gipp,
    )


def _compact_images(prefix: str, masks: Mapping[str, str]) -> dict[str, NameTemplate]:
    stem = f"{prefix}T{{mgrs}}_{{datatake_start}}"
    ending = "_{resolution}m.{ending}"
    return {
        "": NameTemplate(f"IMG_DATA/R{{resolution}}m/{stem}_{{kind}}{ending}"),
        **{
            kind: NameTemplate(f"QI_DATA/{name.format(stem=stem)}{ending}")
            for kind, name in masks.items()
        },
        "DEM": NameTemplate(f"AUX_DATA/{stem}_DEM{ending}"),
        "PVI": NameTemplate(f"QI_DATA/{stem}_PVI.{{ending}}"),
        **{
            f"UNC_{what}": NameTemplate(f"QI_DATA/{stem}_UNC_{what}{ending}")
            for what in (*BAND_NAMES, "AOT")
        },
        **{kind: NameTemplate(f"QI_DATA/{stem}_{kind}{ending}") for kind in _list_angle_images()},
    }


def _list_angle_images() -> Iterator[str]:
    """Yield the kinds of the images of angles: ``SZA``, ..., ``VAA_B12``."""
    yield from ANGLE_KINDS
    yield from (f"{kind}_{band}" for kind in ("VZA", "VAA") for band in BAND_NAMES)


LEVEL1C_LONG = _long_layout(
    "1C",
    {
        "": _long_image("1C", "IMG_DATA", "MSI", "_{band}.jp2"),
        "PVI": _long_image("1C", "QI_DATA", "PVI", ".jp2"),
    },
)

LEVEL1C_COMPACT = _compact_layout(
    "1C",
    {
        "": NameTemplate("IMG_DATA/T{mgrs}_{datatake_start}_{band}.jp2"),
        "PVI": NameTemplate("QI_DATA/T{mgrs}_{datatake_start}_PVI.jp2"),
    },
)

LEVEL2A_LONG = _long_layout(
    "2A",
    {
        "": _long_image("2A", "IMG_DATA/R{resolution}m", "MSI", "_{kind}_{resolution}m.{ending}"),
        "AOT": _long_image("2A", "IMG_DATA/R{resolution}m", "AOT", "_{resolution}m.{ending}"),
        "WVP": _long_image("2A", "IMG_DATA/R{resolution}m", "WVP", "_{resolution}m.{ending}"),
        "TCI": _long_image("2A", "IMG_DATA/R{resolution}m", "TCI", "_{resolution}m.{ending}"),
        "SCL": _long_image("2A", "IMG_DATA", "SCL", "_{resolution}m.{ending}"),
        "CLD": _long_image("2A", "QI_DATA", "CLD", "_{resolution}m.{ending}"),
        "SNW": _long_image("2A", "QI_DATA", "SNW", "_{resolution}m.{ending}"),
        "DDV": _long_image("2A", "QI_DATA", "DDV", "_{resolution}m.{ending}"),
        "QUA": _long_image("2A", "QI_DATA", "QUA", "_{resolution}m.{ending}"),
        **{
            f"UNC_{what}": _long_image(
                "2A", "QI_DATA", "UNC", f"_{what}_{{resolution}}m.{{ending}}"
            )
            for what in (*BAND_NAMES, "AOT")
        },
        **{
            kind: _long_image(
                "2A",
                "QI_DATA",
                kind[:3],
                f"{kind[3:]}_{{resolution}}m.{{ending}}",
            )
            for kind in _list_angle_images()
        },
        "DEM": _long_image("2A", "AUX_DATA", "DEM", "_{resolution}m.{ending}"),
        "PVI": _long_image("2A", "QI_DATA", "PVI", ".{ending}"),
    },
    _long_image("2A", "AUX_DATA", "GIP", ".xml"),
)

_GIPP_COMPACT = NameTemplate("AUX_DATA/GIP_TL.xml")

LEVEL2A_14_2 = _compact_layout(
    "2A",
    _compact_images("L2A_", {kind: f"{{stem}}_{kind}" for kind in ("CLD", "SNW", "DDV", "QUA")}),
    _GIPP_COMPACT,
)
"""Compact names with the prefix ``L2A_`` of the first compact format."""

LEVEL2A_14_5 = _compact_layout(
    "2A",
    _compact_images(
        "",
        {"CLD": "MSK_CLDPRB", "SNW": "MSK_SNWPRB", "DDV": "MSK_DDVPXL", "QUA": "MSK_QA"},
    ),
    _GIPP_COMPACT,
)
"""Compact names since format 14.3."""
