"""The ``PSD_Scheme`` blocks of L2A_GIPP: which schema belongs to which document of which format.

They are read, checked and written again, without effect: what checks a document follows from its
format (`sen2cor.product.level2a.metadata_schemas`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sen2cor.settings.value_types import Pattern

SCHEME_NAMES = (
    "UP_Scheme_1C",
    "UP_Scheme_2A",
    "Tile_Scheme_1C",
    "Tile_Scheme_2A",
    "DS_Scheme_1C",
    "DS_Scheme_2A",
)
"""User product, tile and data strip metadata, of Level-1C and Level-2A."""

_DEFAULT_SCHEMAS = (
    "S2_User_Product_Level-1C_Metadata",
    "S2_User_Product_Level-2A_Metadata",
    "S2_PDI_Level-1C_Tile_Metadata",
    "S2_PDI_Level-2A_Tile_Metadata",
    "S2_PDI_Level-1C_Datastrip_Metadata",
    "S2_PDI_Level-2A_Datastrip_Metadata",
)


PSD_VERSION = Pattern(r"[0-9]{1,3}(\.[0-9]{1,3})?", "a version number such as 14.2")


@dataclass(frozen=True)
class PsdScheme:
    """The schemas of one version of the product format.

    Attributes
    ----------
    version : str
        Version of the product specification, such as ``14.2``.
    reference : str
        Name of the schema folder, such as ``S2-PDGS-TAS-DI-PSD-V14.2_Schema``.
    schemas : tuple of (str, str)
        Element name (`SCHEME_NAMES`) and schema, without ``.xsd``.
    """

    version: str
    reference: str
    schemas: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        schemas = ", ".join(schema for _, schema in self.schemas)
        return f"{self.version} ({self.reference}): {schemas}"

    def schema(self, name: str) -> str | None:
        """Return the schema that an element such as ``Tile_Scheme_2A`` names, None without it."""
        return dict(self.schemas).get(name)


def default_scheme(version: str) -> PsdScheme:
    """Return the shipped block of a version."""
    return PsdScheme(
        version,
        f"S2-PDGS-TAS-DI-PSD-V{version}_Schema",
        tuple(zip(SCHEME_NAMES, _DEFAULT_SCHEMAS, strict=True)),
    )


DEFAULT_SCHEMES = (default_scheme("13.1"), default_scheme("14.2"))


def merge_schemes(given: tuple[PsdScheme, ...]) -> tuple[PsdScheme, ...]:
    """Return the given blocks beside the default ones of other versions, by rising version."""
    by_version = {scheme.version: scheme for scheme in (*DEFAULT_SCHEMES, *given)}
    return tuple(
        by_version[version] for version in sorted(by_version, key=lambda text: float(text))
    )
