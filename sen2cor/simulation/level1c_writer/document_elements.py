"""Elements that several metadata documents of a Level-1C product share.

Source: Sentinel-2 Products Specification Document, issues 13.1, 14.2, 14.5 and 15; the order of
elements is that of its schemas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from lxml import etree

from sen2cor.bands import BANDS
from sen2cor.raster.coordinates import unwrap_longitudes, wrap_longitude
from sen2cor.simulation.level1c_writer.description import ProductDescription, TileDescription
from sen2cor.simulation.overpass_geometry import sun_distance_factor
from sen2cor.simulation.sensor import SOLAR_IRRADIANCE
from sen2cor.spectral_responses import spectral_response

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def element(tag: str, *content: object, **attributes: object) -> etree._Element:
    """Make an element; content: elements, or one value that becomes its text."""
    made = etree.Element(tag, {key: str(value) for key, value in attributes.items()})
    for part in content:
        if isinstance(part, etree._Element):
            made.append(part)
        else:
            made.text = str(part)
    return made


def document(namespace: str, root: str, parts: Iterable[etree._Element]) -> bytes:
    """Serialise a metadata file; the parts below the root carry the root's namespace."""
    top = etree.Element(f"{{{namespace}}}{root}", nsmap={"n1": namespace, "xsi": XSI})
    top.set(f"{{{XSI}}}schemaLocation", f"{namespace} {namespace.rsplit('/', 1)[1]}")
    for part in parts:
        part.tag = f"{{{namespace}}}{part.tag}"
        top.append(part)
    etree.indent(top)
    return bytes(etree.tostring(top, xml_declaration=True, encoding="UTF-8", standalone=False))


def utc(moment: datetime) -> str:
    """Format a time with milliseconds, as in the metadata."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def datatake(
    product: ProductDescription, tag: str = "Datatake", **attributes: str
) -> etree._Element:
    """Describe the datatake."""
    return element(
        tag,
        element("SPACECRAFT_NAME", f"Sentinel-{product.spacecraft[1:]}"),
        element("DATATAKE_TYPE", "INS-NOBS"),
        element("DATATAKE_SENSING_START", utc(product.sensing_time)),
        element("SENSING_ORBIT_NUMBER", product.relative_orbit),
        element("SENSING_ORBIT_DIRECTION", "DESCENDING"),
        datatakeIdentifier=product.datatake_id,
        **attributes,
    )


def display_order() -> etree._Element:
    """Name the bands of a colour image."""
    return element(
        "Image_Display_Order",
        element("RED_CHANNEL", 3),
        element("GREEN_CHANNEL", 2),
        element("BLUE_CHANNEL", 1),
    )


def reflectance_conversion(product: ProductDescription) -> etree._Element:
    """Give the sun distance factor and the solar irradiance of the bands."""
    irradiance = (
        element("SOLAR_IRRADIANCE", value, bandId=index, unit="W/m²/µm")
        for index, value in enumerate(SOLAR_IRRADIANCE[product.spacecraft])
    )
    return element(
        "Reflectance_Conversion",
        element("U", f"{sun_distance_factor(product.sensing_time):.12f}"),
        element("Solar_Irradiance_List", *irradiance),
    )


def spectral_information(spacecraft: str) -> etree._Element:
    """Give the spectral responses of all bands at 1 nm."""
    entries = []
    for band in BANDS:
        wavelengths, response = spectral_response(spacecraft, band.name)
        wave, weight = np.asarray(wavelengths, np.float64), np.asarray(response, np.float64)
        centre = float(np.average(wave, weights=weight))
        entries.append(
            element(
                "Spectral_Information",
                element("RESOLUTION", band.resolution),
                element(
                    "Wavelength",
                    element("MIN", f"{wave[0]:.0f}", unit="nm"),
                    element("MAX", f"{wave[-1]:.0f}", unit="nm"),
                    element("CENTRAL", f"{centre:.1f}", unit="nm"),
                ),
                element(
                    "Spectral_Response",
                    element("STEP", 1, unit="nm"),
                    element("VALUES", " ".join(f"{value:.8g}" for value in weight)),
                ),
                bandId=band.index,
                physicalBand=band.physical_name,
            )
        )
    return element("Spectral_Information_List", *entries)


def bounds(tiles: Sequence[TileDescription]) -> tuple[float, float, float, float]:
    """South, west, north and east of tiles; west is greater than east across the date line."""
    corners = np.array([corner for tile in tiles for corner in tile.footprint()])
    corners[:, 1] = unwrap_longitudes(corners[:, 1], corners[0, 1])
    (south, west), (north, east) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    if west >= -180.0 and east <= 180.0:
        return south, west, north, east
    return south, wrap_longitude(west), north, wrap_longitude(east)


def footprint_positions(product: ProductDescription) -> str:
    """Latitudes and longitudes of the footprint of the product."""
    if len(product.tiles) == 1:
        corners = product.tiles[0].footprint()
    else:
        south, west, north, east = bounds(product.tiles)
        corners = [(north, west), (north, east), (south, east), (south, west), (north, west)]
    return " ".join(f"{latitude:.12f} {longitude:.12f}" for latitude, longitude in corners) + " "


def gipp_list(product: ProductDescription) -> etree._Element:
    """Name the one parameter file of a simulated product."""
    name = (
        f"{product.spacecraft}_OPER_GIP_PROBAS_MPC__20170101T000000"
        "_V20150622T000000_21000101T000000_B00"
    )
    version = product.baseline.replace(".", "")
    return element("GIPP_List", element("GIPP_FILENAME", name, type="GIP_PROBAS", version=version))


def auxiliary_references(product: ProductDescription) -> dict[str, etree._Element]:
    """Name the auxiliary files, by kind."""
    day = product.sensing_time.strftime("%Y%m%d")
    images = element("GRI_FILENAME", "S2A_OPER_AUX_GRI065_PDMC_20130621T120000_S20130101T000000")
    validity = f"V{day}T000000_{day}T235959"
    return {
        "dem": element(
            "PRODUCTION_DEM_TYPE", "S2__OPER_DEM_GLOBEF_PDMC_19800101T000000_S19800101T000000"
        ),
        "iers": element(
            "IERS_BULLETIN_FILENAME", f"S2__OPER_AUX_UT1UTC_PDMC_{day}T000000_{validity}"
        ),
        "gri": images if product.psd.version in ("13.1", "14.2") else element("GRI_List"),
        "ecmwf": element("ECMWF_DATA_REF", f"S2__OPER_AUX_ECMWFD_PDMC_{day}T000000_{validity}"),
    }
