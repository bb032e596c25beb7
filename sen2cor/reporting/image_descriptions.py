"""What each image of a Level-2A product holds: the source of image metadata and of STAC assets."""

from __future__ import annotations

from sen2cor.bands import BAND, NO_DATA
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.raster.pixel_angles import ANGLE_KINDS
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES, parse_colour

TITLES = {
    "AOT": "Aerosol optical thickness at 550 nm",
    "UNC_AOT": "Uncertainty of the aerosol optical thickness",
    "WVP": "Water vapour column",
    "SCL": "Scene classification",
    "CLD": "Cloud probability",
    "SNW": "Snow probability",
    "TCI": "True colour image",
    "DEM": "Elevation",
    "DDV": "Dark vegetation reference pixels",
    "QUA": "Quality mask",
    "PVI": "Preview",
    "SZA": "Sun zenith angle",
    "SAA": "Sun azimuth angle",
    "VZA": "View zenith angle",
    "VAA": "View azimuth angle",
}
"""Titles of the images that are no bands, by kind."""

QUALITY_BITS = (
    "no data", "saturated or defective", "cloud", "cloud shadow", "cirrus", "snow", "water",
    "topographic shadow", "aerosol interpolated",
)  # fmt: skip
"""Conditions of the bits 0..8 of the quality mask."""

ANGLE_QUANTIFICATION = 100.0
"""Digital numbers per degree."""

_ELEVATION_OFFSET = -10000.0

_CLASSES = tuple(zip(SCENE_CLASS_NAMES, map(parse_colour, PALETTES["standard"]), strict=True))


def describe_image(kind: str, quantification: float, boa_offset: float) -> ImageDescription:
    """Describe an image of a product.

    Parameters
    ----------
    kind : str
        As in `sen2cor.product.level2a.tile.Level2ATile.image_path`.
    quantification : float
        Digital numbers per reflectance of 1.
    boa_offset : float
        Surface reflectance is (number + offset) / quantification.
    """
    band = kind.removeprefix("UNC_")
    if band in BAND:
        is_uncertainty = band != kind
        what = "Uncertainty of the surface" if is_uncertainty else "Surface"
        return ImageDescription(
            kind,
            f"{what} reflectance, {band}",
            NO_DATA,
            1.0 / quantification,
            0.0 if is_uncertainty else boa_offset / quantification,
            "1",
            wavelength=BAND[band].wavelength,
            bandwidth=BAND[band].full_width_half_max,
        )
    angle, _, angle_band = kind.partition("_")
    if angle in ANGLE_KINDS:
        # a mean of azimuths would be wrong around north
        title = f"{TITLES[angle]}, {angle_band or 'mean of the bands'}"
        title = TITLES[angle] if angle[0] == "S" else title
        return ImageDescription(
            kind, title, NO_DATA, 1.0 / ANGLE_QUANTIFICATION, unit="degree", averaged=False
        )
    title = TITLES[kind]
    if kind in ("AOT", "UNC_AOT"):
        return ImageDescription(kind, title, NO_DATA, 1.0 / AOT_QUANTIFICATION, unit="1")
    if kind == "WVP":
        return ImageDescription(kind, title, NO_DATA, 1.0 / WATER_VAPOUR_QUANTIFICATION, unit="cm")
    if kind == "DEM":
        return ImageDescription(kind, title, NO_DATA, offset=_ELEVATION_OFFSET, unit="m")
    if kind == "SCL":
        return ImageDescription(kind, title, NO_DATA, averaged=False, classes=_CLASSES)
    if kind == "QUA":
        return ImageDescription(kind, title, averaged=False, bits=QUALITY_BITS)
    if kind in ("CLD", "SNW"):
        return ImageDescription(kind, title, unit="%")
    if kind == "DDV":
        return ImageDescription(kind, title, averaged=False)
    return ImageDescription("", title, NO_DATA)
