"""Metadata of simulated Level-1C products: the user product, and what all documents share.

Source: Sentinel-2 Products Specification Document, issues 13.1, 14.2, 14.5 and 15; the order of
elements is that of its schemas.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
from lxml import etree

from sen2cor.bands import BANDS
from sen2cor.simulation.description import ProductDescription
from sen2cor.simulation.overpass_geometry import sun_distance_factor
from sen2cor.simulation.sensor import QUANTIFICATION, SOLAR_IRRADIANCE
from sen2cor.spectral_responses import spectral_response

XSI = "http://www.w3.org/2001/XMLSchema-instance"

CHECKS = (
    "SENSOR_QUALITY",
    "GEOMETRIC_QUALITY",
    "GENERAL_QUALITY",
    "FORMAT_CORRECTNESS",
    "RADIOMETRIC_QUALITY",
)


def node(tag: str, *content: object, **attributes: object) -> etree._Element:
    """Make an element; content: elements, or one value that becomes its text."""
    element = etree.Element(tag, {key: str(value) for key, value in attributes.items()})
    for part in content:
        if isinstance(part, etree._Element):
            element.append(part)
        else:
            element.text = str(part)
    return element


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
    """Return a moment with milliseconds, as in the metadata."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def user_product(product: ProductDescription) -> bytes:
    """Metadata of the whole product."""
    return document(
        f"https://{product.psd.namespace.replace('psd-15', 'psd-14')}.sentinel2.eo.esa.int"
        "/PSD/User_Product_Level-1C.xsd",
        "Level-1C_User_Product",
        [
            node("General_Info", _product_info(product), _image_characteristics(product)),
            _product_geometry(product),
            _auxiliary_data(product),
            _product_quality(product),
        ],
    )


def datatake(
    product: ProductDescription, tag: str = "Datatake", **attributes: str
) -> etree._Element:
    """The element that describes the datatake."""
    return node(
        tag,
        node("SPACECRAFT_NAME", f"Sentinel-{product.spacecraft[1:]}"),
        node("DATATAKE_TYPE", "INS-NOBS"),
        node("DATATAKE_SENSING_START", utc(product.sensing_time)),
        node("SENSING_ORBIT_NUMBER", product.relative_orbit),
        node("SENSING_ORBIT_DIRECTION", "DESCENDING"),
        datatakeIdentifier=product.datatake_id,
        **attributes,
    )


def _product_info(product: ProductDescription) -> etree._Element:
    uri = product.name() if product.psd.compact else product.name().removesuffix(".SAFE")
    info = node(
        "Product_Info",
        node("PRODUCT_START_TIME", utc(product.sensing_time)),
        node("PRODUCT_STOP_TIME", utc(product.sensing_time)),
        node("PRODUCT_URI", uri),
        node("PROCESSING_LEVEL", "Level-1C"),
        node("PRODUCT_TYPE", "S2MSI1C"),
        node("PROCESSING_BASELINE", product.baseline),
        node("GENERATION_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")),
        node("PREVIEW_IMAGE_URL", "Not applicable"),
        node("PREVIEW_GEO_INFO", "Not applicable"),
        datatake(product),
    )
    if product.psd.compact:
        info.append(
            node(
                "Query_Options",
                node("PRODUCT_FORMAT", "SAFE_COMPACT"),
                completeSingleTile="true",
            )
        )
    else:
        info.append(_long_query(product))
    info.append(_organisation(product))
    return info


def _long_query(product: ProductDescription) -> etree._Element:
    corners = np.array([corner for tile in product.tiles for corner in tile.footprint()])
    box = node(
        "Bbox",
        node("LOWER_CORNER", "{:.4f} {:.4f}".format(*corners.min(axis=0))),
        node("UPPER_CORNER", "{:.4f} {:.4f}".format(*corners.max(axis=0))),
    )
    return node(
        "Query_Options",
        node("Area_Of_Interest", box),
        node("FULL_SWATH_DATATAKE", "false"),
        node("PREVIEW_IMAGE", "true"),
        node("Band_List", *(node("BAND_NAME", band.physical_name) for band in BANDS)),
        node("METADATA_LEVEL", "Expertise"),
        node(
            "Aux_List",
            node("aux", node("GIPP", "NO")),
            node("aux", node("IERS", "NO")),
            productLevel="Level-1C",
        ),
        node("PRODUCT_FORMAT", "SAFE"),
        node("AGGREGATION_FLAG", "false"),
    )


