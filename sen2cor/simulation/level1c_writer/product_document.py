"""Product metadata of a simulated Level-1C product.

Source: Sentinel-2 Products Specification Document, issues 13.1, 14.2, 14.5 and 15; the order of
elements is that of its schemas.
"""

from __future__ import annotations

import numpy as np
from lxml import etree

from sen2cor.bands import BANDS, NO_DATA, SATURATED
from sen2cor.simulation.level1c_writer.description import ProductDescription
from sen2cor.simulation.level1c_writer.document_elements import (
    auxiliary_references,
    bounds,
    datatake,
    display_order,
    document,
    element,
    footprint_positions,
    gipp_list,
    reflectance_conversion,
    spectral_information,
    utc,
)
from sen2cor.simulation.sensor import QUANTIFICATION

CHECKS = (
    "SENSOR_QUALITY",
    "GEOMETRIC_QUALITY",
    "GENERAL_QUALITY",
    "FORMAT_CORRECTNESS",
    "RADIOMETRIC_QUALITY",
)


def product_metadata(product: ProductDescription) -> bytes:
    """Build the product metadata."""
    return document(
        f"https://{product.psd.namespace.replace('psd-15', 'psd-14')}.sentinel2.eo.esa.int"
        "/PSD/User_Product_Level-1C.xsd",
        "Level-1C_User_Product",
        [
            element("General_Info", _product_info(product), _image_characteristics(product)),
            _product_geometry(product),
            _auxiliary_data(product),
            _product_quality(product),
        ],
    )


def _product_info(product: ProductDescription) -> etree._Element:
    uri = product.name() if product.psd.compact else product.name().removesuffix(".SAFE")
    info = element(
        "Product_Info",
        element("PRODUCT_START_TIME", utc(product.sensing_time)),
        element("PRODUCT_STOP_TIME", utc(product.sensing_time)),
        element("PRODUCT_URI", uri),
        element("PROCESSING_LEVEL", "Level-1C"),
        element("PRODUCT_TYPE", "S2MSI1C"),
        element("PROCESSING_BASELINE", product.baseline),
        element("GENERATION_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")),
        element("PREVIEW_IMAGE_URL", "Not applicable"),
        element("PREVIEW_GEO_INFO", "Not applicable"),
        datatake(product),
    )
    if product.psd.compact:
        info.append(
            element(
                "Query_Options",
                element("PRODUCT_FORMAT", "SAFE_COMPACT"),
                completeSingleTile="true",
            )
        )
    else:
        info.append(_long_query(product))
    info.append(_organisation(product))
    return info


def _long_query(product: ProductDescription) -> etree._Element:
    south, west, north, east = bounds(product.tiles)
    box = element(
        "Bbox",
        element("LOWER_CORNER", f"{south:.4f} {west:.4f}"),
        element("UPPER_CORNER", f"{north:.4f} {east:.4f}"),
    )
    return element(
        "Query_Options",
        element("Area_Of_Interest", box),
        element("FULL_SWATH_DATATAKE", "false"),
        element("PREVIEW_IMAGE", "true"),
        element("Band_List", *(element("BAND_NAME", band.physical_name) for band in BANDS)),
        element("METADATA_LEVEL", "Expertise"),
        element(
            "Aux_List",
            element("aux", element("GIPP", "NO")),
            element("aux", element("IERS", "NO")),
            productLevel="Level-1C",
        ),
        element("PRODUCT_FORMAT", "SAFE"),
        element("AGGREGATION_FLAG", "false"),
    )


def _organisation(product: ProductDescription) -> etree._Element:
    compact = product.psd.compact
    granules = []
    for tile in product.tiles:
        images = [product.image(tile, kind).with_suffix("") for kind in product.image_kinds()]
        granules.append(
            element(
                "Granule" if compact else "Granules",
                *(
                    element("IMAGE_FILE", image.as_posix())
                    if compact
                    else element("IMAGE_ID", image.name)
                    for image in images
                ),
                datastripIdentifier=product.datastrip_id(),
                granuleIdentifier=product.tile_id(tile),
                imageFormat="JPEG2000",
            )
        )
    if compact:
        return element("Product_Organisation", element("Granule_List", *granules))
    return element(
        "Product_Organisation", *(element("Granule_List", granule) for granule in granules)
    )


def _image_characteristics(product: ProductDescription) -> etree._Element:
    characteristics = element(
        "Product_Image_Characteristics",
        _special_value("NODATA", NO_DATA),
        _special_value("SATURATED", SATURATED),
        display_order(),
        element("QUANTIFICATION_VALUE", QUANTIFICATION, unit="none"),
    )
    if product.offset:
        offsets = (element("RADIO_ADD_OFFSET", product.offset, band_id=b.index) for b in BANDS)
        characteristics.append(element("Radiometric_Offset_List", *offsets))
    characteristics.append(reflectance_conversion(product))
    characteristics.append(spectral_information(product.spacecraft))
    for band in BANDS:
        characteristics.append(element("PHYSICAL_GAINS", "1.0", bandId=band.index))
    if not product.offset:
        characteristics.append(element("REFERENCE_BAND", 0))
    return characteristics


def _special_value(text: str, index: int) -> etree._Element:
    return element(
        "Special_Values",
        element("SPECIAL_VALUE_TEXT", text),
        element("SPECIAL_VALUE_INDEX", index),
    )


def _product_geometry(product: ProductDescription) -> etree._Element:
    outline = element("Global_Footprint", element("EXT_POS_LIST", footprint_positions(product)))
    return element(
        "Geometric_Info",
        element(
            "Product_Footprint",
            element("Product_Footprint", outline),
            element("RASTER_CS_TYPE", "POINT"),
            element("PIXEL_ORIGIN", 1),
        ),
        element(
            "Coordinate_Reference_System",
            element("GEO_TABLES", "EPSG", version=1),
            element("HORIZONTAL_CS_TYPE", "GEOGRAPHIC"),
        ),
    )


def _auxiliary_data(product: ProductDescription) -> etree._Element:
    references = auxiliary_references(product)
    order = ("dem", "iers", "gri", "ecmwf")
    return element("Auxiliary_Data_Info", gipp_list(product), *(references[key] for key in order))


def _product_quality(product: ProductDescription) -> etree._Element:
    cloudy = float(np.mean([tile.cloudy_percentage for tile in product.tiles]))
    snowy = float(np.mean([tile.snow_percentage for tile in product.tiles]))
    if product.psd.version in ("13.1", "14.2"):
        checks = [element(f"{check}_FLAG", "PASSED") for check in CHECKS]
    else:
        checks = [element("quality_check", "PASSED", checkType=check) for check in CHECKS]
    quality = element(
        "Quality_Indicators_Info", element("Cloud_Coverage_Assessment", f"{cloudy:.6f}")
    )
    if product.psd.version == "15":
        quality.append(element("Snow_Coverage_Assessment", f"{snowy:.6f}"))
    quality.append(
        element(
            "Technical_Quality_Assessment",
            element("DEGRADED_ANC_DATA_PERCENTAGE", 0),
            element("DEGRADED_MSI_DATA_PERCENTAGE", 0),
        )
    )
    quality.append(
        element(
            "Quality_Control_Checks",
            element("Quality_Inspections", *checks),
            element("Failed_Inspections"),
        )
    )
    return quality
