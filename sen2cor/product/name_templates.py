"""Names of products, metadata files, folders and images as templates that build and parse.

The same template builds and parses a name, so that every name that is built can be parsed. Fields
are text as in names (``"20170719T000218"``, ``"0205"``, ``"030"``); `fields` formats them from
values.

Source: Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD, issues 13.1 to 15.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

_TIME = r"\d{8}T\d{6}"

FIELD_PATTERNS: Mapping[str, str] = {
    "spacecraft": r"S2[A-Z]",
    "file_class": r"[A-Z]{4}",
    "level": r"1C|2A",
    "centre": r"[A-Z0-9_]{4}",
    "unit": r"TL|CO",
    "absolute_orbit": r"\d{6}",
    "relative_orbit": r"\d{3}",
    "mgrs": r"\d{2}[A-Z]{3}",
    "baseline": r"\d{2}\.\d{2}",
    "baseline_digits": r"\d{4}",
    "band": r"B(?:0[1-9]|1[0-2]|8A)|TCI",
    "kind": r"B(?:0[1-9]|1[0-2]|8A)|AOT|WVP|SCL|CLD|SNW|TCI|PVI|DEM|DDV",
    "ending": r"jp2|tif",
    "resolution": r"10|20|60",
    "created": _TIME,
    "start": _TIME,
    "stop": _TIME,
    "datatake_start": _TIME,
    "datastrip_start": _TIME,
    "datastrip_created": _TIME,
    "datastrip_centre": r"[A-Z0-9_]{4}",
    "discriminator": _TIME,
}
"""What each field may look like (regular expressions)."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class NameTemplate:
    """A name with ``{field}`` placeholders of `FIELD_PATTERNS`.

    Attributes
    ----------
    template : str
        As for `str.format`.
    """

    template: str

    def build(self, fields: Mapping[str, str]) -> str:
        """Fill the placeholders; fields without a placeholder are ignored.

        Raises
        ------
        ValueError
            If a field is missing or does not match its pattern.
        """
        for name in _PLACEHOLDER.findall(self.template):
            if name not in fields:
                raise ValueError(f"a name of the form {self.template} needs a value for {name!r}")
            if not re.fullmatch(FIELD_PATTERNS[name], fields[name]):
                raise ValueError(f"{fields[name]!r} cannot be the {name} in {self.template}")
        return self.template.format_map(fields)

    def match(self, name: str) -> dict[str, str] | None:
        """Return the fields of a name, or None if it is not of this form."""
        found = self._expression.fullmatch(name)
        return found.groupdict() if found else None

    def search(self, text: str) -> re.Match[str] | None:
        """Find the first name of this form in a text."""
        return self._expression.search(text)

    def parse(self, name: str) -> dict[str, str]:
        """Return the fields of a name.

        Raises
        ------
        ValueError
            If the name is not of this form.
        """
        found = self.match(name)
        if found is None:
            raise ValueError(f"{name!r} is not of the form {self.template}")
        return found

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        seen: set[str] = set()
        parts = []
        for position, text in enumerate(_PLACEHOLDER.split(self.template)):
            if position % 2 == 0:
                parts.append(re.escape(text))
            elif text in seen:
                parts.append(f"(?P={text})")
            else:
                seen.add(text)
                parts.append(f"(?P<{text}>{FIELD_PATTERNS[text]})")
        return re.compile("".join(parts))


def compact_product(level: str) -> NameTemplate:
    """Return the name of a product of format 14 and later; level ``"1C"`` or ``"2A"``."""
    return NameTemplate(
        f"{{spacecraft}}_MSIL{level}_{{datatake_start}}_N{{baseline_digits}}_R{{relative_orbit}}"
        "_T{mgrs}_{discriminator}.SAFE"
    )


def long_product(level: str) -> NameTemplate:
    """Return the name of a product of format 13; level ``"1C"`` or ``"2A"``."""
    file_class = "OPER" if level == "1C" else "USER"
    return NameTemplate(
        f"{{spacecraft}}_{file_class}_PRD_MSIL{level}_{{centre}}_{{created}}"
        "_R{relative_orbit}_V{start}_{stop}.SAFE"
    )


TILE_ID = NameTemplate(
    "{spacecraft}_{file_class}_MSI_L{level}_{unit}_{centre}_{created}_A{absolute_orbit}"
    "_T{mgrs}_N{baseline}"
)
"""Identifier of a tile inside the metadata, all formats; unit CO: a consolidated tile."""