def _organisation(product: ProductDescription) -> etree._Element:
    compact = product.psd.compact
    granules = []
    for tile in product.tiles:
        images = [product.image(tile, kind).with_suffix("") for kind in product.image_kinds()]
        granules.append(
            node(
                "Granule" if compact else "Granules",
                *(
                    node("IMAGE_FILE", image.as_posix())
                    if compact
                    else node("IMAGE_ID", image.name)
                    for image in images
                ),
                datastripIdentifier=product.datastrip_id(),
                granuleIdentifier=product.tile_id(tile),
                imageFormat="JPEG2000",
            )
        )
    if compact:
        return node("Product_Organisation", node("Granule_List", *granules))
    return node("Product_Organisation", *(node("Granule_List", granule) for granule in granules))


def _image_characteristics(product: ProductDescription) -> etree._Element:
    characteristics = node(
        "Product_Image_Characteristics",
        _special_value("NODATA", 0),
        _special_value("SATURATED", 65535),
        display_order(),
        node("QUANTIFICATION_VALUE", QUANTIFICATION, unit="none"),
    )
    if product.offset:
        offsets = (node("RADIO_ADD_OFFSET", product.offset, band_id=b.index) for b in BANDS)
        characteristics.append(node("Radiometric_Offset_List", *offsets))
    characteristics.append(reflectance_conversion(product))
    characteristics.append(spectral_information(product.spacecraft))
    for band in BANDS:
        characteristics.append(node("PHYSICAL_GAINS", "1.0", bandId=band.index))
    if not product.offset:
        characteristics.append(node("REFERENCE_BAND", 0))
    return characteristics


def _special_value(text: str, index: int) -> etree._Element:
    return node(
        "Special_Values",
        node("SPECIAL_VALUE_TEXT", text),
        node("SPECIAL_VALUE_INDEX", index),
    )


def display_order() -> etree._Element:
    """Bands of a colour picture."""
    return node(
        "Image_Display_Order",
        node("RED_CHANNEL", 3),
        node("GREEN_CHANNEL", 2),
        node("BLUE_CHANNEL", 1),
    )


def reflectance_conversion(product: ProductDescription) -> etree._Element:
    """Distance of the sun and solar irradiance."""
    irradiance = (
        node("SOLAR_IRRADIANCE", value, bandId=index, unit="W/m²/µm")
        for index, value in enumerate(SOLAR_IRRADIANCE[product.spacecraft])
    )
    return node(
        "Reflectance_Conversion",
        node("U", f"{sun_distance_factor(product.sensing_time):.12f}"),
        node("Solar_Irradiance_List", *irradiance),
    )


def spectral_information(spacecraft: str) -> etree._Element:
    """Spectral responses of all bands at 1 nm."""
    entries = []
    for band in BANDS:
        wavelengths, response = spectral_response(spacecraft, band.name)
        wave, weight = np.asarray(wavelengths, np.float64), np.asarray(response, np.float64)
        centre = float(np.average(wave, weights=weight))
        entries.append(
            node(
                "Spectral_Information",
                node("RESOLUTION", band.resolution),
                node(
                    "Wavelength",
                    node("MIN", f"{wave[0]:.0f}", unit="nm"),
                    node("MAX", f"{wave[-1]:.0f}", unit="nm"),
                    node("CENTRAL", f"{centre:.1f}", unit="nm"),
                ),
                node(
                    "Spectral_Response",
                    node("STEP", 1, unit="nm"),
                    node("VALUES", " ".join(f"{value:.8g}" for value in weight)),
                ),
                bandId=band.index,
                physicalBand=band.physical_name,
            )
        )
    return node("Spectral_Information_List", *entries)


