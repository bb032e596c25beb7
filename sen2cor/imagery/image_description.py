"""What an image says of itself: name, scale, no data, wavelength, classes.

GeoTIFF has tags for most of it. JPEG 2000 has none, but a box of XML that GDAL reads as metadata.
The names of the items are those of GDAL's driver SENTINEL2 for wavelengths, and those of the CF
conventions (section 3.5, flags) for classes and bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True)
class ImageDescription:
    """Description of the pixels of an image. Value = digital number * scale + offset.

    Attributes
    ----------
    name : str
        Of the band or map, for example ``B04``.
    title : str
        For people.
    no_data : int or None
        Digital number of pixels without data.
    scale, offset : float
    unit : str
        ``1`` if the value has none; empty if there is no value.
    averaged : bool
        Overviews are means; otherwise nearest pixels, as codes and bits need.
    wavelength, bandwidth : float or None
        Micrometres.
    classes : tuple of (str, (int, int, int))
        Name and colour (red, green, blue) of the codes from 0 on.
    bits : tuple of str
        Names of the bits from the lowest on.
    """

    name: str = ""
    title: str = ""
    no_data: int | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    averaged: bool = True
    wavelength: float | None = None
    bandwidth: float | None = None
    classes: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    bits: tuple[str, ...] = ()

    @property
    def is_scaled(self) -> bool:
        """Whether a digital number differs from its value."""
        return (self.scale, self.offset) != (1.0, 0.0)

    def list_items(self) -> dict[str, str]:
        """Return the items for which GeoTIFF has no tag."""
        items = {"TITLE": self.title, "BANDNAME": self.name}
        for key, length in (("WAVELENGTH", self.wavelength), ("BANDWIDTH", self.bandwidth)):
            if length is not None:
                items |= {key: f"{1000.0 * length:g}", f"{key}_UNIT": "nm"}
        if self.classes:
            items["flag_values"] = " ".join(str(code) for code in range(len(self.classes)))
            items["flag_meanings"] = _join(name for name, _ in self.classes)
        if self.bits:
            items["flag_masks"] = " ".join(str(2**bit) for bit in range(len(self.bits)))
            items["flag_meanings"] = _join(self.bits)
        return {key: text for key, text in items.items() if text}

    def build_xml(self) -> str:
        """Build the document of GDAL for a box of JPEG 2000, which holds all items."""
        items = self.list_items()
        if self.is_scaled:
            items |= {"SCALE": f"{self.scale:.10g}", "OFFSET": f"{self.offset:.10g}"}
        if self.unit:
            items["UNIT"] = self.unit
        if self.no_data is not None:
            items["NODATA"] = str(self.no_data)
        lines = (f"<MDI key={quoteattr(key)}>{escape(text)}</MDI>" for key, text in items.items())
        return (
            f"<GDALMultiDomainMetadata><Metadata>{''.join(lines)}</Metadata>"
            "</GDALMultiDomainMetadata>"
        )


def describe_by_type(components: int, item_size: int) -> ImageDescription:
    """Describe an image of which only the type is known.

    One component of 8 bits holds classes; in all others 0 is no data.
    """
    classes = components == 1 and item_size == 1
    return ImageDescription(no_data=None if classes else 0, averaged=not classes)


def _join(names: Iterable[str]) -> str:
    """Join names by blanks; those inside a name become underscores."""
    return " ".join("_".join(name.replace(",", "").split()) for name in names)