DATASTRIP_ID = NameTemplate(
    "{spacecraft}_{file_class}_MSI_L{level}_DS_{datastrip_centre}_{datastrip_created}"
    "_S{datastrip_start}_N{baseline}"
)
"""Identifier of a datastrip inside the metadata, all formats."""


def timestamp(moment: datetime) -> str:
    """Format a time as in names: ``20170719T000218``."""
    return moment.strftime("%Y%m%dT%H%M%S")


def fields(
    *,
    tile_id: str | None = None,
    datastrip_id: str | None = None,
    datatake_start: datetime | None = None,
    relative_orbit: int | None = None,
    discriminator: datetime | None = None,
    resolution: int | None = None,
    kind: str | None = None,
    **others: str,
) -> dict[str, str]:
    """Collect the fields of names from identifiers and values.

    Values that are passed explicitly override those of the identifiers.

    Raises
    ------
    ValueError
        If an identifier is not of its form.
    """
    found: dict[str, str] = {}
    if datastrip_id is not None:
        found.update(DATASTRIP_ID.parse(datastrip_id))
    if tile_id is not None:
        found.update(TILE_ID.parse(tile_id))
    if "baseline" in found:
        found["baseline_digits"] = found["baseline"].replace(".", "")
    if datatake_start is not None:
        found["datatake_start"] = timestamp(datatake_start)
    if relative_orbit is not None:
        found["relative_orbit"] = f"{relative_orbit:03d}"
    if discriminator is not None:
        found["discriminator"] = timestamp(discriminator)
    if resolution is not None:
        found["resolution"] = str(resolution)
    if kind is not None:
        found["kind"] = found["band"] = kind
    found.update(others)
    return found


def to_level2a(name: str, file_class: str) -> str:
    """Return the Level-2A name, identifier or path that belongs to a Level-1C one.

    The file class of long names (OPER) becomes `file_class`; apart from it, only the level changes.

    Examples
    --------
    >>> to_level2a("S2A_OPER_MSI_L1C_DS_SGS__20170403T160402_S20170403T105022_N02.04", "USER")
    'S2A_USER_MSI_L2A_DS_SGS__20170403T160402_S20170403T105022_N02.04'
    >>> to_level2a("S2A_MSIL1C_20170103T104432_N0204_R008_T33VUC_20170103T104428.SAFE", "USER")
    'S2A_MSIL2A_20170103T104432_N0204_R008_T33VUC_20170103T104428.SAFE'
    """
    renamed = re.sub(r"\b(S2[A-Z]_)OPER_", rf"\g<1>{file_class}_", name)
    return re.sub(r"L1C(?![a-z0-9])", "L2A", renamed)


def to_level1c(name: str) -> str:
    """Return the Level-1C name or identifier that belongs to a Level-2A one."""
    renamed = re.sub(r"\b(S2[A-Z]_)USER_", r"\g<1>OPER_", name)
    return re.sub(r"L2A(?![a-z0-9])", "L1C", renamed)


def split_product_name(name: str, level: str) -> tuple[str, str, str] | None:
    """Split a name into what stands before a product name, the product name, and what follows.

    Parameters
    ----------
    name : str
        With or without ``.SAFE``, which is left out.
    level : {"1C", "2A"}

    Returns
    -------
    tuple of str or None
        None if there is no product name in it.

    Examples
    --------
    >>> split_product_name("S2A_MSIL1C_20170103T104432_N0204_R008_T33VUC_20170103T104428_x.SAFE",
    ...     "1C")
    ('', 'S2A_MSIL1C_20170103T104432_N0204_R008_T33VUC_20170103T104428', '_x')
    """
    for template in (compact_product(level), long_product(level)):
        found = NameTemplate(template.template.removesuffix(".SAFE")).search(name)
        if found is not None:
            after = name[found.end() :].replace(".SAFE", "")
            return name[: found.start()], found.group(), after
    return None


def to_level2a_product(name: str, file_class: str) -> str:
    """Return the name of the Level-2A product; what users added to the name is kept.

    Parameters
    ----------
    name : str
        Of a Level-1C product, with or without ``.SAFE``.
    file_class : str
    """
    parts = split_product_name(name, "1C")
    if parts is None:
        return to_level2a(name, file_class)
    before, official, after = parts
    return f"{before}{to_level2a(official, file_class)}{after}.SAFE"


def to_level1c_product(name: str) -> str:
    """Return the name of the Level-1C product of a Level-2A one; as `to_level2a_product`."""
    parts = split_product_name(name, "2A")
    if parts is None:
        return to_level1c(name)
    before, official, after = parts
    return f"{before}{to_level1c(official)}{after}.SAFE"