def positions(product: ProductDescription) -> str:
    """Latitudes and longitudes of the outline of the product."""
    if len(product.tiles) == 1:
        corners = product.tiles[0].footprint()
    else:
        places = np.array([corner for tile in product.tiles for corner in tile.footprint()])
        (south, west), (north, east) = places.min(axis=0), places.max(axis=0)
        corners = [(north, west), (north, east), (south, east), (south, west), (north, west)]
    return " ".join(f"{latitude:.12f} {longitude:.12f}" for latitude, longitude in corners) + " "


def _product_geometry(product: ProductDescription) -> etree._Element:
    outline = node("Global_Footprint", node("EXT_POS_LIST", positions(product)))
    return node(
        "Geometric_Info",
        node(
            "Product_Footprint",
            node("Product_Footprint", outline),
            node("RASTER_CS_TYPE", "POINT"),
            node("PIXEL_ORIGIN", 1),
        ),
        node(
            "Coordinate_Reference_System",
            node("GEO_TABLES", "EPSG", version=1),
            node("HORIZONTAL_CS_TYPE", "GEOGRAPHIC"),
        ),
    )


def gipp_list(product: ProductDescription) -> etree._Element:
    """The one parameter file that a simulated product names."""
    name = (
        f"{product.spacecraft}_OPER_GIP_PROBAS_MPC__20170101T000000"
        "_V20150622T000000_21000101T000000_B00"
    )
    version = product.baseline.replace(".", "")
    return node("GIPP_List", node("GIPP_FILENAME", name, type="GIP_PROBAS", version=version))


def auxiliary_references(product: ProductDescription) -> dict[str, etree._Element]:
    """Names of the auxiliary files, by element."""
    day = product.sensing_time.strftime("%Y%m%d")
    images = node("GRI_FILENAME", "S2A_OPER_AUX_GRI065_PDMC_20130621T120000_S20130101T000000")
    validity = f"V{day}T000000_{day}T235959"
    return {
        "dem": node(
            "PRODUCTION_DEM_TYPE", "S2__OPER_DEM_GLOBEF_PDMC_19800101T000000_S19800101T000000"
        ),
        "iers": node("IERS_BULLETIN_FILENAME", f"S2__OPER_AUX_UT1UTC_PDMC_{day}T000000_{validity}"),
        "gri": images if product.psd.version in ("13.1", "14.2") else node("GRI_List"),
        "ecmwf": node("ECMWF_DATA_REF", f"S2__OPER_AUX_ECMWFD_PDMC_{day}T000000_{validity}"),
    }


def _auxiliary_data(product: ProductDescription) -> etree._Element:
    references = auxiliary_references(product)
    order = ("dem", "iers", "gri", "ecmwf")
    return node("Auxiliary_Data_Info", gipp_list(product), *(references[key] for key in order))


def _product_quality(product: ProductDescription) -> etree._Element:
    cloudy = float(np.mean([tile.cloudy_percentage for tile in product.tiles]))
    snowy = float(np.mean([tile.snow_percentage for tile in product.tiles]))
    if product.psd.version in ("13.1", "14.2"):
        checks = [node(f"{check}_FLAG", "PASSED") for check in CHECKS]
    else:
        checks = [node("quality_check", "PASSED", checkType=check) for check in CHECKS]
    quality = node("Quality_Indicators_Info", node("Cloud_Coverage_Assessment", f"{cloudy:.6f}"))
    if product.psd.version == "15":
        quality.append(node("Snow_Coverage_Assessment", f"{snowy:.6f}"))
    quality.append(
        node(
            "Technical_Quality_Assessment",
            node("DEGRADED_ANC_DATA_PERCENTAGE", 0),
            node("DEGRADED_MSI_DATA_PERCENTAGE", 0),
        )
    )
    quality.append(
        node(
            "Quality_Control_Checks",
            node("Quality_Inspections", *checks),
            node("Failed_Inspections"),
        )
    )
    return quality
