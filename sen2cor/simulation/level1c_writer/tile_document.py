"""Metadata of one tile of a simulated Level-1C product.

Source: Sentinel-2 Products Specification Document, issues 13.1, 14.2, 14.5 and 15; the order of
elements is that of its schemas.
"""

from __future__ import annotations

import numpy as np
from lxml import etree

from sen2cor.bands import BANDS
from sen2cor.raster.array_types import Float64Array
from sen2cor.simulation.level1c_writer.description import ProductDescription, TileDescription
from sen2cor.simulation.level1c_writer.document_elements import document, element, utc
from sen2cor.simulation.overpass_geometry import NODES, STEP


def tile_metadata(product: ProductDescription, tile: TileDescription) -> bytes:
    """Build the metadata of one tile."""
    namespace = "psd-12" if product.psd.version in ("13.1", "14.2") else "psd-14"
    general = element(
        "General_Info",
        element("TILE_ID", product.tile_id(tile), metadataLevel="Brief"),
        element("DATASTRIP_ID", product.datastrip_id(), metadataLevel="Standard"),
        element("DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard"),
        element("SENSING_TIME", utc(product.sensing_time), metadataLevel="Standard"),
        element(
            "Archiving_Info",
            element("ARCHIVING_CENTRE", "SGS_"),
            element("ARCHIVING_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")),
            metadataLevel="Expertise",
        ),
    )
    return document(
        f"https://{namespace}.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd",
        "Level-1C_Tile_ID",
        [
            general,
            element("Geometric_Info", _geocoding(tile), _angles(tile)),
            _tile_quality(product, tile),
        ],
    )


def _geocoding(tile: TileDescription) -> etree._Element:
    epsg = tile.overpass.grid.epsg
    hemisphere = "S" if epsg >= 32700 else "N"
    geocoding = element(
        "Tile_Geocoding",
        element("HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {epsg % 100}{hemisphere}"),
        element("HORIZONTAL_CS_CODE", f"EPSG:{epsg}"),
        metadataLevel="Brief",
    )
    grids = {resolution: tile.grid(resolution) for resolution in (10, 20, 60)}
    for resolution, grid in grids.items():
        geocoding.append(
            element(
                "Size",
                element("NROWS", grid.rows),
                element("NCOLS", grid.cols),
                resolution=resolution,
            )
        )
    for resolution, grid in grids.items():
        geocoding.append(
            element(
                "Geoposition",
                element("ULX", f"{grid.ulx:.0f}"),
                element("ULY", f"{grid.uly:.0f}"),
                element("XDIM", resolution),
                element("YDIM", -resolution),
                resolution=resolution,
            )
        )
    return geocoding


def _angles(tile: TileDescription) -> etree._Element:
    sun_zenith, sun_azimuth = tile.mean_sun()
    angles = element(
        "Tile_Angles",
        element("Sun_Angles_Grid", *_angle_grid(*tile.overpass.sun_nodes())),
        _mean_angle("Mean_Sun_Angle", sun_zenith, sun_azimuth),
        metadataLevel="Standard",
    )
    for band in BANDS:
        for detector in tile.detectors():
            angles.append(
                element(
                    "Viewing_Incidence_Angles_Grids",
                    *_angle_grid(*tile.overpass.view_nodes(band.name, detector)),
                    bandId=band.index,
                    detectorId=detector,
                )
            )
    means = (
        _mean_angle("Mean_Viewing_Incidence_Angle", *tile.mean_view(b.name), bandId=b.index)
        for b in BANDS
    )
    angles.append(element("Mean_Viewing_Incidence_Angle_List", *means))
    return angles


def _mean_angle(tag: str, zenith: float, azimuth: float, **attributes: object) -> etree._Element:
    return element(
        tag,
        element("ZENITH_ANGLE", f"{zenith:.10f}", unit="deg"),
        element("AZIMUTH_ANGLE", f"{azimuth:.10f}", unit="deg"),
        **attributes,
    )


def _angle_grid(zenith: Float64Array, azimuth: Float64Array) -> list[etree._Element]:
    return [
        element(
            name,
            element("COL_STEP", f"{STEP:.0f}", unit="m"),
            element("ROW_STEP", f"{STEP:.0f}", unit="m"),
            element("Values_List", *(element("VALUES", _row(values[i])) for i in range(NODES))),
        )
        for name, values in (("Zenith", zenith), ("Azimuth", azimuth))
    ]


def _row(values: Float64Array) -> str:
    return " ".join("NaN" if np.isnan(value) else f"{value:.6f}" for value in values)


def _tile_quality(product: ProductDescription, tile: TileDescription) -> etree._Element:
    content = element(
        "Image_Content_QI",
        element("CLOUDY_PIXEL_PERCENTAGE", f"{tile.cloudy_percentage:.6f}"),
        element("DEGRADED_MSI_DATA_PERCENTAGE", 0),
    )
    if product.psd.version == "15":
        content.append(element("SNOW_PIXEL_PERCENTAGE", f"{tile.snow_percentage:.6f}"))
    masks = element("Pixel_Level_QI", geometry="FULL_RESOLUTION")
    indices = {band.name: str(band.index) for band in BANDS}
    for kind, band in product.masks():
        path = product.mask(tile, kind, band)
        attributes = {"bandId": indices[band]} if band else {}
        text = path.as_posix() if product.psd.compact else path.name
        masks.append(element("MASK_FILENAME", text, type=f"MSK_{kind}", **attributes))
    preview = product.image(tile, "PVI")
    return element(
        "Quality_Indicators_Info",
        content,
        masks,
        element("PVI_FILENAME", preview.as_posix() if product.psd.compact else preview.stem),
        metadataLevel="Standard",
    )
