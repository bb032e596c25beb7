"""Table of the 13 bands of the Sentinel-2 MultiSpectral Instrument.

Source of identifiers, native resolutions and central wavelengths: Sentinel-2 Products
Specification Document (S2-PDGS-TAS-DI-PSD).
"""

from __future__ import annotations

from dataclasses import dataclass

RESOLUTIONS = (60, 20, 10)
"""Resolutions in metres, in the order in which they are processed."""

NO_DATA = 0
"""Digital number of pixels without data, at both levels."""

SATURATED = 65535
"""Digital number of saturated pixels, at both levels."""

TILE_SIZES = {10: 1024, 20: 640, 60: 192}
"""Tile size of the JPEG 2000 codestream by resolution, as in the Level-1C images."""


@dataclass(frozen=True)
class Band:
    """One spectral band.

    Attributes
    ----------
    name : str
        As in file names: ``B01`` .. ``B12``, ``B8A``.
    index : int
        ``bandId`` of the metadata, 0..12.
    physical_name : str
        ``physicalBand`` of the metadata: ``B1`` .. ``B12``, ``B8A``.
    resolution : int
        Native pixel size in metres.
    wavelength : float
        Nominal central wavelength in micrometres.
    full_width_half_max : float
        Bandwidth at half of the response in micrometres (Sentinel-2 User Handbook, 2015).
    common_name : str
        Of the electro-optical extension of STAC.
    """

    name: str
    index: int
    physical_name: str
    resolution: int
    wavelength: float
    full_width_half_max: float
    common_name: str


BANDS = (
    Band("B01", 0, "B1", 60, 0.443, 0.020, "coastal"),
    Band("B02", 1, "B2", 10, 0.490, 0.065, "blue"),
    Band("B03", 2, "B3", 10, 0.560, 0.035, "green"),
    Band("B04", 3, "B4", 10, 0.665, 0.030, "red"),
    Band("B05", 4, "B5", 20, 0.705, 0.015, "rededge"),
    Band("B06", 5, "B6", 20, 0.740, 0.015, "rededge"),
    Band("B07", 6, "B7", 20, 0.783, 0.020, "rededge"),
    Band("B08", 7, "B8", 10, 0.842, 0.115, "nir"),
    Band("B8A", 8, "B8A", 20, 0.865, 0.020, "nir08"),
    Band("B09", 9, "B9", 60, 0.945, 0.020, "nir09"),
    Band("B10", 10, "B10", 60, 1.375, 0.030, "cirrus"),
    Band("B11", 11, "B11", 20, 1.610, 0.090, "swir16"),
    Band("B12", 12, "B12", 20, 2.190, 0.180, "swir22"),
)

BAND_NAMES = tuple(band.name for band in BANDS)

BAND = {band.name: band for band in BANDS}
"""Bands by name."""

PROCESSED_BANDS = {
    60: tuple(name for name in BAND_NAMES if name != "B08"),
    20: tuple(name for name in BAND_NAMES if name != "B08"),
    10: ("B02", "B03", "B04", "B08"),
}
"""Bands that the processing at a resolution reads."""

VISIBLE = ("B04", "B03", "B02")
"""Red, green and blue, in the order of a colour image."""

REFLECTANCE_BANDS = {
    60: ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12"),
    20: ("B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12"),
    10: ("B02", "B03", "B04", "B08"),
}
"""Bands with surface reflectance in the product (formats 13.1 and 14.2), by resolution."""
